"""Where obstacles count: the drivable area, below the horizon, inside a region, outside the own hood.

Region and hood act on pixels: they are fixed in the image and lie over it like a stencil. Horizon and drivable area act
on whole obstacles by their lower edge: what stands on the road may rise above the horizon and beyond the road's edge.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.types import Floats, Ints

Mask = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Polygon = tuple[tuple[float, float], ...]

REASONS: dict[str, int] = {
    "horizon": 1,
    "region": 2,
    "hood": 3,
    "drivable": 4,
    "too_small": 5,
    "too_far": 6,
    "too_many": 7,
}
"""Why pixels of the mask are no obstacle: keys of `Obstacles.removed`, and what `extract` paints for the overlay."""

_CELLS = 256
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Which gates act, and how generously.

    Attributes:
        drivable: whether an obstacle must stand on drivable ground.
        drivable_margin: how far the drivable area is widened in every direction, fraction of the image's width.
        drivable_min_share: with less drivable ground in sight, share of all pixels, the gate does not act: an image
            without a road says more about the network than about the obstacles.
        horizon: whether an obstacle must reach below the horizon.
        horizon_margin: how far above the horizon its lower edge may be, fraction of the image's height.
        region: polygon of (x, y), 0..1 from the image's left and top edge: where obstacles count; empty = everywhere.
        hood: polygon likewise: what the camera sees of its own vehicle; empty = nothing.
    """

    drivable: bool = True
    drivable_margin: float = 0.01
    drivable_min_share: float = 0.01
    horizon: bool = True
    horizon_margin: float = 0.01
    region: Polygon = ()
    hood: Polygon = ()

    def __post_init__(self) -> None:
        """Raises ValueError for fractions outside 0..1 and polygons that enclose nothing."""
        for name in ("drivable_margin", "drivable_min_share", "horizon_margin"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} is {value}, expected a fraction 0..1")
        for name in ("region", "hood"):
            _check_polygon(name, getattr(self, name))


def encloses(polygon: Polygon) -> bool:
    """Whether the corners do not all lie on one line: a region without area would make everything seem clear."""
    return float(cv2.contourArea(cv2.convexHull(np.asarray(polygon, np.float32)))) > 1e-6


def _check_polygon(name: str, polygon: Polygon) -> None:
    if polygon and len(polygon) < 3:
        raise ValueError(f"{name} has {len(polygon)} corners, expected at least 3 (or none at all)")
    if polygon and not encloses(polygon):
        raise ValueError(f"the corners of {name} lie on one line, expected a polygon that encloses something")
    for index, (x, y) in enumerate(polygon):
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise ValueError(f"corner {index} of {name} is ({x}, {y}), expected fractions 0..1 of width and height")


@dataclass(frozen=True, slots=True)
class DrivableArea:
    """Drivable ground of one image, widened by the margin, on a grid of cells.

    Attributes:
        cells: uint8[h, w], 1 = within the margin of drivable ground.
        stride: px of the image per cell; the area is right to within one cell.
    """

    cells: Mask
    stride: int

    def contains(self, column: Ints, row: Ints) -> Flags:
        """Whether pixels int32[N] lie in it -> bool[N]; rows below the image count as its last one."""
        height, width = self.cells.shape
        y = np.minimum(row // self.stride, height - 1)
        x = np.minimum(column // self.stride, width - 1)
        return np.asarray(self.cells[y, x] != 0)


class Gate:
    """The gates of one camera, its fixed parts made once.

    Args:
        options: which gates act.
        size: (width, height) of the masks, px.
        horizon_rows: float32[W], row of the horizon in each column, px; NaN where it is not known (nothing is removed
            there); None without a camera pose: the horizon gate is off.
        hood_mask: uint8[h, w], not 0 = own vehicle, of any size over the same field of view; beside `options.hood`.

    Raises:
        ValueError: horizon rows that are not as many as the image has columns, or a hood mask without pixels.
    """

    def __init__(
        self,
        options: GateOptions,
        size: tuple[int, int],
        horizon_rows: Floats | None = None,
        hood_mask: Mask | None = None,
    ) -> None:
        self.options = options
        self.size = size
        width, height = size
        if horizon_rows is not None and horizon_rows.shape != (width,):
            raise ValueError(f"horizon_rows has shape {horizon_rows.shape}, expected ({width},), one for each column")
        if hood_mask is not None and (hood_mask.ndim != 2 or not hood_mask.size):
            raise ValueError(f"the hood mask has shape {hood_mask.shape}, expected [H, W] with pixels")
        self._horizon: npt.NDArray[np.float64] | None = None
        if options.horizon and horizon_rows is not None:
            self._horizon = horizon_rows.astype(np.float64) - options.horizon_margin * height
        self.codes: Mask | None = None
        """uint8[H, W], 0 where pixels count, else the gate's number in `REASONS`; None when all do."""
        if options.region or options.hood:
            self.codes = _stencil(options.region, options.hood, size)
        if hood_mask is not None:
            resized = cv2.resize((hood_mask != 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            under = np.zeros((height, width), np.uint8) if self.codes is None else self.codes
            self.codes = np.where(resized != 0, np.uint8(REASONS["hood"]), under)
        self._acts = {
            "horizon": self._horizon is not None,
            "region": bool(options.region),
            "hood": bool(options.hood) or hood_mask is not None,
        }

    @property
    def acting(self) -> tuple[str, ...]:
        """Names of the fixed gates that are on; whether "drivable" acts depends on the image."""
        return tuple(name for name, acts in self._acts.items() if acts)

    def below_horizon(self, column: Ints, row: Ints) -> Flags:
        """Whether the lower edges of pixels int32[N] are not above the horizon, to within the margin -> bool[N]."""
        if self._horizon is None:
            return np.ones(column.size, bool)
        # NaN: where the horizon is not known nothing is above it.
        return np.asarray(~(row + 0.5 < self._horizon[column]))

    def drivable_area(self, labels: npt.NDArray[np.uint8], drivable: Flags) -> DrivableArea | None:
        """The drivable ground of an image, or None when the gate is off or there is too little of it.

        Args:
            labels: uint8[H, W], class ids; ids beyond the table are not drivable.
            drivable: bool[K] by class id.
        """
        if not self.options.drivable:
            return None
        width, height = self.size
        stride = max(1, width // _CELLS)
        table = np.zeros(256, np.uint8)
        table[: drivable.size] = drivable
        # The cells' centres stand for them; the last cell may be cut.
        half = stride // 2
        ys = np.minimum(np.arange(0, height, stride) + half, height - 1)
        xs = np.minimum(np.arange(0, width, stride) + half, width - 1)
        cells = table[labels[ys[:, None], xs]]
        if np.count_nonzero(cells) < max(1.0, self.options.drivable_min_share * cells.size):
            return None
        margin = round(self.options.drivable_margin * width / stride)
        if margin:
            cells = np.asarray(cv2.dilate(cells, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)), np.uint8)
        return DrivableArea(cells, stride)


@lru_cache(maxsize=32)
def _stencil(region: Polygon, hood: Polygon, size: tuple[int, int]) -> Mask:
    """Codes of the polygons, drawn once: a pose that changes with every image makes a new gate for each."""
    codes = np.zeros((size[1], size[0]), np.uint8)
    if region:
        codes[_inside(region, size) == 0] = REASONS["region"]
    if hood:
        codes[_inside(hood, size) != 0] = REASONS["hood"]
    return codes


def _inside(polygon: Polygon, size: tuple[int, int]) -> Mask:
    """uint8[H, W], 1 inside a polygon of fractions of the image, which reaches from -0.5 to width - 0.5."""
    scale = 1 << _SUBPIXEL_BITS
    corners = np.rint((np.asarray(polygon, np.float64) * size - 0.5) * scale).astype(np.int32)
    canvas = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(canvas, [corners], 1, shift=_SUBPIXEL_BITS)
    return canvas
