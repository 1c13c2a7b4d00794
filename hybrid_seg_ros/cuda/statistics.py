"""What the post-processing kernel notices of a frame beside its maps: the guard against a network that went wrong."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SHAPE = (32, 4)
"""A frame's statistics in device memory: int32[32, 4], `Slot` of kernels/common.h; emptied by the pre-kernel."""

_INFINITY = int(np.float32(np.inf).view(np.int32))


@dataclass(frozen=True, slots=True)
class Statistics:
    """One frame's.

    Attributes:
        non_finite: output pixels that a NaN or an infinity of the network's outputs entered (or a number beyond 1e19).
        masked: pixels of the mask.
        lowest: smallest score, or None where no score was computed.
        highest: largest score, or None.
    """

    non_finite: int
    masked: int
    lowest: float | None
    highest: float | None


def empty() -> npt.NDArray[np.int32]:
    """int32[32, 4] of a frame without pixels: what the pre-kernel writes."""
    slots = np.zeros(SHAPE, np.int32)
    slots[:, 2], slots[:, 3] = _INFINITY, ~_INFINITY  # `ordered` of infinity and of -infinity
    return slots


def read(slots: npt.NDArray[np.int32]) -> Statistics:
    """The statistics in int32[32, 4] copied from the device."""
    if slots.shape != SHAPE or slots.dtype != np.int32:
        raise ValueError(f"statistics are {slots.dtype}{list(slots.shape)}, expected int32{list(SHAPE)}")
    lowest, highest = int(slots[:, 2].min()), int(slots[:, 3].max())
    known = lowest <= highest
    return Statistics(
        int(slots[:, 0].sum()),
        int(slots[:, 1].sum()),
        _from_ordered(lowest) if known else None,
        _from_ordered(highest) if known else None,
    )


def _from_ordered(value: int) -> float:
    """The float whose `ordered` (kernels/common.h) this is."""
    return float(np.int32(value if value >= 0 else value ^ 0x7FFFFFFF).view(np.float32))
