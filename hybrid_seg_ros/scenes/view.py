"""Where the camera stands, and the projection that follows from it.

World frame: x forward along the street, y left, z up, metres (REP 103); the ground is the plane z = 0.
Optical frame: x right, y down, z forward.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel

Array = npt.NDArray[np.float64]
Rays = npt.NDArray[np.float32]
Vector = tuple[float, float, float]

NEAR_M = 0.4
"""Nothing closer to the image plane than this is drawn."""


def camera_for(width: int, height: int, horizontal_fov_deg: float = 60.0) -> CameraModel:
    """An undistorted camera with square pixels and a centred principal point.

    Raises:
        ValueError: when the size is not positive or the field of view is not within (1, 170) degrees.
    """
    if width < 1 or height < 1:
        raise ValueError(f"image size must be positive, found {width} x {height}")
    if not 1.0 < horizontal_fov_deg < 170.0:
        raise ValueError(f"horizontal field of view must lie within (1, 170) degrees, found {horizontal_fov_deg}")
    focal = 0.5 * width / math.tan(math.radians(horizontal_fov_deg) / 2.0)
    return CameraModel(width, height, focal, focal, (width - 1) / 2.0, (height - 1) / 2.0, (0.0,) * 5)


def optical_axes(yaw: float, pitch: float, roll: float = 0.0) -> Array:
    """Rotation float64[3, 3] from world to optical frame.

    Args:
        yaw: heading, rad, counter-clockwise seen from above.
        pitch: rad, positive looks down.
        roll: rad, positive turns the camera clockwise seen from behind.
    """
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    forward = np.array([cy * cp, sy * cp, -sp])
    right = np.array([sy, -cy, 0.0])
    down = -np.array([cy * sp, sy * sp, cp])
    cr, sr = math.cos(roll), math.sin(roll)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward])


@dataclass(frozen=True, slots=True)
class View:
    """A camera at a place in the world.

    Attributes:
        camera: intrinsics.
        rotation: float64[3, 3], world to optical.
        position: float64[3], optical centre in the world, m; position[2] is the mounting height.
    """

    camera: CameraModel
    rotation: Array
    position: Array
    _rows: tuple[Vector, Vector, Vector] = field(init=False, repr=False, compare=False)
    _at: Vector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep plain floats for the many single vectors of a scene, for which numpy is slow."""
        right, down, forward = ((float(r[0]), float(r[1]), float(r[2])) for r in self.rotation)
        object.__setattr__(self, "_rows", (right, down, forward))
        object.__setattr__(self, "_at", (float(self.position[0]), float(self.position[1]), float(self.position[2])))

    def turn(self, vector: Vector) -> Vector:
        """A world direction in the optical frame."""
        x, y, z = vector
        (a, b, c), (d, e, f), (g, h, i) = self._rows
        return a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z

    def locate(self, point: Vector) -> Vector:
        """A world point in the optical frame, m."""
        ox, oy, oz = self._at
        return self.turn((point[0] - ox, point[1] - oy, point[2] - oz))

    def to_optical(self, points: npt.ArrayLike) -> Array:
        """World points [..., 3] in the optical frame, m."""
        moved: Array = np.asarray(points, np.float64) - self.position
        return moved @ self.rotation.T

    def project(self, points: npt.ArrayLike) -> tuple[Array, Array]:
        """Pixels [..., 2] and depths [...] (m along the optical axis) of world points [..., 3].

        Points that are not in front of the camera have depth <= 0 and no meaningful pixel.
        """
        optical = self.to_optical(points)
        depth = optical[..., 2]
        safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
        c = self.camera
        u = c.fx * optical[..., 0] / safe + c.cx
        v = c.fy * optical[..., 1] / safe + c.cy
        return np.stack([u, v], axis=-1), depth

    def order(self, point: Vector) -> float:
        """Painting order of what stands at a world point: what must be painted first has the highest.

        Things stretch along the street, so of two at one depth the one farther to the side lies behind.
        """
        x, _, z = self.locate(point)
        return z + 1.5 * abs(x)

    def rays(self) -> Rays:
        """World direction of every pixel, three planes float32[3, H, W], scaled to unit depth along the axis."""
        c = self.camera
        right, down, forward = (row[:, None, None] for row in self.rotation.astype(np.float32))
        x = ((np.arange(c.width) - c.cx) / c.fx).astype(np.float32)
        y = ((np.arange(c.height) - c.cy) / c.fy).astype(np.float32)[:, None]
        return np.asarray(right * x + (down * y + forward), np.float32)


def pixel_bounds(pixels: npt.NDArray[np.floating], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Half-open pixel rectangle (x0, y0, x1, y1) around points [N, 2], cut to the image; None when it is empty."""
    low_x, low_y = pixels.min(axis=0).tolist()
    high_x, high_y = pixels.max(axis=0).tolist()
    x0, y0 = max(0, math.floor(low_x)), max(0, math.floor(low_y))
    x1, y1 = min(width, math.ceil(high_x) + 1), min(height, math.ceil(high_y) + 1)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
