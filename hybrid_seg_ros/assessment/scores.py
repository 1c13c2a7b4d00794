"""Several anomaly scores of one network run, made by the detector's own pre- and post-processing."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import get_args

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.backends import Backend, BackendInfo, usable_cores
from hybrid_seg_ros.bundle import Manifest, ScoreKind
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.host_path import post_processor
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import PlanCache
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.detector.ranges import refuse_constant
from hybrid_seg_ros.detector.types import Outputs

Size = tuple[int, int]

KINDS: tuple[ScoreKind, ...] = get_args(ScoreKind)
"""Every score that a network with both heads has."""

# Sets hold few sizes, and a loaded network takes much memory.
_LOADED = 2


@dataclass(frozen=True, slots=True)
class ScoreMaps:
    """What is known of one image, at the image's size.

    Attributes:
        scores: kind -> float32[H, W], higher = more anomalous.
        labels: uint8[H, W] class ids; None where only scores are known.
        confidence: uint8[H, W], 255 * calibrated max-softmax; None where only scores are known.
    """

    scores: Mapping[str, npt.NDArray[np.float32]]
    labels: npt.NDArray[np.uint8] | None = None
    confidence: npt.NDArray[np.uint8] | None = None


class NetworkScores:
    """Runs a network once an image and makes any number of its scores. Not thread-safe; close it.

    Args:
        manifest: decides pre- and post-processing.
        open_backend: loads the network at an input size (width, height); None = the manifest's.
        input_size: source (width, height) -> network input (width, height); None = the manifest's for every image.
        threads: of the post-processing; None = the usable physical cores.
    """

    def __init__(
        self,
        manifest: Manifest,
        open_backend: Callable[[Size | None], Backend],
        *,
        input_size: Callable[[Size], Size] | None = None,
        threads: int | None = None,
    ) -> None:
        self._manifest = manifest
        self._open = open_backend
        self._input_size = input_size
        self._bands = Bands(usable_cores() if threads is None else threads)
        self._loaded: OrderedDict[Size | None, _Loaded] = OrderedDict()

    def __call__(self, image: npt.NDArray[np.uint8], kinds: Sequence[ScoreKind]) -> ScoreMaps:
        """All maps of uint8[H, W, 3] BGR.

        Raises:
            BackendError: the network does not load, failed, or returned NaN, Inf or the same everywhere.
        """
        source = (image.shape[1], image.shape[0])
        network = self._network(None if self._input_size is None else self._input_size(source))
        plan = network.plans(source)
        raw = network.backend.infer(network.preprocess(image, plan.placement))
        refuse_constant(raw)
        labels: npt.NDArray[np.uint8] | None = None
        confidence: npt.NDArray[np.uint8] | None = None
        scores: dict[str, npt.NDArray[np.float32]] = {}
        for kind in kinds:
            # Labels and confidence are the same for every score: one pass makes them.
            wanted = Outputs.SCORE if scores else Outputs.SCORE | Outputs.LABELS | Outputs.CONFIDENCE
            formula = replace(Formula.of(self._manifest), kind=kind)
            maps = post_processor(formula, self._bands)(raw, plan.rows, plan.columns, wanted, 0.0)
            if maps.score is None:
                raise RuntimeError("the post-processing left out a score it was asked for")
            scores[kind] = maps.score
            labels = maps.labels if labels is None else labels
            confidence = maps.confidence if confidence is None else confidence
        return ScoreMaps(scores, labels, confidence)

    def describe(self) -> BackendInfo:
        """What runs the network, where, and why; loads it at the manifest's size where none is loaded yet."""
        loaded = next(reversed(self._loaded.values()), None) or self._network(None)
        return loaded.backend.describe()

    def close(self) -> None:
        """Release networks and threads; may be called twice."""
        while self._loaded:
            self._loaded.popitem()[1].backend.close()
        self._bands.close()

    def __enter__(self) -> "NetworkScores":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _network(self, size: Size | None) -> "_Loaded":
        loaded = self._loaded.get(size)
        if loaded is None:
            if len(self._loaded) == _LOADED:
                self._loaded.popitem(last=False)[1].backend.close()
            loaded = self._loaded[size] = _Loaded.of(self._manifest, self._open(size))
        self._loaded.move_to_end(size)
        return loaded


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A network at one input size, with what stands before and behind it."""

    backend: Backend
    preprocess: Preprocessor
    plans: PlanCache

    @classmethod
    def of(cls, manifest: Manifest, backend: Backend) -> "_Loaded":
        size, spec = backend.input_size, manifest.input
        return cls(backend, Preprocessor(spec, size), PlanCache(size, spec.resize, "source", manifest.outputs.stride))
