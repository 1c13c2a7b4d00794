"""The camera's pitch from the road that it sees: a fallback for cameras whose pose nobody knows.

On a plane, a road of constant width W is w = W / (h cos p) * (y - y0) wide in the image at row y (normalised,
undistorted, levelled by the camera's known roll), wherever it lies and however it bends: the width is linear in the
row and vanishes at the horizon y0, which is the pitch, p = -atan(y0). So both edges of the drivable region are read
in rows, and the line through the widths is fitted robustly: rows in which something hides an edge, or where a side
road opens, are outliers. Single images are combined over a window, since a car pitches while it drives.

A road that really narrows or widens with distance looks like another pitch: a change of a few percent between near
and far is within sigma, steady tapering by more is not noticed; nor is a slope that changes ahead.

What it does not know it says: None without a road whose two edges are seen over a range of distances, for a road
whose width does not shrink like that, or one that could not be a road given the mounting height. Roll is not
estimated: two parallel edges of unknown distance do not determine it.
"""

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.lens import Array, Flags, Lens, lens_of

ROAD_WIDTH_M = (2.2, 30.0)
"""What a road may be wide; other regions are none."""

_ROWS = 64
_MIN_ROWS = 12
_MIN_WIDTH_PX = 8.0
_EDGE_SIGMA = 1 / 640
"""Of a road's edge in a label map, in image widths: networks are that coarse; half a pixel at least."""
_WIDTH_CHANGE = 0.03
"""How much a road's width changes between near and far, one standard deviation, relative."""
_ROLL_SIGMA = 0.005
"""Of the roll that was given, rad."""
_MIN_AGREEING = 0.6
_MIN_RATIO = 1.6
"""Farthest over nearest distance that the rows must span."""
_MAX_PITCH = math.radians(40.0)


@dataclass(frozen=True, slots=True)
class HorizonEstimate:
    """The camera over the road.

    Attributes:
        pitch: rad, positive looks down, as in `CameraPose`.
        roll: rad, as it was given: roads do not tell it.
        sigma_pitch: one standard deviation of the pitch in the newest image, rad: the road's width, the edges' pixels
            and the car's own pitching.
        frames: images that it rests on.
    """

    pitch: float
    roll: float
    sigma_pitch: float
    frames: int


class HorizonEstimator:
    """Pitch over the last images of one camera.

    Args:
        camera: of the label maps that it gets.
        height_m: of the camera over the ground.
        roll: of the camera, rad, as far as known.
        window: images that an estimate looks back on.
        min_frames: of those, how many must tell a pitch; at least half of those seen must.
    """

    def __init__(
        self, camera: CameraModel, height_m: float, *, roll: float = 0.0, window: int = 15, min_frames: int = 5
    ) -> None:
        """Raises ValueError for a camera that is not above the ground, an unknown lens, or a window too short."""
        if not 0.0 < height_m < math.inf:
            raise ValueError(f"the camera's height over the ground is {height_m:g} m, expected > 0")
        if not 2 <= min_frames <= window:
            raise ValueError(f"min_frames is {min_frames} of a window of {window} images, expected 2 to {window}")
        self._camera, self._height, self._roll = camera, height_m, roll
        self._lens = lens_of(camera)
        self._min_frames = min_frames
        self._seen: deque[tuple[float, float] | None] = deque(maxlen=window)

    def update(self, labels: npt.NDArray[np.uint8], drivable: Collection[int]) -> HorizonEstimate | None:
        """The estimate after one more image, or None where the road does not tell.

        Args:
            labels: uint8[H, W], class ids, of the camera's size.
            drivable: ids of the classes that are road.

        Raises:
            ValueError: labels of another size.
        """
        expected = (self._camera.height, self._camera.width)
        if labels.shape != expected:
            raise ValueError(f"labels are {labels.shape}, expected the camera's {expected} (rows, columns)")
        table = np.zeros(256, np.bool_)
        table[list(drivable)] = True
        self._seen.append(_pitch_of(self._camera, self._lens, self._height, self._roll, labels, table))
        known = [one for one in self._seen if one is not None]
        if len(known) < self._min_frames or 2 * len(known) < len(self._seen):
            return None
        pitches, sigmas = np.array(known).T
        sigma = math.hypot(float(np.std(pitches, ddof=1)), float(np.median(sigmas)))
        return HorizonEstimate(float(np.median(pitches)), self._roll, sigma, len(known))


def _pitch_of(
    camera: CameraModel, lens: Lens, height_m: float, roll: float, labels: npt.NDArray[np.uint8], drivable: Flags
) -> tuple[float, float] | None:
    """Pitch and its standard deviation without the car's own motion, rad, of one image."""
    left, right, rows = _edges(labels, drivable)
    middle, y, width = _levelled(lens, roll, left, right, rows)
    enough = width * camera.fx >= _MIN_WIDTH_PX
    middle, y, width = middle[enough], y[enough], width[enough]
    if len(y) < _MIN_ROWS:
        return None
    noise = math.sqrt(2.0) * max(_EDGE_SIGMA * camera.width, 0.5) / camera.fx
    # What hides an edge makes the road narrower, never wider: a wide tolerance would let that in as a bias.
    for tolerance in (2.0 * noise, 4.0 * noise):
        agree = _agreeing(y, width, tolerance)
        if agree.sum() >= max(_MIN_ROWS, _MIN_AGREEING * len(y)):
            break
    else:
        return None
    slope, y0, fit = _line(y[agree], width[agree], noise)
    below = y[agree] - y0
    near, far = float(below.max()), float(below.min())
    if slope <= 0.0 or far <= 0.0 or near < _MIN_RATIO * far or abs(math.atan(y0)) > _MAX_PITCH:
        return None
    if not ROAD_WIDTH_M[0] <= slope * height_m * math.cos(math.atan(y0)) <= ROAD_WIDTH_M[1]:
        return None
    changing = _WIDTH_CHANGE * near * far / (near - far)
    towards = float(np.interp(far, *_sorted(below, middle[agree])))
    sigma = math.sqrt(fit * fit + changing * changing + (_ROLL_SIGMA * towards) ** 2) / (1.0 + y0 * y0)
    return -math.atan(y0), sigma


def _edges(labels: npt.NDArray[np.uint8], drivable: Flags) -> tuple[Array, Array, Array]:
    """Left and right edge of the largest drivable region and their rows, px, where both lie inside the image."""
    height, width = labels.shape
    picked = np.unique(np.linspace(0, height - 1, min(height, 3 * _ROWS)).astype(np.intp))
    region = drivable[labels[picked]].astype(np.uint8)
    count, components, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=4)
    if count < 2:
        return np.empty(0), np.empty(0), np.empty(0)
    road = components == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    first, last = road.argmax(axis=1), width - 1 - road[:, ::-1].argmax(axis=1)
    inside = road.any(axis=1) & (first > 1) & (last < width - 2)
    return first[inside] - 0.5, last[inside] + 0.5, picked[inside].astype(np.float64)


def _levelled(lens: Lens, roll: float, left: Array, right: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Middle, row and width of the road in the normalised image of an undistorted camera without roll."""
    c, s = math.cos(roll), math.sin(roll)
    sides = []
    for edge in (left, right):
        rays, valid = lens.rays(edge, rows)
        ahead = valid & (rays[:, 2] > 0.1)
        x, y = (rays[ahead, i] / rays[ahead, 2] for i in (0, 1))
        sides.append(_sorted(s * x + c * y, c * x - s * y))
    (y_left, x_left), (y_right, x_right) = sides
    if not len(y_left) or not len(y_right):
        return np.empty(0), np.empty(0), np.empty(0)
    shared = (y_left >= y_right[0]) & (y_left <= y_right[-1])
    y, one = y_left[shared], x_left[shared]
    other = np.interp(y, y_right, x_right)
    return (one + other) / 2, y, other - one


def _sorted(keys: Array, values: Array) -> tuple[Array, Array]:
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]


def _agreeing(y: Array, width: Array, tolerance: float) -> Flags:
    """Rows bool[N] on the line that most rows are near, of all lines through two of at most _ROWS rows."""
    pick = np.unique(np.linspace(0, len(y) - 1, min(len(y), _ROWS)).astype(np.intp))
    a, b = np.triu_indices(len(pick), 3)
    a, b = pick[a], pick[b]
    step = y[b] - y[a]
    a, b, step = a[step > 0.0], b[step > 0.0], step[step > 0.0]
    if not len(a):
        return np.zeros(len(y), np.bool_)
    slope = (width[b] - width[a]) / step
    offset = width[a] - slope * y[a]
    near = np.abs(slope[:, None] * y[pick] + offset[:, None] - width[pick]) <= tolerance
    best = int(np.argmax(near.sum(axis=1)))
    return np.asarray(np.abs(slope[best] * y + offset[best] - width) <= tolerance)


def _line(y: Array, width: Array, noise: float) -> tuple[float, float, float]:
    """Slope of the line through the widths, the row y0 where it vanishes, and that row's standard deviation."""
    slope, offset = np.polyfit(y, width, 1)
    left = float(np.sqrt(np.sum((slope * y + offset - width) ** 2) / max(len(y) - 2, 1)))
    y0 = -offset / slope if slope != 0.0 else math.inf
    spread = float(((y - y.mean()) ** 2).sum())
    sigma = max(left, noise / 2) * math.sqrt(1 / len(y) + (y0 - y.mean()) ** 2 / spread) / max(abs(slope), 1e-12)
    return float(slope), float(y0), sigma
