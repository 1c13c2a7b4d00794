"""The drawings of a drive: latency and anomaly rate over time, obstacles on their way in."""

from hybrid_seg_ros.report.axis import Axis, span
from hybrid_seg_ros.report.document import FrameRow, Obstacle
from hybrid_seg_ros.report.svg import Figure, Plot
from hybrid_seg_ros.report.words import fine_percent, fixed

_MOST_POINTS = 1200
_WIDE, _TALL = 1000, 250


def latency_timeline(frames: list[FrameRow]) -> Figure | None:
    """Latency of each answer, and a mark for each frame without one; None where no frame has a latency."""
    answers = [(f, f.latency_ms) for f in frames if f.latency_ms is not None]
    if not answers:
        return None
    plot = Plot(
        "Latency",
        Axis("s since the first frame", 0.0, frames[-1].stamp_s),
        span("latency, ms", [ms for _, ms in answers], from_zero=True),
        _WIDE,
        _TALL,
    )
    kept = _peaks(answers)
    xs, ys = [f.stamp_s for f, _ in kept], [ms for _, ms in kept]
    plot.line(xs, ys, 0)
    texts = [f"frame {f.index}, {fixed(f.stamp_s, 2)} s: {fixed(ms)} ms" for f, ms in kept]
    plot.readings("latency", 0, xs, ys, texts)
    lost = [f for f in frames if f.state != "answered"]
    height = plot.y.low + 0.07 * (plot.y.high - plot.y.low)
    for frame in lost[:_MOST_POINTS]:
        plot.segment((frame.stamp_s, plot.y.low), (frame.stamp_s, height), "lost s1")
    legend = (("latency of an answer", 0), *((("frame without an answer", 1),) if lost else ()))
    return Figure("Latency over the drive", plot.markup(), legend, _thinned(len(kept), len(answers)))


def anomaly_timeline(frames: list[FrameRow]) -> Figure | None:
    """How much of each frame lies above the threshold; None where no frame says so."""
    rated = [(f, f.anomaly_rate) for f in frames if f.anomaly_rate is not None]
    if not rated:
        return None
    plot = Plot(
        "Anomaly rate",
        Axis("s since the first frame", 0.0, frames[-1].stamp_s),
        span("above the threshold, % of pixels", [rate for _, rate in rated], from_zero=True, percent=True),
        _WIDE,
        _TALL,
    )
    kept = _peaks(rated)
    xs, ys = [f.stamp_s for f, _ in kept], [rate for _, rate in kept]
    plot.line(xs, ys, 0)
    texts = [f"frame {f.index}, {fixed(f.stamp_s, 2)} s: {fine_percent(rate)} % of the pixels" for f, rate in kept]
    plot.readings("anomaly rate", 0, xs, ys, texts)
    return Figure("Anomaly rate over the drive", plot.markup(), note=_thinned(len(kept), len(rated)))


def obstacle_chart(obstacles: list[Obstacle]) -> Figure | None:
    """For each obstacle the way it came nearer before it was detected; None where no distance is known."""
    drawn = [(o, o.first_in_view_m) for o in obstacles if o.first_in_view_m is not None]
    if not drawn:
        return None
    far = span("distance, m", [0.0, *(metres for _, metres in drawn)])
    rows = Axis("", 0.0, float(len(drawn)), bare=True)
    plot = Plot("Obstacles", far, rows, 560, 60 + 26 * len(drawn), left=130)
    for index, (obstacle, metres) in enumerate(drawn):
        y = len(drawn) - index - 0.5
        plot.word(0, y, f"{obstacle.id} {obstacle.kind}"[:20], dx=-8, dy=4, anchor="end")
        seen = obstacle.first_detected_m if obstacle.first_detected_s is not None else 0.0
        if seen is not None:
            plot.segment((metres, y), (seen, y), "way" if obstacle.first_detected_s is not None else "way missed s1")
        plot.dots([metres], [y], 0, radius=4.5, hollow=True)
        if obstacle.first_detected_s is not None and obstacle.first_detected_m is not None:
            plot.dots([obstacle.first_detected_m], [y], 0, radius=5)
    note = "Hollow: first in view. Filled: first detected. Dashed to the car: never detected."
    return Figure("From where obstacles are detected", plot.markup(), note=note)


def _peaks(values: list[tuple[FrameRow, float]]) -> list[tuple[FrameRow, float]]:
    """At most so many points as a drawing can show, of each stretch the highest."""
    stretch = -(-len(values) // _MOST_POINTS)
    return [max(values[i : i + stretch], key=lambda item: item[1]) for i in range(0, len(values), stretch)]


def _thinned(shown: int, found: int) -> str:
    return "" if shown == found else f"Of each {-(-found // shown)} frames the highest is drawn; frames.csv has all."
