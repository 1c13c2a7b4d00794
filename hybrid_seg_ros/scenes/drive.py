"""A drive through a street: frames by index, each the same whenever it is asked for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.frames.frame import Frame
from hybrid_seg_ros.scenes.actors import Actor, LanePath
from hybrid_seg_ros.scenes.noise import stream
from hybrid_seg_ros.scenes.render import VIEW_M, Backdrop, make_backdrop, render
from hybrid_seg_ros.scenes.scenario import drive_actors, own_path
from hybrid_seg_ros.scenes.street import Street, lay_street
from hybrid_seg_ros.scenes.truth import SceneFrame
from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes
from hybrid_seg_ros.scenes.weather import WEATHERS, Weather, make_weather


@dataclass(frozen=True, slots=True)
class DriveConfig:
    """What a drive is like.

    Attributes:
        seed: decides street, obstacles, weather details and noise.
        size: image (width, height), px.
        fps: frames per second.
        n_frames: how many frames.
        weather: one of scenes.WEATHERS.
        speed: of the own car, m/s.
        curvature: 0 straight road, 1 as in town.
        obstacle_gap: mean distance between unknown obstacles, m; 0: none.
        horizontal_fov_deg: of the camera, degrees.
        mount_height: of the camera over the ground, m.
        pitch_deg: of the camera, positive looks down, degrees.
        side: +1 left-hand traffic, -1 right-hand.
        bonnet: whether the own bonnet shows (void pixels).
        start_stamp_ns: stamp of the first frame, ns.
        frame_id: TF frame of the camera.
    """

    seed: int = 0
    size: tuple[int, int] = (640, 360)
    fps: float = 15.0
    n_frames: int = 150
    weather: str = "overcast"
    speed: float = 9.0
    curvature: float = 1.0
    obstacle_gap: float = 22.0
    horizontal_fov_deg: float = 62.0
    mount_height: float = 1.35
    pitch_deg: float = 3.0
    side: int = 1
    bonnet: bool = False
    start_stamp_ns: int = 1_700_000_000_000_000_000
    frame_id: str = "camera_optical_frame"

    def __post_init__(self) -> None:
        """Raises ValueError for values that make no drive."""
        if self.seed < 0:
            raise ValueError(f"seed must be >= 0, found {self.seed}")
        if self.n_frames < 0:
            raise ValueError(f"n_frames must be >= 0, found {self.n_frames}")
        if not self.fps > 0:
            raise ValueError(f"fps must be > 0, found {self.fps}")
        if self.side not in (-1, 1):
            raise ValueError(f"side must be +1 (left-hand traffic) or -1 (right-hand), found {self.side}")
        if not 0.3 <= self.mount_height <= 5.0:
            raise ValueError(f"mount_height must lie within 0.3 and 5 m, found {self.mount_height}")
        if not 0.0 <= self.speed <= 60.0:
            raise ValueError(f"speed must lie within 0 and 60 m/s, found {self.speed}")
        if self.weather not in WEATHERS:
            raise ValueError(f"weather must be one of {', '.join(WEATHERS)}, found {self.weather!r}")


class Drive:
    """A sequence of SceneFrames; `drive[i]` and `drive.frame(i)` depend on the configuration and i alone.

    One configuration gives the same bytes wherever the versions of numpy and OpenCV are the same.

    Made from a DriveConfig, from its fields as keywords, or from both: `Drive(seed=3, weather="night")`.
    """

    def __init__(self, config: DriveConfig | None = None, **changes: object) -> None:
        base = config if config is not None else DriveConfig()
        self.config = replace(base, **changes) if changes else base  # type: ignore[arg-type]
        c = self.config
        self.camera: CameraModel = camera_for(*c.size, c.horizontal_fov_deg)
        length = c.speed * c.n_frames / c.fps
        self._street: Street = lay_street(stream(c.seed, 1), -60.0, length + VIEW_M + 30.0, c.curvature, c.side)
        self._weather: Weather = make_weather(c.weather, stream(c.seed, 2))
        self._backdrop: Backdrop = make_backdrop(c.seed)
        self._actors: tuple[Actor, ...] = drive_actors(
            stream(c.seed, 3), self._street, length, c.speed, self.length_s, c.obstacle_gap
        )
        self._path: LanePath = own_path(self._street.road, self._actors)

    def __len__(self) -> int:
        return self.config.n_frames

    def __iter__(self) -> Iterator[SceneFrame]:
        return (self.frame(i) for i in range(len(self)))

    def __getitem__(self, index: int) -> SceneFrame:
        return self.frame(index)

    @property
    def length_s(self) -> float:
        """How long the drive lasts, s."""
        return self.config.n_frames / self.config.fps

    def stamp_ns(self, index: int) -> int:
        """Acquisition time of a frame, ns."""
        return self.config.start_stamp_ns + round(index * 1e9 / self.config.fps)

    def view(self, index: int) -> View:
        """Where the camera is at a frame."""
        self._check(index)
        c = self.config
        time_s = index / c.fps
        x = c.speed * time_s
        road = self._street.road
        bounce = math.sin(2 * math.pi * 1.3 * time_s + c.seed) * 0.6 + math.sin(2 * math.pi * 2.9 * time_s) * 0.4
        ride = min(c.speed / 10.0, 1.0)
        yaw = math.atan(road.slope(x) + self._path.slope(x))
        pitch = math.radians(c.pitch_deg + 0.22 * ride * bounce)
        roll = math.radians(0.15 * ride * math.sin(2 * math.pi * 0.7 * time_s))
        px, py, _ = road.point(x, self._path.at(x))
        height = c.mount_height + 0.012 * ride * bounce
        return View(self.camera, optical_axes(yaw, pitch, roll), np.array([px, py, height]))

    def frame(self, index: int) -> SceneFrame:
        """Render frame `index`.

        Raises:
            IndexError: when index is not within [0, len).
        """
        view = self.view(index)
        c = self.config
        result = render(
            self._street, self._actors, view, self._weather, self._backdrop, index / c.fps,
            sensor_seed=c.seed * 1_000_003 + index, bonnet=c.bonnet,
        )  # fmt: skip
        frame = Frame(result.image, self.stamp_ns(index), c.frame_id, self.camera)
        return SceneFrame(frame, result.labels, result.anomaly, result.instances, result.obstacles)

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"frame index must lie within [0, {len(self)}), found {index}")
