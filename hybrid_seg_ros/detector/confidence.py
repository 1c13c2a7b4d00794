"""From the softmax to the probability of being right: 256 entries for an 8 bit map."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

ByteMap = npt.NDArray[np.uint8]


def lookup_table(knots: Sequence[tuple[float, float]] | None) -> ByteMap | None:
    """uint8[256]: the piecewise linear map through `knots` of every 8 bit confidence; None where there is no map.

    Args:
        knots: (confidence, probability), both in 0..1 and ascending; constant beyond the first and the last.
    """
    if knots is None:
        return None
    x, y = np.transpose(knots)
    return np.asarray(np.interp(np.arange(256) / 255, x, y) * 255 + 0.5).astype(np.uint8)


def look_up(confidence: ByteMap, table: ByteMap | None) -> None:
    """Put every value of uint8[H, W] through the table, in place."""
    if table is not None:
        cv2.LUT(confidence, table, dst=confidence)
