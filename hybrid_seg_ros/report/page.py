"""An evaluation as one page: a single file that needs no network, with pictures, style and script inside."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hybrid_seg_ros import __version__
from hybrid_seg_ros.report.charts import score_histogram
from hybrid_seg_ros.report.document import Evaluation
from hybrid_seg_ros.report.headline import headlines
from hybrid_seg_ros.report.listing import curve_table, ordered_scores, point_table
from hybrid_seg_ros.report.pictures import picture_groups
from hybrid_seg_ros.report.sections import identity_section, later_sections, ranking_section
from hybrid_seg_ros.report.svg import Figure
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.threshold import Reading, Slider, slider
from hybrid_seg_ros.report.whole_file import write_whole
from hybrid_seg_ros.report.words import fine_percent, fixed, number, percent, plural, whole

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Panel:
    """One score's threshold: its slider, what the slider says at its start, histogram and tables."""

    name: str
    slider: Slider
    start: Reading
    histogram: Figure | None
    points: Table
    curve: Table


def write_report(evaluation: Evaluation, folder: Path, *, pictures_from: Path) -> Path:
    """Write the page of an evaluation.

    Args:
        evaluation: what to show; parts that it lacks are left out.
        folder: where the page goes; made if it is not there.
        pictures_from: folder of the document, which its pictures' paths start from. A picture that is not there, or
            is no picture, is named on the page.

    Returns:
        The page's path, folder/report.html.

    Raises:
        OSError: the page cannot be written.
    """
    path = folder / PAGE
    write_whole(path, report_html(evaluation, pictures_from))
    return path


def report_html(evaluation: Evaluation, pictures_from: Path) -> str:
    """The page itself; see `write_report`."""
    return render(
        "report.html.j2",
        evaluation=evaluation,
        headlines=headlines(evaluation),
        ranking=ranking_section(evaluation),
        panels=_panels(evaluation),
        sections=later_sections(evaluation),
        groups=picture_groups(evaluation, pictures_from),
        identity=identity_section(evaluation),
    )


def render(template: str, **content: object) -> str:
    """One of the templates as a page that runs its own script and nothing else."""
    environment = Environment(
        loader=PackageLoader("hybrid_seg_ros.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent, fine_percent=fine_percent, number=number, fixed=fixed, whole=whole, plural=plural
    )
    script = _source("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return environment.get_template(template).render(
        **content,
        version=__version__,
        style=Markup(_source("page.css")),  # noqa: S704 - the package's own files
        script=Markup(script),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )


def _panels(evaluation: Evaluation) -> list[Panel]:
    panels = []
    for name, score in ordered_scores(evaluation):
        moved = slider(evaluation, name)
        if moved is None or score.curve is None:
            continue
        histogram = score_histogram(name, score.histogram) if score.histogram else None
        tables = point_table(name, score), curve_table(name, score.curve)
        panels.append(Panel(name, moved, moved.reading(moved.start), histogram, *tables))
    return panels


def _source(name: str) -> str:
    return (files("hybrid_seg_ros.report") / "templates" / name).read_text(encoding="utf-8")
