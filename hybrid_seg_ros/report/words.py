"""How figures are written for people; one place, so that page, terminal and comparison agree."""

MISSING = "–"
"""What stands for a figure that is not defined."""


def percent(share: float | None, error: float = 0.0) -> str:
    """A share of 0..1 in percent with one decimal, without the sign; with the error where it would show."""
    if share is None:
        return MISSING
    text = f"{100 * share:.1f}"
    return text if 100 * error < 0.005 else f"{text} ±{100 * error:.2g}"


def fine_percent(share: float | None) -> str:
    """A share of 0..1 in percent with three significant digits: for rates that are small on purpose."""
    if share is None:
        return MISSING
    value = 100 * share
    if value == 0 or value >= 99.995:
        return f"{value:.4g}"
    return f"{value:.2f}" if value >= 0.9995 else f"{value:.3g}"


def number(value: float | None, digits: int = 4) -> str:
    """A number with so many significant digits; below a million none before the point is rounded away."""
    if value is None:
        return MISSING
    size = abs(value)
    if size < 1e-12:
        return "0"
    return f"{value:.0f}" if 10**digits <= size < 1e6 else f"{value:.{digits}g}"


def fixed(value: float | None, decimals: int = 1) -> str:
    """A number with so many decimals, as columns of milliseconds, metres and hertz want it."""
    return MISSING if value is None else f"{value:,.{decimals}f}"


def whole(value: int | None) -> str:
    """A count with separated thousands."""
    return MISSING if value is None else f"{value:,}"


def megapixels(pixels: int) -> str:
    """A count of pixels, short: 12.3 M."""
    return f"{pixels / 1e6:,.1f} M" if pixels >= 100_000 else whole(pixels)


def plural(count: int, singular: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def duration(seconds: float) -> str:
    """Seconds, or minutes and seconds, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {round(seconds) % 60} s"
    return f"{minutes // 60} h {minutes % 60} min"
