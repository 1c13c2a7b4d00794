"""A network's full-size outputs for an image, placed and upsampled exactly as the deployed detector does."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hybrid_seg_ros.bundle import NetworkInput
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.frames.geometry import AxisTable, Placement, axis_table
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.models import ClosedSetNetwork, HybridOutput, OpenSetNetwork
from hybrid_seg_train.models.backbone import IMAGENET_MEAN, IMAGENET_STD

Network = Callable[[Tensor], HybridOutput | Tensor]
"""float32[1, 3, H, W] -> the outputs of an open-set network, or the logits of a closed-set one."""

OpenNetwork = Callable[[Tensor], HybridOutput]
"""float32[1, 3, H, W] -> the outputs of an open-set network."""

MULTIPLE = 32
"""Every network input side is a multiple of this."""


class Prediction(NamedTuple):
    """A network's outputs at an image's own size.

    Attributes:
        logits: float32[K, H, W].
        posterior: float32[2, H, W]; None of a closed-set network.
    """

    logits: Tensor
    posterior: Tensor | None


def input_spec(size: tuple[int, int], network: Network | nn.Module | None = None) -> NetworkInput:
    """The manifest's input section for a default size (width, height).

    Args:
        size: network input (width, height).
        network: its `info` says how it wants its channels normalised; without, as the project's own networks.
    """
    mean, std = IMAGENET_MEAN, IMAGENET_STD
    if isinstance(network, (ClosedSetNetwork, OpenSetNetwork)):
        mean, std = network.info.mean, network.info.std
    return NetworkInput(
        width=size[0],
        height=size[1],
        multiple_of=MULTIPLE,
        dynamic=True,
        color_order="rgb",
        mean=mean,
        std=std,
        resize="letterbox",
    )


class Predictor:
    """Full-size logits of images of any size through one network input size."""

    def __init__(self, network: Network | nn.Module, size: tuple[int, int], spec: NetworkInput | None = None) -> None:
        """Run `network` at a size (width, height); `spec` says how it takes images, without it `input_spec` does."""
        self._network = network
        self._spec = spec or input_spec(size, network)
        self._size = size
        self._preprocess = Preprocessor(self._spec, size)

    def __call__(self, image: ByteImage) -> Prediction:
        """uint8[H, W, 3] BGR -> its logits and posterior."""
        source = (image.shape[1], image.shape[0])
        placement = Placement.fit(source, self._size, self._spec.resize)
        with torch.inference_mode():
            output = self._network(torch.from_numpy(self._preprocess(image, placement)))
            if isinstance(output, Tensor):
                return Prediction(_upsample(output[0], placement), None)
            return Prediction(*(_upsample(maps[0], placement) for maps in output))


def _upsample(maps: Tensor, placement: Placement) -> Tensor:
    """float32[C, h, w] at the network's stride -> float32[C, H, W] of the source, bilinear, half-pixel centres."""
    height, width = maps.shape[1:]
    stride = placement.network[0] // width
    rows = axis_table(
        outputs=placement.source[1], content=placement.content[1], pad=placement.pad_top, stride=stride, cells=height
    )
    columns = axis_table(
        outputs=placement.source[0], content=placement.content[0], pad=placement.pad_left, stride=stride, cells=width
    )
    return _interpolate(_interpolate(maps, rows, dim=1), columns, dim=2)


def _interpolate(maps: Tensor, table: AxisTable, *, dim: int) -> Tensor:
    shape = [1, 1, 1]
    shape[dim] = -1
    weight = torch.from_numpy(table.weight).reshape(shape)
    low, high = (maps.index_select(dim, _index(cells)) for cells in (table.low, table.high))
    return torch.lerp(low, high, weight)


def _index(cells: npt.NDArray[np.int32]) -> Tensor:
    return torch.from_numpy(cells.astype(np.int64))
