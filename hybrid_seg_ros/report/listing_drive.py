"""The tables of a drive: the node's speed, its obstacles, what only a sequence can show."""

from hybrid_seg_ros.report.document import Agreement, Evaluation, Node, Obstacle, Times, Video
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.words import MISSING, fine_percent, fixed, percent, plural, whole

_TIMES = ("mean", "p50", "p90", "p99", "max", "jitter")


def frame_table(node: Node) -> Table:
    """How many frames came, and what became of them."""
    rows = [
        ("in", whole(node.frames_in), "100"),
        ("answered", whole(node.answered), _share(node.answered, node.frames_in)),
        ("dropped", whole(node.dropped), _share(node.dropped, node.frames_in)),
        ("rejected", whole(node.rejected), _share(node.rejected, node.frames_in)),
    ]
    return Table("Frames", ("frames", "count", "percent"), tuple(rows))


def times_table(node: Node) -> Table:
    """Latency and the stages it is made of."""
    rows = [("latency", *_times(node.latency_ms))] if node.latency_ms else []
    rows += [(name, *_times(times)) for name, times in node.stages_ms.items()]
    return Table("Milliseconds", ("stage", *_TIMES), tuple(rows))


def reported_table(node: Node) -> Table:
    """What the node itself says of its stages."""
    rows = tuple((name, fixed(p50), fixed(p99)) for name, (p50, p99) in node.reported_ms.items())
    return Table("Stages as the node reports them, ms", ("stage", "p50", "p99"), rows)


def rate_table(node: Node) -> Table:
    """Every playing rate, in the words of ros2_benchmark."""
    rows = tuple(
        (
            rate.kind,
            fixed(rate.input_hz),
            fixed(rate.output_hz),
            fine_percent(rate.drops),
            fixed(rate.latency_ms.p50 if rate.latency_ms else None),
            fixed(rate.latency_ms.p99 if rate.latency_ms else None),
            fixed(rate.arrival_jitter_ms),
            fixed(rate.cpu_percent, 0),
            fixed(rate.memory_mib, 0),
        )
        for rate in node.rates
    )
    peak = MISSING if node.peak_hz is None else f"{fixed(node.peak_hz)} Hz"
    columns = ("rate", "in, Hz", "out, Hz", "drops, %", "p50, ms", "p99, ms", "jitter, ms", "CPU, %", "memory, MiB")
    return Table(
        "Playing rates", columns, rows, note=f"Peak rate with less than 5 % drops: {peak}. CPU: 100 is a core."
    )


def video_table(video: Video) -> Table:
    """What only a sequence can show."""
    rows = (
        ("label consistency ↑, %", percent(video.label_consistency)),
        ("mask flicker ↓, %", percent(video.mask_flicker)),
        ("mIoU of what was known when each frame came ↑, %", percent(video.delayed_miou)),
        ("AP of what was known when each frame came ↑, %", percent(video.delayed_ap)),
        (
            "mean time until a result was there ↓, ms",
            fixed(None if video.mean_delay_s is None else 1e3 * video.mean_delay_s),
        ),
    )
    return Table("Over time", ("figure", "value"), tuple(row for row in rows if row[1] != MISSING))


def obstacle_table(obstacles: list[Obstacle]) -> Table:
    """Every obstacle: from where it was in view, from where it was detected."""
    rows = tuple(
        (
            f"{o.id}",
            o.kind or MISSING,
            f"{whole(o.frames_detected)} of {whole(o.frames_in_view)}",
            fixed(o.first_in_view_m),
            fixed(o.first_detected_m) if o.first_detected_s is not None else "never",
            fixed(o.time_to_detection_s, 2) if o.time_to_detection_s is not None else "never",
        )
        for o in obstacles
    )
    columns = ("id", "kind", "frames detected", "in view from, m", "detected from, m", "after, s")
    unplaced = any(o.first_detected_s is not None and o.first_detected_m is None for o in obstacles)
    note = "Detected from –: out of view when the first result that covers it arrived, or its distance is not known."
    return Table("Obstacles", columns, rows, text_columns=2, note=note if unplaced else "")


def agreement_table(found: Agreement) -> Table:
    """How far two runs over the same frames agree."""
    rows = (
        ("frames", whole(found.frames)),
        ("pixels with equal labels, %", fine_percent(found.labels)),
        ("IoU of the masks, %", fine_percent(found.mask_iou)),
        ("correlation of the scores", fixed(found.score_correlation, 4)),
    )
    return Table(f"Agreement with {found.other}", ("figure", "value"), rows)


def recording_table(evaluation: Evaluation) -> Table:
    """A row for each of several recordings."""
    rows = tuple(
        (
            row.name,
            whole(row.images),
            percent(row.ap),
            percent(row.fpr95),
            percent(row.miou),
            whole(row.dropped),
            whole(row.rejected),
            row.error or (plural(row.problems, "problem") if row.problems else ""),
        )
        for row in evaluation.recordings
    )
    columns = ("recording", "frames", "AP ↑", "FPR95 ↓", "mIoU ↑", "dropped", "rejected", "problems")
    return Table("Recordings, figures in percent", columns, rows)


def rate_statistics(evaluation: Evaluation) -> Table | None:
    """How much of the frames lies above the threshold; None where no frame says so."""
    rates = sorted(row.anomaly_rate for row in evaluation.frames if row.anomaly_rate is not None)
    if not rates:
        return None
    picked = {"median": 0.5, "p90": 0.9, "p99": 0.99}
    rows = [("mean", fine_percent(sum(rates) / len(rates)))]
    rows += [(name, fine_percent(rates[round(q * (len(rates) - 1))])) for name, q in picked.items()]
    rows.append(("highest", fine_percent(rates[-1])))
    rows.append(("frames without any", whole(sum(rate == 0 for rate in rates))))
    return Table("Pixels above the threshold, percent of a frame", ("figure", "value"), tuple(rows))


def _times(times: Times) -> tuple[str, ...]:
    return tuple(fixed(getattr(times, name)) for name in _TIMES)


def _share(count: int, total: int) -> str:
    return percent(count / total if total else None)
