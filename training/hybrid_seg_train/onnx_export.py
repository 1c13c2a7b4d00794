"""PyTorch network -> ONNX, whole graph free of post-processing, any input size that is a multiple of 32."""

import copy
from pathlib import Path

import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from hybrid_seg_train.models import HybridOutput, OpenSetNetwork
from hybrid_seg_train.models.closed_set import PROBE_SIZE

OPSET = 17
INPUT, LOGITS, POSTERIOR = "image", "logits", "posterior"


class _HalfPrecision(nn.Module):
    """A network computed in float16 behind float32 inputs and outputs: the graph's own types are its precision."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits, posterior = self.network(image.half())
        return logits.float(), posterior.float()


def export_onnx(network: nn.Module, path: Path, *, half: bool = False) -> None:
    """Write the network's ONNX file.

    Input `image`: float32[1, 3, height, width]; outputs `logits`: float32[1, K, height/s, width/s] and `posterior`:
    float32[1, 2, height/s, width/s] for the network's stride s.

    Args:
        network: in evaluation mode; unchanged.
        path: the file to write.
        half: float16 weights and arithmetic between float32 input and output, for strongly typed TensorRT engines.

    Raises:
        onnx.checker.ValidationError: the written graph is not valid.
    """
    example = torch.zeros(1, 3, *(network.info.probe_size if isinstance(network, OpenSetNetwork) else PROBE_SIZE))
    exported = _plain_copy(network)
    if half:
        exported = _HalfPrecision(exported.half())
    # The TorchScript exporter: in seconds a graph whose Resize nodes have constant scales and no node carries paths.
    torch.onnx.export(
        exported.eval(),
        (example,),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=[LOGITS, POSTERIOR],
        dynamic_axes={
            INPUT: {2: "height", 3: "width"},
            LOGITS: {2: "height_out", 3: "width_out"},
            POSTERIOR: {2: "height_out", 3: "width_out"},
        },
    )
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


class OnnxNetwork:
    """An exported file in ONNX Runtime on the CPU, with PyTorch's tensors in and out."""

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, image: Tensor) -> HybridOutput:
        """float32[1, 3, H, W] -> logits and posterior at the network's stride."""
        logits, posterior = self._session.run([LOGITS, POSTERIOR], {INPUT: image.numpy()})
        return HybridOutput(torch.from_numpy(logits), torch.from_numpy(posterior))


def _plain_copy(network: nn.Module) -> nn.Module:
    """A contiguous copy, so that the weights are stored in ONNX's order and the original stays as it is."""
    plain: nn.Module = copy.deepcopy(network)
    return plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]
