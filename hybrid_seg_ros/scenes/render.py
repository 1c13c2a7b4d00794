"""From a street, its actors and a view to a picture and its truth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.actors import Actor
from hybrid_seg_ros.scenes.classes import ANOMALY_KNOWN, ANOMALY_UNKNOWN, ANOMALY_VOID, VOID
from hybrid_seg_ros.scenes.effects import add_glow, add_haze, add_rain, auto_gain, expose, light_night
from hybrid_seg_ros.scenes.greenery import Tree
from hybrid_seg_ros.scenes.ground import GroundMap, ground_colour, map_ground, own_ground
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import rotation
from hybrid_seg_ros.scenes.noise import Image, stream
from hybrid_seg_ros.scenes.patch import Canvas, Patch
from hybrid_seg_ros.scenes.posts import Post
from hybrid_seg_ros.scenes.reflections import reflect
from hybrid_seg_ros.scenes.shadows import ShadowLayer, house_shade, sunlight_share
from hybrid_seg_ros.scenes.sky import cloud_tile, paint_sky, skyline
from hybrid_seg_ros.scenes.solids import Solid, apparent_px, draw_solid
from hybrid_seg_ros.scenes.street import Street
from hybrid_seg_ros.scenes.truth import ObstacleTruth
from hybrid_seg_ros.scenes.view import View
from hybrid_seg_ros.scenes.weather import Weather

VIEW_M = 170.0
"""How far fixtures and cars are drawn."""

_SMALL_VIEW_M = 130.0
_SHADOW_M = 60.0


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What lies beyond the street: clouds and the far skyline."""

    clouds: Image
    horizon: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.uint8]


def make_backdrop(seed: int) -> Backdrop:
    """The backdrop of a seed."""
    horizon, kinds = skyline(seed)
    return Backdrop(cloud_tile(seed), horizon, kinds)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A picture and its truth.

    Attributes:
        image: uint8[H, W, 3] BGR.
        labels: uint8[H, W] class ids.
        anomaly: uint8[H, W] 0 known, 1 unknown, 255 void.
        instances: uint16[H, W] 0 or the id of an obstacle.
        obstacles: the visible ones, nearest first.
    """

    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    anomaly: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    obstacles: tuple[ObstacleTruth, ...]


def render(
    street: Street,
    actors: Sequence[Actor],
    view: View,
    weather: Weather,
    backdrop: Backdrop,
    time_s: float,
    sensor_seed: int,
    bonnet: bool = False,
) -> Rendering:
    """Render one frame.

    Args:
        street: road and fixtures.
        actors: everything that has a place for a time.
        view: the camera.
        weather: conditions.
        backdrop: sky and skyline.
        time_s: time of the frame, s.
        sensor_seed: decides noise and rain drops.
        bonnet: whether the own car's bonnet shows at the lower edge (void).
    """
    camera = view.camera
    canvas = Canvas.blank(camera.width, camera.height, weather.night)
    rays = view.rays()
    paint_sky(canvas, rays, weather, backdrop.clouds, backdrop.horizon, backdrop.kinds)
    shadows = ShadowLayer(view, weather.light, weather.sunny)
    patches = _fixture_patches(street, view, weather, shadows)
    bodies = _bodies(street, actors, view, time_s)
    lights = _lights_at(street, weather, [body.position for body in bodies])
    windows: dict[int, tuple[slice, slice]] = {}
    for body, light in zip(bodies, lights, strict=True):
        if body.depth < _SHADOW_M:
            shadows.add(body.world(body.solid.low), body.world(body.solid.hull))
        patch = draw_solid(
            view, body.solid, body.position, body.yaw, light, body.actor.label,
            instance=body.number, grain=0.0 if body.actor.kind == "car" else 0.06, night=weather.night,
        )  # fmt: skip
        if patch is not None:
            patches.append(patch)
            windows[body.number] = patch.window
    patches.sort(key=lambda p: -p.order)
    ground = map_ground(view, rays, street.road)
    if ground is not None:
        _paint_ground(canvas, view, ground, street, weather, shadows, patches)
    for patch in patches:
        canvas.lay(patch)
    labels, instances = canvas.labels(), canvas.instances()
    arriving = _developed(canvas, view, street, weather, sensor_seed)
    if bonnet:
        _lay_bonnet(arriving, labels, instances)
    anomaly = np.full(labels.shape, ANOMALY_KNOWN, np.uint8)
    anomaly[labels == VOID] = ANOMALY_VOID
    unknown = np.zeros(len(actors) + 1, np.bool_)
    unknown[[body.number for body in bodies if not body.actor.known]] = True
    anomaly[unknown[instances]] = ANOMALY_UNKNOWN
    image = expose(arriving, weather, stream(sensor_seed, 62))
    return Rendering(image, labels, anomaly, instances, _truths(bodies, windows, instances, view))


def _paint_ground(
    canvas: Canvas, view: View, ground: GroundMap, street: Street, weather: Weather, shadows: ShadowLayer,
    patches: Sequence[Patch],
) -> None:  # fmt: skip
    own_ground(canvas, view, ground, street.road)
    share = np.float32(1.0) - shadows.contact[ground.top :] * np.float32(0.72 / 255.0)
    colour = ground_colour(view, ground, street.road, weather, share)
    if weather.sunny:
        colour *= sunlight_share(ground, street.road, weather.light, shadows)
    if weather.wetness > 0.0:
        reflect(canvas, colour, ground, street.road, patches, weather)
    painted = cv2.convertScaleAbs(np.maximum(colour, 0.0))
    cv2.copyTo(painted, ground.seen.astype(np.uint8), canvas.colour[ground.top :])


def _developed(
    canvas: Canvas, view: View, street: Street, weather: Weather, sensor_seed: int
) -> npt.NDArray[np.float32]:
    """The light that reaches the lens, float32[H, W, 3], in grey levels of the picture."""
    colour = canvas.colour.astype(np.float32)
    inverse_depth = canvas.inverse_depth()
    if weather.night:
        light_night(colour, inverse_depth, view, np.array(street.lamps), weather)
    add_haze(colour, inverse_depth, weather)
    colour *= np.float32(auto_gain(colour, weather))
    add_glow(colour, canvas.emission)
    if weather.rain > 0.0:
        add_rain(colour, stream(sensor_seed, 61), weather.rain)
    return colour


def _fixture_patches(street: Street, view: View, weather: Weather, shadows: ShadowLayer) -> list[Patch]:
    patches: list[Patch] = []
    here = float(view.position[0])
    fixtures = street.between(here - 20.0, here + VIEW_M)
    lights = _lights_at(street, weather, [fixture.anchor for fixture in fixtures])
    for fixture, light in zip(fixtures, lights, strict=True):
        patches.extend(fixture.draw(view, light, weather.night))
        if isinstance(fixture, (Tree, Post)):
            _shade_fixture(fixture, view, weather, shadows)
    return patches


def _shade_fixture(fixture: Tree | Post, view: View, weather: Weather, shadows: ShadowLayer) -> None:
    x, y, _ = fixture.anchor
    if not 1.0 < x - view.position[0] < _SHADOW_M:
        return
    width, top = (0.12, 6.0) if isinstance(fixture, Post) else (0.25, 0.3 * fixture.height_m)
    foot = np.array([[sx * width / 2 + x, sy * width / 2 + y, 0.0] for sx in (-1, 1) for sy in (-1, 1)])
    shadows.add(foot, np.concatenate([foot, foot + np.array([0.0, 0.0, top])]))
    if isinstance(fixture, Tree) and weather.sunny:
        angle = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        reach = 0.30 * fixture.height_m
        crown = np.stack(
            [x + reach * np.cos(angle), y + reach * np.sin(angle), np.full(12, 0.66 * fixture.height_m)], -1
        )
        shadows.cast_only(crown, 0.35)


def _lights_at(street: Street, weather: Weather, places: Sequence[tuple[float, float, float]]) -> list[Light]:
    """Daylight at places: without sun in the shade of the houses."""
    light = weather.light
    if not weather.sunny or not places:
        return [light] * len(places)
    x, y, _ = np.asarray(places, np.float32).T
    shares = house_shade(street.road, light, x, y - street.road.centres(x))
    blue, green, red = light.sun
    return [replace(light, sun=(blue * k, green * k, red * k)) for k in shares.tolist()]


@dataclass(frozen=True, slots=True)
class _Body:
    number: int
    actor: Actor
    solid: Solid
    position: tuple[float, float, float]
    yaw: float
    depth: float

    def world(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(points @ rotation(self.yaw).T + np.asarray(self.position))


def _bodies(street: Street, actors: Sequence[Actor], view: View, time_s: float) -> list[_Body]:
    """The actors in or just outside the view, numbered from 1 in the order given."""
    bodies = []
    here = float(view.position[0])
    for number, actor in enumerate(actors, start=1):
        if abs(actor.x + actor.speed * time_s - here) > VIEW_M + 10.0:
            continue
        position, yaw = actor.place(street.road, time_s)
        depth = view.locate(position)[2]
        if not -4.0 < depth < (VIEW_M if actor.kind == "car" else _SMALL_VIEW_M):
            continue
        size = apparent_px(view, 2.5 if actor.kind == "car" else 1.0, position)
        detail = 0 if size < 55.0 else 1 if size < 170.0 else 2
        bodies.append(_Body(number, actor, actor.solid(time_s, detail), position, yaw, depth))
    return bodies


def _lay_bonnet(
    light: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], instances: npt.NDArray[np.uint16]
) -> None:
    """The own car's bonnet along the lower edge."""
    height, width = labels.shape
    x = (np.arange(width) / max(width - 1, 1) - 0.5) * 2.0
    edge = height * (0.955 + 0.06 * x**2)
    rows = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(rows - edge[None, :], 0.0, 1.0).astype(np.float32)
    sheen = np.clip((rows - edge[None, :]) / max(height * 0.05, 1.0), 0.0, 1.0)
    tone = (70.0 - 45.0 * sheen)[..., None] * np.asarray((1.05, 1.0, 0.95), np.float32)
    light += cover[..., None] * (tone.astype(np.float32) - light)
    solid = cover >= 0.5
    labels[solid] = VOID
    instances[solid] = 0


def _truths(
    bodies: Sequence[_Body], windows: dict[int, tuple[slice, slice]], instances: npt.NDArray[np.uint16], view: View
) -> tuple[ObstacleTruth, ...]:
    """The truth of every body that `instances` shows; `windows` says where each body may show."""
    yaw = math.atan2(view.rotation[2, 1], view.rotation[2, 0])
    turn = rotation(-yaw)[:2, :2]
    truths = []
    for body in bodies:
        if body.number not in windows:
            continue
        window = windows[body.number]
        mask = (instances[window] == body.number).astype(np.uint8)
        visible = cv2.countNonZero(mask)
        if visible == 0:
            continue
        left, top, width, height = cv2.boundingRect(mask)
        left, top = left + window[1].start, top + window[0].start
        nearest = _nearest_point(body.world(body.solid.foot)[:, :2], view.position[:2])
        contact = turn @ (nearest - view.position[:2])
        middle = turn @ (np.asarray(body.position[:2]) - view.position[:2])
        pixel, _ = view.project((nearest[0], nearest[1], 0.0))
        x, y, z = view.to_optical(body.position).tolist()
        truths.append(
            ObstacleTruth(
                id=body.number,
                kind=body.actor.kind,
                known=body.actor.known,
                label=body.actor.label,
                position=(float(middle[0]), float(middle[1])),
                contact=(float(contact[0]), float(contact[1])),
                distance=float(np.hypot(contact[0], contact[1])),
                optical=(x, y, z),
                extent=body.solid.extent,
                yaw=math.remainder(body.yaw - yaw, 2 * math.pi),
                contact_pixel=(float(pixel[0]), float(pixel[1])),
                bbox=(left, top, left + width, top + height),
                visible_pixels=visible,
            )
        )
    return tuple(sorted(truths, key=lambda t: t.distance))


def _nearest_point(hull: npt.NDArray[np.float64], eye: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Point of a convex polygon's outline nearest to `eye`."""
    ends = np.roll(hull, -1, axis=0)
    edge = ends - hull
    share = np.sum((eye - hull) * edge, axis=1) / np.maximum(np.sum(edge * edge, axis=1), 1e-12)
    points = hull + np.clip(share, 0.0, 1.0)[:, None] * edge
    return np.asarray(points[np.argmin(np.sum((points - eye) ** 2, axis=1))])
