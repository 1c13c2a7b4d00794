"""What the kernels need to know about a source size, copied to the device once."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.cuda.launch import DeviceAxis, DeviceRuns, DeviceTaps
from hybrid_seg_ros.cuda.taps import Taps, column_runs, resize_taps
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.frames.geometry import AxisTable

CAPACITY = 16
"""Source sizes whose tables stay on the device, as many as `plans.PlanCache` keeps."""


@dataclass(frozen=True, slots=True)
class DeviceTables:
    """The tables of one plan.

    Attributes:
        columns: resize along x; `column_taps` of them a pixel.
        rows: resize along y; `row_taps` of them a pixel.
        column_axis: upsampling along x.
        row_axis: upsampling along y.
        runs: of the columns.
        addresses: all memory they hold.
    """

    columns: DeviceTaps
    rows: DeviceTaps
    column_taps: int
    row_taps: int
    column_axis: DeviceAxis
    row_axis: DeviceAxis
    runs: DeviceRuns
    addresses: tuple[int, ...]

    @classmethod
    def upload(cls, driver: Driver, plan: Plan) -> "DeviceTables":
        """Copies of the plan's tables."""
        addresses: list[int] = []

        def copy(values: npt.NDArray[np.generic]) -> int:
            addresses.append(driver.upload(values, "the tables of an image size"))
            return addresses[-1]

        def taps(of: Taps) -> DeviceTaps:
            return DeviceTaps(copy(of.first), copy(of.weights), of.first.size)

        def axis(of: AxisTable) -> DeviceAxis:
            return DeviceAxis(copy(of.low), copy(of.high), copy(of.weight), of.low.size)

        source, content = plan.placement.source, plan.placement.content
        columns, rows = resize_taps(source[0], content[0]), resize_taps(source[1], content[1])
        starts = column_runs(plan.columns)
        return cls(
            columns=taps(columns),
            rows=taps(rows),
            column_taps=columns.weights.shape[1],
            row_taps=rows.weights.shape[1],
            column_axis=axis(plan.columns),
            row_axis=axis(plan.rows),
            runs=DeviceRuns(copy(starts), starts.size - 1),
            addresses=tuple(addresses),
        )


class TableCache:
    """The tables of the last few plans; used in the device's thread, while nothing on the device uses old ones."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._tables: OrderedDict[tuple[int, int], DeviceTables] = OrderedDict()

    def __contains__(self, plan: Plan) -> bool:
        return plan.placement.source in self._tables

    def __call__(self, plan: Plan) -> DeviceTables:
        """The plan's tables, copied now where they are not there."""
        key = plan.placement.source
        tables = self._tables.get(key)
        if tables is None:
            tables = self._tables[key] = DeviceTables.upload(self._driver, plan)
            if len(self._tables) > CAPACITY:
                _, oldest = self._tables.popitem(last=False)
                for address in oldest.addresses:
                    self._driver.free(address)
        else:
            self._tables.move_to_end(key)
        return tables
