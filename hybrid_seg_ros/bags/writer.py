"""Writing rosbag2 recordings that any ROS 2 from Humble on can play."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Literal

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from hybrid_seg_ros.bags.messages import ros_types
from hybrid_seg_ros.bags.topics import BagError

Distro = Literal["humble", "jazzy"]
Storage = Literal["mcap", "sqlite3"]

# metadata.yaml version: Humble cannot read the QoS of version 9.
_VERSIONS: dict[Distro, Literal[8, 9]] = {"humble": 8, "jazzy": 9}
_STORAGES: dict[Storage, StoragePlugin] = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}

# Kept free so that what was written can be finished: the last chunk, the index, metadata.yaml. A chunk holds one
# image at least, so each image asks for twice its own size besides.
_RESERVE = 16 << 20

_FOREVER = QosTime(2147483647, 4294967295)


class DiskFullError(BagError):
    """There is no space for more; what was written so far is finished and readable once the writer is closed."""


def _reliable(durability: QosDurability) -> Qos:
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if durability is QosDurability.TRANSIENT_LOCAL else 10,
        reliability=QosReliability.RELIABLE,
        durability=durability,
        deadline=_FOREVER,
        lifespan=_FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_FOREVER,
        avoid_ros_namespace_conventions=False,
    )


class BagWriter:
    """A new recording, open for writing; a context manager.

    Args:
        path: the folder to make; it must not exist.
        distro: the oldest ROS 2 that must play it: "humble", or "jazzy" and later.
        storage: "mcap" or "sqlite3". Humble reads mcap only with ros-humble-rosbag2-storage-mcap installed.

    Raises:
        BagError: the folder exists or cannot be made.
    """

    def __init__(self, path: Path | str, *, distro: Distro = "humble", storage: Storage = "mcap") -> None:
        self.path = Path(path)
        self._connections: dict[str, Connection] = {}
        self._written = 0
        self._reserve = _RESERVE
        try:
            self._writer = Writer(self.path, version=_VERSIONS[distro], storage_plugin=_STORAGES[storage])
            self._writer.open()
        except (WriterError, OSError) as error:
            raise BagError(f"{self.path}: cannot write a recording there: {error}") from error

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_topic(self, topic: str, type_name: str, *, latched: bool = False) -> None:
        """Declare a topic; its first message would do that too, but a declared topic exists without messages."""
        if topic not in self._connections:
            durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
            self._connections[topic] = self._writer.add_connection(
                topic, type_name, typestore=ros_types(), offered_qos_profiles=[_reliable(durability)]
            )

    def write(self, topic: str, type_name: str, log_time_ns: int, data: bytes) -> None:
        """Append one serialised message.

        Raises:
            DiskFullError: no space for it; the recording ends before it.
        """
        self.add_topic(topic, type_name)
        free = shutil.disk_usage(self.path).free
        if free < self._reserve + 2 * len(data):
            raise DiskFullError(
                f"{self.path}: the disk is full ({free / 2**20:.0f} MiB left); the recording ends after"
                f" {self._written} messages and is readable; make space and run again for the rest"
            )
        self._writer.write(self._connections[topic], log_time_ns, data)
        self._written += 1

    def close(self) -> None:
        """Finish the file and its metadata; may be called twice."""
        if self._writer.storage is not None:
            self._writer.close()
