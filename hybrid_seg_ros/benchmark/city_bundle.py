"""A bundle with as many classes as Cityscapes, made of another by adding classes: the time is that of the real thing.

The added classes are mixtures of those there are, so that reduced precision passes the golden test; they mean nothing.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.benchmark.scenario import NotMeasuredError
from hybrid_seg_ros.bundle import Bundle, ClassInfo, Golden, image_to_tensor, write_bundle

CLASSES = 19
_FILES = ("model.onnx", "model.fp16.onnx")
_SEED = 19


def city_bundle(bundle: Bundle, folder: Path, *, closed: bool = False) -> Bundle:
    """The bundle's network with `CLASSES` classes, FP32 and where it has it FP16.

    Args:
        bundle: with fewer classes, or as many: then nothing is added.
        folder: where the new bundle is made.
        closed: without the posterior head and its term. What takes the head's place as the second output is a slice of
            the logits, since all backends expect two: a copy of 2 of the 19 channels.

    Raises:
        NotMeasuredError: onnx or onnxruntime is missing, or the network does not end in a convolution.
    """
    try:
        import onnx
    except ImportError as error:
        raise NotMeasuredError("adding classes to a network needs onnx; fix: pip install onnx") from error
    manifest, count = bundle.manifest, max(CLASSES, len(bundle.manifest.classes))
    files: dict[str, bytes | Path] = {}
    for name in (name for name in _FILES if name in manifest.files):
        model = onnx.load(str(bundle.file(name)))
        _widen(model.graph, manifest.outputs.logits, count)
        if closed:
            _behead(model.graph, manifest.outputs.logits, manifest.outputs.posterior)
        onnx.checker.check_model(model)
        files[name] = bytes(model.SerializeToString())
    added = [
        ClassInfo(id=k, name=f"added_{k}", color=(13 * k % 256, 71 * k % 256, 151 * k % 256))
        for k in range(len(manifest.classes), count)
    ]
    image = bundle.golden().image
    logits, posterior = _run(files["model.onnx"], image_to_tensor(image, manifest.input), manifest)
    return write_bundle(
        folder / ("closed" if closed else "hybrid"),
        name=f"{manifest.name}_{count}_classes",
        description="for measuring time; the added classes mean nothing",
        files=files,
        golden=Golden(image, logits, posterior),
        network_input=manifest.input,
        network_outputs=manifest.outputs,
        classes=[*manifest.classes, *added],
        score=manifest.score.model_copy(
            update={"statistics": None, "kind": "energy" if closed else manifest.score.kind}
        ),
        training=manifest.training,
        overwrite=True,
    )


def _widen(graph: Any, logits: str, count: int) -> None:  # noqa: ANN401  # onnx's generated classes
    """Let the last convolution before the logits give `count` channels."""
    from onnx import numpy_helper

    by_output = {output: node for node in graph.node for output in node.output}
    node = by_output[logits]
    while node.op_type == "Cast":
        node = by_output[node.input[0]]
    if node.op_type != "Conv":
        raise NotMeasuredError(f"adding classes needs a convolution as the last layer, found {node.op_type}")
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    rng: np.random.Generator | None = None
    for name in node.input[1:]:
        if name not in tensors:
            raise NotMeasuredError(f"adding classes needs weights that are stored plainly, {name} is computed")
        values = numpy_helper.to_array(tensors[name])
        # The same mixture for weights and bias, and for every precision.
        rng = np.random.default_rng(_SEED)
        mixture = rng.dirichlet(np.full(len(values), 0.5), count - len(values))
        added = np.tensordot(mixture, values.astype(np.float64), axes=1).astype(values.dtype)
        tensors[name].CopyFrom(numpy_helper.from_array(np.concatenate([values, added]), name))
    for output in graph.output:
        if output.name == logits:
            output.type.tensor_type.shape.dim[1].dim_value = count


def _behead(graph: Any, logits: str, posterior: str) -> None:  # noqa: ANN401  # as above
    """Put a slice of the logits in the posterior's place, and drop what only the posterior needed."""
    from onnx import helper, numpy_helper

    kept: list[Any] = []
    needed = {logits}
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    bounds = {"starts": 0, "ends": 2, "axes": 1}
    names = {key: f"closed_set_{key}" for key in bounds}
    stored = [tensor for tensor in graph.initializer if tensor.name in needed]
    stored += [numpy_helper.from_array(np.array([value], np.int64), names[key]) for key, value in bounds.items()]
    nodes = [*reversed(kept), helper.make_node("Slice", [logits, *names.values()], [posterior])]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(stored)


def _run(
    model: bytes | Path,
    tensor: npt.NDArray[np.float32],
    manifest: Any,  # noqa: ANN401
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    try:
        import onnxruntime
    except ImportError as error:
        raise NotMeasuredError("adding classes needs onnxruntime; fix: pip install onnxruntime") from error
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [manifest.outputs.logits, manifest.outputs.posterior]
    logits, posterior = session.run(names, {manifest.input.name: tensor})
    return logits[0], posterior[0]
