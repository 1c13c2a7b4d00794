"""Exported networks before NVIDIA's own parser and builder: TensorRT-RTX has TensorRT's rules and needs no GPU."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from test_families import options
from torch import nn

from hybrid_seg_ros.backends.tensorrt.api import load_tensorrt
from hybrid_seg_ros.backends.tensorrt.build import build_plan
from hybrid_seg_ros.backends.tensorrt.identity import Element, TensorSpec
from hybrid_seg_ros.backends.tensorrt.logger import make_logger
from hybrid_seg_ros.backends.tensorrt.onnx_types import half_inputs_and_outputs
from hybrid_seg_ros.backends.tensorrt.progress import ProgressReporter
from hybrid_seg_train.models import closed_set_network, ladder_network, upgrade
from hybrid_seg_train.onnx_export import INPUT, LOGITS, POSTERIOR, export_onnx

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx-cu13 is not installed", exc_type=ImportError)

# Without those whose adaptive pooling has no ONNX form for sizes that are open.
FAMILIES = [
    *(("smp", name) for name in ("unet", "unetplusplus", "linknet", "fpn", "deeplabv3plus", "pan", "segformer")),
    ("torchvision", "deeplabv3_mobilenet_v3_large"),
    ("torchvision", "lraspp_mobilenet_v3_large"),
    ("huggingface", "segformer"),
    ("huggingface", "mobilenet_v2"),
]


def assert_builds(network: nn.Module, folder: Path, classes: int, *sizes: tuple[int, int]) -> None:
    """FP32, FP16 between float32 ends, and FP16 throughout."""
    for half in (False, True):
        export_onnx(network, folder / "model.onnx", half=half)
        model = (folder / "model.onnx").read_bytes()
        for width, height in sizes:
            assert_one_builds(model, "float", classes, (height, width))
            if half:
                assert_one_builds(half_inputs_and_outputs(model), "half", classes, (height, width))


def assert_one_builds(model: bytes, element: Element, classes: int, sides: tuple[int, int]) -> None:
    trt = load_tensorrt("tensorrt_rtx", device=False)
    tensors = (
        TensorSpec(INPUT, "input", element, (1, 3, *sides)),
        TensorSpec(LOGITS, "output", element, (1, classes, 1, 1)),  # outputs are checked by name when it is built
        TensorSpec(POSTERIOR, "output", element, (1, 2, 1, 1)),
    )
    with ProgressReporter(lambda _: None) as reporter:
        built = build_plan(trt, model, tensors, workspace_mb=1024, reporter=reporter, log=make_logger(trt))
    assert built.plan


@pytest.fixture(autouse=True)
def _not_one_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    told = [record.getMessage() for record in caplog.get_records("call") if record.name == "hybrid_seg_ros.tensorrt"]
    assert told == []


@pytest.mark.parametrize("classes", [11, 19])
def test_the_ladder_network_builds_at_several_sizes(classes: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ladder_network(classes, width=16, pretrained=False).eval()
    assert_builds(network, tmp_path, classes, (480, 352), (1024, 512))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), FAMILIES, ids=lambda value: str(value))
def test_every_family_that_exports_builds(family: str, name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = upgrade(closed_set_network(family, classes=19, **options(family, name))).eval()
    assert_builds(network, tmp_path, 19, (1024, 512))
