"""Random scenes for training: one frame each, everything varied."""

import math

import numpy as np

from hybrid_seg_ros.frames.frame import Frame
from hybrid_seg_ros.scenes.actors import Actor, LanePath
from hybrid_seg_ros.scenes.render import VIEW_M, make_backdrop, render
from hybrid_seg_ros.scenes.scenario import drive_actors, unknown_at
from hybrid_seg_ros.scenes.street import lay_street
from hybrid_seg_ros.scenes.truth import SceneFrame
from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes
from hybrid_seg_ros.scenes.weather import WEATHERS, make_weather

_WEATHER_SHARES = {"overcast": 0.38, "clear": 0.30, "rain": 0.10, "night": 0.10, "blur": 0.09, "rainy_night": 0.03}


def random_scene(
    rng: np.random.Generator, size: tuple[int, int], *, weather: str | None = None, unknown: bool | None = None
) -> SceneFrame:
    """A scene of random street, camera, traffic, weather and unknown obstacles.

    Args:
        rng: decides everything: the same state gives the same bytes.
        size: image (width, height), px.
        weather: one of scenes.WEATHERS, or None for any.
        unknown: whether unknown obstacles are on the street; None: in 85 of 100 scenes.
    """
    side = 1 if rng.random() < 0.7 else -1
    street = lay_street(rng, -25.0, VIEW_M, float(rng.uniform(0.0, 1.6)), side)
    road = street.road
    shares = [_WEATHER_SHARES[name] for name in WEATHERS]
    conditions = make_weather(weather if weather is not None else str(rng.choice(list(WEATHERS), p=shares)), rng)
    traffic = [
        actor for actor in drive_actors(rng, street, 60.0, 8.0, 12.0, 0.0)
        if math.hypot(*actor.place(road, 0.0)[0][:2]) > 6.0
    ]  # fmt: skip
    with_unknown = bool(rng.random() < 0.85) if unknown is None else unknown
    actors = tuple(traffic + (_scattered(rng, road.half_width) if with_unknown else []))
    d = road.lane + float(rng.normal(0.0, 0.5))
    yaw = math.atan(road.slope(0.0)) + float(rng.normal(0.0, 0.06))
    pitch = math.radians(float(rng.normal(2.0, 2.5)))
    roll = math.radians(float(rng.normal(0.0, 0.7)))
    position = np.array([0.0, road.centre(0.0) + d, float(rng.uniform(1.1, 1.9))])
    camera = camera_for(*size, float(rng.uniform(48.0, 78.0)))
    view = View(camera, optical_axes(yaw, pitch, roll), position)
    backdrop = make_backdrop(int(rng.integers(0, 2**31)))
    result = render(
        street, actors, view, conditions, backdrop, 0.0,
        sensor_seed=int(rng.integers(0, 2**31)), bonnet=bool(rng.random() < 0.2),
    )  # fmt: skip
    frame = Frame(result.image, 0, "camera_optical_frame", camera)
    return SceneFrame(frame, result.labels, result.anomaly, result.instances, result.obstacles)


def _scattered(rng: np.random.Generator, half_width: float) -> list[Actor]:
    """Unknown obstacles anywhere on road and pavement, near ones as often as far ones."""
    actors = []
    for _ in range(int(rng.integers(1, 9))):
        x = float(np.exp(rng.uniform(math.log(4.5), math.log(60.0))))
        reach = half_width + (1.8 if rng.random() < 0.25 else -0.2)
        actor = unknown_at(rng, x, float(rng.uniform(-reach, reach)))
        if actor.kind in ("dog", "deer", "cow", "sheep") and rng.random() < 0.3:
            actor = Actor(actor.kind, actor.seed, x, LanePath(actor.path.d), across=float(rng.choice([-1.0, 1.0])))
        actors.append(actor)
    return actors
