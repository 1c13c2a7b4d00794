"""From a street, its actors and a view to a picture and its truth."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.actors import Actor
from hybrid_seg_ros.scenes.classes import ANOMALY_KNOWN, ANOMALY_UNKNOWN, ANOMALY_VOID, VOID
from hybrid_seg_ros.scenes.effects import add_glow, add_haze, add_rain, expose, light_night
from hybrid_seg_ros.scenes.ground import GroundMap, map_ground, paint_ground
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Mesh, rotation
from hybrid_seg_ros.scenes.noise import Image, stream
from hybrid_seg_ros.scenes.patch import Canvas, Patch
from hybrid_seg_ros.scenes.raster import draw_mesh
from hybrid_seg_ros.scenes.reflections import reflect
from hybrid_seg_ros.scenes.shadows import ShadowLayer, darken_ground, house_shade
from hybrid_seg_ros.scenes.sky import cloud_tile, paint_sky, skyline
from hybrid_seg_ros.scenes.street import Street
from hybrid_seg_ros.scenes.furniture import Post, Tree
from hybrid_seg_ros.scenes.truth import ObstacleTruth
from hybrid_seg_ros.scenes.view import View
from hybrid_seg_ros.scenes.weather import Weather

VIEW_M = 170.0
"""How far fixtures and actors are drawn."""


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
    canvas = Canvas.blank(camera.width, camera.height)
    rays = view.rays()
    paint_sky(canvas, rays, weather, backdrop.clouds, backdrop.horizon, backdrop.kinds)
    ground = map_ground(view, rays, street.road)
    shadows = ShadowLayer(view, weather.light, weather.sunny)
    patches = _fixture_patches(street, view, weather, shadows)
    bodies = _bodies(street, actors, view, time_s)
    for body in bodies:
        shadows.add(body.world)
        light = _light_at(street, weather, body.position)
        patch = draw_mesh(
            view, body.mesh, body.position, body.yaw, light, body.actor.label,
            instance=body.number, grain=0.0 if body.actor.kind == "car" else 0.06, night=weather.night,
        )  # fmt: skip
        if patch is not None:
            patches.append(patch)
    patches.sort(key=lambda p: -p.order)
    if ground is not None:
        paint_ground(canvas, view, ground, street.road, weather)
        darken_ground(canvas, ground, street.road, weather.light, shadows, weather.sunny)
        if weather.wetness > 0.0:
            reflect(canvas, ground, street.road, patches, weather)
    for patch in patches:
        canvas.lay(patch)
    _finish(canvas, view, street, weather, sensor_seed)
    rng = stream(sensor_seed, 62)
    if bonnet:
        _lay_bonnet(canvas)
    obstacles = _truths(bodies, canvas, view)
    anomaly = np.full(canvas.labels.shape, ANOMALY_KNOWN, np.uint8)
    anomaly[canvas.labels == VOID] = ANOMALY_VOID
    unknown = [body.number for body in bodies if not body.actor.known]
    anomaly[np.isin(canvas.instances, unknown)] = ANOMALY_UNKNOWN
    return Rendering(expose(canvas, weather, rng), canvas.labels, anomaly, canvas.instances, obstacles)


def _finish(canvas: Canvas, view: View, street: Street, weather: Weather, sensor_seed: int) -> None:
    if weather.night:
        light_night(canvas, view, np.array(street.lamps), weather)
    add_haze(canvas, weather)
    add_glow(canvas, weather.night)
    if weather.rain > 0.0:
        add_rain(canvas, stream(sensor_seed, 61), weather.rain)


def _fixture_patches(street: Street, view: View, weather: Weather, shadows: ShadowLayer) -> list[Patch]:
    patches: list[Patch] = []
    here = float(view.position[0])
    first = bisect_left(street.fixtures, here - 20.0, key=lambda f: f.anchor[0])
    last = bisect_left(street.fixtures, here + VIEW_M, key=lambda f: f.anchor[0])
    for fixture in street.fixtures[first:last]:
        light = _light_at(street, weather, fixture.anchor)
        patches.extend(fixture.draw(view, light, weather.night))
        if isinstance(fixture, Tree | Post):
            _shade_fixture(fixture, view, weather, shadows)
    return patches


def _shade_fixture(fixture: Tree | Post, view: View, weather: Weather, shadows: ShadowLayer) -> None:
    x, y, _ = fixture.anchor
    if not 1.0 < x - view.position[0] < 60.0:
        return
    width, top = (0.12, 6.0) if isinstance(fixture, Post) else (0.25, 0.3 * fixture.height_m)
    corners = np.array([[sx, sy, z] for sx in (-1, 1) for sy in (-1, 1) for z in (0.0, top)], np.float64)
    shadows.add(corners * (width / 2, width / 2, 1.0) + (x, y, 0.0))
    if isinstance(fixture, Tree) and weather.sunny:
        angle = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        reach = 0.30 * fixture.height_m
        crown = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle), np.full(12, 0.66 * fixture.height_m)], -1)
        shadows.cast_only(crown, 0.35)


def _light_at(street: Street, weather: Weather, position: tuple[float, float, float]) -> Light:
    """Daylight at a place: without sun in the shade of the houses."""
    light = weather.light
    if not weather.sunny:
        return light
    x = np.array([position[0]], np.float32)
    d = np.array([position[1] - street.road.centre(position[0])], np.float32)
    share = float(house_shade(street.road, light, x, d)[0])
    sun = light.sun
    return Light(light.to_sun, (sun[0] * share, sun[1] * share, sun[2] * share), light.sky, light.bounce)


@dataclass(frozen=True, slots=True)
class _Body:
    number: int
    actor: Actor
    mesh: Mesh
    position: tuple[float, float, float]
    yaw: float
    world: npt.NDArray[np.float64]


def _bodies(street: Street, actors: Sequence[Actor], view: View, time_s: float) -> list[_Body]:
    """The actors near the view, numbered from 1 in the order given."""
    bodies = []
    for number, actor in enumerate(actors, start=1):
        position, yaw = actor.place(street.road, time_s)
        ahead = float(view.to_optical(position)[2])
        if not -4.0 < ahead < VIEW_M:
            continue
        mesh = actor.mesh(time_s)
        world = np.asarray(mesh.vertices @ rotation(yaw).T + np.asarray(position), np.float64)
        bodies.append(_Body(number, actor, mesh, position, yaw, world))
    return bodies


def _lay_bonnet(canvas: Canvas) -> None:
    """The own car's bonnet along the lower edge."""
    height, width = canvas.labels.shape
    x = (np.arange(width) / max(width - 1, 1) - 0.5) * 2.0
    edge = height * (0.955 + 0.06 * x**2)
    rows = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(rows - edge[None, :], 0.0, 1.0).astype(np.float32)
    sheen = np.clip((rows - edge[None, :]) / max(height * 0.05, 1.0), 0.0, 1.0)
    tone = (70.0 - 45.0 * sheen)[..., None] * np.asarray((1.05, 1.0, 0.95), np.float32)
    canvas.colour += cover[..., None] * (tone.astype(np.float32) - canvas.colour)
    solid = cover >= 0.5
    canvas.labels[solid] = VOID
    canvas.instances[solid] = 0


def _truths(bodies: Sequence[_Body], canvas: Canvas, view: View) -> tuple[ObstacleTruth, ...]:
    yaw = math.atan2(view.rotation[2, 1], view.rotation[2, 0])
    turn = rotation(-yaw)[:2, :2]
    truths = []
    for body in bodies:
        mask = canvas.instances == body.number
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size == 0:
            continue
        columns = np.flatnonzero(mask.any(axis=0))
        foot = body.world[body.world[:, 2] <= body.world[:, 2].min() + 0.03][:, :2]
        hull = cv2.convexHull(np.asarray(foot, np.float32)).reshape(-1, 2).astype(np.float64)
        nearest = _nearest_point(hull, view.position[:2])
        contact = turn @ (nearest - view.position[:2])
        middle = turn @ (np.asarray(body.position[:2]) - view.position[:2])
        pixel, _ = view.project((nearest[0], nearest[1], 0.0))
        optical = view.to_optical(body.position)
        extent = body.mesh.vertices.max(axis=0) - body.mesh.vertices.min(axis=0)
        heading = math.remainder(body.yaw - yaw, 2 * math.pi)
        truths.append(
            ObstacleTruth(
                id=body.number,
                kind=body.actor.kind,
                known=body.actor.known,
                label=body.actor.label,
                position=(float(middle[0]), float(middle[1])),
                contact=(float(contact[0]), float(contact[1])),
                distance=float(np.hypot(contact[0], contact[1])),
                optical=(float(optical[0]), float(optical[1]), float(optical[2])),
                extent=(float(extent[0]), float(extent[1]), float(extent[2])),
                yaw=heading,
                contact_pixel=(float(pixel[0]), float(pixel[1])),
                bbox=(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1),
                visible_pixels=int(np.count_nonzero(mask)),
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
