"""The reliability diagram as a picture."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hybrid_seg_train.calibration.confidence import Method
from hybrid_seg_train.calibration.reliability import Bin, Reliability


def draw_reliability(reliabilities: Mapping[Method, Reliability], path: Path) -> None:
    """Write a PNG: one column a confidence, equally wide bins above, bins of equal mass below.

    Args:
        reliabilities: method -> what was measured, drawn from left to right.
        path: the file to write.
    """
    figure = Figure(figsize=(4 * len(reliabilities), 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(reliabilities), squeeze=False, sharex=True, sharey=True)
    for column, (name, measured) in enumerate(reliabilities.items()):
        for row, (bins, label, error) in enumerate(
            (
                (measured.equal_width, "equal width", measured.ece),
                (measured.equal_mass, "equal mass", measured.adaptive_ece),
            )
        ):
            axis = axes[row, column]
            axis.plot((0, 1), (0, 1), color="0.5", linestyle="--", linewidth=1)
            axis.bar(*_bars(bins), align="edge", color="tab:blue", edgecolor="white", alpha=0.5)
            axis.plot([b.confidence for b in bins], [b.accuracy for b in bins], color="tab:blue", marker=".")
            axis.set(xlim=(0, 1), ylim=(0, 1), title=f"{name}, {label}: ECE {error:.2%}")
            axis.set_xlabel("confidence")
            axis.set_ylabel("share of right pixels")
    figure.savefig(path, dpi=100)


def _bars(bins: tuple[Bin, ...]) -> tuple[list[float], list[float], list[float]]:
    """Left edges, heights and widths."""
    return [b.low for b in bins], [b.accuracy for b in bins], [b.high - b.low for b in bins]
