"""Frame in, Segmentation out."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from hybrid_seg_ros.backends import Backend, BackendInfo, usable_cores
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector.device_path import DevicePath
from hybrid_seg_ros.detector.host_path import HostPath
from hybrid_seg_ros.detector.path import FramePath, Job
from hybrid_seg_ros.detector.plans import OutputSize, PlanCache
from hybrid_seg_ros.detector.rescue import Rescue, RescuedPath
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.raw import RawImage


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
        borrow: bool = False,
        rescue: Rescue | None = None,
    ) -> None:
        """Take over a loaded backend.

        Args:
            bundle: manifest and operating points; pre- and post-processing follow from it alone.
            backend: a loaded network of this bundle; closed with the detector.
            output_size: maps at the source's size, or at the size the source has in the network input (without
                the padding of a letterbox).
            threshold: mask = score > threshold: a value, the name of an operating point, or None for the default one.
            threads: threads of the post-processing; None = the usable physical cores.
            borrow: results of a device are its own page-locked arrays, overwritten by the second frame after them
                and gone when the detector is closed: for those who are done with a result by then.
            rescue: what to do when a device fails; None = every frame says so from then on.

        Raises:
            ValueError: an unknown output size or operating point, or a threshold that is no number.
            BackendError: a device's kernels do not compile, or its memory does not suffice.
        """
        if output_size not in ("source", "network"):
            raise ValueError(f"output_size is {output_size!r}, expected 'source' or 'network'")
        manifest = bundle.manifest
        self._bundle = bundle
        self._threshold = self._resolve(threshold)
        self._plans = PlanCache(backend.input_size, manifest.input.resize, output_size, manifest.outputs.stride)
        cores = usable_cores() if threads is None else threads

        def open_path(of: Backend) -> FramePath:
            return (
                DevicePath(manifest, of, borrow=borrow)
                if isinstance(of, DeviceBackend)
                else HostPath(manifest, of, cores)
            )

        self._size = backend.input_size
        self._path: FramePath = open_path(backend)
        if rescue is not None and isinstance(backend, DeviceBackend):
            self._path = RescuedPath(self._path, open_path, rescue)

    def __call__(self, frame: Frame, outputs: Outputs = Outputs.ALL) -> Segmentation:
        """Segment one frame; only what is asked for is computed. See `begin`."""
        return self.begin(frame, outputs).result()

    def begin(self, frame: Frame, outputs: Outputs = Outputs.ALL) -> "Pending":
        """Start a frame whose result is asked for later, at the latest before `depth` more are begun.

        Raises:
            ValueError: the image is not uint8[H, W, 3] with at least one pixel.
            BackendError: the network failed.
            InvalidOutputError: the network returned NaN, Inf or the same everywhere.
        """
        image = frame.pixels
        if not isinstance(image, RawImage) and (
            image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0
        ):
            raise ValueError(f"image: expected uint8[H, W, 3] with pixels, found {image.dtype}{list(image.shape)}")
        threshold = self._threshold
        plan = self._plans(frame.size)
        return Pending(self._path.begin(frame, plan, outputs, threshold), plan.size, threshold)

    @property
    def depth(self) -> int:
        """Frames that may be under way at a time; 1 where `begin` returns when all is done."""
        return self._path.depth

    @property
    def raw_encodings(self) -> Collection[str]:
        """Encodings that frames may bring as `RawImage`: converted on the device; all others cost a conversion."""
        return self._path.raw_encodings

    @property
    def bundle(self) -> Bundle:
        return self._bundle

    @property
    def info(self) -> BackendInfo:
        """What runs, where, and why."""
        return self._path.describe()

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

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of the network input, px."""
        return self._size

    def output_size(self, source: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the maps for a source image of (width, height), px."""
        return self._plans(source).size

    def warm_up(self) -> None:
        """Run network and post-processing until timing has settled."""
        self._path.warm_up()
        width, height = self._size
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        # On a device the first frame of each slot allocates, the second one is recorded.
        for _ in range(2 * self._path.depth if self._path.depth > 1 else 1):
            self(Frame(noise))

    def close(self) -> None:
        """Release network and threads; may be called twice."""
        self._path.close()

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


@dataclass(frozen=True, slots=True)
class Pending:
    """A frame under way; see `Detector.begin`."""

    job: Job
    size: tuple[int, int]
    threshold: float

    def result(self) -> Segmentation:
        """Wait for it.

        Raises:
            BackendError: the network failed.
            InvalidOutputError: the network returned NaN, Inf or the same everywhere.
        """
        maps, timings = self.job.result()
        return Segmentation(
            size=self.size,
            labels=maps.labels,
            score=maps.score,
            mask=maps.mask,
            confidence=maps.confidence,
            threshold=self.threshold,
            timings=timings,
        )
