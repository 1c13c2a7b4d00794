"""What the page shows, in its order: sections of figures with their tables."""

from dataclasses import dataclass

from hybrid_seg_ros.report.charts import (
    by_distance,
    component_f1,
    precision_recall,
    receiver_operating,
    reliability,
    score_histogram,
)
from hybrid_seg_ros.report.document import Evaluation, Node, Video
from hybrid_seg_ros.report.identity import identity_table
from hybrid_seg_ros.report.listing import (
    class_table,
    component_table,
    distance_table,
    open_set_table,
    ordered_scores,
    point_table,
    reliability_table,
    score_table,
)
from hybrid_seg_ros.report.listing_drive import (
    agreement_table,
    frame_table,
    obstacle_table,
    rate_statistics,
    rate_table,
    recording_table,
    reported_table,
    times_table,
    video_table,
)
from hybrid_seg_ros.report.svg import Figure
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.timelines import anomaly_timeline, latency_timeline, obstacle_chart
from hybrid_seg_ros.report.words import plural


@dataclass(frozen=True, slots=True)
class Row:
    """Figures and tables side by side; a wide figure has the row to itself and its tables under it."""

    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        id: of its heading, for links.
        title: its heading.
        intro: what it answers, in a sentence or two.
        rows: from top to bottom.
    """

    id: str
    title: str
    intro: str
    rows: tuple[Row, ...]


def ranking_section(evaluation: Evaluation) -> Section | None:
    """Scores against each other."""
    if not evaluation.scores:
        return None
    table = score_table(evaluation)
    if all(score.curve is None for score in evaluation.scores.values()):
        return _unranked(evaluation, table)
    intro = (
        "How well each score ranks anomaly pixels above known ones, whatever the threshold; void pixels are left out."
    )
    rows = (Row((precision_recall(evaluation), receiver_operating(evaluation))), Row(tables=(table,)))
    return Section("ranking", "Scores", intro, rows)


def _unranked(evaluation: Evaluation, table: Table) -> Section:
    """Scores of a set where nothing can be ranked above anything: what the known pixels' scores are."""
    why = "No pixel of the set is an anomaly" if not evaluation.anomaly_pixels else "There is no curve of any score"
    drawn = [
        score_histogram(name, score.histogram)
        for name, score in ordered_scores(evaluation)
        if score.histogram is not None
    ]
    rated = [point_table(name, score) for name, score in ordered_scores(evaluation) if score.points]
    # Beside a table, a drawing is as large as elsewhere on the page.
    rows = (Row(tuple(drawn[:1]), (table, *rated)), *([Row(tuple(drawn[1:]))] if drawn[1:] else []))
    return Section("ranking", "Scores", f"{why}: figures of ranking are not defined.", rows)


def later_sections(evaluation: Evaluation) -> list[Section]:
    """All that comes after the threshold, as far as there is any."""
    found = [
        _recordings(evaluation),
        _components(evaluation),
        _classes(evaluation),
        _calibration(evaluation),
        _distance(evaluation),
        _video(evaluation.video) if evaluation.video else None,
        _node(evaluation, evaluation.node) if evaluation.node else None,
        _rates(evaluation),
        _agreement(evaluation),
    ]
    return [section for section in found if section is not None]


def identity_section(evaluation: Evaluation) -> Section:
    """What this was made of."""
    intro = "What was evaluated, on what, and where."
    return Section("identity", "Network and machine", intro, (Row(tables=(identity_table(evaluation),)),))


def _recordings(evaluation: Evaluation) -> Section | None:
    """Where several recordings were evaluated together: how each did."""
    if not evaluation.recordings:
        return None
    failed = sum(bool(row.error) for row in evaluation.recordings)
    intro = "Figures elsewhere on this page are of all of them pooled, not the mean of these rows."
    if failed:
        intro += f" {plural(failed, 'recording')} could not be evaluated."
    return Section("recordings", "Recordings", intro, (Row(tables=(recording_table(evaluation),)),))


def _components(evaluation: Evaluation) -> Section | None:
    table = component_table(evaluation)
    if not table.rows:
        return None
    intro = "Objects found or missed, as SegmentMeIfYouCan counts them: a small one weighs as much as a large one."
    return Section("components", "Components", intro, (Row((component_f1(evaluation),), (table,)),))


def _classes(evaluation: Evaluation) -> Section | None:
    tables = []
    if evaluation.closed_set:
        tables.append(class_table(evaluation.closed_set))
    if evaluation.open_set:
        tables.append(open_set_table(evaluation.open_set))
    intro = "How well the known classes are told apart, and what of that is left when pixels may be called unknown."
    return Section("classes", "Known classes", intro, (Row(tables=tuple(tables)),)) if tables else None


def _calibration(evaluation: Evaluation) -> Section | None:
    found = evaluation.calibration
    if found is None:
        return None
    intro = "Whether 80 % sure means right in 80 % of the pixels."
    return Section("calibration", "Calibration", intro, (Row((reliability(found),), (reliability_table(found),)),))


def _distance(evaluation: Evaluation) -> Section | None:
    rows = [
        Row((by_distance(name, bins),), (distance_table(name, bins),))
        for name, bins in evaluation.distance.items()
        if bins
    ]
    intro = "An obstacle far away is few pixels: pooled figures are those of the near ones."
    return Section("distance", "Distance", intro, tuple(rows)) if rows else None


def _video(video: Video) -> Section | None:
    over_time, rows = video_table(video), []
    if video.obstacles:
        chart = obstacle_chart(video.obstacles)
        rows.append(Row((chart,) if chart else (), (obstacle_table(video.obstacles),)))
    if over_time.rows:
        rows.append(Row(tables=(over_time,)))
    intro = (
        "A result counts when it arrives. An obstacle is detected when the mask covers half of what is visible of it."
    )
    return Section("video", "Obstacles and time", intro, tuple(rows)) if rows else None


def _node(evaluation: Evaluation, node: Node) -> Section:
    chart, times = latency_timeline(evaluation.frames), times_table(node)
    tables = [frame_table(node), *([times] if times.rows else [])]
    rows = [Row((chart,), tuple(tables), wide=True) if chart else Row(tables=tuple(tables))]
    if node.rates:
        rows.append(Row(tables=(rate_table(node),)))
    if node.reported_ms:
        rows.append(Row(tables=(reported_table(node),)))
    how = {
        "offline": "Every frame went through the detector, one after the other.",
        "online": "The frames were played to the running node at their rate; the latest frame wins, others drop.",
        "recorded": "The results were recorded on the drive.",
    }[node.mode]
    return Section("node", "Speed", how, tuple(rows))


def _rates(evaluation: Evaluation) -> Section | None:
    chart, table = anomaly_timeline(evaluation.frames), rate_statistics(evaluation)
    if chart is None or table is None:
        return None
    return Section(
        "rate", "Anomaly rate", "How much of each frame the mask marks.", (Row((chart,), (table,), wide=True),)
    )


def _agreement(evaluation: Evaluation) -> Section | None:
    found = evaluation.agreement
    if found is None:
        return None
    intro = "Two runs over the same frames, compared with each other and not with any truth."
    return Section("agreement", "Agreement", intro, (Row(tables=(agreement_table(found),)),))
