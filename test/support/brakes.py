"""What brakes do with the obstacle cloud: Nav2's collision monitor, Autoware's emergency braking, topic monitor."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from support.consumers import AUTOWARE_CLOUD, COLLISION_MONITOR_CLOUD, SCAN, Frames, cloud_points, kind_of, stamp_s
from support.consumers import transformed as moved
from support.costmaps import scan_points


@dataclass
class CollisionMonitor:
    """nav2_collision_monitor with static polygons.

    Attributes:
        parameters: as in the YAML below `collision_monitor.ros__parameters`.
        frames: transforms into the robot's base frame.
        newest: the last message of each source.
    """

    parameters: dict[str, Any]
    frames: Frames
    newest: dict[str, Any] = field(default_factory=dict)

    def add(self, source: str, message: Any) -> None:
        """A message of a source's topic."""
        self.newest[source] = message

    def action(self, now_s: float) -> tuple[str, str]:
        """(action, why): ("stop", "invalid source"), (action_type, polygon) or ("", "") when nothing is in the way."""
        seen: list[npt.NDArray[np.float64]] = []
        for source in self.parameters["observation_sources"]:
            given = self.parameters[source]
            points = self._points(source, given, now_s)
            if points is None:
                if self._timeout(given) != 0.0:
                    return "stop", "invalid source"
                continue
            seen.append(points)
        for name in self.parameters["polygons"]:
            given = self.parameters[name]
            corners = np.array(yaml.safe_load(given["points"]), np.float32)
            hits = sum(
                cv2.pointPolygonTest(corners, (float(x), float(y)), measureDist=False) >= 0
                for points in seen
                for x, y, _ in points
            )
            if hits >= given.get("min_points", 4):
                return given["action_type"], name
        return "", ""

    def _timeout(self, given: dict[str, Any]) -> float:
        return float(given.get("source_timeout", self.parameters.get("source_timeout", 2.0)))

    def _points(self, source: str, given: dict[str, Any], now_s: float) -> npt.NDArray[np.float64] | None:
        message = self.newest.get(source)
        limit = self._timeout(given)
        if message is None or (limit and now_s - stamp_s(message) > limit):
            return None
        if message.header.frame_id not in self.frames:
            return None
        frame = self.frames[message.header.frame_id]
        if kind_of(message) == SCAN:
            return moved(scan_points(message, inf_is_valid=False), frame)
        values = cloud_points(COLLISION_MONITOR_CLOUD, message)
        points = moved(np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1), frame)
        height = points[:, 2]
        return points[(height >= given.get("min_height", 0.05)) & (height <= given.get("max_height", 0.5))]


@dataclass
class EmergencyBrake:
    """autoware_autonomous_emergency_braking as far as the cloud goes, for a car that drives straight ahead.

    Attributes:
        parameters: of the module, as in its param.yaml.
        width: of the vehicle, m.
        front: of the vehicle ahead of base_link, m.
    """

    parameters: dict[str, float]
    width: float = 1.9
    front: float = 3.8

    def brakes(self, cloud: Any, speed: float) -> bool:
        """Whether a standing obstacle on the path lies within the braking distance at `speed`, m/s."""
        given = self.parameters
        values = cloud_points(AUTOWARE_CLOUD, cloud)
        xyz = np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1)
        xyz = xyz[np.isfinite(xyz).all(axis=1) & (xyz[:, 2] >= given["detection_range_min_height"])]
        needed = speed * given["t_response"] - speed**2 / (2 * given["a_ego_min"]) + given["longitudinal_offset"]
        half = self.width / 2 + given["expand_width"]
        for cluster in self._clusters(self._voxels(xyz)):
            if not given["minimum_cluster_size"] <= len(cluster) <= given["maximum_cluster_size"]:
                continue
            if cluster[:, 2].max() <= given["cluster_minimum_height"]:
                continue
            ahead = cluster[(np.abs(cluster[:, 1]) <= half) & (cluster[:, 0] > self.front)]
            if len(ahead) and ahead[:, 0].min() - self.front < needed:
                return True
        return False

    def _voxels(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """One point, the mean, for each voxel: a column of points above each other counts once."""
        size = np.array([self.parameters[f"voxel_grid_{axis}"] for axis in "xyz"])
        _, of = np.unique(np.floor(points / size), axis=0, return_inverse=True)
        of = of.reshape(-1)
        sums = np.zeros((of.max() + 1 if len(of) else 0, 3))
        np.add.at(sums, of, points)
        return sums / np.maximum(np.bincount(of, minlength=len(sums)), 1)[:, None]

    def _clusters(self, points: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        """Points that hang together within the tolerance."""
        left, clusters = set(range(len(points))), []
        while left:
            grown, waiting = [], [left.pop()]
            while waiting:
                grown.append(waiting.pop())
                rest = np.fromiter(left, int, len(left))
                near = rest[
                    np.linalg.norm(points[rest] - points[grown[-1]], axis=1) <= self.parameters["cluster_tolerance"]
                ]
                left.difference_update(near.tolist())
                waiting += near.tolist()
            clusters.append(points[grown])
        return clusters


@dataclass
class TopicMonitor:
    """autoware_topic_state_monitor: by when messages come, whatever is in them."""

    warn_rate: float = 5.0
    error_rate: float = 1.0
    timeout: float = 1.0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=10))

    def state(self, now_s: float) -> str:
        """OK, NotReceived, WarnRate, ErrorRate or Timeout."""
        if not self.times:
            return "NotReceived"
        if self.timeout and now_s - self.times[-1] > self.timeout:
            return "Timeout"
        span = self.times[-1] - self.times[0]
        rate = (len(self.times) - 1) / span if span > 0 else np.inf
        if rate < self.error_rate:
            return "ErrorRate"
        return "WarnRate" if rate < self.warn_rate else "OK"


@dataclass
class Planner:
    """A car that drives straight ahead and brakes for what the cloud says is in its way; or for a cloud that is late.

    Attributes:
        speed: m/s.
        deceleration: m/s2, > 0.
        reaction_s: from seeing to braking, s.
        half_width: of its corridor, m.
        margin: that stays in front of an obstacle, m.
        patience_s: without a cloud it brakes, too.
    """

    speed: float = 9.0
    deceleration: float = 3.0
    reaction_s: float = 0.5
    half_width: float = 1.3
    margin: float = 3.0
    patience_s: float = 1.0
    heard_s: float = -np.inf
    nearest: float = np.inf

    def hear(self, cloud: Any, now_s: float) -> None:
        """The newest cloud, in the car's frame."""
        values = cloud_points(AUTOWARE_CLOUD, cloud)
        x, y = values["x"].astype(np.float64), values["y"].astype(np.float64)
        ahead = x[(np.abs(y) <= self.half_width) & (x > 0.0)]
        self.nearest = float(ahead.min()) if len(ahead) else np.inf
        self.heard_s = now_s

    @property
    def stopping_m(self) -> float:
        """Distance to a standstill, with the margin, m."""
        return self.speed * self.reaction_s + self.speed**2 / (2 * self.deceleration) + self.margin

    def brakes(self, now_s: float) -> str:
        """Why it brakes: "obstacle", "silence" or "" when it does not."""
        if now_s - self.heard_s > self.patience_s:
            return "silence"
        return "obstacle" if self.nearest < self.stopping_m else ""
