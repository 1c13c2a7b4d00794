"""Drawings in SVG: axes, lines, areas, dots; colours are classes that the page's style gives their meaning."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from markupsafe import Markup

from hybrid_seg_ros.report.axis import Axis

SLOTS = 6
"""How many series differ by colour and dash; more start again."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its legend and what it shows.

    Attributes:
        title: what it shows.
        svg: the drawing.
        legend: name and slot of each series that needs telling apart.
        note: a sentence on how to read it.
    """

    title: str
    svg: Markup
    legend: tuple[tuple[str, int], ...] = ()
    note: str = ""


@dataclass(slots=True)
class Plot:
    """A drawing in the making.

    Attributes:
        title: read out in place of the drawing.
        x, y: its axes.
        width, height: of the whole, in units of the drawing.
    """

    title: str
    x: Axis
    y: Axis
    width: int = 560
    height: int = 340
    left: int = 58
    _body: list[ET.Element] = field(default_factory=list)
    _series: list[dict[str, object]] = field(default_factory=list)

    _RIGHT, _TOP, _BOTTOM = 14, 12, 46

    def px(self, value: float) -> float:
        """Horizontal place of a value."""
        return round(self.left + self.x.place(value) * (self.width - self.left - self._RIGHT), 1)

    def py(self, value: float) -> float:
        """Vertical place of a value."""
        return round(self.height - self._BOTTOM - self.y.place(value) * self._inner_height, 1)

    @property
    def _inner_height(self) -> int:
        return self.height - self._TOP - self._BOTTOM

    def line(self, xs: Sequence[float], ys: Sequence[float], slot: int, *, step: bool = False) -> None:
        """A line through points; as a step it changes its height at once and then goes on level."""
        path: list[str] = []
        for x, y in zip(xs, ys, strict=True):
            if not path:
                path.append(f"M{self.px(x):g} {self.py(y):g}")
            else:
                path.append(f"V{self.py(y):g}H{self.px(x):g}" if step else f"L{self.px(x):g} {self.py(y):g}")
        self._add("path", d="".join(path), klass=f"line s{slot % SLOTS}")

    def area(self, edges: Sequence[float], heights: Sequence[float], slot: int) -> None:
        """A histogram's outline: heights[i] between edges[i] and edges[i + 1], filled down to the axis."""
        floor = self.py(self.y.low)
        path = [f"M{self.px(edges[0]):g} {floor:g}"]
        path += [f"V{self.py(h):g}H{self.px(edges[i + 1]):g}" for i, h in enumerate(heights)]
        self._add("path", d="".join([*path, f"V{floor:g}Z"]), klass=f"area s{slot % SLOTS}")

    def dots(
        self, xs: Sequence[float], ys: Sequence[float], slot: int, *, radius: float = 3.5, hollow: bool = False
    ) -> None:
        """A dot at each point."""
        for x, y in zip(xs, ys, strict=True):
            klass = f"{'hollow' if hollow else 'dot'} s{slot % SLOTS}"
            self._add("circle", cx=f"{self.px(x):g}", cy=f"{self.py(y):g}", r=f"{radius:g}", klass=klass)

    def segment(self, start: tuple[float, float], end: tuple[float, float], klass: str) -> None:
        """A straight line between two points."""
        (x1, y1), (x2, y2) = start, end
        self._add(
            "line",
            x1=f"{self.px(x1):g}",
            y1=f"{self.py(y1):g}",
            x2=f"{self.px(x2):g}",
            y2=f"{self.py(y2):g}",
            klass=klass,
        )

    def word(self, x: float, y: float, text: str, *, dx: float = 0, dy: float = 0, anchor: str = "start") -> None:
        """A word at a point, moved by so many units of the drawing."""
        place = {"x": f"{self.px(x) + dx:g}", "y": f"{self.py(y) + dy:g}", "text-anchor": anchor}
        self._add("text", text, klass="word", **place)

    def readings(self, name: str, slot: int, xs: Sequence[float], ys: Sequence[float], texts: Sequence[str]) -> None:
        """What the page tells of the points under the pointer; also where a marker of this name can stand."""
        points = {"x": [self.px(x) for x in xs], "y": [self.py(y) for y in ys], "text": list(texts)}
        self._series.append({"name": name, "slot": slot % SLOTS, **points})

    def markup(self) -> Markup:
        """The whole drawing."""
        root = ET.Element("svg", {"viewBox": f"0 0 {self.width} {self.height}", "class": "plot", "role": "img"})
        root.set("aria-label", f"{self.title}: {self.y.label} over {self.x.label}")
        if self._series:
            root.set("tabindex", "0")
            root.set("data-series", json.dumps(self._series, separators=(",", ":"), ensure_ascii=False))
        # where the script may put a vertical line: values at the ends, and the place of the field
        floor = self.height - self._BOTTOM
        field = (self.x.low, self.x.high, self.left, self.width - self._RIGHT, self._TOP, floor)
        root.set("data-scale", json.dumps(field))
        root.extend(self._frame())
        root.extend(self._body)
        return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escaped every text and attribute

    def _frame(self) -> list[ET.Element]:
        parts: list[ET.Element] = []
        floor, right = self.height - self._BOTTOM, self.width - self._RIGHT
        for value, text in self.x.ticks():
            at = f"{self.px(value):g}"
            parts.append(_element("line", x1=at, x2=at, y1=f"{self._TOP}", y2=f"{floor}", klass="grid"))
            parts.append(_element("text", text, x=at, y=f"{floor + 17}", klass="tick mid"))
        for value, text in self.y.ticks():
            level = self.py(value)
            parts.append(
                _element("line", x1=f"{self.left}", x2=f"{right}", y1=f"{level:g}", y2=f"{level:g}", klass="grid")
            )
            parts.append(_element("text", text, x=f"{self.left - 7}", y=f"{level + 4:g}", klass="tick end"))
        middle = (self.left + right) / 2
        parts.append(_element("text", self.x.label, x=f"{middle:g}", y=f"{self.height - 8}", klass="label mid"))
        height = self._TOP + self._inner_height / 2
        turn = f"translate(14 {height:g}) rotate(-90)"
        parts.append(_element("text", self.y.label, transform=turn, klass="label mid"))
        return parts

    def _add(self, tag: str, text: str = "", **attributes: str) -> None:
        self._body.append(_element(tag, text, **attributes))


def _element(tag: str, text: str = "", *, klass: str, **attributes: str) -> ET.Element:
    element = ET.Element(tag, {**attributes, "class": klass})
    if text:
        element.text = text
    return element
