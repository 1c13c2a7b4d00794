"""Pixels to points on the ground plane and back, with what a pixel's error does to them.

The ground is the plane z = 0 of the vehicle frame (REP 103). A pixel's ray w from the camera at (x, y, h) meets it
at s = -h / w_z; everything else is the first derivative of that.
"""

import math

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.lens import Array, Flags, lens_of
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Floats

MAX_RANGE_M = 200.0
_HORIZON_SAMPLES = 2048
_HORIZON_SPAN = math.radians(110.0)
_NUDGE = 1e-6
_LOOKS = (16, 9)
_LEAST_GROUND = 0.02


class GroundProjection:
    """One camera over the plane; cheap to build, so that a pose may change with every image.

    Attributes:
        camera: intrinsics and distortion.
        pose: of the camera over the ground.
        max_range_m: what is farther from the point under the camera has no ground point, m.
    """

    def __init__(self, camera: CameraModel, pose: CameraPose, *, max_range_m: float = MAX_RANGE_M) -> None:
        """Raises ValueError for an unknown lens, a range that is none, or a camera whose image is upside down."""
        if not 0.0 < max_range_m < math.inf:
            raise ValueError(f"max_range_m is {max_range_m:g}, expected a finite distance > 0 m")
        self.camera, self.pose, self.max_range_m = camera, pose, max_range_m
        self._lens = lens_of(camera)
        self._turn, self._at = pose.rotation, pose.position
        if self._turn[2, 1] > 1e-6:
            raise ValueError(
                f"the camera's image is upside down (roll {pose.roll:.3f}, pitch {pose.pitch:.3f} rad), "
                "expected rows that count towards the ground: flip the image, then turn the pose by half a turn"
            )

    @property
    def sees_ground(self) -> bool:
        """Whether more than a few pixels of the image have a ground point; else the pose or the lens is not believable.

        What stands on such an image could not be told in metres: all would seem clear.
        """
        size = self.camera.width, self.camera.height
        u, v = np.meshgrid(*(np.linspace(0, side - 1, n) for side, n in zip(size, _LOOKS, strict=True)))
        return bool(np.mean(self.to_ground(u, v)[1]) >= _LEAST_GROUND)

    def to_ground(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Floats, Flags]:
        """Ground points of pixels [N]: xy float32[N, 2], m, and which are any bool[N].

        NaN where the pixel looks at or above the horizon, farther than max_range_m, or lies outside what the lens
        model can explain.
        """
        rays, valid = self._rays(u, v)
        with np.errstate(all="ignore"):
            offset = rays[:, :2] * (-self._at[2] / rays[:, 2:])
            valid &= (rays[:, 2] < 0.0) & (np.hypot(offset[:, 0], offset[:, 1]) <= self.max_range_m)
        offset[~valid] = np.nan
        return (offset + self._at[:2]).astype(np.float32), valid

    def sigma(
        self,
        u: npt.ArrayLike,
        v: npt.ArrayLike,
        xy: Floats,
        pixel_sigma: float,
        *,
        pitch_sigma: float = 0.0,
        height_sigma: float = 0.0,
    ) -> Floats:
        """Standard deviations float32[N, 2] of ground points, m: along the line of sight over ground, and across.

        First order; the errors are independent. NaN where xy is.

        Args:
            u: float[N], px.
            v: float[N], px.
            xy: float32[N, 2], what `to_ground` gave for them.
            pixel_sigma: of u and of v, px.
            pitch_sigma: of the camera's pitch, about its level lateral axis, rad.
            height_sigma: of the camera over the ground, m.
        """
        height = float(self._at[2])
        offset = np.asarray(xy, np.float64).reshape(-1, 2) - self._at[:2]
        with np.errstate(all="ignore"):
            level = np.hypot(offset[:, 0], offset[:, 1])
            sight = np.where(level[:, None] > 1e-9, offset / level[:, None], self._ahead())
            side = np.stack([-sight[:, 1], sight[:, 0]], axis=1)
            nudge = _NUDGE * np.hypot(level, height)
            by_sight, by_side = (
                self._pixels_per_metre(offset, sight, nudge),
                self._pixels_per_metre(offset, side, nudge),
            )
            area = np.abs(by_sight[0] * by_side[1] - by_sight[1] * by_side[0])
            # A turn about the level lateral axis moves points along it, too, where it is not across the line of sight.
            facing, aslant = sight @ self._ahead(), side @ self._ahead()
            turned = pitch_sigma * (height + level * level / height) * facing
            along = np.hypot(np.hypot(pixel_sigma * np.hypot(*by_side) / area, turned), height_sigma * level / height)
            across = np.hypot(pixel_sigma * np.hypot(*by_sight) / area, pitch_sigma * height * aslant)
        return np.stack([along, across], axis=1).astype(np.float32)

    def to_image(self, points: npt.ArrayLike) -> tuple[Array, Flags]:
        """Pixels float64[N, 2] of vehicle frame points [N, 3], m, and which have one bool[N]; NaN where not.

        A pixel may lie outside the image. Points behind the camera, and such that the lens model does not reach,
        have none.
        """
        offset = np.asarray(points, np.float64).reshape(-1, 3) - self._at
        return self._lens.project(offset @ self._turn)

    def horizon_rows(self) -> Floats:
        """Image row of the horizon in each column, float32[W], px; ground below it, never NaN.

        Finite rows may lie outside the image. -inf where the whole column looks below the horizon, +inf where it
        looks above it, so that `row > horizon_rows()[column]` says of any pixel that it looks at the ground.
        Where a column meets a bent horizon twice, the lower row counts.
        """
        width, height = self.camera.width, self.camera.height
        columns = np.arange(width, dtype=np.float64)
        middle = np.full(width, (height - 1) / 2)
        rays, valid = self._rays(columns, middle)
        rows = np.where(valid & (rays[:, 2] < 0.0), -np.inf, np.inf)
        angles = np.linspace(-1.0, 1.0, _HORIZON_SAMPLES) * _HORIZON_SPAN
        ahead = self._ahead()
        level = np.zeros((len(angles), 3))
        level[:, 0] = np.cos(angles) * ahead[0] - np.sin(angles) * ahead[1]
        level[:, 1] = np.cos(angles) * ahead[1] + np.sin(angles) * ahead[0]
        uv, seen = self._lens.project(level @ self._turn)
        # Far outside the image a distortion polynomial says nothing.
        with np.errstate(invalid="ignore"):
            seen &= (np.abs(uv - [width / 2, height / 2]) <= [1.5 * width, 1.5 * height]).all(axis=1)
        found = np.full(width, -np.inf)
        for step in _pieces(seen):
            _lower_envelope(uv[step], found)
        return np.where(np.isfinite(found), found, rows).astype(np.float32)

    def height_over_ground(self, u: npt.ArrayLike, v_top: npt.ArrayLike, xy: Floats) -> Floats:
        """Height float32[N], m, of the rays through (u, v_top) where they come closest to the vertical over xy [N, 2].

        NaN where xy is, or where the ray is vertical or comes no closer in front of the camera.
        """
        rays, valid = self._rays(u, v_top)
        offset = np.asarray(xy, np.float64) - self._at[:2]
        with np.errstate(all="ignore"):
            reach = (offset * rays[:, :2]).sum(axis=1) / (rays[:, :2] ** 2).sum(axis=1)
            height = self._at[2] + reach * rays[:, 2]
            valid &= (reach >= 0.0) & np.isfinite(height)
        return np.where(valid, height, np.nan).astype(np.float32)

    def _rays(self, u: npt.ArrayLike, v: npt.ArrayLike) -> tuple[Array, Flags]:
        """Directions of pixels in the vehicle frame, float64[N, 3]."""
        with np.errstate(all="ignore"):  # of a lens that nobody can have
            rays, valid = self._lens.rays(np.asarray(u, np.float64).ravel(), np.asarray(v, np.float64).ravel())
        return rays @ self._turn.T, valid

    def _ahead(self) -> Array:
        """The level direction float64[2] that the camera looks along; straight down, that of the image's top."""
        axis = self._turn[:2, 2]
        if np.hypot(*axis) < 1e-6:
            axis = -self._turn[:2, 1]
        result: Array = axis / np.hypot(*axis)
        return result

    def _pixels_per_metre(self, offset: Array, direction: Array, nudge: Array) -> Array:
        """How pixels move with ground points at offsets [N, 2] from the camera, float64[2, N], px/m."""
        ends = []
        for step in (-nudge, nudge):
            rays = np.empty((len(offset), 3))
            rays[:, :2] = offset + direction * step[:, None]
            rays[:, 2] = -self._at[2]
            ends.append(self._lens.project(rays @ self._turn)[0])
        result: Array = (ends[1] - ends[0]).T / (2 * nudge)
        return result


def _pieces(seen: Flags) -> list[slice]:
    """The stretches of samples that are seen one after another."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _lower_envelope(line: Array, rows: Array) -> None:
    """Raise rows float64[W] (by column) to the rows at which a line through points [N, 2] crosses the columns."""
    left, right = np.minimum(line[:-1, 0], line[1:, 0]), np.maximum(line[:-1, 0], line[1:, 0])
    first = np.clip(np.ceil(left), 0, len(rows)).astype(np.intp)
    last = np.clip(np.floor(right), -1, len(rows) - 1).astype(np.intp)
    count = np.maximum(last - first + 1, 0)
    piece = np.repeat(np.arange(len(count)), count)
    column = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    start, step = line[piece], line[piece + 1] - line[piece]
    share = np.divide(column - start[:, 0], step[:, 0], out=np.ones(len(piece)), where=step[:, 0] != 0.0)
    np.maximum.at(rows, column, start[:, 1] + share * step[:, 1])
