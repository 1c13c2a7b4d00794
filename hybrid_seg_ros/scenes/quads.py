"""Textured rectangles seen through a View."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.texture import Texture
from hybrid_seg_ros.scenes.view import NEAR_M, Vector, View

_SUBPIXEL_BITS = 4
_BRIGHTEST = 2.0
"""Light and tint together multiply a picture by no more than this."""
_SUBPIXEL = 1 << _SUBPIXEL_BITS
_SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]

Homography = tuple[Vector, Vector, Vector]


@dataclass(frozen=True, slots=True)
class TexturedQuad:
    """A rectangle with a picture on it.

    Attributes:
        corner: world position of the picture's top left corner, m.
        along: vector from there to the top right corner, m.
        down: vector from the top left to the bottom left corner, m.
        texture: what is on it.
        normal: unit normal for shading.
        tint: BGR factor of this rectangle's picture.
        lights: texture of the light given off by night, or None.
    """

    corner: tuple[float, float, float]
    along: tuple[float, float, float]
    down: tuple[float, float, float]
    texture: Texture
    normal: tuple[float, float, float]
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lights: Texture | None = None


def draw_quad(
    view: View, quad: TexturedQuad, light: Light, label: int, order: float, night: bool = False
) -> Patch | None:
    """The patch of a textured rectangle, clipped at the near plane; None when it is not in view."""
    start, along, down = view.locate(quad.corner), view.turn(quad.along), view.turn(quad.down)
    outline = _clipped_unit_square(start[2], along[2], down[2])
    c = view.camera
    pixels = []
    for s, t in outline:
        z = start[2] + s * along[2] + t * down[2]
        x, y = start[0] + s * along[0] + t * down[0], start[1] + s * along[1] + t * down[1]
        pixels.append((c.fx * x / z + c.cx, c.fy * y / z + c.cy))
    if not pixels:
        return None
    columns, rows = [p[0] for p in pixels], [p[1] for p in pixels]
    x0, y0 = max(0, math.floor(min(columns))), max(0, math.floor(min(rows)))
    x1, y1 = min(c.width, math.ceil(max(columns)) + 1), min(c.height, math.ceil(max(rows)) + 1)
    if x1 <= x0 or y1 <= y0:
        return None
    to_square = _pixel_to_square(view, start, along, down)
    if to_square is None:
        return None
    middle = (
        sum(min(max(u, x0), x1) for u in columns) / len(columns), sum(min(max(v, y0), y1) for v in rows) / len(rows)
    )  # fmt: skip
    base_h, base_w = quad.texture.base.shape[:2]
    steps = _texel_steps(to_square, middle, base_w, base_h)
    size = (x1 - x0, y1 - y0)
    coverage = np.zeros((size[1], size[0]), np.uint8)
    fixed = [
        (round((min(max(u, -8000.0), 8000.0) - x0) * _SUBPIXEL), round((min(max(v, -8000.0), 8000.0) - y0) * _SUBPIXEL))
        for u, v in pixels
    ]
    cv2.fillConvexPoly(coverage, np.array(fixed, np.int32), (255.0,), cv2.LINE_AA, _SUBPIXEL_BITS)
    picture = _warped(quad.texture, to_square, (x0, y0), steps, size)
    blue, green, red = (b * t for b, t in zip(light.on(quad.normal), quad.tint, strict=True))
    tints = [cv2.convertScaleAbs(coverage, alpha=f / _BRIGHTEST) for f in (blue, green, red)]
    colour = cv2.multiply(picture[..., :3], cv2.merge(tints), scale=_BRIGHTEST / 255)
    if picture.shape[2] == 4:
        coverage = np.asarray(cv2.multiply(coverage, picture[..., 3], scale=1 / 255), np.uint8)
    emission = None
    if night and quad.lights is not None:
        shine = _warped(quad.lights, to_square, (x0, y0), steps, size)
        emission = np.asarray(cv2.bitwise_and(shine, cv2.merge([coverage, coverage, coverage])), np.uint8)
    return Patch(x0, y0, np.asarray(colour, np.uint8), coverage, to_square[2], label, 0, order, emission)


def _warped(
    texture: Texture, to_square: Homography, corner: tuple[int, int], steps: tuple[float, float], size: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    picture = texture.level_for(*steps)
    height, width = picture.shape[:2]
    (a, b, c), (d, e, f), (g, h, i) = ((p, q, p * corner[0] + q * corner[1] + r) for p, q, r in to_square)
    matrix = np.array([
        [width * a - 0.5 * g, width * b - 0.5 * h, width * c - 0.5 * i],
        [height * d - 0.5 * g, height * e - 0.5 * h, height * f - 0.5 * i],
        [g, h, i],
    ])  # fmt: skip
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _pixel_to_square(view: View, start: Vector, along: Vector, down: Vector) -> Homography | None:
    """Homography from pixels to the rectangle's unit square; its last row gives 1 / depth. None when seen edge on."""
    normal = _cross(along, down)
    offset = _dot(normal, start)
    if abs(offset) < 1e-6:
        return None
    c = view.camera
    rows = []
    for x, y, z in (_cross(down, start), _cross(start, along), normal):
        a, b = x / offset / c.fx, y / offset / c.fy
        rows.append((a, b, z / offset - a * c.cx - b * c.cy))
    return rows[0], rows[1], rows[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _clipped_unit_square(start: float, step_u: float, step_v: float) -> list[tuple[float, float]]:
    """The part of the unit square whose depth start + u * step_u + v * step_v is beyond the near plane."""
    margins = [start + u * step_u + v * step_v - NEAR_M for u, v in _SQUARE]
    if min(margins) >= 0:
        return _SQUARE
    kept: list[tuple[float, float]] = []
    for i in range(4):
        j = (i + 1) % 4
        (u0, v0), (u1, v1) = _SQUARE[i], _SQUARE[j]
        if margins[i] >= 0:
            kept.append((u0, v0))
        if (margins[i] >= 0) != (margins[j] >= 0):
            share = margins[i] / (margins[i] - margins[j])
            kept.append((u0 + (u1 - u0) * share, v0 + (v1 - v0) * share))
    return kept


def _texel_steps(to_square: Homography, at: tuple[float, float], width: int, height: int) -> tuple[float, float]:
    """Texels crossed per pixel along either texture axis at an image point."""
    u, v, w = (a * at[0] + b * at[1] + c for a, b, c in to_square)
    if abs(w) < 1e-12:
        return 1.0, 1.0
    (a, b, _), (d, e, _), (g, h, _) = to_square
    du = max(abs(a - g * u / w), abs(b - h * u / w)) / abs(w)
    dv = max(abs(d - g * v / w), abs(e - h * v / w)) / abs(w)
    return du * width, dv * height
