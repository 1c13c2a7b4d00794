"""An evaluation in the terminal."""

from hybrid_seg_ros.report.document import Evaluation
from hybrid_seg_ros.report.identity import network_rows, set_rows
from hybrid_seg_ros.report.listing import (
    class_table,
    component_table,
    distance_table,
    main_score,
    open_set_table,
    point_table,
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
from hybrid_seg_ros.report.table import Table, as_text
from hybrid_seg_ros.report.words import fine_percent, plural

_PROBLEMS_SHOWN = 10


def summary_text(evaluation: Evaluation) -> str:
    """What an evaluation found, for people: identity, tables, and what is missing from them; no trailing newline."""
    rows = set_rows(evaluation) + network_rows(evaluation.network)
    width = max(len(name) for name, _ in rows)
    parts = ["\n".join(f"{name:<{width}}  {value}" for name, value in rows)]
    parts += [as_text(table) for table in _tables(evaluation) if table.rows]
    if evaluation.calibration:
        parts.append(f"Calibration: ECE {fine_percent(evaluation.calibration.ece)} %")
    if evaluation.problems:
        parts.append(_problems(evaluation))
    return "\n\n".join(parts)


def _tables(evaluation: Evaluation) -> list[Table]:
    tables = []
    main = main_score(evaluation)
    if main is not None:
        tables += [score_table(evaluation), point_table(main, evaluation.scores[main]), component_table(evaluation)]
    if evaluation.closed_set:
        tables.append(class_table(evaluation.closed_set))
    if evaluation.open_set:
        tables.append(open_set_table(evaluation.open_set))
    if main in evaluation.distance:
        tables.append(distance_table(main, evaluation.distance[main]))
    if evaluation.node:
        tables += [frame_table(evaluation.node), times_table(evaluation.node)]
        tables += [reported_table(evaluation.node), *([rate_table(evaluation.node)] if evaluation.node.rates else [])]
    if evaluation.video:
        tables += [video_table(evaluation.video), obstacle_table(evaluation.video.obstacles)]
    if evaluation.recordings:
        tables.append(recording_table(evaluation))
    if not evaluation.truth and (statistics := rate_statistics(evaluation)):
        tables.append(statistics)
    if evaluation.agreement:
        tables.append(agreement_table(evaluation.agreement))
    return tables


def _problems(evaluation: Evaluation) -> str:
    problems = evaluation.problems
    lines = [f"{plural(len(problems), 'problem')}: what is missing from these figures"]
    lines += [f"  {problem.where}: {problem.what}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"  and {len(problems) - _PROBLEMS_SHOWN:,} more, all of them in evaluation.json and the report")
    return "\n".join(lines)
