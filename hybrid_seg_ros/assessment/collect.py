"""From counts to the parts of a document: what images and recordings have in common."""

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.machine import machine, versions
from hybrid_seg_ros.backends import BackendInfo
from hybrid_seg_ros.bundle import MANIFEST_NAME, Bundle
from hybrid_seg_ros.bundle.store import sha256
from hybrid_seg_ros.evaluation.components import SIOU_THRESHOLDS, ComponentMetrics, Track
from hybrid_seg_ros.evaluation.confusion import iou_per_class, mean_iou
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures, histogram, points, thin_curve
from hybrid_seg_ros.report.document import ClosedSet, Components, Machine, Network, Part, Score

PartT = TypeVar("PartT", bound=Part)


def as_part(kind: type[PartT], result: object) -> PartT:
    """A result of `evaluation` as the part of the document whose fields have the same names.

    Args:
        kind: the part.
        result: a dataclass; what is NaN in it becomes null, arrays become lists.
    """
    return kind.model_validate(_plain(result))


def score_part(counts: PixelCounts, thresholds: Mapping[str, float], **parts: Part | None) -> Score:
    """One score from the counts of its pixels; figures that are not defined are null.

    Args:
        counts: of all images.
        thresholds: name -> threshold that ships with the bundle, of this very score; else empty.
        parts: what else is known of it, by the field names of `Score`: blocks, components.
    """
    rated, bins = points(counts, thresholds), histogram(counts)
    curve = thin_curve(counts, above=[point.threshold for point in rated.values()])
    fields = {
        **_plain(figures(counts)),
        "points": _plain(rated),
        "curve": None if curve is None else _plain(curve),
        "histogram": None if bins is None else _plain(bins),
    }
    fields |= {name: part.model_dump() for name, part in parts.items() if part is not None}
    fields.pop("best_f1_threshold", None)  # it is that of points["best_f1"]
    return Score.model_validate(fields)


def closed_set_part(confusion: npt.NDArray[np.integer], names: Sequence[str]) -> ClosedSet:
    """Closed-set accuracy of int64[K, K] pixel counts (row = truth) of the K classes."""
    iou = iou_per_class(confusion)
    return ClosedSet(
        miou=number(mean_iou(confusion)),
        iou={name: number(value) for name, value in zip(names, iou, strict=True)},
        pixels=int(confusion.sum()),
    )


def components_part(metrics: ComponentMetrics, track: Track, threshold: float) -> Components:
    """Component metrics of a score above a threshold."""
    return Components(
        track=track,
        threshold=threshold,
        mean_siou=number(metrics.mean_siou),
        mean_ppv=number(metrics.mean_ppv),
        mean_f1=number(metrics.mean_f1),
        siou_thresholds=list(SIOU_THRESHOLDS),
        f1_by_threshold=[number(value) for value in metrics.f1_by_threshold],
        ground_truth=metrics.ground_truth,
        predicted=metrics.predicted,
    )


def network_part(
    bundle: Bundle,
    info: BackendInfo | None,
    input_size: tuple[int, int] | None,
    threshold: float | str | None = None,
) -> Network:
    """A bundle as it was run.

    Args:
        bundle: the model.
        info: what ran it; None: another process, which may say so.
        input_size: (width, height) of the network input; None: that of each image.
        threshold: what made the masks: a value, the name of an operating point, or None for the default one.
    """
    score = bundle.manifest.score
    name = score.default if threshold is None else threshold
    named = isinstance(name, str)
    return Network(
        name=bundle.name,
        sha256=bundle_sha256(bundle),
        backend="" if info is None else f"{info.name} on {info.device}",
        precision="" if info is None else info.precision,
        input_size=input_size,
        score=score.kind,
        threshold=score.operating_points[name].threshold if isinstance(name, str) else name,
        operating_point=str(name) if named else "",
    )


def bundle_sha256(bundle: Bundle) -> str:
    """SHA-256 of the manifest, which names the hash of every other file."""
    return sha256(bundle.path / MANIFEST_NAME)


def machine_part() -> Machine:
    """What this is run on; no host or user name."""
    return Machine.model_validate({**machine(), "versions": versions()})


def now() -> str:
    """The time in ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def number(value: float) -> float | None:
    """The value, or None where it is not finite: a figure that is not defined."""
    return float(value) if math.isfinite(value) else None


def _plain(value: object) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """Dataclasses as dicts, arrays as lists, what is not finite as None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return number(value) if isinstance(value, float) else value
