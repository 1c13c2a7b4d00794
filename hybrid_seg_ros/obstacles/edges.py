"""The lower edges of components, column by column: what decides where an obstacle stands."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.runs import Components, profile
from hybrid_seg_ros.obstacles.types import Floats, Ints

Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Lower edges of C components, one after the other.

    Attributes:
        number: int64[C], which components of the mask, rising.
        starts: int64[C + 1], where each one's columns begin among the M, and M.
        owner: int64[M], index of the component among the C.
        column: int32[M], px, rising within a component.
        bottom: int32[M], row of its lowest pixel there.
        score: float32[M], its greatest score there; NaN without a score map.
        score_mean: float64[C], over all its pixels; NaN likewise.
    """

    number: Indices
    starts: Indices
    owner: Indices
    column: Ints
    bottom: Ints
    score: Floats
    score_mean: npt.NDArray[np.float64]

    def any(self, flags: Flags) -> Flags:
        """Which components have a column that is flagged: bool[M] -> bool[C]."""
        return np.asarray(np.bincount(self.owner[flags], minlength=self.number.size) > 0)

    def only(self, kept: Flags) -> "Edges":
        """Of the components kept: bool[C]."""
        mine = kept[self.owner]
        starts, owner = _layout(np.diff(self.starts)[kept])
        return Edges(
            self.number[kept], starts, owner, self.column[mine], self.bottom[mine], self.score[mine],
            self.score_mean[kept],
        )  # fmt: skip


def lower_edges(components: Components, kept: Flags, score: Floats | None = None) -> Edges:
    """Of the components kept (bool by component); score float32[H, W]."""
    number = np.flatnonzero(kept)
    x0 = components.x0[number]
    starts, owner = _layout((components.x1[number] - x0).astype(np.int64))
    offset = np.full(kept.size, -1, np.int64)
    offset[number] = starts[:-1]
    bottom, greatest, sums = profile(components, offset, int(starts[-1]), score)
    column = (np.arange(owner.size) - (starts[:-1] - x0)[owner]).astype(np.int32)
    return Edges(number, starts, owner, column, bottom, greatest, sums[number] / components.pixels[number])


def _layout(widths: Indices) -> tuple[Indices, Indices]:
    """Where parts of these lengths begin, and whose each place is."""
    starts = np.zeros(widths.size + 1, np.int64)
    np.cumsum(widths, out=starts[1:])
    return starts, np.repeat(np.arange(widths.size), widths)
