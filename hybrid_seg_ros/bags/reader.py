"""Reading any rosbag2: sqlite3 or mcap, raw or compressed images, plain or zstd."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rosbags.interfaces import Connection

from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.messages import Message, frame_from_message
from hybrid_seg_ros.bags.storage import StorageError, open_storage, type_store
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

    A recording that was cut off or damaged is read as far as it is whole, and `problems` says what is lost.

    Args:
        path: a rosbag2 folder, or a single .mcap or .db3 file.

    Raises:
        BagError: not a rosbag2, or one of which nothing can be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise BagError(f"{self.path}: no such recording; expected a rosbag2 folder, .mcap or .db3 file")
        try:
            self._storage = open_storage(self.path)
        except FileNotFoundError as error:
            raise BagError(
                f"{self.path}: not a rosbag2: neither metadata.yaml nor a .mcap or .db3 file is in it"
            ) from error
        except (StorageError, OSError) as error:
            raise BagError(f"{self.path}: cannot be read as a rosbag2: {error}") from error
        self._types = type_store(self._storage)
        self._topics = _topics(self._storage.connections)

    @property
    def problems(self) -> list[str]:
        """What is lost or left out so far, a sentence each; reading the messages may add to it."""
        return list(self._storage.problems)

    def __enter__(self) -> "BagReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the reader is of no use afterwards."""
        self._storage.stack.close()

    @property
    def topics(self) -> list[Topic]:
        """Everything in the recording, sorted by name."""
        return list(self._topics)

    @property
    def start_ns(self) -> int:
        """Log time of the first message, ns; 0 where there is none."""
        return min((int(r.start_time) for r in self._storage.readers if r.message_count), default=0)

    @property
    def duration_s(self) -> float:
        """Seconds from the first message to the last."""
        end = max((int(r.end_time) for r in self._storage.readers if r.message_count), default=0)
        return max(end - self.start_ns, 0) / 1e9

    def camera(self, image_topic: str | None = None, *, besides: Sequence[str] = ()) -> tuple[Topic, Topic | None]:
        """The image topic to use and its CameraInfo topic, if there is one.

        Raises:
            BagError: see `choose_image_topic`.
        """
        topics = self.topics
        try:
            image = choose_image_topic(topics, image_topic, besides=besides)
        except BagError as error:
            raise BagError("; ".join([f"{self.path}: {error}", *self.problems])) from None
        return image, choose_camera_info(topics, image)

    def raw(self, *topics: Topic) -> Iterator[RawMessage]:
        """The messages of the topics as recorded, in log-time order.

        Where the files cannot be read on, the messages end and `problems` says so.
        """
        by_name = {t.name: t for t in topics}
        messages = self._storage.messages(lambda connection: connection.topic in by_name)
        try:
            for connection, log_time, data in messages:
                yield RawMessage(by_name[connection.topic], log_time, data)
        except Exception as error:  # rosbags lets storage errors of many kinds through
            problem = f"reading ended before the end of the recording: {error}"
            if problem not in self._storage.problems:
                self._storage.problems.append(problem)

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
            return self._types.deserialize_cdr(raw.data, raw.topic.type)
        except Exception as error:  # the generated deserialisers fail in many ways on damaged bytes
            raise BagError(f"{self.path}: damaged {raw.topic.type} on {raw.topic.name}: {error}") from error


def _topics(connections: Sequence[Connection]) -> list[Topic]:
    """Connections by topic; several publishers count together, several types make a topic of none."""
    types: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for connection in connections:
        types.setdefault(connection.topic, set()).add(connection.msgtype)
        counts[connection.topic] += connection.msgcount
    only = {name: found.pop() if len(found) == 1 else "" for name, found in types.items()}
    return [Topic(name, only[name], counts[name]) for name in sorted(only)]
