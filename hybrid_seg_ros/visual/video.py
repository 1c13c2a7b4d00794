"""Videos that browsers play: H.264 in MP4, written by PyAV."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from hybrid_seg_ros.visual.colors import Bgr

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_CLOCK = 90_000  # ticks per second, the customary time base of video
_ENCODERS = ("libx264", "libopenh264")
_OPTIONS = {
    "preset": "veryfast",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}


class VideoError(RuntimeError):
    """A video cannot be written; the message says what fixes it."""


class VideoWriter:
    """Writes BGR pictures to an .mp4 file that starts playing before it is fully loaded.

    with VideoWriter("drive.mp4", fps=15) as video:
        video.write(picture)

    The file is made with the first picture, which also fixes its size; an odd side is extended by repeating
    its last pixels, because 4:2:0 chroma needs even sizes. Not thread-safe.

    Args:
        path: of the file; its folder must exist. An existing file is replaced.
        fps: pictures per second, for those written without a time.
        quality: constant rate factor, 0 (lossless) to 51 (worst).

    Raises:
        VideoError: PyAV or its H.264 encoder is missing, or there is no such folder.
    """

    def __init__(self, path: str | Path, fps: float, *, quality: int = 21) -> None:
        self._path = Path(path)
        if not fps > 0:
            raise VideoError(f"{self._path}: fps is {fps}, expected more than 0")
        if not self._path.parent.is_dir():
            raise VideoError(f"{self._path}: there is no folder {self._path.parent}; fix: mkdir -p {self._path.parent}")
        self._encoder = _find_encoder()
        self._fps = Fraction(fps).limit_denominator(1001)
        self._quality = quality
        self._output: tuple[OutputContainer, VideoStream] | None = None
        self._size: tuple[int, int] | None = None
        self._last_tick = -1
        self._first_ns: int | None = None

    def write(self, picture: Bgr, stamp_ns: int | None = None) -> None:
        """Append uint8[H, W, 3] BGR.

        Args:
            picture: of the size of the first one.
            stamp_ns: when to show it, ns, counted from the first picture's stamp: keeps a drive with dropped
                frames in real time. A stamp that does not increase is shown one tick after the one before.
                None shows it 1 / fps after the one before.

        Raises:
            VideoError: another size than before, or not a BGR picture.
        """
        import av

        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
            raise VideoError(f"{self._path}: picture is {picture.dtype}{list(picture.shape)}, expected uint8[H, W, 3]")
        size = picture.shape[1], picture.shape[0]
        if self._size is not None and size != self._size:
            raise VideoError(
                f"{self._path}: picture has {size[0]}x{size[1]} px, expected {self._size[0]}x{self._size[1]} as before"
            )
        even = cv2.copyMakeBorder(picture, 0, size[1] % 2, 0, size[0] % 2, cv2.BORDER_REPLICATE)
        if self._output is None:
            self._size = size
            self._output = self._open(even.shape[1], even.shape[0])
        container, stream = self._output
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even, np.uint8), format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = self._tick(stamp_ns), Fraction(1, _CLOCK)
        container.mux(stream.encode(frame))

    def close(self) -> None:
        """Finish the file; may be called twice. Nothing was written: no file is made."""
        if self._output is None:
            return
        (container, stream), self._output = self._output, None
        with contextlib.closing(container):
            container.mux(stream.encode(None))

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, width: int, height: int) -> "tuple[OutputContainer, VideoStream]":
        import av

        container = av.open(str(self._path), "w", format="mp4", options={"movflags": "+faststart"})
        stream = cast("VideoStream", container.add_stream(self._encoder, rate=self._fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK)
        stream.options = {**_OPTIONS, "crf": str(self._quality)}
        return container, stream

    def _tick(self, stamp_ns: int | None) -> int:
        if stamp_ns is None:
            tick = 0 if self._last_tick < 0 else self._last_tick + round(_CLOCK / self._fps)
        else:
            if self._first_ns is None:
                self._first_ns = stamp_ns
            tick = (stamp_ns - self._first_ns) * _CLOCK // 1_000_000_000
        self._last_tick = max(tick, self._last_tick + 1)
        return self._last_tick


def _find_encoder() -> str:
    try:
        import av
    except ImportError as error:
        raise VideoError(f"writing videos needs PyAV, which is not installed ({error}); fix: pip install av") from error
    available: Iterator[str] = (name for name in _ENCODERS if name in av.codecs_available)
    encoder = next(available, None)
    if encoder is None:
        raise VideoError(f"PyAV {av.__version__} has no H.264 encoder ({', '.join(_ENCODERS)}); fix: pip install av")
    return encoder
