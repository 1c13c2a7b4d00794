"""The path through a backend whose tensors lie in host memory."""

import functools
import logging
import time
from dataclasses import dataclass

from hybrid_seg_ros.backends import Backend, BackendInfo
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.maps import Formula, Maps, PostProcessor
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.detector.ranges import refuse_constant
from hybrid_seg_ros.detector.tiled import TiledPostProcessor
from hybrid_seg_ros.detector.types import Outputs, Timings
from hybrid_seg_ros.frames import Frame

_log = logging.getLogger(__name__)
# Loading kernels that were compiled before takes tenths of a second.
_COMPILED_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class _Done:
    """See `path.Job`: the work is behind it."""

    maps: Maps
    timings: Timings

    def result(self) -> tuple[Maps, Timings]:
        return self.maps, self.timings


class HostPath:
    """See `path.FramePath`; everything happens in `begin`.

    Args:
        manifest: decides pre- and post-processing.
        backend: runs the network; closed with the path.
        threads: threads of the post-processing.
    """

    raw_encodings: frozenset[str] = frozenset()
    depth = 1

    def __init__(self, manifest: Manifest, backend: Backend, threads: int) -> None:
        self._backend = backend
        self._preprocess = Preprocessor(manifest.input, backend.input_size)
        self._bands = Bands(threads)
        self._postprocess = post_processor(Formula.of(manifest), self._bands)

    def begin(self, frame: Frame, plan: Plan, outputs: Outputs, threshold: float) -> _Done:
        """See `path.FramePath`."""
        start = time.perf_counter()
        tensor = self._preprocess(frame.image, plan.placement)
        prepared = time.perf_counter()
        raw = self._backend.infer(tensor)
        refuse_constant(raw)
        inferred = time.perf_counter()
        maps = self._postprocess(raw, plan.rows, plan.columns, outputs, threshold)
        done = time.perf_counter()
        return _Done(maps, Timings(1e3 * (prepared - start), 1e3 * (inferred - prepared), 1e3 * (done - inferred)))

    def warm_up(self) -> None:
        """See `path.FramePath`."""
        self._backend.warm_up()

    def describe(self) -> BackendInfo:
        """See `path.FramePath`."""
        return self._backend.describe()

    def close(self) -> None:
        """See `path.FramePath`."""
        self._backend.close()
        self._bands.close()


def post_processor(formula: Formula, bands: Bands) -> PostProcessor:
    """The compiled path where numba is installed, the numpy one elsewhere."""
    start = time.monotonic()
    try:
        from hybrid_seg_ros.detector.fused import FusedPostProcessor
    except Exception as error:  # a numba that does not fit its numpy or LLVM fails in many ways
        _warn_once(
            f"numba cannot be used ({error}); post-processing is several times slower. To fix: pip install numba"
        )
        return TiledPostProcessor(formula, bands)
    if time.monotonic() - start > _COMPILED_AFTER_S:
        _log.info(
            "compiled the post-processing for this CPU in %.1f s; kept for the next start", time.monotonic() - start
        )
    return FusedPostProcessor(formula, bands)


@functools.cache
def _warn_once(text: str) -> None:
    _log.warning(text)
