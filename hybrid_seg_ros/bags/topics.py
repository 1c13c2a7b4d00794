"""Which topic of a recording is the camera, and which CameraInfo belongs to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"

# image_transport plugins whose CompressedImage is not a colour picture.
_NOT_PICTURES = ("/compressedDepth", "/theora", "/zstd")


GROUND_TRUTH = "/ground_truth/"
"""Where this project records what is really there, as pictures of labels: no camera."""


class BagError(ValueError):
    """A recording cannot be read as asked; the message says what was found and what to type instead."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of a recording.

    Attributes:
        name: full topic name.
        type: ROS 2 message type, `package/msg/Name`.
        count: number of messages.
    """

    name: str
    type: str
    count: int

    @property
    def compressed(self) -> bool:
        """Whether its messages are CompressedImage."""
        return self.type == COMPRESSED

    @property
    def base(self) -> str:
        """The camera's topic without the image_transport suffix."""
        return self.name.removesuffix("/compressed") if self.compressed else self.name


def image_topics(topics: Sequence[Topic]) -> list[Topic]:
    """The topics that carry pictures, sorted by name."""
    pictures = [t for t in topics if t.type in (IMAGE, COMPRESSED) and not t.name.endswith(_NOT_PICTURES)]
    return sorted(pictures, key=lambda t: t.name)


def choose_image_topic(topics: Sequence[Topic], wanted: str | None = None, *, besides: Sequence[str] = ()) -> Topic:
    """The topic to read: the one asked for, else the only camera there is.

    A camera recorded both raw and compressed counts once, and its raw topic is taken.

    Args:
        topics: everything in the recording.
        wanted: a topic name; with or without its leading slash or `/compressed`.
        besides: topics that are no cameras, as those below GROUND_TRUTH are none.

    Raises:
        BagError: no such topic, no image topic at all, or several and none named; lists what there is.
    """
    pictures = image_topics(topics)
    if wanted is not None:
        name = "/" + wanted.lstrip("/")
        for candidate in (name, f"{name}/compressed"):
            for topic in pictures:
                if topic.name == candidate:
                    return _not_empty(topic)
        raise BagError(f"no image topic {name!r} in the recording; {_listing(topics)}")
    labels = {"/" + name.lstrip("/") for name in besides}
    with_messages = [t for t in pictures if t.count and not t.name.startswith(GROUND_TRUTH) and t.name not in labels]
    cameras = {t.base for t in with_messages}
    if not cameras:
        beside = f" beside {', '.join(sorted(labels))}" if labels else ""
        raise BagError(f"no image topic with messages in the recording{beside}; {_listing(topics)}")
    if len(cameras) > 1:
        raise BagError(f"several image topics; name one with --image-topic; {_listing(pictures)}")
    return min(with_messages, key=lambda t: t.compressed)


def choose_camera_info(topics: Sequence[Topic], image: Topic) -> Topic | None:
    """The CameraInfo topic of a camera: its sibling `camera_info`, else the only one in the recording."""
    infos: Mapping[str, Topic] = {t.name: t for t in topics if t.type == CAMERA_INFO and t.count}
    sibling = image.base.rpartition("/")[0] + "/camera_info"
    if sibling in infos:
        return infos[sibling]
    return next(iter(infos.values())) if len(infos) == 1 else None


def _not_empty(topic: Topic) -> Topic:
    if not topic.count:
        raise BagError(f"image topic {topic.name!r} has no messages")
    return topic


def _listing(topics: Sequence[Topic]) -> str:
    if not topics:
        return "it has no topics"
    lines = [f"  {t.name}  ({t.type}, {t.count} messages)" for t in sorted(topics, key=lambda t: t.name)]
    return "found:\n" + "\n".join(lines)
