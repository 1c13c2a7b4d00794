"""One evaluation as data: the JSON that the page, the tables and the comparison are made of."""

import json
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybrid_seg_ros.report.whole_file import write_whole

SCHEMA = 1

GROUND_TRUTH = "ground truth"
"""Where a problem is that no single image has: what the labels as a whole do not say."""


class DocumentError(ValueError):
    """A file is no evaluation, or one of another schema; the message names the file and what was expected."""


class Part(BaseModel):
    """Base of all parts: unknown keys are errors, and a figure that is not defined is null, never NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Machine(Part):
    """What the evaluation was made on."""

    cpu: str = ""
    cores: int = 0
    memory_gib: float = 0.0
    system: str = ""
    versions: dict[str, str] = {}


class Network(Part):
    """What was evaluated: a bundle as it was run, or the scores of somebody's method."""

    name: str
    sha256: str = Field(default="", description="of the bundle's manifest; empty for saved scores")
    backend: str = ""
    precision: str = ""
    input_size: tuple[int, int] | None = Field(default=None, description="width, height, px; null: the images' own")
    max_width: int | None = Field(default=None, description="images wider than this are run at it, px; null: any width")
    score: str = Field(default="", description="the score that the bundle is meant to be read by")
    threshold: float | None = Field(default=None, description="the threshold that made the masks")
    operating_point: str = Field(default="", description="its name, where it has one")


class Problem(Part):
    """Something that is missing from the figures, and why."""

    where: str = Field(description="file, topic or frame")
    what: str


class Curve(Part):
    """Exact rates at some of the thresholds of `score >= threshold`, thresholds descending."""

    thresholds: list[float]
    tpr: list[float]
    fpr: list[float]
    precision: list[float]


class Histogram(Part):
    """Pixels per bin of the score; bin i holds edges[i] <= score < edges[i + 1], the outer bins what lies beyond."""

    edges: list[float]
    known: list[int]
    anomaly: list[int]


class Blocks(Part):
    """Counts of consecutive images on common thresholds, for resampling: the images of a drive are not independent.

    Row b of `known` and `anomaly` holds, per threshold, the pixels of block b with score >= threshold; the last entry
    of each row counts all of them.
    """

    thresholds: list[float] = Field(description="descending; T of them, the last lower than every score")
    images: list[int] = Field(description="how many images each block holds")
    known: list[list[int]]
    anomaly: list[list[int]]


class Point(Part):
    """A threshold for `score > threshold`, and what it does on this set; rates in 0..1."""

    threshold: float
    tpr: float | None = Field(description="null on a set without anomaly")
    fpr: float
    precision: float | None = Field(description="null where nothing is above the threshold, and without anomaly")
    f1: float | None = Field(description="null without anomaly")
    origin: Literal["bundle", "set"] = Field(description="shipped with the bundle, or found on this set")
    tpr_error: float = Field(default=0.0, description="how far the exact rate can lie above; 0: it is exact")
    fpr_error: float = Field(default=0.0, description="how far the exact rate can lie above; 0: it is exact")


class Components(Part):
    """Component metrics of SegmentMeIfYouCan, in 0..1; null where there is no component to take a mean of."""

    track: str
    threshold: float
    mean_siou: float | None
    mean_ppv: float | None
    mean_f1: float | None
    siou_thresholds: list[float]
    f1_by_threshold: list[float | None]
    ground_truth: int
    predicted: int


class Score(Part):
    """One score over the pooled pixels of the set, void removed; null where a figure is not defined.

    `*_error` is the largest distance that the exact figure can have: 0 where the figure is exact.
    """

    ap: float | None
    auroc: float | None
    fpr95: float | None
    ap_error: float = 0.0
    auroc_error: float = 0.0
    fpr95_error: float = 0.0
    best_f1: float | None = None
    best_f1_error: float = 0.0
    points: dict[str, Point] = {}
    curve: Curve | None = None
    histogram: Histogram | None = None
    blocks: Blocks | None = None
    components: Components | None = None


class ClassBlocks(Part):
    """Pixels per class of consecutive images, for resampling; rows as in `Blocks`, classes in the order of `iou`."""

    images: list[int] = Field(description="how many images each block holds")
    intersection: list[list[int]] = Field(description="pixels of the class that are predicted as it")
    predicted: list[list[int]]
    truth: list[list[int]]


class ClosedSet(Part):
    """Closed-set accuracy, in 0..1."""

    miou: float | None
    iou: dict[str, float | None] = Field(description="class -> IoU; null for a class neither present nor predicted")
    pixels: int
    blocks: ClassBlocks | None = None


class OpenSet(Part):
    """open-mIoU over two folds and what being open-set costs (METHOD section 3), in 0..1."""

    open_miou: float | None
    closed_miou: float | None
    gap: float | None
    thresholds: list[float] = Field(description="of each fold, from the other one at TPR 95 %")
    open_miou_error: float = Field(default=0.0, description="how far the exact figure can be away; 0: it is exact")


class ReliabilityBin(Part):
    """Pixels whose confidence lies in [low, high)."""

    low: float
    high: float
    confidence: float | None
    accuracy: float | None
    pixels: int


class Calibration(Part):
    """Whether the confidence means something: expected calibration error in 0..1."""

    ece: float | None
    bins: list[ReliabilityBin]


class DistanceBin(Part):
    """Pixel metrics of one range of distances, m; null where it has no anomaly."""

    low_m: float
    high_m: float
    ap: float | None
    fpr95: float | None
    known: int
    anomaly: int
    ap_error: float = 0.0
    fpr95_error: float = 0.0


class Obstacle(Part):
    """One obstacle of a drive; null where it was never detected or its distance is not known."""

    id: int
    kind: str = ""
    frames_in_view: int
    frames_detected: int
    first_in_view_s: float = Field(description="s since the first frame")
    first_detected_s: float | None = Field(description="s since the first frame, when the result arrived")
    time_to_detection_s: float | None
    first_in_view_m: float | None = None
    first_detected_m: float | None = None


class Video(Part):
    """What only a sequence can show, in 0..1."""

    label_consistency: float | None = Field(default=None, description="mean mIoU of the labels of neighbouring frames")
    mask_flicker: float | None = Field(
        default=None, description="mean share of the mask's union that changed between neighbouring frames"
    )
    delayed_miou: float | None = Field(default=None, description="mIoU of what was known when each frame came")
    delayed_ap: float | None = Field(default=None, description="AP of what was known when each frame came")
    mean_delay_s: float | None = None
    obstacles: list[Obstacle] = []


class Times(Part):
    """Distribution of one duration, ms."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float
    jitter: float = Field(description="standard deviation")


class FrameRow(Part):
    """One frame of a recording."""

    index: int
    stamp_s: float = Field(description="s since the first frame")
    state: Literal["answered", "dropped", "rejected"]
    latency_ms: float | None = None
    anomaly_rate: float | None = Field(default=None, description="share of pixels above the threshold")
    ap: float | None = None


class Rate(Part):
    """One playing rate, in the words of ros2_benchmark."""

    input_hz: float
    output_hz: float
    frames_sent: int
    frames_answered: int
    drops: float = Field(description="share of frames without an answer, 0..1")
    latency_ms: Times | None
    arrival_jitter_ms: float | None = Field(description="standard deviation of the time between answers")
    cpu_percent: float | None = Field(description="of the node's process; 100 = one core")
    memory_mib: float | None = Field(description="largest resident set of the node's process")
    kind: Literal["recorded", "fixed", "peak"] = "recorded"


class Node(Part):
    """How the images went through: offline, or through the real node."""

    mode: Literal["offline", "online", "recorded"]
    frames_in: int
    answered: int
    dropped: int
    rejected: int
    latency_ms: Times | None = None
    stages_ms: dict[str, Times] = {}
    reported_ms: dict[str, tuple[float, float]] = Field(
        default={}, description="what the node itself says of its stages: p50 and p99, ms"
    )
    rates: list[Rate] = []
    peak_hz: float | None = Field(default=None, description="highest rate with less than 5 % drops")


class Agreement(Part):
    """How far two runs over the same frames agree, where there is no ground truth."""

    other: str
    frames: int
    labels: float | None = Field(description="share of pixels with equal labels")
    mask_iou: float | None
    score_correlation: float | None


class Picture(Part):
    """A frame worth looking at; the file lies in the folder of the document."""

    kind: Literal["false_alarm", "miss", "suspicious"]
    frame: str
    file: str = Field(description="relative path of a JPEG or PNG")
    pixels: int = Field(description="of the component that it shows, or above the threshold")
    text: str = ""
    stamp_s: float | None = None


class RecordingRow(Part):
    """One recording of several that were evaluated together; null where a figure is not defined."""

    name: str
    images: int = 0
    ap: float | None = None
    auroc: float | None = None
    fpr95: float | None = None
    miou: float | None = None
    dropped: int = 0
    rejected: int = 0
    problems: int = Field(default=0, description="how many its own evaluation names")
    folder: str = Field(default="", description="of its own evaluation, relative to this document's")
    error: str = Field(default="", description="why it could not be evaluated; empty: it was")


class Evaluation(Part):
    """Everything one evaluation found; parts that do not apply are null or empty."""

    schema_version: Literal[1] = 1
    kind: Literal["images", "recording"]
    name: str = Field(description="of the set or the recording")
    network: Network
    machine: Machine = Machine()
    date: str = Field(default="", description="ISO 8601, UTC")
    seconds: float = 0.0
    images: int
    images_without_anomaly: int = 0
    averaging: Literal["pooled", "per_image"] = Field(
        default="pooled", description="whether ap, auroc and fpr95 are of all pixels, or means of each image's"
    )
    known_pixels: int = 0
    anomaly_pixels: int = 0
    void_pixels: int = 0
    truth: str = Field(default="", description="where the ground truth comes from; empty: there is none")
    problems: list[Problem] = []
    scores: dict[str, Score] = {}
    closed_set: ClosedSet | None = None
    open_set: OpenSet | None = None
    calibration: Calibration | None = None
    distance: dict[str, list[DistanceBin]] = Field(default={}, description="score -> bins")
    video: Video | None = None
    node: Node | None = None
    agreement: Agreement | None = None
    frames: list[FrameRow] = []
    pictures: list[Picture] = []
    recordings: list[RecordingRow] = Field(default=[], description="where several were evaluated together")


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation in a JSON file.

    Raises:
        DocumentError: no such file, not JSON, or not an evaluation of this schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DocumentError(f"{path}: no such file; expected the JSON of `hybrid-seg evaluate`") from None
    except (OSError, ValueError) as error:
        raise DocumentError(f"{path}: not JSON: {error}") from error
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found != SCHEMA:
        raise DocumentError(f"{path}: schema_version is {found!r}, expected {SCHEMA}; evaluate again to renew it")
    try:
        return Evaluation.model_validate(content)
    except ValidationError as error:
        raise DocumentError(f"{path}: not an evaluation: {error}") from error


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """As JSON in the order of the fields, lists of numbers on one line: equal evaluations are equal files.

    The file is written whole or not at all; one that is there stays until then.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(evaluation.model_dump(mode="json"), indent=1, allow_nan=False)
    write_whole(path, _INNERMOST.sub(_on_one_line, text) + "\n")


# A line break within a JSON text is never part of a string: there it is escaped.
_INNERMOST = re.compile(r"\[\n([^\[\]{}]*)\n *\]")


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + " ".join(found[1].split()) + "]" if '"' not in found[1] else found[0]
