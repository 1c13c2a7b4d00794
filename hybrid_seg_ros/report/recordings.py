"""Several recordings side by side as a file for spreadsheets and pandas."""

import csv
from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, RecordingRow


def write_recordings(evaluation: Evaluation, folder: Path) -> Path:
    """A row for each recording in full precision, as `folder`/recordings.csv; rates 0..1, what is not defined is empty.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / "recordings.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(RecordingRow.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump() for row in evaluation.recordings)
    return path
