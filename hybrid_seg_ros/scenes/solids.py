"""Meshes made ready to draw, and drawing them through a View."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Mesh
from hybrid_seg_ros.scenes.noise import grain_tile
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.view import NEAR_M, View, pixel_bounds

Floats = npt.NDArray[np.float32]

_SUBPIXEL_BITS = 4
_GRAIN_PER_M = 160.0
_SMALLEST_PX = 1.2


@dataclass(frozen=True, slots=True)
class Solid:
    """A mesh with what every drawing of it needs.

    Attributes:
        mesh: the mesh.
        normals: float32[F, 3] unit face normals.
        centres: float32[F, 3] face centres, m.
        offsets: float32[F] normal . centre.
        radius: of the ball about the origin that holds it, m.
        foot: float64[K, 3] outline of what touches the ground (its lowest 3 cm), convex, z = 0.
        low: float64[K, 3] outline of its lowest 60 cm, convex, z = 0.
        hull: float64[K, 3] points that span it, for its shadow.
        glows: whether it gives light by night.
    """

    mesh: Mesh
    normals: Floats
    centres: Floats
    offsets: Floats
    radius: float
    foot: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    hull: npt.NDArray[np.float64]
    glows: bool

    @property
    def extent(self) -> tuple[float, float, float]:
        """Length, width and height, m."""
        size = self.mesh.vertices.max(axis=0) - self.mesh.vertices.min(axis=0)
        return float(size[0]), float(size[1]), float(size[2])


def make_solid(mesh: Mesh) -> Solid:
    """Prepare a mesh; faces without area are dropped."""
    v = mesh.vertices
    a, b, c, d = (v[mesh.faces[:, k]] for k in range(4))
    normals = np.cross(c - a, d - b)
    length = np.linalg.norm(normals, axis=1)
    real = length > 1e-9
    mesh = Mesh(v, mesh.faces[real], mesh.albedo[real], mesh.gloss[real], mesh.emission[real], mesh.lift[real])
    normals = np.asarray(normals[real] / length[real, None], np.float32)
    centres = mesh.centres
    height = v[:, 2] - v[:, 2].min()
    spread = np.array([[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], np.float32)
    hull = v[np.unique(np.argmax(v @ spread.T, axis=0))].astype(np.float64)
    return Solid(
        mesh, normals, centres, np.asarray((normals * centres).sum(axis=1), np.float32),
        float(np.linalg.norm(v, axis=1).max()), _outline(v[height <= 0.03]), _outline(v[height <= 0.6]), hull,
        bool(mesh.emission.any()),
    )  # fmt: skip


def _outline(points: Floats) -> npt.NDArray[np.float64]:
    ring = cv2.convexHull(np.ascontiguousarray(points[:, :2], np.float32)).reshape(-1, 2)
    return np.concatenate([ring, np.zeros((len(ring), 1))], axis=1).astype(np.float64)


def apparent_px(view: View, radius: float, position: tuple[float, float, float]) -> float:
    """Diameter in the image of a ball at a place, px; 0 when none of it is in view."""
    x, y, z = view.locate(position)
    if z < -radius:
        return 0.0
    c = view.camera
    ahead = max(z, NEAR_M)
    for side, focal, half in ((x, c.fx, c.width / 2), (y, c.fy, c.height / 2)):
        if abs(side) - radius * math.hypot(1.0, half / focal) > max(z + radius, 0.0) * half / focal:
            return 0.0
    return 2.0 * radius * c.fx / max(ahead, radius)


def draw_solid(
    view: View,
    solid: Solid,
    position: tuple[float, float, float],
    yaw: float,
    light: Light,
    label: int,
    order: float | None = None,
    instance: int = 0,
    grain: float = 0.0,
    night: bool = False,
) -> Patch | None:
    """The patch of a solid standing at a world position, heading `yaw`; None when it is not in view.

    Faces are painted from far to near at up to four times the image's resolution and averaged.
    """
    if apparent_px(view, solid.radius, position) < _SMALLEST_PX:
        return None
    mesh = solid.mesh
    cosine, sine = math.cos(yaw), math.sin(yaw)
    turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    to_optical = (view.rotation @ turn).astype(np.float32)
    middle = view.locate(position)
    shift = np.array(middle, np.float32)
    optical = mesh.vertices @ to_optical.T + shift
    eye = ((view.position - position) @ turn).astype(np.float32)
    facing = solid.normals @ eye > solid.offsets
    if middle[2] - solid.radius <= NEAR_M:
        facing &= optical[:, 2][mesh.faces].min(axis=1) > NEAR_M
    shown = np.flatnonzero(facing)
    if shown.size == 0:
        return None
    k = view.camera
    depth = np.maximum(optical[:, 2:], np.float32(NEAR_M))
    pixels = optical[:, :2] / depth * np.array((k.fx, k.fy), np.float32) + np.array((k.cx, k.cy), np.float32)
    nearness = solid.centres[shown] - eye
    distance = np.sqrt(np.einsum("ij,ij->i", nearness, nearness)) - mesh.lift[shown]
    shown = shown[np.argsort(-distance, kind="stable")]
    faces = mesh.faces[shown]
    bounds = pixel_bounds(pixels[faces.ravel()], k.width, k.height)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    size = (x1 - x0, y1 - y0)
    factor = _supersampling(*size)
    scale = np.float32(factor << _SUBPIXEL_BITS)
    corner = np.array((x0 - 0.5 + 0.5 / factor, y0 - 0.5 + 0.5 / factor), np.float32)
    fixed = (pixels - corner) * scale
    polygons = np.rint(np.clip(fixed, -3e7, 3e7)).astype(np.int32)[faces]
    away = eye - solid.centres[shown]
    away /= np.sqrt(np.einsum("ij,ij->i", away, away))[:, None]
    shaded = light.turned(-yaw).shade(mesh.albedo[shown], mesh.gloss[shown], solid.normals[shown], away)
    colours = np.full((len(shown), 4), 255.0)
    colours[:, :3] = np.clip(shaded * 255.0, 0.0, 255.0)
    small = _painted(polygons, colours, size, factor)
    emission = None
    if night and solid.glows:
        emission = _painted(polygons, np.minimum(mesh.emission[shown] * 255.0, 255.0), size, factor)
    colour = small[..., :3]
    anchor_depth = max(middle[2], NEAR_M)
    foot = None
    if middle[2] > NEAR_M:
        foot = (k.fx * middle[0] / middle[2] + k.cx, k.fy * middle[1] / middle[2] + k.cy)
    if grain > 0.0 and foot is not None:
        colour = _with_grain(colour, view, foot, anchor_depth, (x0, y0), grain)
    return Patch(
        x0, y0, colour, small[..., 3], (0.0, 0.0, 1.0 / anchor_depth), label, instance,
        view.order(position) if order is None else order, emission, None if foot is None else foot[1],
    )  # fmt: skip


def _painted(
    polygons: npt.NDArray[np.int32], colours: npt.NDArray[np.float64], size: tuple[int, int], factor: int
) -> npt.NDArray[np.uint8]:
    sheet = np.zeros((size[1] * factor, size[0] * factor, colours.shape[1]), np.uint8)
    fill = cv2.fillConvexPoly
    for polygon, colour in zip(polygons, colours.tolist(), strict=True):
        fill(sheet, polygon, colour, cv2.LINE_8, _SUBPIXEL_BITS)
    return np.asarray(cv2.resize(sheet, size, interpolation=cv2.INTER_AREA), np.uint8)


def _with_grain(
    colour: npt.NDArray[np.uint8],
    view: View,
    foot: tuple[float, float],
    depth: float,
    corner: tuple[int, int],
    amount: float,
) -> npt.NDArray[np.uint8]:
    """Surface detail that moves and grows with the thing, faded out where it would sparkle."""
    scale = _GRAIN_PER_M * depth / view.camera.fx
    fade = min(1.0, 2.0 / max(scale, 1e-6))
    if fade < 0.2:
        return colour
    matrix = np.array([[scale, 0.0, (corner[0] - foot[0]) * scale], [0.0, scale, (corner[1] - foot[1]) * scale]])
    matrix[:, 2] %= 256.0
    size = (colour.shape[1], colour.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    detail = cv2.warpAffine(grain_tile(), matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
    factor = np.asarray(detail, np.float32) * np.float32(amount * fade) + np.float32(1.0)
    return np.asarray(cv2.multiply(colour, cv2.merge([factor] * 3), dtype=cv2.CV_8U), np.uint8)


def _supersampling(width: int, height: int) -> int:
    extent = max(width, height)
    return 4 if extent < 60 else 3 if extent < 140 else 2 if extent < 900 else 1
