"""Post-processing in numpy, band by band and class by class: the path for robots without numba.

The formulas of `reference`, reordered so that no full-size K-channel tensor exists: per band of rows, each class is
upsampled, compared with the running maximum and forgotten; a second pass adds its exponential.
"""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.confidence import look_up, lookup_table
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.detector.ranges import checked_range
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import AxisTable

_BAND_ROWS = 32

FloatArray = npt.NDArray[np.float32]


class TiledPostProcessor:
    """See `maps.PostProcessor`."""

    def __init__(self, formula: Formula, bands: Bands) -> None:
        self._formula = formula
        self._bands = bands
        self._confidence_table = lookup_table(formula.confidence_table)

    def __call__(
        self, output: NetworkOutput, rows: AxisTable, columns: AxisTable, outputs: Outputs, threshold: float
    ) -> Maps:
        """See `maps.PostProcessor`."""
        checked_range(output)
        maps = Maps.allocate(outputs, rows.low.size, columns.low.size)

        def work(worker: int, first: int, last: int) -> None:
            for start in range(first, last, _BAND_ROWS):
                self._band(output, rows, columns, maps, slice(start, min(start + _BAND_ROWS, last)), threshold)

        self._bands.run(work, rows.low.size)
        return maps

    def _band(
        self,
        output: NetworkOutput,
        rows: AxisTable,
        columns: AxisTable,
        maps: Maps,
        band: slice,
        threshold: float,
    ) -> None:
        part = AxisTable(rows.low[band], rows.high[band], rows.weight[band], rows.cells)
        logits, kind = output.logits, self._formula.kind
        scoring = maps.score is not None or maps.mask is not None
        if kind == "posterior" and maps.labels is None and maps.confidence is None:
            best = np.zeros((part.low.size, columns.low.size), np.float32)
        else:
            best = _maximum(logits, part, columns, None if maps.labels is None else maps.labels[band])
        if scoring:
            score = self._score(output, part, columns, best)
            if maps.score is not None:
                maps.score[band] = score
            if maps.mask is not None:
                np.multiply(score > threshold, np.uint8(255), out=maps.mask[band])
        if maps.confidence is not None:
            total, _ = _exponentials(logits, part, columns, best, 1 / self._formula.temperature)
            maps.confidence[band] = np.float32(255) / total + np.float32(0.5)
            look_up(maps.confidence[band], self._confidence_table)

    def _score(self, output: NetworkOutput, rows: AxisTable, columns: AxisTable, best: FloatArray) -> FloatArray:
        """As `reference.score`, of the maximum over the classes float32[rows, W]."""
        kind = self._formula.kind
        score = np.zeros_like(best)
        if kind in ("hybrid", "posterior"):
            score += reference.log_posterior(reference.upsample(output.posterior, rows, columns))
        if kind in ("hybrid", "energy", "msp", "entropy"):
            total, weighted = _exponentials(output.logits, rows, columns, best, 1.0)
            if kind == "msp":
                score += 1 - 1 / total
            elif kind == "entropy":
                score += np.log(total) - weighted / total
            else:
                score -= best + np.log(total)
        if kind == "max_logit":
            score -= best
        return score


def _maximum(
    logits: FloatArray, rows: AxisTable, columns: AxisTable, labels: npt.NDArray[np.uint8] | None
) -> FloatArray:
    """Maximum over the classes, float32[rows, W]; its index goes into `labels` where wanted."""
    best = reference.upsample(logits[:1], rows, columns)[0]
    if labels is not None:
        labels[...] = 0
    for k in range(1, len(logits)):
        value = reference.upsample(logits[k : k + 1], rows, columns)[0]
        if labels is not None:
            np.copyto(labels, np.uint8(k), where=value > best)
        np.maximum(best, value, out=best)
    return np.asarray(best, np.float32)


def _exponentials(
    logits: FloatArray, rows: AxisTable, columns: AxisTable, best: FloatArray, scale: float
) -> tuple[FloatArray, FloatArray]:
    """Sums over the classes of e^u and of u e^u, u = (s - best) * scale: float32[rows, W] each."""
    total, weighted = np.zeros_like(best), np.zeros_like(best)
    for k in range(len(logits)):
        u = (reference.upsample(logits[k : k + 1], rows, columns)[0] - best) * np.float32(scale)
        e = np.exp(u)
        total += e
        weighted += e * u
    return total, weighted
