"""A PyTorch network whose tensors lie where the node's kernels want them: for measuring where TensorRT is absent."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.device import Element
from hybrid_seg_train.models import OpenSetNetwork


class _Address:
    """Device memory that PyTorch takes up without a copy (CUDA Array Interface, version 3)."""

    def __init__(self, address: int, shape: Sequence[int]) -> None:
        self.__cuda_array_interface__ = {
            "shape": tuple(shape),
            "typestr": "<f2",
            "data": (address, False),
            "strides": None,
            "version": 3,
        }


class TorchNetwork:
    """See `hybrid_seg_ros.backends.device.DeviceNetwork`: FP16, channels last.

    Args:
        network: float32[1, 3, H, W] to (logits, posterior), or to logits alone; a copy of it is made.
        input_size: (width, height) of the input, px.
        channels: of logits and posterior.
        stride: of both.

    Attributes:
        with_posterior: whether that output is written at all; of a network without, it is a slice of the logits.
    """

    element: Element = "half"
    output_element: Element = "half"

    def __init__(self, network: nn.Module, input_size: tuple[int, int], channels: tuple[int, int], stride: int) -> None:
        torch.backends.cudnn.benchmark = True
        self.input_size, self._channels, self._stride = input_size, channels, stride
        self.with_posterior = True
        self._network: nn.Module | None = half_copy(network, "cuda")
        # Memory of its own: a recorded run finds its scratch where it was, whatever else is allocated.
        self._pool: Any = torch.cuda.MemPool()
        self._tensors: tuple[Tensor, ...] = ()

    def bind(self, image: int, logits: int, posterior: int) -> None:
        """See `DeviceNetwork`."""
        width, height = self.input_size
        grid = height // self._stride, width // self._stride
        shapes = ((1, 3, height, width), *((1, channels, *grid) for channels in self._channels))
        self._tensors = tuple(
            torch.as_tensor(_Address(address, shape), device="cuda")
            for address, shape in zip((image, logits, posterior), shapes, strict=True)
        )

    def enqueue(self, stream: int) -> None:
        """See `DeviceNetwork`.

        Raises:
            BackendError: closed, or PyTorch failed.
        """
        if self._network is None:
            raise BackendError("PyTorch network: enqueue after close")
        try:
            self._run(self._network, stream)
        except RuntimeError as error:
            raise BackendError(f"PyTorch network: the run failed: {error}") from error

    def _run(self, network: nn.Module, stream: int) -> None:
        image, logits, posterior = self._tensors
        with (
            torch.inference_mode(),
            torch.cuda.stream(torch.cuda.ExternalStream(stream)),
            torch.cuda.use_mem_pool(self._pool),
        ):
            found = network(image.contiguous(memory_format=torch.channels_last))
            pair = (found, found[:, :2]) if isinstance(found, Tensor) else found
            logits.copy_(pair[0])
            if self.with_posterior:
                posterior.copy_(pair[1])

    def close(self) -> None:
        """See `DeviceNetwork`."""
        self._network, self._pool, self._tensors = None, None, ()
        torch.cuda.empty_cache()


def half_copy(network: nn.Module, device: str) -> nn.Module:
    """The network on a device in FP16 and channels last; the given one stays as it is."""
    made: nn.Module = copy.deepcopy(network).eval().half()
    return made.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def closed_set(network: OpenSetNetwork) -> nn.Module:
    """The closed-set network in it, without the head: float32[1, 3, H, W] to logits."""
    made = copy.deepcopy(network)
    parent, _, name = made.info.classifier.rpartition(".")
    setattr(made.network.get_submodule(parent), name, made.joint.classifier)
    return made.network
