"""Post-processing by the compiled kernels, over row bands on a few threads."""

import numpy as np

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.detector import kernels
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.confidence import look_up, lookup_table
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.detector.ranges import checked_range
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import AxisTable

_KINDS: dict[ScoreKind, int] = {
    "hybrid": kernels.KIND_HYBRID,
    "energy": kernels.KIND_ENERGY,
    "posterior": kernels.KIND_POSTERIOR,
    "msp": kernels.KIND_MSP,
    "max_logit": kernels.KIND_MAX_LOGIT,
    "entropy": kernels.KIND_ENTROPY,
}
_NO_BYTES = np.empty((0, 0), np.uint8)
_NO_FLOATS = np.empty((0, 0), np.float32)


class FusedPostProcessor:
    """See `maps.PostProcessor`."""

    def __init__(self, formula: Formula, bands: Bands) -> None:
        self._formula = formula
        self._bands = bands
        self._confidence_table = lookup_table(formula.confidence_table)
        self._scratch = np.empty((bands.threads, 0), np.float32)

    def __call__(
        self, output: NetworkOutput, rows: AxisTable, columns: AxisTable, outputs: Outputs, threshold: float
    ) -> Maps:
        """See `maps.PostProcessor`."""
        low, high = checked_range(output)
        size = kernels.scratch_size(len(output.logits))
        if self._scratch.shape[1] != size:
            self._scratch = np.empty((self._bands.threads, size), np.float32)
        maps = Maps.allocate(outputs, rows.low.size, columns.low.size)
        inverse_temperature = 1 / self._formula.temperature
        narrow = (high - low) * max(1.0, inverse_temperature) <= kernels.NARROW_RANGE
        logits, posterior = np.ascontiguousarray(output.logits), np.ascontiguousarray(output.posterior)

        def work(worker: int, first: int, last: int) -> None:
            kernels.segment_band(
                logits,
                posterior,
                rows.low,
                rows.high,
                rows.weight,
                columns.low,
                columns.high,
                columns.weight,
                np.uint64(first),
                np.uint64(last),
                _KINDS[self._formula.kind],
                narrow,
                np.float32((low + high) / 2 if narrow else 0),
                np.float32(threshold),
                np.float32(inverse_temperature),
                _NO_BYTES if maps.labels is None else maps.labels,
                _NO_FLOATS if maps.score is None else maps.score,
                _NO_BYTES if maps.mask is None else maps.mask,
                _NO_BYTES if maps.confidence is None else maps.confidence,
                self._scratch[worker],
            )
            if maps.confidence is not None:
                look_up(maps.confidence[first:last], self._confidence_table)

        self._bands.run(work, rows.low.size)
        return maps
