"""What a run folder holds beside checkpoints: results of calibration and evaluation as JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybrid_seg_ros.bundle import OperatingPoint
from hybrid_seg_ros.evaluation import PixelMetrics
from hybrid_seg_train.calibrate import Calibration

CHECKPOINT = "last.ckpt"
CALIBRATION = "calibration.json"
EVALUATION = "evaluation.json"
CURVE = "curve.jsonl"


def write_calibration(run: Path, calibration: Calibration) -> Path:
    """Keep a calibration beside its checkpoint."""
    points = {name: point.model_dump() for name, point in calibration.operating_points.items()}
    return _write(run / CALIBRATION, {**asdict(calibration), "operating_points": points})


def read_calibration(run: Path) -> Calibration:
    """The calibration of a run.

    Raises:
        FileNotFoundError: not calibrated yet; says the command that does it.
    """
    stored = _read(run / CALIBRATION, f"hybrid-seg-train calibrate --run {run}")
    points = {name: OperatingPoint(**point) for name, point in stored.pop("operating_points").items()}
    scores = {kind: PixelMetrics(**metrics) for kind, metrics in stored.pop("scores").items()}
    return Calibration(operating_points=points, scores=scores, **stored)


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
