"""What a run folder holds beside checkpoints: results of calibration and evaluation as JSON."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.layout import CALIBRATION, CURVE, EVALUATION, RELIABILITY

_CALIBRATION = TypeAdapter(Calibration)


def write_calibration(run: Path, calibration: Calibration) -> Path:
    """Keep a calibration beside its checkpoint, with its reliability diagram as a picture where it has one."""
    if calibration.reliability:
        from hybrid_seg_train.calibration.plot import draw_reliability

        draw_reliability(calibration.reliability, run / RELIABILITY)
    return _write(run / CALIBRATION, _CALIBRATION.dump_python(calibration, mode="json"))


def read_calibration(run: Path) -> Calibration:
    """The calibration of a run.

    Raises:
        FileNotFoundError: not calibrated yet; says the command that does it.
        ValueError: the file holds something else.
    """
    command = f"hybrid-seg-train calibrate --run {run}"
    stored = _read(run / CALIBRATION, command)
    try:
        return _CALIBRATION.validate_python(stored)
    except ValidationError as error:
        raise ValueError(f"{run / CALIBRATION}: no calibration: {error}; make it again with: {command}") from error


def write_evaluation(run: Path, evaluation: dict[str, Any]) -> Path:
    """Keep an evaluation beside its checkpoint."""
    return _write(run / EVALUATION, evaluation)


def read_evaluation(run: Path) -> dict[str, Any]:
    """The evaluation of a run.

    Raises:
        FileNotFoundError: not evaluated yet; says the command that does it.
    """
    return _read(run / EVALUATION, f"hybrid-seg-train evaluate --run {run}")


def read_curve(run: Path) -> list[dict[str, float]]:
    """The training curve of a run: one entry a line of curve.jsonl; empty where there is none."""
    path = run / CURVE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def _read(path: Path, command: str) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: not there yet; make it with: {command}")
    content: dict[str, Any] = json.loads(path.read_text())
    return content
