"""Trees, hedges and fences along a street."""

from dataclasses import dataclass

from hybrid_seg_ros.scenes.classes import FENCE, TREE
from hybrid_seg_ros.scenes.foliage import fence, hedge, tree
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Colour
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.quads import TexturedQuad, draw_quad
from hybrid_seg_ros.scenes.vectors import add, perpendicular, scale, subtract
from hybrid_seg_ros.scenes.view import View

_PASSED, _PASSING = 1.15, 0.45
"""A flat picture gives itself away from the side: trees fade while depth / offset falls through this range, by
which time their trunks have left the image."""


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
        side, _, depth = view.locate(self.anchor)
        left = (depth / max(abs(side), 0.5) - _PASSED) / _PASSING
        if left <= 0.0:
            return []
        texture = tree(self.seed)
        width = self.height_m * texture.size_m[0] * (0.9 if self.seed % 2 else 1.05)
        right = (float(view.rotation[0, 0]), float(view.rotation[0, 1]), 0.0)
        corner = add(add(self.anchor, scale(right, -width / 2)), (0.0, 0.0, self.height_m))
        quad = TexturedQuad(
            corner, scale(right, width), (0.0, 0.0, -self.height_m), texture, (0.0, 0.0, 1.0), self.tint
        )
        patch = draw_quad(view, quad, light, TREE, view.order(self.anchor))
        if patch is None:
            return []
        return [patch if left >= 1.0 else patch.faded(left)]


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
        corner = add(self.near, (0.0, 0.0, self.height_m))
        run = subtract(self.far, self.near)
        away = perpendicular(self.near, self.far, 1 if view.to_optical(self.near)[0] < 0 else -1)
        normal = (0.0, 0.0, 1.0) if self.green else scale(away, -1.0)
        quad = TexturedQuad(corner, run, (0.0, 0.0, -self.height_m), texture, normal, self.tint)
        patch = draw_quad(view, quad, light, TREE if self.green else FENCE, view.order(self.near))
        return [] if patch is None else [patch]
