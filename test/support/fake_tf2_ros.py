"""Stands for tf2_ros where it is not installed: the names, signatures and errors of Humble to Rolling that are used.

Transforms are put in with `set_transform` and `set_transform_static`, as the real buffer's listener does. Between
two moving transforms the real buffer interpolates; this one knows the stamps it was given, and the newest.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

Vector = npt.NDArray[np.float64]


class TransformException(Exception):  # noqa: N818
    pass


class ConnectivityException(TransformException):
    pass


class LookupException(TransformException):
    pass


class ExtrapolationException(TransformException):
    pass


class InvalidArgumentException(TransformException):
    pass


def rotated(q: Quaternion, v: Vector) -> Vector:
    u = np.array([q.x, q.y, q.z])
    result: Vector = v + 2.0 * np.cross(u, np.cross(u, v) + q.w * v)
    return result


def product(p: Quaternion, q: Quaternion) -> Quaternion:
    a, b = np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z])
    x, y, z = (float(value) for value in p.w * b + q.w * a + np.cross(a, b))
    return Quaternion(x=x, y=y, z=z, w=p.w * q.w - float(a @ b))


def stamp_of(transform: TransformStamped) -> int:
    return int(transform.header.stamp.sec) * 10**9 + int(transform.header.stamp.nanosec)


class Buffer:
    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        self._static: dict[str, TransformStamped] = {}
        self._moving: dict[str, dict[int, TransformStamped]] = {}

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        self._moving.setdefault(transform.child_frame_id, {})[stamp_of(transform)] = transform

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        self._static[transform.child_frame_id] = transform

    def clear(self) -> None:
        self._moving = {child: {} for child in self._moving}

    def all_frames_as_string(self) -> str:
        parents = {child: transform.header.frame_id for child, transform in self._static.items()}
        for child, found in self._moving.items():
            parents[child] = found[max(found)].header.frame_id if found else "NO_PARENT"
        parents |= dict.fromkeys(set(parents.values()) - parents.keys() - {"NO_PARENT"}, "NO_PARENT")
        return "".join(f"Frame {child} exists with parent {parent}.\n" for child, parent in parents.items())

    def lookup_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Time,
        timeout: Duration = Duration(),  # noqa: B008  # as the real one's
    ) -> TransformStamped:
        known = {*self._static, *self._moving}
        known |= {transform.header.frame_id for _, transform in self._all()}
        for frame in (target_frame, source_frame):
            if frame.startswith("/"):
                raise InvalidArgumentException(
                    f'Invalid argument "{frame}" passed to lookupTransform argument - in tf2 frame_ids cannot start '
                    "with a '/'"
                )
            if frame not in known:
                raise LookupException(f'"{frame}" passed to lookupTransform argument does not exist. ')
        position, rotation, frame, newest = np.zeros(3), Quaternion(w=1.0), source_frame, 0
        while frame != target_frame:
            step = self._step(frame, time.nanoseconds)
            if step is None:
                raise ConnectivityException(
                    f"Could not find a connection between '{target_frame}' and '{source_frame}' because they are not "
                    "part of the same tree.Tf has two or more unconnected trees."
                )
            if frame in self._moving:
                newest = min(newest, stamp_of(step)) if newest else stamp_of(step)
            by = step.transform
            position = rotated(by.rotation, position) + np.array([by.translation.x, by.translation.y, by.translation.z])
            rotation, frame = product(by.rotation, rotation), step.header.frame_id
        found = TransformStamped(child_frame_id=source_frame)
        found.header.frame_id = target_frame
        seconds, rest = divmod(time.nanoseconds or newest, 10**9)
        found.header.stamp = TimeMessage(sec=seconds, nanosec=rest)
        out = found.transform
        out.translation.x, out.translation.y, out.translation.z = (float(value) for value in position)
        out.rotation = rotation
        return found

    def _all(self) -> Iterator[tuple[str, TransformStamped]]:
        yield from self._static.items()
        for child, found in self._moving.items():
            yield from ((child, transform) for transform in found.values())

    def _step(self, frame: str, stamp_ns: int) -> TransformStamped | None:
        if frame in self._static:
            return self._static[frame]
        found = self._moving.get(frame, {})
        if not found:
            return None
        if stamp_ns and stamp_ns not in found:
            raise ExtrapolationException(
                f"Lookup would require extrapolation into the future.  Requested time {stamp_ns / 1e9:f} but the "
                f"latest data is at time {max(found) / 1e9:f}, when looking up transform"
            )
        return found[stamp_ns or max(found)]


class TransformListener:
    def __init__(
        self,
        buffer: Buffer,
        node: Node,
        *,
        spin_thread: bool = False,
        qos: Any = None,
        static_qos: Any = None,
    ) -> None:
        self.buffer = buffer
        self.node = node
        self.listening = True

    def unregister(self) -> None:
        self.listening = False
