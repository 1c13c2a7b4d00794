"""What is told of every image that arrives, whether or not the network gets to it."""

from dataclasses import dataclass

from sensor_msgs.msg import CompressedImage, Image

from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ImageFormatError, raw_image
from hybrid_seg_ros.frames.pixel_format import as_bytes
from hybrid_seg_ros.monitor.clock import StampAge
from hybrid_seg_ros.monitor.frozen import FROZEN, GRID, LOOPING, FrozenMonitor, FrozenOptions, content_of
from hybrid_seg_ros.monitor.frozen_files import FrozenFileMonitor, file_content
from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.ros.schema import Settings


@dataclass(frozen=True, slots=True)
class Sighting:
    """One image when it arrived.

    Attributes:
        states: names of the states that held then.
        content: of a compressed image's bytes; None of others.
    """

    states: frozenset[str] = frozenset()
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What tells an image from the one before: a few of its pixels, or of its file's bytes.

    Attributes:
        pixels: see `frozen.content_of`; None of a file, and of pixels that cannot be judged.
        file: see `frozen_files.file_content`; None of what is no file.
        known: False of a message that cannot be used: the worker will say so.
    """

    pixels: bytes | None = None
    file: bytes | None = None
    known: bool = True


def content_of_message(message: Image | CompressedImage) -> Content:
    """The content of a message; a tenth of a millisecond, whatever its size."""
    try:
        if isinstance(message, CompressedImage):
            return Content(file=file_content(as_bytes(message.data)))
        image = raw_image(
            message.data,
            width=message.width,
            height=message.height,
            encoding=message.encoding,
            step=message.step,
            is_bigendian=message.is_bigendian,
        )
    except ImageFormatError:
        return Content(known=False)
    return Content(content_of(image.sparse(*GRID)))


class ArrivalMonitor:
    """Follows the images of one camera in the order of their arrival; whoever calls it holds a lock.

    Args:
        settings: of this camera.
    """

    def __init__(self, settings: Settings) -> None:
        self._ignored = {FROZEN if not settings.frozen_frames else "", LOOPING if not settings.loop_frames else ""}
        options = FrozenOptions(repeats=max(settings.frozen_frames, 1), max_loop=max(settings.loop_frames, 1))
        self.looks = bool(settings.frozen_frames or settings.loop_frames)
        """Whether contents are asked for."""
        self._pixels, self._files = FrozenMonitor(options), FrozenFileMonitor(options)
        self._stamps = StampAge()

    def reset(self) -> None:
        """Forget everything."""
        self._pixels.reset()
        self._files.reset()
        self._stamps = StampAge()

    def arrived(self, content: Content, stamp_ns: int, ros_now_ns: int) -> Sighting:
        """Take the next image.

        Args:
            content: of it, where `looks` asks for one.
            stamp_ns: its stamp.
            ros_now_ns: the node's clock.
        """
        states: frozenset[str] = frozenset()
        if self.looks and content.file is not None:
            states = self._files.arrived(content.file, stamp_ns)
        elif self.looks:
            states = self._pixels.seen(content.pixels, stamp_ns) if content.known else self._pixels.states
        age = self._stamps.update(stamp_ns, ros_now_ns)
        told = frozenset() if age is HealthState.OK else frozenset({age.value})
        return Sighting((states - self._ignored) | told, content.file)

    def decoded(self, sighting: Sighting, frame: Frame) -> frozenset[str]:
        """The states of an image that is looked at: those of its arrival, and what the picture of a file adds."""
        if not self.looks or sighting.content is None:
            return sighting.states
        return sighting.states | (self._files.decoded(sighting.content, frame.glimpse, frame.stamp_ns) - self._ignored)
