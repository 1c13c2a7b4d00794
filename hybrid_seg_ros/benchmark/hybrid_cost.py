"""What open-set costs: the same network with and without the posterior head and the score, turn by turn."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.backends import NetworkOutput, usable_cores
from hybrid_seg_ros.backends.onnxruntime import session_options
from hybrid_seg_ros.benchmark.recordings import pictures
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Bundle, image_to_tensor
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.fused import FusedPostProcessor
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import PlanCache

_SIZE = (1024, 512)
_HYBRID = Outputs.LABELS | Outputs.SCORE | Outputs.MASK


class _Path:
    """Network and post-processing of one side; the tensor is ready, so that only what differs is timed."""

    def __init__(self, model: Path, bundle: Bundle, names: list[str], outputs: Outputs, threads: int) -> None:
        import onnxruntime

        manifest = bundle.manifest
        self._session = onnxruntime.InferenceSession(
            str(model), session_options(threads), providers=["CPUExecutionProvider"]
        )
        self._input = manifest.input.name
        self._names = names
        self._outputs = outputs
        self._plan = PlanCache(_SIZE, "stretch", "source", manifest.outputs.stride)(_SIZE)
        self._bands = Bands(threads)
        self._post = FusedPostProcessor(Formula(manifest.score.kind), self._bands)
        stride = manifest.outputs.stride
        self._no_posterior = np.zeros((2, _SIZE[1] // stride, _SIZE[0] // stride), np.float32)
        self.network_ms: list[float] = []
        self.post_ms: list[float] = []

    def turn(self, tensor: "np.ndarray[Any, np.dtype[np.float32]]") -> None:
        """One frame."""
        start = time.perf_counter()
        found = self._session.run(self._names, {self._input: tensor})
        inferred = time.perf_counter()
        posterior = found[1][0] if len(found) > 1 else self._no_posterior
        self._post(NetworkOutput(found[0][0], posterior), self._plan.rows, self._plan.columns, self._outputs, 0.0)
        self.network_ms.append((inferred - start) * 1e3)
        self.post_ms.append((time.perf_counter() - inferred) * 1e3)

    def close(self) -> None:
        self._bands.close()


def closed_set_model(bundle: Bundle, target: Path) -> None:
    """The bundle's network without its posterior head, as an ONNX file.

    Raises:
        NotMeasuredError: onnx is not installed.
    """
    try:
        from onnx.utils import extract_model
    except ImportError as error:
        raise NotMeasuredError("cutting the head off the network needs onnx; fix: pip install onnx") from error
    names = bundle.manifest
    extract_model(str(bundle.file("model.onnx")), str(target), [names.input.name], [names.outputs.logits])


def measure(context: Context) -> Measured:
    """Closed: logits -> labels. Hybrid: logits and posterior -> labels, score and mask. 1024x512 in and out."""
    manifest, threads = context.bundle.manifest, usable_cores()
    cut = context.work_dir / "closed.onnx"
    closed_set_model(context.bundle, cut)
    outputs = manifest.outputs
    closed = _Path(cut, context.bundle, [outputs.logits], Outputs.LABELS, threads)
    full = context.bundle.file("model.onnx")
    hybrid = _Path(full, context.bundle, [outputs.logits, outputs.posterior], _HYBRID, threads)
    tensors = [image_to_tensor(image, manifest.input) for image in pictures(_SIZE, 2)]
    rounds = context.count(120, 10)
    try:
        for index in tqdm(range(rounds + 3), desc="turns", disable=not context.progress):
            # Who goes first changes every round, so that whatever follows a run costs both sides the same.
            for side in (closed, hybrid) if index % 2 else (hybrid, closed):
                side.turn(tensors[index % 2])
    finally:
        closed.close()
        hybrid.close()
    medians = {name: _medians(side) for name, side in (("closed", closed), ("hybrid", hybrid))}
    cost = medians["hybrid"]["total_ms"] / medians["closed"]["total_ms"] - 1
    network = medians["hybrid"]["network_ms"] / medians["closed"]["network_ms"] - 1
    return Measured(
        f"{100 * cost:+.1f} % in all ({medians['closed']['total_ms']:.1f} -> {medians['hybrid']['total_ms']:.1f} ms), "
        f"{100 * network:+.1f} % of the network alone",
        cost <= 0.03,
        {
            "size": list(_SIZE),
            "threads": threads,
            "rounds": rounds,
            **medians,
            "cost": round(cost, 4),
            "network_cost": round(network, 4),
        },
    )


def _medians(side: _Path) -> dict[str, float]:
    network, post = np.array(side.network_ms[3:]), np.array(side.post_ms[3:])
    return {
        "network_ms": round(float(np.median(network)), 3),
        "post_ms": round(float(np.median(post)), 3),
        "total_ms": round(float(np.median(network + post)), 3),
    }


SCENARIO = Scenario(
    "hybrid_cost",
    "hybrid over closed set: the same network with and without head and score, 1024x512",
    "<= 3 %",
    measure,
)
