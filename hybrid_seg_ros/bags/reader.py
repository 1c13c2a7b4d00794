"""Reading any rosbag2: sqlite3 or mcap, raw or compressed images, plain or zstd."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rosbags.highlevel import AnyReader, AnyReaderError

from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.messages import Message, frame_from_message, ros_types
from hybrid_seg_ros.bags.topics import BagError, Topic, choose_camera_info, choose_image_topic
from hybrid_seg_ros.frames import Frame


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message as it was recorded.

    Attributes:
        topic: the topic it was recorded from.
        log_time_ns: when it was recorded, ns.
        data: its CDR bytes.
    """

    topic: Topic
    log_time_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class BagImage:
    """One image message, not decoded yet: a broken picture must not end the recording.

    Attributes:
        stamp_ns: acquisition stamp, ns (the log time where the message is too short to have one).
        log_time_ns: when it was recorded, ns.
    """

    stamp_ns: int
    log_time_ns: int
    _decode: Callable[[], Frame]

    def frame(self) -> Frame:
        """The decoded frame.

        Raises:
            ImageFormatError: the picture is not what its message declares.
            BagError: the message itself is damaged.
        """
        return self._decode()


class BagReader:
    """One recording, open for reading; a context manager.

    Args:
        path: a rosbag2 folder, or a single .mcap or .db3 file.

    Raises:
        BagError: not a rosbag2, or one that cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise BagError(f"{self.path}: no such recording; expected a rosbag2 folder, .mcap or .db3 file")
        try:
            self._reader = AnyReader([self.path], default_typestore=ros_types())
            self._reader.open()
        except FileNotFoundError as error:
            raise BagError(
                f"{self.path}: not a rosbag2 (no metadata.yaml); `ros2 bag reindex` can rebuild it"
            ) from error
        except (AnyReaderError, OSError) as error:
            raise BagError(f"{self.path}: cannot be read as a rosbag2: {error}") from error
        except Exception as error:  # rosbags lets storage errors of many kinds through; a user needs one line
            raise BagError(f"{self.path}: damaged recording: {error}") from error

    def __enter__(self) -> "BagReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the reader is of no use afterwards."""
        if self._reader.stack is not None:
            self._reader.close()

    @property
    def topics(self) -> list[Topic]:
        """Everything in the recording, sorted by name."""
        return [Topic(name, info.msgtype or "", info.msgcount) for name, info in sorted(self._reader.topics.items())]

    @property
    def start_ns(self) -> int:
        """Log time of the first message, ns."""
        return int(self._reader.start_time)

    @property
    def duration_s(self) -> float:
        """Seconds from the first message to the last."""
        return max(self._reader.duration, 0) / 1e9

    def camera(self, image_topic: str | None = None) -> tuple[Topic, Topic | None]:
        """The image topic to use and its CameraInfo topic, if there is one.

        Raises:
            BagError: see `choose_image_topic`.
        """
        topics = self.topics
        image = choose_image_topic(topics, image_topic)
        return image, choose_camera_info(topics, image)

    def raw(self, *topics: Topic) -> Iterator[RawMessage]:
        """The messages of the topics as recorded, in log-time order."""
        by_name = {t.name: t for t in topics}
        connections = [c for c in self._reader.connections if c.topic in by_name]
        for connection, log_time, data in self._reader.messages(connections):
            yield RawMessage(by_name[connection.topic], log_time, data)

    def images(self, image_topic: str | None = None) -> Iterator[BagImage]:
        """The camera's images in log-time order, each with the latest CameraInfo before it.

        Raises:
            BagError: see `choose_image_topic`.
        """
        image, info_topic = self.camera(image_topic)
        latest = self._first_info(info_topic)
        for raw in self.raw(*(t for t in (image, info_topic) if t is not None)):
            if raw.topic is info_topic:
                latest = self.message(raw)
            else:
                yield self._image(raw, latest)

    def _image(self, raw: RawMessage, info: Message | None) -> BagImage:
        try:
            stamp = header_stamp_ns(raw.data)
        except ValueError:
            stamp = raw.log_time_ns
        return BagImage(stamp, raw.log_time_ns, lambda: frame_from_message(self.message(raw), raw.topic.type, info))

    def _first_info(self, info_topic: Topic | None) -> Message | None:
        """Intrinsics seldom change: until the first CameraInfo comes, the first one of the recording holds."""
        if info_topic is None:
            return None
        first = next(self.raw(info_topic), None)
        return None if first is None else self.message(first)

    def texts(self, topic_name: str) -> Iterator[tuple[int, str]]:
        """(log time ns, text) of a std_msgs/String topic; nothing where the recording lacks it."""
        for topic in self.topics:
            if topic.name == topic_name:
                for raw in self.raw(topic):
                    yield raw.log_time_ns, str(self.message(raw).data)

    def message(self, raw: RawMessage) -> Message:
        """The message deserialised by the recording's own definitions.

        Raises:
            BagError: its bytes are damaged.
        """
        try:
            return self._reader.deserialize(raw.data, raw.topic.type)
        except Exception as error:  # the generated deserialisers fail in many ways on damaged bytes
            raise BagError(f"{self.path}: damaged {raw.topic.type} on {raw.topic.name}: {error}") from error
