"""Frame in, Segmentation out."""

import functools
import logging
import math
import time
from pathlib import Path
from types import TracebackType

import numpy as np

from hybrid_seg_ros.backends import Backend, BackendInfo, BackendOptions, create, usable_cores
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.maps import Formula, PostProcessor
from hybrid_seg_ros.detector.plans import OutputSize, PlanCache
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.detector.tiled import TiledPostProcessor
from hybrid_seg_ros.detector.types import Outputs, Segmentation, Timings
from hybrid_seg_ros.frames import Frame

_log = logging.getLogger(__name__)
# Loading kernels that were compiled before takes tenths of a second.
_COMPILED_AFTER_S = 2.0


class Detector:
    """The whole path for frames of any size: resize, network, upsampling, argmax, score, mask.

    One thread at a time calls the detector; `threshold` may be read and set from any thread and counts from the
    next frame on. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: Backend,
        *,
        output_size: OutputSize = "source",
        threshold: float | str | None = None,
        threads: int | None = None,
    ) -> None:
        """Take over a loaded backend.

        Args:
            bundle: manifest and operating points; pre- and post-processing follow from it alone.
            backend: a loaded network of this bundle; closed with the detector.
            output_size: maps at the source's size, or at the size the source has in the network input (without
                the padding of a letterbox).
            threshold: mask = score > threshold: a value, the name of an operating point, or None for the default one.
            threads: threads of the post-processing; None = the usable physical cores.

        Raises:
            ValueError: an unknown output size or operating point, or a threshold that is no number.
        """
        if output_size not in ("source", "network"):
            raise ValueError(f"output_size is {output_size!r}, expected 'source' or 'network'")
        manifest = bundle.manifest
        self._bundle = bundle
        self._backend = backend
        self._threshold = self._resolve(threshold)
        self._plans = PlanCache(backend.input_size, manifest.input.resize, output_size, manifest.outputs.stride)
        self._preprocess = Preprocessor(manifest.input, backend.input_size)
        score = manifest.score
        formula = Formula(score.kind, score.temperature, score.confidence_table)
        self._bands = Bands(usable_cores() if threads is None else threads)
        self._postprocess = _post_processor(formula, self._bands)

    def __call__(self, frame: Frame, outputs: Outputs = Outputs.ALL) -> Segmentation:
        """Segment one frame; only what is asked for is computed.

        Raises:
            ValueError: the image is not uint8[H, W, 3] with at least one pixel.
            BackendError: the network failed.
            InvalidOutputError: the network returned NaN or Inf.
        """
        image = frame.image
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(f"image: expected uint8[H, W, 3] with pixels, found {image.dtype}{list(image.shape)}")
        threshold = self._threshold
        plan = self._plans(frame.size)
        start = time.perf_counter()
        tensor = self._preprocess(image, plan.placement)
        prepared = time.perf_counter()
        raw = self._backend.infer(tensor)
        inferred = time.perf_counter()
        maps = self._postprocess(raw, plan.rows, plan.columns, outputs, threshold)
        done = time.perf_counter()
        return Segmentation(
            size=plan.size,
            labels=maps.labels,
            score=maps.score,
            mask=maps.mask,
            confidence=maps.confidence,
            threshold=threshold,
            timings=Timings(1e3 * (prepared - start), 1e3 * (inferred - prepared), 1e3 * (done - inferred)),
        )

    @property
    def bundle(self) -> Bundle:
        return self._bundle

    @property
    def info(self) -> BackendInfo:
        """What runs, where, and why."""
        return self._backend.describe()

    @property
    def threshold(self) -> float:
        """The threshold in force; set it to a value, or by `set_threshold`."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self.set_threshold(value)

    def set_threshold(self, value: float | str | None) -> float:
        """Use a value, the operating point of that name, or (None) the default one, from the next frame on.

        Returns:
            The threshold now in force.

        Raises:
            ValueError: an unknown operating point, or no number; the old threshold stays.
        """
        self._threshold = self._resolve(value)
        return self._threshold

    def output_size(self, source: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the maps for a source image of (width, height), px."""
        return self._plans(source).size

    def warm_up(self) -> None:
        """Run network and post-processing until timing has settled."""
        self._backend.warm_up()
        width, height = self._backend.input_size
        self(Frame(np.zeros((height, width, 3), np.uint8)))

    def close(self) -> None:
        """Release network and threads; may be called twice."""
        self._backend.close()
        self._bands.close()

    def __enter__(self) -> "Detector":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _resolve(self, value: float | str | None) -> float:
        score = self._bundle.manifest.score
        if value is None:
            value = score.default
        if isinstance(value, str):
            if value not in score.operating_points:
                raise ValueError(
                    f"operating point {value!r}: expected one of {', '.join(score.operating_points)}"
                    f" (bundle {self._bundle.name})"
                )
            return score.operating_points[value].threshold
        if math.isnan(value):
            raise ValueError("threshold is NaN, expected a number or the name of an operating point")
        return float(value)


def open_detector(
    bundle: Path | str | Bundle,
    backend: str = "auto",
    *,
    input_size: tuple[int, int] | None = None,
    output_size: OutputSize = "source",
    threshold: float | str | None = None,
    threads: int | None = None,
    options: BackendOptions | None = None,
) -> Detector:
    """Find, verify and load a bundle, make its backend and warm everything up.

    Args:
        bundle: path or name of a bundle, or a loaded one.
        backend: "auto", "onnxruntime", "tensorrt" or "fake".
        input_size: (width, height) of the network input; None = the manifest's.
        output_size: see `Detector`; so are threshold and threads.
        threshold: see `Detector`.
        threads: for the network, too, unless `options` says otherwise.
        options: everything else about the backend.

    Raises:
        BundleError: the bundle is not there or not valid.
        BackendError: the backend does not work here, or fails the golden test.
        ValueError: see `Detector`.
    """
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(find_bundle(bundle))
    made = create(backend, loaded, input_size, options or BackendOptions(threads=threads))
    try:
        detector = Detector(loaded, made, output_size=output_size, threshold=threshold, threads=threads)
        detector.warm_up()
    except BaseException:
        made.close()
        raise
    return detector


def _post_processor(formula: Formula, bands: Bands) -> PostProcessor:
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
