"""What stands along a street and never moves: houses, trees, fences, lamp posts, signs."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from hybrid_seg_ros.scenes.classes import BUILDING, FENCE, POLE, SIGN, TREE
from hybrid_seg_ros.scenes.facades import Facade, facade
from hybrid_seg_ros.scenes.foliage import fence, hedge, tree
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Colour, box, cylinder, limb, merged
from hybrid_seg_ros.scenes.noise import stream, to_bytes
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.quads import TexturedQuad, draw_quad
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.solids import Solid, apparent_px, draw_solid, make_solid
from hybrid_seg_ros.scenes.texture import Texture, make_texture
from hybrid_seg_ros.scenes.view import View


_CHIMNEY_PX = 9.0
"""Smaller chimneys are left out."""


class Fixture(Protocol):
    """A fixed thing of the street."""

    @property
    def anchor(self) -> tuple[float, float, float]:
        """Its place: the farther end of what is long."""
        ...

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        """Its patches."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """A terraced house between x0 and x1: front, near side wall, roof, chimney.

    Attributes:
        near: foot of the front's near end, world m.
        far: foot of the front's far end, world m.
        outward: +1 when the house lies left of the road, -1 right.
        seed: which house front.
        tint: BGR factor.
        depth_m: how deep the house is.
        roof_m: rise of the roof.
        exposed: whether its near side wall shows beside the house before it.
    """

    near: tuple[float, float, float]
    far: tuple[float, float, float]
    outward: int
    seed: int
    tint: Colour
    depth_m: float
    roof_m: float
    exposed: bool

    @property
    def anchor(self) -> tuple[float, float, float]:
        return self.far

    @property
    def height(self) -> float:
        return facade(self.seed).height_m

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        front = facade(self.seed)
        order = view.order(self.far)
        away = _perpendicular(self.near, self.far, self.outward)
        patches: list[Patch | None] = []
        if self.roof_m > 0.2:
            patches.extend(self._roof(view, light, front, away, order))
        h = front.height_m
        along = _subtract(self.far, self.near)
        if self.exposed:
            towards = _scale(along, -1.0 / math.hypot(along[0], along[1]))
            side = TexturedQuad(
                _add(self.near, (0, 0, h)), _scale(away, self.depth_m), (0.0, 0.0, -h), front.wall, towards,
                _scale(self.tint, 0.9),
            )  # fmt: skip
            patches.append(draw_quad(view, side, light, BUILDING, order + 0.02))
        start, run = self.near, along
        if self.outward < 0:
            start, run = self.far, _scale(along, -1.0)
        face = TexturedQuad(
            _add(start, (0, 0, h)), run, (0.0, 0.0, -h), front.texture, _scale(away, -1.0), self.tint, front.lights
        )  # fmt: skip
        patches.append(draw_quad(view, face, light, BUILDING, order, night))
        return [p for p in patches if p is not None]

    def _roof(
        self, view: View, light: Light, front: Facade, away: tuple[float, float, float], order: float
    ) -> list[Patch | None]:
        h = front.height_m
        eaves_near = _add(_add(self.near, (0, 0, h - 0.05)), _scale(away, -0.3))
        eaves_far = _add(_add(self.far, (0, 0, h - 0.05)), _scale(away, -0.3))
        rise = _add(_scale(away, self.depth_m / 2 + 0.3), (0.0, 0.0, self.roof_m))
        ridge_near, ridge_far = _add(eaves_near, rise), _add(eaves_far, rise)
        start, run = ridge_near, _subtract(ridge_far, ridge_near)
        if self.outward < 0:
            start, run = ridge_far, _scale(run, -1.0)
        normal = np.cross(run, rise)
        normal = normal / np.linalg.norm(normal)
        if normal[2] < 0:
            normal = -normal
        facing = (float(normal[0]), float(normal[1]), float(normal[2]))
        tiles = TexturedQuad(start, run, _scale(rise, -1.0), front.roof, facing)
        patches: list[Patch | None] = []
        if apparent_px(view, 0.7, ridge_far) > _CHIMNEY_PX:
            angle = math.atan2(self.far[1] - self.near[1], self.far[0] - self.near[0])
            foot = _add(ridge_far, (0, 0, -0.5))
            patches.append(draw_solid(view, _chimney(self.seed), foot, angle, light, BUILDING, order + 0.08))
        if self.exposed:
            along = _subtract(self.far, self.near)
            gable = TexturedQuad(
                _add(self.near, (0.0, 0.0, h + self.roof_m - 0.05)), _scale(away, self.depth_m),
                (0.0, 0.0, 0.05 - self.roof_m), front.gable, _scale(along, -1.0 / math.hypot(along[0], along[1])),
                _scale(self.tint, 0.9),
            )  # fmt: skip
            patches.append(draw_quad(view, gable, light, BUILDING, order + 0.06))
        patches.append(draw_quad(view, tiles, light, BUILDING, order + 0.04))
        return patches


@lru_cache(maxsize=32)
def _chimney(seed: int) -> Solid:
    rng = stream(seed, 41)
    tone = float(rng.uniform(0.2, 0.4))
    brick: Colour = (tone * 0.6, tone * 0.75, tone * 1.1)
    parts = [box((0.9, 0.6, 1.5), brick, 2), box((1.0, 0.7, 0.15), (tone, tone, tone)).moved(z=1.35)]
    for x in (-0.25, 0.25):
        parts.append(cylinder(0.11, 0.4, (0.2, 0.3, 0.5), 8).moved(x, 0, 1.5))
    return make_solid(merged(parts))


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that always shows the camera its picture.

    Attributes:
        anchor: foot, world m.
        seed: which tree.
        height_m: height.
        tint: BGR factor.
    """

    anchor: tuple[float, float, float]
    seed: int
    height_m: float
    tint: Colour

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        texture = tree(self.seed)
        width = self.height_m * texture.size_m[0] * (0.9 if self.seed % 2 else 1.05)
        right = (float(view.rotation[0, 0]), float(view.rotation[0, 1]), 0.0)
        corner = _add(_add(self.anchor, _scale(right, -width / 2)), (0.0, 0.0, self.height_m))
        quad = TexturedQuad(
            corner, _scale(right, width), (0.0, 0.0, -self.height_m), texture, (0.0, 0.0, 1.0), self.tint
        )
        patch = draw_quad(view, quad, light, TREE, view.order(self.anchor))
        return [] if patch is None else [patch]


@dataclass(frozen=True, slots=True)
class Panel:
    """A stretch of fence or hedge.

    Attributes:
        near: foot of the near end, world m.
        far: foot of the far end.
        seed: which picture.
        height_m: height.
        green: a hedge (class Tree) rather than a fence.
        tint: BGR factor.
    """

    near: tuple[float, float, float]
    far: tuple[float, float, float]
    seed: int
    height_m: float
    green: bool
    tint: Colour

    @property
    def anchor(self) -> tuple[float, float, float]:
        return self.far

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        texture = hedge(self.seed) if self.green else fence(self.seed)
        corner = _add(self.near, (0.0, 0.0, self.height_m))
        run = _subtract(self.far, self.near)
        away = _perpendicular(self.near, self.far, 1 if view.to_optical(self.near)[0] < 0 else -1)
        normal = (0.0, 0.0, 1.0) if self.green else _scale(away, -1.0)
        quad = TexturedQuad(corner, run, (0.0, 0.0, -self.height_m), texture, normal, self.tint)
        patch = draw_quad(view, quad, light, TREE if self.green else FENCE, view.order(self.near))
        return [] if patch is None else [patch]


@dataclass(frozen=True, slots=True)
class Post:
    """A lamp post, traffic light or plain pole.

    Attributes:
        anchor: foot, world m.
        yaw: heading of its arm, rad.
        kind: "lamp", "bollard" or "pole".
        seed: which one.
    """

    anchor: tuple[float, float, float]
    yaw: float
    kind: str
    seed: int

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        mesh = _post(self.kind, self.seed)
        patch = draw_solid(view, mesh, self.anchor, self.yaw, light, POLE, night=night)
        return [] if patch is None else [patch]


@lru_cache(maxsize=32)
def _post(kind: str, seed: int) -> Solid:
    rng = stream(seed, 42)
    tone = float(rng.choice([0.10, 0.22, 0.34, 0.42]))
    colour: Colour = (tone, tone * 1.02, tone)
    if kind == "bollard":
        return make_solid(limb((0, 0, 0.05), (0, 0, 0.95), (0.075, 0.065), (0.06, 0.06, 0.06), 10, 0.2))
    if kind == "pole":
        return make_solid(limb((0, 0, 0.0), (0, 0, 3.0), (0.05, 0.045), colour, 8, 0.2))
    height = float(rng.uniform(5.5, 8.5))
    parts = [
        limb((0, 0, 0), (0, 0, 1.2), (0.11, 0.10), colour, 10, 0.2),
        limb((0, 0, 1.1), (0, 0, height), (0.07, 0.05), colour, 8, 0.2),
        limb((0, 0, height), (1.3, 0, height + 0.35), (0.045, 0.04), colour, 6, 0.2),
    ]
    head = box((0.7, 0.24, 0.14), (0.5, 0.5, 0.5), gloss=0.3).moved(1.5, 0, height + 0.28)
    parts.append(head.glowing((0.55, 0.85, 1.0)))
    return make_solid(merged(parts))


@dataclass(frozen=True, slots=True)
class Sign:
    """A traffic sign or traffic light on its pole.

    Attributes:
        anchor: foot, world m.
        kind: index of the sign face, or -1 for a traffic light.
        height_m: height of the face's middle.
    """

    anchor: tuple[float, float, float]
    kind: int
    height_m: float

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        order = view.order(self.anchor)
        pole = draw_solid(view, _sign_pole(round(self.height_m, 1)), self.anchor, 0.0, light, POLE, order)
        if self.kind < 0:
            head = draw_solid(
                view, _traffic_light(), _add(self.anchor, (-0.12, 0.0, self.height_m - 0.3)), 0.0, light, SIGN,
                order - 0.2, night=night,
            )  # fmt: skip
        else:
            face = sign_face(self.kind)
            w, h = face.size_m
            corner = _add(self.anchor, (-0.08, w / 2, self.height_m + h / 2))
            quad = TexturedQuad(corner, (0.0, -w, 0.0), (0.0, 0.0, -h), face, (-0.6, 0.0, 0.8))
            head = draw_quad(view, quad, light, SIGN, order - 0.2)
        return [p for p in (pole, head) if p is not None]


@lru_cache(maxsize=16)
def _sign_pole(height: float) -> Solid:
    return make_solid(limb((0, 0, 0), (0, 0, height + 0.25), (0.045, 0.04), (0.36, 0.37, 0.36), 8, 0.2))


@lru_cache(maxsize=1)
def _traffic_light() -> Solid:
    parts = [box((0.2, 0.34, 0.95), (0.04, 0.04, 0.04), 2)]
    lamps: tuple[tuple[float, Colour, float], ...] = (
        (0.78, (0.05, 0.05, 0.35), 0.1), (0.48, (0.05, 0.25, 0.35), 0.1), (0.18, (0.45, 0.85, 0.15), 1.0),
    )  # fmt: skip
    for z, colour, shine in lamps:
        lamp = cylinder(0.1, 0.03, colour, 12).turned(pitch=-math.pi / 2).moved(-0.11, 0, z)
        parts.append(lamp.glowing(_scale(colour, shine)).lifted(0.1))
    return make_solid(merged(parts))


SIGN_FACES = 8
"""How many sign faces there are."""


@lru_cache(maxsize=SIGN_FACES)
def sign_face(kind: int) -> Texture:
    """The picture on a sign: speed limit, give way, warning, no entry, direction, parking, boards."""
    size = 96
    face = np.zeros((size, size, 4), np.uint8)
    white, red, blue, ink = (235, 238, 238, 255), (30, 25, 190, 255), (150, 80, 20, 255), (25, 25, 25, 255)
    middle = (size // 2, size // 2)
    metres = (0.7, 0.7)
    if kind in (0, 1):
        cv2.circle(face, middle, 46, red, -1, cv2.LINE_AA)
        cv2.circle(face, middle, 34, white, -1, cv2.LINE_AA)
        cv2.putText(face, "30" if kind == 0 else "20", (24, 60), cv2.FONT_HERSHEY_DUPLEX, 1.3, ink, 3, cv2.LINE_AA)
    elif kind == 2:
        points = np.array([[2, 6], [94, 6], [48, 90]], np.int32)
        cv2.fillConvexPoly(face, points, red, cv2.LINE_AA)
        cv2.fillConvexPoly(face, np.array([[20, 16], [76, 16], [48, 68]], np.int32), white, cv2.LINE_AA)
    elif kind == 3:
        cv2.fillConvexPoly(face, np.array([[48, 4], [94, 88], [2, 88]], np.int32), red, cv2.LINE_AA)
        cv2.fillConvexPoly(face, np.array([[48, 26], [76, 78], [20, 78]], np.int32), white, cv2.LINE_AA)
        cv2.line(face, (48, 42), (48, 62), ink, 6)
        cv2.circle(face, (48, 71), 4, ink, -1)
    elif kind == 4:
        cv2.circle(face, middle, 46, red, -1, cv2.LINE_AA)
        cv2.rectangle(face, (16, 40), (80, 56), white, -1)
    elif kind == 5:
        cv2.circle(face, middle, 46, blue, -1, cv2.LINE_AA)
        cv2.arrowedLine(face, (24, 26), (70, 70), white, 9, cv2.LINE_AA, 0, 0.4)
    elif kind == 6:
        face[:] = blue
        cv2.putText(face, "P", (24, 74), cv2.FONT_HERSHEY_DUPLEX, 2.4, white, 6, cv2.LINE_AA)
    else:
        face[:] = (70, 110, 20, 255)
        for y in (24, 48, 72):
            cv2.line(face, (12, y), (80 - (y * 7) % 30, y), white, 7)
        metres = (1.3, 0.9)
    alpha = face[..., 3:].astype(np.float32) / 255.0
    picture = np.dstack([face[..., :3].astype(np.float32) / 255.0 * 0.85 * alpha, alpha])
    return make_texture(to_bytes(np.asarray(picture, np.float32)), metres)


def _perpendicular(
    near: tuple[float, float, float], far: tuple[float, float, float], outward: int
) -> tuple[float, float, float]:
    """Unit vector away from the road, square to a front."""
    dx, dy = far[0] - near[0], far[1] - near[1]
    length = math.hypot(dx, dy) or 1.0
    return -dy / length * outward, dx / length * outward, 0.0


def _add(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _subtract(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _scale(a: tuple[float, float, float], k: float) -> tuple[float, float, float]:
    return a[0] * k, a[1] * k, a[2] * k


def road_heading(road: Road, x: float) -> float:
    """Heading of the road at x, rad."""
    return math.atan(road.slope(x))
