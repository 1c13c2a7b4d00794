"""Scales of a drawing: from values to places, and where ticks go."""

import math
from dataclasses import dataclass

from hybrid_seg_ros.report.words import number


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a drawing.

    Attributes:
        label: with the unit.
        low: value at its start.
        high: value at its end, above low.
        log: logarithmic; low must be above 0.
        percent: values are shares of 0..1, shown in percent.
        bare: without ticks, where the drawing names its rows itself.
    """

    label: str
    low: float
    high: float
    log: bool = False
    percent: bool = False
    bare: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 at the start and 1 at the end; values beyond are held at the ends."""
        if not self.high > self.low:
            return 0.5
        if self.log:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values within, each with its text."""
        if self.bare or not self.high > self.low:
            return []
        values = _decades(self.low, self.high) if self.log else _steps(self.low, self.high)
        return [(value, self.text(value)) for value in values]

    def text(self, value: float) -> str:
        """A value as the axis shows it."""
        if self.log and value >= 1000:
            return f"10{_superscript(round(math.log10(value)))}"
        return number(100 * value if self.percent else value, 6)


def span(label: str, values: list[float], *, from_zero: bool = False, percent: bool = False) -> Axis:
    """The axis that holds all values, ending on round ones; of one value or none it is still an axis."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # all the same, as far as a drawing can tell
        low, high = (low - abs(low) / 2, low + abs(low) / 2) if low else (0.0, 1.0)
    step = _step(low, high)
    return Axis(label, math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, percent=percent)


def shares(label: str) -> Axis:
    """0 to 100 %."""
    return Axis(label, 0.0, 1.0, percent=True)


def _step(low: float, high: float) -> float:
    rough = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(magnitude * m for m in (1, 2, 5, 10) if magnitude * m >= rough * 0.999)


def _steps(low: float, high: float) -> list[float]:
    step = _step(low, high)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first) / 7))
    return [10.0**power for power in range(first, last + 1, every)]


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
