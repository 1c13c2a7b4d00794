"""What `hybrid-seg evaluate` leaves behind: the document, the page, the tables, and the summary on the terminal."""

from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, write_evaluation
from hybrid_seg_ros.report.page import write_report
from hybrid_seg_ros.report.tables import write_tables
from hybrid_seg_ros.report.text import summary_text

DOCUMENT = "evaluation.json"


def write_outputs(evaluation: Evaluation, folder: Path, copy: Path | None = None) -> None:
    """Write everything into a folder and print the summary.

    Args:
        evaluation: what was found; its pictures lie in the folder already.
        folder: made where it is not there.
        copy: one more file for the document.
    """
    # The document first: whatever fails behind it can be made from it again.
    write_evaluation(folder / DOCUMENT, evaluation)
    if copy is not None:
        write_evaluation(copy, evaluation)
    write_tables(evaluation, folder)
    page = write_report(evaluation, folder, pictures_from=folder)
    print(summary_text(evaluation))
    print(f"\nreport: {page}")
