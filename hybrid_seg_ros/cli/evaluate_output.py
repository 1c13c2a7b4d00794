"""What `hybrid-seg evaluate` leaves behind: the document, the page, the tables, and the summary on the terminal."""

import os
from collections.abc import Callable
from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, write_evaluation
from hybrid_seg_ros.report.page import PAGE, write_report
from hybrid_seg_ros.report.tables import write_tables
from hybrid_seg_ros.report.text import summary_text

DOCUMENT = "evaluation.json"


def make_folder(folder: Path) -> None:
    """Make the output folder before the work begins that fills it.

    Raises:
        OSError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise OSError(f"{folder}: cannot make this folder: {error.strerror}; name another one with --out") from error
    if not writable:
        raise OSError(f"{folder}: no permission to write there; name another folder with --out")


def write_outputs(evaluation: Evaluation, folder: Path, copy: Path | None = None) -> None:
    """Write everything into a folder and print the summary.

    Args:
        evaluation: what was found; its pictures lie in the folder already.
        folder: made where it is not there.
        copy: one more file for the document.

    Raises:
        OSError: something could not be written; what could is there, and the summary is printed.
    """
    # The document first: whatever fails behind it can be made from it again.
    steps: list[tuple[Path, Callable[[], object]]] = [
        (folder / DOCUMENT, lambda: write_evaluation(folder / DOCUMENT, evaluation)),
        (folder / PAGE, lambda: write_report(evaluation, folder, pictures_from=folder)),
        (folder / "*.csv", lambda: write_tables(evaluation, folder)),
    ]
    if copy is not None:
        steps.insert(1, (copy, lambda: write_evaluation(copy, evaluation)))
    failed: dict[Path, str] = {}
    for path, write in steps:
        try:
            write()
        except OSError as error:
            failed[path] = str(error.strerror or error)
    print(summary_text(evaluation))
    if folder / PAGE not in failed:
        print(f"\nreport: {folder / PAGE}")
    if failed:
        told = ", ".join(f"{path} ({why})" for path, why in failed.items())
        raise OSError(f"not written: {told}; make space or name another place, and give the same command again")
