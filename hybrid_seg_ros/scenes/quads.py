"""Textured rectangles seen through a View."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.patch import Patch, Plane
from hybrid_seg_ros.scenes.texture import Texture
from hybrid_seg_ros.scenes.view import NEAR_M, Array, View, pixel_bounds

_SUBPIXEL_BITS = 4
_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


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
    start = view.to_optical(quad.corner)
    axes = np.array([quad.along, quad.down]) @ view.rotation.T
    outline = _clipped_unit_square(start[2], axes[0, 2], axes[1, 2])
    if outline is None:
        return None
    points = start + outline @ axes
    c = view.camera
    pixels = points[:, :2] / points[:, 2:] * (c.fx, c.fy) + (c.cx, c.cy)
    bounds = pixel_bounds(pixels, c.width, c.height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    from_pixel = _pixel_to_square(view, start, axes)
    if from_pixel is None:
        return None
    base_h, base_w = quad.texture.base.shape[:2]
    middle = np.clip(pixels, (x0, y0), (x1, y1)).mean(axis=0)
    steps = _texel_steps(from_pixel, middle, base_w, base_h)
    from_pixel = from_pixel @ np.array([[1.0, 0.0, x0], [0.0, 1.0, y0], [0.0, 0.0, 1.0]])
    size = (x1 - x0, y1 - y0)
    coverage = np.zeros((size[1], size[0]), np.uint8)
    fixed = np.round((np.clip(pixels, -8000, 8000) - (x0, y0)) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillConvexPoly(coverage, fixed, (255.0,), cv2.LINE_AA, _SUBPIXEL_BITS)
    picture = _warped(quad.texture, from_pixel, steps, size)
    if picture.shape[2] == 4:
        coverage = np.asarray(cv2.multiply(coverage, picture[..., 3], scale=1 / 255), np.uint8)
        picture = picture[..., :3]
    b, g, r = (light.diffuse(quad.normal) * np.asarray(quad.tint, np.float32)).tolist()
    colour = np.asarray(cv2.multiply(picture, (b, g, r, 0.0)), np.uint8)
    edge = coverage < 255
    share = coverage[edge].astype(np.float32)[:, None] * np.float32(1 / 255)
    if quad.texture.base.shape[2] == 4:
        share = (share > 0).astype(np.float32)
    colour[edge] = colour[edge] * share
    emission = None
    if night and quad.lights is not None:
        shine = _warped(quad.lights, from_pixel, steps, size)
        emission = np.asarray(cv2.bitwise_and(shine, cv2.merge([coverage] * 3)), np.uint8)
    plane = _plane(view, start, axes)
    return Patch(x0, y0, colour, coverage, plane, label, 0, order, emission)


def _warped(texture: Texture, from_pixel: Array, steps: tuple[float, float], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    picture = texture.level_for(*steps)
    height, width = picture.shape[:2]
    texels = np.array([[width, 0.0, -0.5], [0.0, height, -0.5], [0.0, 0.0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(picture, texels @ from_pixel, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _pixel_to_square(view: View, start: Array, axes: Array) -> Array | None:
    """Homography from pixels to the rectangle's unit square; None when it is seen edge on."""
    to_pixel = view.intrinsics @ np.stack([axes[0], axes[1], start], axis=1)
    if abs(np.linalg.det(to_pixel)) < 1e-6:
        return None
    return np.asarray(np.linalg.inv(to_pixel))


def _clipped_unit_square(start: float, step_u: float, step_v: float) -> Array | None:
    """The part of the unit square whose depth start + u * step_u + v * step_v is beyond the near plane."""
    margin = start + _SQUARE[:, 0] * step_u + _SQUARE[:, 1] * step_v - NEAR_M
    if (margin >= 0).all():
        return _SQUARE
    if (margin < 0).all():
        return None
    kept: list[Array] = []
    for i in range(4):
        j = (i + 1) % 4
        if margin[i] >= 0:
            kept.append(_SQUARE[i])
        if (margin[i] >= 0) != (margin[j] >= 0):
            kept.append(_SQUARE[i] + (_SQUARE[j] - _SQUARE[i]) * margin[i] / (margin[i] - margin[j]))
    return np.stack(kept)


def _texel_steps(from_pixel: Array, at: Array, width: int, height: int) -> tuple[float, float]:
    """Texels crossed per pixel along either texture axis at an image point."""
    u, v, w = from_pixel @ np.array([at[0], at[1], 1.0])
    if abs(w) < 1e-12:
        return 1.0, 1.0
    du = np.abs((from_pixel[0, :2] - from_pixel[2, :2] * (u / w)) / w)
    dv = np.abs((from_pixel[1, :2] - from_pixel[2, :2] * (v / w)) / w)
    return float(du.max()) * width, float(dv.max()) * height


def _plane(view: View, start: Array, axes: Array) -> Plane:
    """1 / depth as an affine function of the pixel."""
    c = view.camera
    normal = np.cross(axes[0], axes[1])
    offset = float(normal @ start)
    if abs(offset) < 1e-9:
        return 0.0, 0.0, 1.0 / max(float(start[2]), NEAR_M)
    a, b, k = normal[0] / c.fx / offset, normal[1] / c.fy / offset, normal[2] / offset
    return float(a), float(b), float(k - a * c.cx - b * c.cy)
