"""Pixels to viewing rays and back, for the lens models of sensor_msgs/CameraInfo.

Optical frame: x right, y down, z ahead; pixels are continuous with centres at integers. The polynomials are those
of OpenCV's calib3d (plumb_bob, rational_polynomial) and of cv2.fisheye (equidistant), as camera_calibration
estimates them. They are inverted by Newton's method, to well under a thousandth of a pixel: cv2.undistortPoints
stops after five steps of a fixed-point iteration, is slower, and cv2.fisheye knows no rays beyond 90 degrees.

A lens polynomial turns back somewhere outside the calibrated image. What lies beyond that angle has no pixel, and
pixels beyond it have no ray: they are said to be invalid instead of being mirrored into the image.
"""

import math
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PERSPECTIVE = {"plumb_bob": (4, 5, 8, 12, 14), "rational_polynomial": (4, 5, 8, 12, 14)}
"""Models of OpenCV's calib3d and how many coefficients they may have."""
FISHEYE = {"equidistant": (4,), "fisheye": (4,)}
"""Models of cv2.fisheye and how many coefficients they have."""

_WIDEST = math.radians(88.0)
_STEPS = 12
_NODES = 512
_RESIDUAL = 1e-6
"""Greatest error of a ray's image, in focal lengths: a thousandth of a pixel and less."""


class Lens(Protocol):
    """What turns pixels into rays and rays into pixels.

    Attributes:
        widest: angle to the optical axis up to which rays have pixels, rad.
    """

    widest: float

    def rays(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Array, Flags]:
        """Viewing rays of pixels [N]: directions float64[N, 3] of any length, NaN where not valid bool[N]."""

    def project(self, directions: Array) -> tuple[Array, Flags]:
        """Pixels float64[N, 2] of directions [N, 3], NaN where no pixel shows them, and where one does bool[N]."""


@lru_cache(maxsize=64)
def lens_of(camera: CameraModel) -> Lens:
    """The lens of a camera; no distortion coefficients, or all zero for a perspective model, make it a pinhole.

    Raises:
        ValueError: a distortion model that is not known, or one with a number of coefficients that it cannot have.
    """
    d, model = camera.distortion, camera.distortion_model
    if not d:
        return _Perspective(camera, (0.0,) * 4)
    known = {**PERSPECTIVE, **FISHEYE}
    if model not in known:
        raise ValueError(f"the camera's distortion model is {model!r}, expected one of {', '.join(sorted(known))}")
    if len(d) not in known[model]:
        counts = ", ".join(map(str, known[model]))
        raise ValueError(f"distortion model {model!r} has {len(d)} coefficients, expected 0 or one of {counts}")
    if not all(map(math.isfinite, d)):
        raise ValueError(f"the camera's distortion coefficients are {d}, expected finite numbers")
    return _Fisheye(camera, d) if model in FISHEYE else _Perspective(camera, d)


def _first_root(coefficients: Array) -> float:
    """Smallest positive real root of a polynomial (highest power first); infinity where it has none."""
    roots = np.roots(coefficients)
    real = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 1e-12)]
    return float(real.min()) if real.size else math.inf


def _tilt(tau_x: float, tau_y: float) -> Array:
    """Homography float64[3, 3] of a sensor tilted by tau_x, tau_y (rad), as OpenCV has it."""
    cx, sx, cy, sy = math.cos(tau_x), math.sin(tau_x), math.cos(tau_y), math.sin(tau_y)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]])
    about_y = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    turned: Array = about_y @ about_x
    return np.array([[turned[2, 2], 0, -turned[0, 2]], [0, turned[2, 2], -turned[1, 2]], [0, 0, 1]]) @ turned


def _warp(homography: Array, x: Array, y: Array) -> tuple[Array, Array]:
    a, b, c = homography
    w = c[0] * x + c[1] * y + c[2]
    return (a[0] * x + a[1] * y + a[2]) / w, (b[0] * x + b[1] * y + b[2]) / w


class _Perspective:
    """OpenCV's pinhole with radial (rational), tangential, thin prism and tilt distortion."""

    def __init__(self, camera: CameraModel, d: tuple[float, ...]) -> None:
        self._camera = camera
        self._plain = not any(d)
        k1, k2, p1, p2, k3, k4, k5, k6, *rest = (*d, *(0.0,) * (14 - len(d)))
        self._top, self._bottom = np.array([k3, k2, k1, 1.0]), np.array([k6, k5, k4, 1.0])
        self._top_slope, self._bottom_slope = np.polyder(self._top), np.polyder(self._bottom)
        self._tangential, self._prism = (p1, p2), tuple(rest[:4])
        self._tilt = _tilt(rest[4], rest[5]) if rest[4] or rest[5] else None
        self._untilt = None if self._tilt is None else np.asarray(np.linalg.inv(self._tilt), np.float64)
        # d/dr of r * N(r^2) / D(r^2) is 0 where (N + 2 q N') D = 2 q N D', q = r^2; poles count as a turn too.
        n, b = np.poly1d(self._top), np.poly1d(self._bottom)
        q = np.poly1d([2.0, 0.0])
        turn = min(_first_root(((n + q * n.deriv()) * b - q * n * b.deriv()).coeffs), _first_root(b.coeffs))
        self.widest = min(math.atan(math.sqrt(turn)) if math.isfinite(turn) else math.pi / 2, _WIDEST)
        self._reach = math.tan(self.widest) ** 2
        self._radius = np.tan(np.linspace(0.0, self.widest, _NODES))
        self._image = self._radius * np.polyval(self._top, self._radius**2) / np.polyval(self._bottom, self._radius**2)

    def rays(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Array, Flags]:
        c = self._camera
        x = (np.asarray(u, np.float64) - c.cx) / c.fx
        y = (np.asarray(v, np.float64) - c.cy) / c.fy
        valid = np.isfinite(x) & np.isfinite(y)
        if not self._plain:
            x, y, valid = self._undistort(x, y)
        valid &= x * x + y * y <= self._reach
        result = np.stack([x, y, np.ones_like(x)], axis=-1)
        result[~valid] = np.nan
        return result, valid

    def project(self, directions: Array) -> tuple[Array, Flags]:
        c = self._camera
        depth = directions[:, 2]
        ahead = depth > 0.0
        x, y = (directions[:, i] / np.where(ahead, depth, np.nan) for i in (0, 1))
        seen = ahead & (x * x + y * y <= self._reach)
        if not self._plain:
            x, y, xx, xy, yx, yy = self._distort(x, y)
            seen &= xx * yy > xy * yx
            if self._tilt is not None:
                x, y = _warp(self._tilt, x, y)
        result = np.stack([c.fx * x + c.cx, c.fy * y + c.cy], axis=-1)
        result[~seen] = np.nan
        return result, seen

    def _distort(self, x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
        """Distorted x and y before the tilt, and the derivatives xx, xy, yx, yy."""
        (p1, p2), (s1, s2, s3, s4) = self._tangential, self._prism
        q, xy = x * x + y * y, x * y
        top, bottom = np.polyval(self._top, q), np.polyval(self._bottom, q)
        radial = top / bottom
        slope = (np.polyval(self._top_slope, q) - radial * np.polyval(self._bottom_slope, q)) / bottom
        mixed = 2 * (xy * slope + p1 * x + p2 * y)
        prism_x, prism_y = 2 * (s1 + 2 * s2 * q), 2 * (s3 + 2 * s4 * q)
        return (
            x * radial + 2 * p1 * xy + p2 * (q + 2 * x * x) + q * (s1 + s2 * q),
            y * radial + p1 * (q + 2 * y * y) + 2 * p2 * xy + q * (s3 + s4 * q),
            radial + 2 * (x * x * slope + p1 * y + 3 * p2 * x) + x * prism_x,
            mixed + y * prism_x,
            mixed + x * prism_y,
            radial + 2 * (y * y * slope + 3 * p1 * y + p2 * x) + y * prism_y,
        )

    def _undistort(self, x: Array, y: Array) -> tuple[Array, Array, Flags]:
        """Undistorted x and y, and where the iteration arrived; it starts from the radial part alone."""
        if self._untilt is not None:
            x, y = _warp(self._untilt, x, y)
        radius = np.hypot(x, y)
        scale = np.interp(radius, self._image, self._radius) / np.maximum(radius, 1e-12)
        at_x, at_y = np.where(radius > 1e-12, x * scale, x), np.where(radius > 1e-12, y * scale, y)
        error = np.full_like(x, np.inf)
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                got_x, got_y, xx, xy, yx, yy = self._distort(at_x, at_y)
                off_x, off_y = x - got_x, y - got_y
                error = np.maximum(np.abs(off_x), np.abs(off_y))
                if not np.any(error > 1e-10):
                    break
                determinant = xx * yy - xy * yx
                at_x = at_x + (yy * off_x - xy * off_y) / determinant
                at_y = at_y + (xx * off_y - yx * off_x) / determinant
            upright = xx * yy > xy * yx
        return at_x, at_y, np.asarray((error < _RESIDUAL) & upright)


class _Fisheye:
    """cv2.fisheye's polynomial of the angle to the optical axis; rays may look back."""

    def __init__(self, camera: CameraModel, d: tuple[float, ...]) -> None:
        self._camera = camera
        k1, k2, k3, k4 = d
        # In powers of angle squared: image radius / angle, and the derivative of the image radius.
        self._series = np.array([k4, k3, k2, k1, 1.0])
        self._slope = np.array([9 * k4, 7 * k3, 5 * k2, 3 * k1, 1.0])
        self.widest = min(math.sqrt(_first_root(self._slope)), math.pi)
        self._angle = np.linspace(0.0, self.widest, _NODES)
        self._image = self._angle * np.polyval(self._series, self._angle**2)

    def rays(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Array, Flags]:
        c = self._camera
        x = (np.asarray(u, np.float64) - c.cx) / c.fx
        y = (np.asarray(v, np.float64) - c.cy) / c.fy
        radius = np.hypot(x, y)
        valid = radius <= self._image[-1]
        angle = np.interp(radius, self._image, self._angle)
        for _ in range(3):
            slope = np.maximum(np.polyval(self._slope, angle * angle), 1e-6)
            off = angle * np.polyval(self._series, angle * angle) - radius
            angle = np.clip(angle - off / slope, 0.0, self.widest)
        scale = np.where(radius > 1e-12, np.sin(angle) / np.maximum(radius, 1e-12), 1.0)
        result = np.stack([x * scale, y * scale, np.cos(angle)], axis=-1)
        result[~valid] = np.nan
        return result, np.asarray(valid)

    def project(self, directions: Array) -> tuple[Array, Flags]:
        c = self._camera
        x, y, z = directions.T
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        seen = (angle <= self.widest) & np.isfinite(angle) & ((across > 0.0) | (z > 0.0))
        radius = angle * np.polyval(self._series, angle * angle)
        scale = np.where(across > 1e-12, radius / np.maximum(across, 1e-12), 1.0)
        result = np.stack([c.fx * x * scale + c.cx, c.fy * y * scale + c.cy], axis=-1)
        result[~seen] = np.nan
        return result, np.asarray(seen)
