"""Small real bundles: a real ONNX network, real hashes, a golden test computed without ONNX Runtime."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from hybrid_seg_ros.bundle import (
    Bundle,
    ClassInfo,
    Golden,
    NetworkInput,
    NetworkOutputs,
    OperatingPoint,
    Provenance,
    Score,
    ScoreKind,
    image_to_tensor,
    write_bundle,
)

STRIDE = 4
HIDDEN = 8
CLASS_NAMES = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist",
)  # fmt: skip

FloatArray = npt.NDArray[np.float32]


class TinyNetwork:
    """Conv 4x4 stride 4 -> ReLU -> two 1x1 convolutions, with weights drawn from a seed."""

    def __init__(self, classes: int = 11, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.stem = rng.normal(0, 0.5, (HIDDEN, 3, STRIDE, STRIDE)).astype(np.float32)
        self.heads = {
            "logits": rng.normal(0, 1, (classes, HIDDEN, 1, 1)).astype(np.float32),
            "posterior": rng.normal(0, 1, (2, HIDDEN, 1, 1)).astype(np.float32),
        }

    def onnx_bytes(self, width: int = 128, height: int = 96, *, dynamic: bool = True) -> bytes:
        """The network as an ONNX file; with `dynamic`, of any height and width."""
        sides: list[Any] = ["height", "width"] if dynamic else [height, width]
        coarse: list[Any] = ["h", "w"] if dynamic else [height // STRIDE, width // STRIDE]
        nodes = [
            helper.make_node(
                "Conv", ["image", "stem"], ["stem_out"], kernel_shape=[STRIDE, STRIDE], strides=[STRIDE, STRIDE]
            ),
            helper.make_node("Relu", ["stem_out"], ["features"]),
            *(helper.make_node("Conv", ["features", f"{name}_w"], [name]) for name in self.heads),
        ]
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *sides])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, weight.shape[0], *coarse])
                for name, weight in self.heads.items()
            ],
            [
                numpy_helper.from_array(self.stem, "stem"),
                *(numpy_helper.from_array(weight, f"{name}_w") for name, weight in self.heads.items()),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()

    def run(self, tensor: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(logits, posterior) of float32[1, 3, H, W], in plain numpy."""
        _, channels, height, width = tensor.shape
        blocks = tensor.reshape(channels, height // STRIDE, STRIDE, width // STRIDE, STRIDE)
        features = np.maximum(np.einsum("cyixj,ocij->oyx", blocks, self.stem), 0)
        logits, posterior = (
            np.einsum("cyx,oc->oyx", features, self.heads[name][:, :, 0, 0]) for name in ("logits", "posterior")
        )
        return logits.astype(np.float32), posterior.astype(np.float32)


def make_bundle(
    path: Path,
    *,
    classes: int = 11,
    width: int = 128,
    height: int = 96,
    dynamic: bool = True,
    resize: Literal["stretch", "letterbox"] = "letterbox",
    color_order: Literal["rgb", "bgr"] = "rgb",
    kind: ScoreKind = "hybrid",
    temperature: float = 1.0,
    seed: int = 0,
) -> Bundle:
    """Write a bundle with a `TinyNetwork` to `path`.

    Operating points: "tpr95" (default, threshold 0), "best_f1" (2) and "fpr_5" (5).
    """
    network = TinyNetwork(classes, seed)
    spec = NetworkInput(
        width=width,
        height=height,
        multiple_of=32,
        dynamic=dynamic,
        color_order=color_order,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        resize=resize,
    )
    image = np.random.default_rng(seed + 1).integers(0, 256, (height, width, 3), np.uint8)
    logits, posterior = network.run(image_to_tensor(image, spec))
    names = [*CLASS_NAMES[:classes], *(f"class_{k}" for k in range(len(CLASS_NAMES), classes))]
    return write_bundle(
        path,
        name="tiny",
        description="a network for tests",
        files={"model.onnx": network.onnx_bytes(width, height, dynamic=dynamic), "MODEL_CARD.md": b"# For tests\n"},
        golden=Golden(image, logits, posterior),
        network_input=spec,
        network_outputs=NetworkOutputs(stride=STRIDE),
        classes=[
            ClassInfo(
                id=k,
                name=name,
                color=(37 * k % 256, 91 * k % 256, 173 * k % 256),
                drivable=name == "Road",
                obstacle=name in {"Car", "Pedestrian", "Bicyclist"},
            )
            for k, name in enumerate(names)
        ],
        score=Score(
            kind=kind,
            temperature=temperature,
            operating_points={
                "tpr95": OperatingPoint(threshold=0.0, source="generated", tpr=0.95),
                "best_f1": OperatingPoint(threshold=2.0, source="generated"),
                "fpr_5": OperatingPoint(threshold=5.0, source="generated", fpr=0.05),
            },
            default="tpr95",
        ),
        training=Provenance(datasets=["generated"], licenses=["Apache-2.0"], seed=seed, recipe="random weights"),
    )
