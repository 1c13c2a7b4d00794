"""Meshes and textured rectangles seen through a View."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Mesh, rotation
from hybrid_seg_ros.scenes.noise import grain_tile
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.texture import Texture
from hybrid_seg_ros.scenes.view import NEAR_M, Array, View

_SUBPIXEL_BITS = 4
_GRAIN_PER_M = 160.0


@dataclass(frozen=True, slots=True)
class TexturedQuad:
    """A rectangle with a picture on it.

    Attributes:
        corner: world position of the picture's top left corner, m.
        along: vector from there to the top right corner, m.
        down: vector from the top left to the bottom left corner, m.
        texture: what is on it.
        tint: BGR factor of this rectangle's picture.
        lights: uint8[H, W, 3] texture of light given off by night, or None.
        normal: unit normal used for shading, or None for the rectangle's own, turned to the eye.
    """

    corner: tuple[float, float, float]
    along: tuple[float, float, float]
    down: tuple[float, float, float]
    texture: Texture
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lights: Texture | None = None
    normal: tuple[float, float, float] | None = None


def draw_quad(
    view: View, quad: TexturedQuad, light: Light, label: int, order: float, night: bool = False, instance: int = 0
) -> Patch | None:
    """The patch of a textured rectangle, clipped at the near plane; None when it is not in view."""
    origin, along, down = (np.asarray(v, np.float64) for v in (quad.corner, quad.along, quad.down))
    start = view.to_optical(origin)
    axis_u, axis_v = view.rotation @ along, view.rotation @ down
    outline = _clipped_unit_square(start[2], axis_u[2], axis_v[2])
    if outline is None:
        return None
    base_h, base_w = quad.texture.base.shape[:2]
    points = start + outline[:, :1] * axis_u + outline[:, 1:] * axis_v
    c = view.camera
    pixels = points[:, :2] / points[:, 2:] * (c.fx, c.fy) + (c.cx, c.cy)
    bounds = _bounds(pixels, c.width, c.height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    to_pixel = view.intrinsics @ np.stack([axis_u, axis_v, start], axis=1)
    if abs(np.linalg.det(to_pixel)) < 1e-9:
        return None
    from_pixel = np.linalg.inv(to_pixel)
    step_u, step_v = _texel_steps(from_pixel, np.clip(pixels, (x0, y0), (x1, y1)).mean(axis=0), base_w, base_h)

    def warped(texture: Texture) -> npt.NDArray[np.uint8]:
        picture = texture.level_for(step_u, step_v)
        height, width = picture.shape[:2]
        shift = np.array([[1.0, 0.0, x0], [0.0, 1.0, y0], [0.0, 0.0, 1.0]])
        texels = np.array([[width, 0.0, -0.5], [0.0, height, -0.5], [0.0, 0.0, 1.0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        matrix = texels @ from_pixel @ shift
        result = cv2.warpPerspective(picture, matrix, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(result, np.uint8)

    coverage = np.zeros((y1 - y0, x1 - x0), np.uint8)
    fixed = np.round((np.clip(pixels, -8000, 8000) - (x0, y0)) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillConvexPoly(coverage, fixed, (255.0,), cv2.LINE_AA, _SUBPIXEL_BITS)
    picture = warped(quad.texture)
    normal = _facing_normal(quad, along, down, origin, view)
    factor = light.diffuse(normal) * np.asarray(quad.tint, np.float32)
    if picture.shape[2] == 4:
        coverage = cv2.multiply(coverage, picture[..., 3], scale=1 / 255)  # type: ignore[assignment]
        inside = (coverage > 0)[..., None]
    else:
        inside = (coverage * np.float32(1 / 255))[..., None]
    colour = np.clip(picture[..., :3] * factor * inside, 0, 255).astype(np.uint8)
    emission = None
    if night and quad.lights is not None:
        emission = cv2.bitwise_and(warped(quad.lights), cv2.merge([coverage] * 3))
    return Patch(
        x0, y0, colour, coverage, _plane_depth(view, start, axis_u, axis_v, bounds), label, instance, order,
        emission=None if emission is None else np.asarray(emission, np.uint8),
    )  # fmt: skip


def draw_mesh(
    view: View,
    mesh: Mesh,
    position: tuple[float, float, float],
    yaw: float,
    light: Light,
    label: int,
    order: float | None = None,
    instance: int = 0,
    grain: float = 0.0,
    night: bool = False,
) -> Patch | None:
    """The patch of a mesh standing at a world position, heading `yaw`; None when it is not in view.

    Faces are painted from far to near at two to four times the image's resolution and averaged.
    """
    world = mesh.vertices @ rotation(yaw).T + np.asarray(position)
    optical = view.to_optical(world)
    corners = optical[mesh.faces]
    a, b, c, d = (world[mesh.faces[:, k]] for k in range(4))
    normals = np.cross(c - a, d - b)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    centres = world[mesh.faces].mean(axis=1)
    eye = view.position - centres
    eye /= np.linalg.norm(eye, axis=1, keepdims=True) + 1e-12
    shown = np.flatnonzero((np.sum(normals * eye, axis=1) > 0.0) & (corners[:, :, 2].min(axis=1) > NEAR_M))
    if shown.size == 0:
        return None
    corners = corners[shown]
    k = view.camera
    pixels = corners[..., :2] / corners[..., 2:] * (k.fx, k.fy) + (k.cx, k.cy)
    bounds = _bounds(pixels.reshape(-1, 2), k.width, k.height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    factor = _supersampling(x1 - x0, y1 - y0)
    distance = np.linalg.norm(corners.mean(axis=1), axis=1)
    far_first = np.argsort(-distance, kind="stable")
    colours = light.shade(
        mesh.albedo[shown], mesh.gloss[shown], normals[shown].astype(np.float32), eye[shown].astype(np.float32)
    )
    colours = np.clip(colours * 255.0, 0.0, 255.0)
    fixed = ((pixels - (x0 - 0.5, y0 - 0.5)) * factor - 0.5) * (1 << _SUBPIXEL_BITS)
    fixed = np.round(np.clip(fixed, -3e7, 3e7)).astype(np.int32)
    sheet = np.zeros(((y1 - y0) * factor, (x1 - x0) * factor, 4), np.uint8)
    for face, (blue, green, red) in zip(fixed[far_first], colours[far_first].tolist(), strict=True):
        cv2.fillConvexPoly(sheet, face, (blue, green, red, 255.0), cv2.LINE_8, _SUBPIXEL_BITS)
    glow = mesh.emission[shown]
    emission = None
    if night and glow.any():
        glowing = np.zeros((*sheet.shape[:2], 3), np.uint8)
        for face, shine in zip(fixed[far_first], np.clip(glow[far_first] * 255.0, 0, 255).tolist(), strict=True):
            cv2.fillConvexPoly(glowing, face, shine, cv2.LINE_8, _SUBPIXEL_BITS)
        emission = np.asarray(cv2.resize(glowing, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(sheet, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA), np.uint8)
    colour = small[..., :3]
    anchor = view.to_optical(position)
    depth = float(max(anchor[2], NEAR_M))
    if grain > 0.0:
        colour = _with_grain(colour, view, np.asarray(position), depth, (x0, y0), grain)
    foot, foot_depth = view.project(position)
    return Patch(
        x0, y0, colour, small[..., 3], depth, label, instance, view.order(position) if order is None else order, emission,
        contact_row=float(foot[1]) if foot_depth > NEAR_M else None,
    )  # fmt: skip


def _with_grain(
    colour: npt.NDArray[np.uint8], view: View, position: Array, depth: float, corner: tuple[int, int], amount: float
) -> npt.NDArray[np.uint8]:
    """Surface detail that moves and grows with the object, faded out where it would sparkle."""
    scale = _GRAIN_PER_M * depth / view.camera.fx
    fade = min(1.0, 2.0 / max(scale, 1e-6))
    foot, _ = view.project(position)
    matrix = np.array(
        [[scale, 0.0, (corner[0] - foot[0]) * scale], [0.0, scale, (corner[1] - foot[1]) * scale]], np.float64
    )
    matrix[:, 2] %= 256.0
    size = (colour.shape[1], colour.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    detail = cv2.warpAffine(grain_tile(), matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
    textured = colour * (1.0 + np.float32(amount * fade) * detail)[..., None]
    return np.asarray(np.clip(textured, 0, 255), np.uint8)


def _supersampling(width: int, height: int) -> int:
    extent = max(width, height)
    return 4 if extent < 60 else 3 if extent < 140 else 2 if extent < 900 else 1


def _bounds(pixels: Array, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Half-open pixel rectangle (x0, y0, x1, y1) around points, cut to the image; None when it is empty."""
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    x0, y0 = max(0, math.floor(low[0])), max(0, math.floor(low[1]))
    x1, y1 = min(width, math.ceil(high[0]) + 1), min(height, math.ceil(high[1]) + 1)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _clipped_unit_square(start: float, step_u: float, step_v: float) -> Array | None:
    """The part of the unit square whose depth start + u * step_u + v * step_v is beyond the near plane."""
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    margin = start + square[:, 0] * step_u + square[:, 1] * step_v - NEAR_M
    if (margin >= 0).all():
        return square
    if (margin < 0).all():
        return None
    kept: list[Array] = []
    for i in range(4):
        j = (i + 1) % 4
        if margin[i] >= 0:
            kept.append(square[i])
        if (margin[i] >= 0) != (margin[j] >= 0):
            kept.append(square[i] + (square[j] - square[i]) * margin[i] / (margin[i] - margin[j]))
    return np.stack(kept)


def _texel_steps(from_pixel: Array, at: Array, width: int, height: int) -> tuple[float, float]:
    """Texels crossed per pixel along either texture axis at an image point."""
    u, v, w = from_pixel @ np.array([at[0], at[1], 1.0])
    if abs(w) < 1e-12:
        return 1.0, 1.0
    du = (from_pixel[0, :2] - from_pixel[2, :2] * u / w) / w
    dv = (from_pixel[1, :2] - from_pixel[2, :2] * v / w) / w
    return float(np.abs(du).max()) * width, float(np.abs(dv).max()) * height


def _facing_normal(quad: TexturedQuad, along: Array, down: Array, origin: Array, view: View) -> Array:
    if quad.normal is not None:
        return np.asarray(quad.normal)
    normal: Array = np.cross(along, down)
    normal /= np.linalg.norm(normal) + 1e-12
    return normal if float(normal @ (view.position - origin)) > 0 else -normal


def _plane_depth(
    view: View, start: Array, axis_u: Array, axis_v: Array, bounds: tuple[int, int, int, int]
) -> npt.NDArray[np.float32]:
    """Depth of a plane's pixels: 1 / depth is affine in the image."""
    x0, y0, x1, y1 = bounds
    c = view.camera
    normal = np.cross(axis_u, axis_v)
    offset = float(normal @ start)
    if abs(offset) < 1e-9:
        return np.full((y1 - y0, x1 - x0), max(float(start[2]), NEAR_M), np.float32)
    across = normal[0] * (np.arange(x0, x1) - c.cx) / c.fx
    below = normal[1] * (np.arange(y0, y1) - c.cy) / c.fy + normal[2]
    inverse = (below[:, None] + across[None, :]) / offset
    return np.asarray(1.0 / np.maximum(inverse, 1e-3), np.float32)
