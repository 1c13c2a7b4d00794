"""Houses along a street: front, side wall, gable, roof, chimney."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hybrid_seg_ros.scenes.classes import BUILDING
from hybrid_seg_ros.scenes.facades import Facade, facade
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Colour, box, cylinder, merged
from hybrid_seg_ros.scenes.noise import stream
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.quads import TexturedQuad, draw_quad
from hybrid_seg_ros.scenes.solids import Solid, apparent_px, draw_solid, make_solid
from hybrid_seg_ros.scenes.vectors import add, perpendicular, scale, subtract
from hybrid_seg_ros.scenes.view import View

_CHIMNEY_PX = 9.0
"""Smaller chimneys are left out."""


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
        away = perpendicular(self.near, self.far, self.outward)
        patches: list[Patch | None] = []
        if self.roof_m > 0.2:
            patches.extend(self._roof(view, light, front, away, order))
        h = front.height_m
        along = subtract(self.far, self.near)
        if self.exposed:
            towards = scale(along, -1.0 / math.hypot(along[0], along[1]))
            side = TexturedQuad(
                add(self.near, (0, 0, h)), scale(away, self.depth_m), (0.0, 0.0, -h), front.wall, towards,
                scale(self.tint, 0.9),
            )  # fmt: skip
            patches.append(draw_quad(view, side, light, BUILDING, order + 0.02))
        start, run = self.near, along
        if self.outward < 0:
            start, run = self.far, scale(along, -1.0)
        face = TexturedQuad(
            add(start, (0, 0, h)), run, (0.0, 0.0, -h), front.texture, scale(away, -1.0), self.tint, front.lights
        )  # fmt: skip
        patches.append(draw_quad(view, face, light, BUILDING, order, night))
        return [p for p in patches if p is not None]

    def _roof(
        self, view: View, light: Light, front: Facade, away: tuple[float, float, float], order: float
    ) -> list[Patch | None]:
        h = front.height_m
        eaves_near = add(add(self.near, (0, 0, h - 0.05)), scale(away, -0.3))
        eaves_far = add(add(self.far, (0, 0, h - 0.05)), scale(away, -0.3))
        rise = add(scale(away, self.depth_m / 2 + 0.3), (0.0, 0.0, self.roof_m))
        ridge_near, ridge_far = add(eaves_near, rise), add(eaves_far, rise)
        start, run = ridge_near, subtract(ridge_far, ridge_near)
        if self.outward < 0:
            start, run = ridge_far, scale(run, -1.0)
        normal = np.cross(run, rise)
        normal = normal / np.linalg.norm(normal)
        if normal[2] < 0:
            normal = -normal
        facing = (float(normal[0]), float(normal[1]), float(normal[2]))
        tiles = TexturedQuad(start, run, scale(rise, -1.0), front.roof, facing)
        patches: list[Patch | None] = []
        if apparent_px(view, 0.7, ridge_far) > _CHIMNEY_PX:
            angle = math.atan2(self.far[1] - self.near[1], self.far[0] - self.near[0])
            foot = add(ridge_far, (0, 0, -0.5))
            patches.append(draw_solid(view, _chimney(self.seed), foot, angle, light, BUILDING, order + 0.08))
        if self.exposed:
            along = subtract(self.far, self.near)
            gable = TexturedQuad(
                add(self.near, (0.0, 0.0, h + self.roof_m - 0.05)), scale(away, self.depth_m),
                (0.0, 0.0, 0.05 - self.roof_m), front.gable, scale(along, -1.0 / math.hypot(along[0], along[1])),
                scale(self.tint, 0.9),
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
