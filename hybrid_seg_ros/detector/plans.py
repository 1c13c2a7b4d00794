"""Where every output pixel comes from, worked out once per source size."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from hybrid_seg_ros.frames.geometry import AxisTable, Placement, axis_table

OutputSize = Literal["source", "network"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One source size on its way to the network and back.

    Attributes:
        placement: source image in the network input.
        rows: sampling of the output grid's rows.
        columns: sampling of the output grid's columns.
        size: (width, height) of the maps.
    """

    placement: Placement
    rows: AxisTable
    columns: AxisTable
    size: tuple[int, int]

    @classmethod
    def make(cls, placement: Placement, output_size: OutputSize, stride: int) -> "Plan":
        """Tables for maps at the source's size, or at the size the source has inside the network input."""
        size = placement.source if output_size == "source" else placement.content
        network, content = placement.network, placement.content
        columns = axis_table(
            outputs=size[0], content=content[0], pad=placement.pad_left, stride=stride, cells=network[0] // stride
        )
        rows = axis_table(
            outputs=size[1], content=content[1], pad=placement.pad_top, stride=stride, cells=network[1] // stride
        )
        return cls(placement, rows, columns, size)


class PlanCache:
    """The plans of the last few source sizes: many cameras share one detector, and memory stays bounded."""

    def __init__(
        self,
        network: tuple[int, int],
        rule: Literal["stretch", "letterbox"],
        output_size: OutputSize,
        stride: int,
        capacity: int = 16,
    ) -> None:
        self._network = network
        self._rule = rule
        self._output_size = output_size
        self._stride = stride
        self._capacity = capacity
        self._plans: OrderedDict[tuple[int, int], Plan] = OrderedDict()

    def __call__(self, source: tuple[int, int]) -> Plan:
        """The plan for images of (width, height)."""
        plan = self._plans.get(source)
        if plan is None:
            placement = Placement.fit(source, self._network, self._rule)
            plan = Plan.make(placement, self._output_size, self._stride)
            self._plans[source] = plan
            if len(self._plans) > self._capacity:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(source)
        return plan
