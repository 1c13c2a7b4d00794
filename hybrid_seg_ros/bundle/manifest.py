"""What manifest.yaml may say: the one contract between training and deployment.

Pre- and post-processing are functions of this manifest alone, so training, evaluation and the
node cannot disagree. Every model is frozen and forbids unknown keys.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SCHEMA_VERSION = 1

INT8_MODEL = "model.int8.onnx"
"""Symmetric int8 weights and activations: what TensorRT takes."""

UINT8_MODEL = "model.uint8.onnx"
"""Symmetric int8 weights, asymmetric uint8 activations: what ONNX Runtime runs fast on CPUs (VNNI)."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Channel = Annotated[int, Field(ge=0, le=255)]
ScoreKind = Literal["hybrid", "energy", "posterior", "msp", "max_logit", "entropy"]
CalibrationMethod = Literal["minmax", "percentile", "entropy"]
Probability = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Knot = tuple[Probability, Probability]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class NetworkInput(_Model):
    """The tensor the network takes: float32[1, 3, height, width] = (pixel / 255 - mean) / std."""

    name: str = "image"
    width: int = Field(ge=32, description="default network input width, px")
    height: int = Field(ge=32, description="default network input height, px")
    multiple_of: int = Field(default=32, ge=1, description="any other size must be a multiple of this")
    dynamic: bool = Field(default=True, description="whether the ONNX graph accepts other sizes")
    color_order: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: Literal["stretch", "letterbox"] = "letterbox"

    @model_validator(mode="after")
    def _size_fits(self) -> "NetworkInput":
        for side, value in (("width", self.width), ("height", self.height)):
            if value % self.multiple_of:
                raise ValueError(f"input.{side} is {value}, expected a multiple of {self.multiple_of}")
        return self


class NetworkOutputs(_Model):
    """logits: float32[1, K, H/stride, W/stride]; posterior: float32[1, 2, H/stride, W/stride] logits."""

    logits: str = "logits"
    posterior: str = "posterior"
    stride: int = Field(ge=1)
    align_corners: Literal[False] = Field(
        default=False, description="bilinear upsampling with half-pixel centres; the other map is not supported"
    )


class ClassInfo(_Model):
    """One known class; its id is its channel in the logits."""

    id: int = Field(ge=0, le=254)
    name: str = Field(min_length=1)
    color: tuple[Channel, Channel, Channel] = Field(description="RGB")
    drivable: bool = False
    obstacle: bool = False


class Guarantee(_Model):
    """A finite-sample bound that a threshold was chosen by; it holds for images exchangeable with those of the set."""

    risk: Literal["fpr", "miss"] = Field(
        description="mean over images: share of known pixels above the threshold, or of anomaly pixels not above it"
    )
    level: float = Field(gt=0, lt=1, description="what the risk is at most")
    confidence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="probability that the set gave a threshold that keeps the level; none: kept on average over sets",
    )
    method: Literal["conformal_risk_control", "hoeffding_bentkus"]
    images: int = Field(ge=1, description="how many images of the set count: those with pixels that the risk is of")
    set: str = Field(min_length=1, description="the labelled set the bound comes from")

    @model_validator(mode="after")
    def _confidence_of_the_method(self) -> "Guarantee":
        if (self.confidence is None) != (self.method == "conformal_risk_control"):
            raise ValueError(
                f"guarantee.confidence is {self.confidence} of method {self.method}, expected none of"
                " conformal_risk_control and one of hoeffding_bentkus"
            )
        return self


class OperatingPoint(_Model):
    """A threshold on the score and what it meant where it was found."""

    threshold: float = Field(allow_inf_nan=False)
    source: str = Field(description="the labelled set the threshold comes from")
    tpr: float | None = Field(default=None, ge=0, le=1)
    fpr: float | None = Field(default=None, ge=0, le=1)
    guarantee: Guarantee | None = Field(default=None, description="the bound that the threshold was chosen by, if any")


class LogitStatistics(_Model):
    """Mean and variance of the logits on rightly classified pixels of each class (METHOD section 4, Mahalanobis).

    Row c belongs to predicted class c, column k to logit k. Rows of classes without pixels hold zeros and ones.
    """

    source: str = Field(description="the labelled set the statistics come from")
    pixels: tuple[Annotated[int, Field(ge=0)], ...] = Field(description="how many pixels each row is made of")
    means: tuple[tuple[Finite, ...], ...]
    variances: tuple[tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...], ...]

    @model_validator(mode="after")
    def _square(self) -> "LogitStatistics":
        classes = len(self.pixels)
        for name, rows in (("means", self.means), ("variances", self.variances)):
            sizes = [len(row) for row in rows]
            if sizes != [classes] * classes:
                raise ValueError(f"statistics.{name} has rows of {sizes}, expected {classes} rows of {classes}")
        return self


class Score(_Model):
    """How the anomaly score is made of the outputs; higher = more anomalous (METHOD, section 1)."""

    kind: ScoreKind = "hybrid"
    operating_points: dict[str, OperatingPoint]
    default: str = Field(description="the operating point used unless told otherwise")
    temperature: float = Field(default=1.0, gt=0, description="divides the logits for ~/confidence only")
    confidence_table: tuple[Knot, ...] | None = Field(
        default=None,
        min_length=2,
        max_length=64,
        description="knots (max softmax(logits / temperature), probability to be right) of a piecewise linear map, both"
        " ascending, applied to the 8 bit ~/confidence; none: the softmax itself",
    )
    statistics: LogitStatistics | None = Field(default=None, description="for the optional Mahalanobis term")

    @field_validator("confidence_table")
    @classmethod
    def _monotone(cls, table: tuple[Knot, ...] | None) -> tuple[Knot, ...] | None:
        for (x, y), (next_x, next_y) in pairwise(table or ()):
            if not (x < next_x and y <= next_y):
                raise ValueError(f"knot ({next_x:g}, {next_y:g}) follows ({x:g}, {y:g}), expected ascending knots")
        return table

    @model_validator(mode="after")
    def _default_exists(self) -> "Score":
        if self.default not in self.operating_points:
            raise ValueError(f"score.default is {self.default!r}, expected one of {sorted(self.operating_points)}")
        return self


class Provenance(_Model):
    """Where the weights come from: enough to judge, cite and reproduce them."""

    datasets: list[str]
    licenses: list[str]
    seed: int
    recipe: str
    commit: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)


class Ranking(_Model):
    """How well the score tells anomalies from known pixels of one set."""

    average_precision: Probability
    fpr95: Probability


class Rates(_Model):
    """What a threshold lets through on a labelled set."""

    tpr: Probability
    fpr: Probability


class Accuracy(_Model):
    """What one file of the network scores; the same images for every file of a `Quantization`."""

    miou: Probability
    anomaly: dict[str, Ranking] = Field(min_length=1, description="set -> ranking; the first set is the main one")
    operating_points: dict[str, Rates] = Field(description="rates on the main set at the thresholds of `score`")


class Quantization(_Model):
    """8-bit files (explicit Q/DQ) made of model.onnx, and what they cost in accuracy."""

    model: Sha256 = Field(description="the model.onnx that was quantized")
    method: CalibrationMethod = Field(description="how the activations' ranges were chosen")
    images: int = Field(ge=1, description="how many images the ranges come from")
    source: str = Field(description="where those images come from")
    keep_float: tuple[str, ...] = Field(default=(), description="nodes that stay float32 beside the heads")
    before: Accuracy = Field(description="of model.onnx")
    after: dict[str, Accuracy] = Field(min_length=1, description="8-bit file -> its accuracy")

    @model_validator(mode="after")
    def _comparable(self) -> "Quantization":
        for name, found in self.after.items():
            for part in ("anomaly", "operating_points"):
                wanted, there = (list(getattr(accuracy, part)) for accuracy in (self.before, found))
                if wanted != there:
                    raise ValueError(f"quantization.after.{name}.{part} is of {there}, expected {wanted} as before")
        return self


class DomainStatistics(_Model):
    """What the anomaly score is on known scenes as a whole: of every image the median over its pixels."""

    source: str = Field(min_length=1, description="the set of known scenes")
    images: int = Field(ge=1, description="how many images of it")
    typical: Finite = Field(description="median over the images")
    high: Finite = Field(description="99 % quantile over the images")

    @model_validator(mode="after")
    def _has_width(self) -> "DomainStatistics":
        if not self.high > self.typical:
            raise ValueError(f"domain.high is {self.high:g}, expected more than domain.typical, {self.typical:g}")
        return self


class Manifest(_Model):
    """The whole manifest.yaml."""

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    description: str = ""
    files: dict[str, Sha256] = Field(description="file name -> SHA-256, every file of the bundle but the manifest")
    input: NetworkInput
    outputs: NetworkOutputs
    classes: list[ClassInfo] = Field(min_length=2, max_length=255)
    score: Score
    training: Provenance
    quantization: Quantization | None = Field(default=None, description="of the 8-bit files, where there are any")
    domain: DomainStatistics | None = Field(default=None, description="scores of known scenes, to tell others by")

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            if name in {"", ".", ".."} or "/" in name or "\\" in name:
                raise ValueError(f"files: {name!r} is not a plain file name")
        for needed in ("model.onnx", "golden.npz"):
            if needed not in files:
                raise ValueError(f"files: {needed} is missing")
        return files

    @field_validator("classes")
    @classmethod
    def _ids_in_order(cls, classes: list[ClassInfo]) -> list[ClassInfo]:
        ids = [c.id for c in classes]
        if ids != list(range(len(classes))):
            raise ValueError(f"classes: ids are {ids}, expected 0..{len(classes) - 1} in order")
        return classes

    @model_validator(mode="after")
    def _statistics_of_these_classes(self) -> "Manifest":
        statistics = self.score.statistics
        if statistics is not None and len(statistics.pixels) != len(self.classes):
            raise ValueError(
                f"score.statistics is of {len(statistics.pixels)} classes, expected the {len(self.classes)} of classes"
            )
        return self

    @model_validator(mode="after")
    def _quantization_of_these_files(self) -> "Manifest":
        made = self.quantization
        if made is None:
            return self
        again = "quantize again with: hybrid-seg-train quantize"
        missing = sorted(made.after.keys() - self.files.keys())
        if missing:
            raise ValueError(f"quantization is of {', '.join(missing)}, which files lacks; {again}")
        if made.model != self.files["model.onnx"]:
            raise ValueError(
                f"quantization is of a model.onnx with SHA-256 {made.model}, found {self.files['model.onnx']}; {again}"
            )
        # Points that `hybrid-seg calibrate` adds later were not measured on these files, and are said not to be.
        unknown = sorted(made.before.operating_points.keys() - self.score.operating_points.keys())
        if unknown:
            raise ValueError(f"quantization has the operating points {', '.join(unknown)}, which score lacks; {again}")
        return self
