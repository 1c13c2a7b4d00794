"""Every parameter of the node, once: the node, config/detector.yaml and docs/parameters.md are made of this.

    python -m hybrid_seg_ros.ros.schema_files --write     # after a change: write both files
    python -m hybrid_seg_ros.ros.schema_files --check     # what the tests run

No ROS here: the same checks serve the node, the launch file and the command line.
"""

import dataclasses
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hybrid_seg_ros.backends.golden import Precision
from hybrid_seg_ros.backends.options import BackendOptions, FakeOptions, ProviderKind
from hybrid_seg_ros.detector.plans import OutputSize

Value = bool | int | float | str | tuple[str, ...]

TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    int: "integer",
    float: "double",
    str: "string",
    tuple: "string array",
}

CAMERA_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


class ParameterError(ValueError):
    """A parameter is unknown or its value is not allowed; says what was given and what is allowed."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What one parameter may be.

    Attributes:
        name: ROS parameter name.
        type: bool, int, float, str or tuple (of str).
        default: used unless told otherwise.
        description: one or two sentences for people.
        minimum: smallest allowed number, inclusive, or None.
        maximum: largest allowed number, inclusive, or None.
        choices: the allowed strings; empty when any is.
        read_only: True when it cannot be changed while the node runs.
        group: heading it stands under in the file and in the table.
    """

    name: str
    type: type
    default: Value
    description: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    read_only: bool
    group: str

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        kind = TYPE_NAMES[self.type]
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"{kind} in [{self.minimum:g}, {self.maximum:g}]"
        return kind

    def check(self, value: object) -> Value:
        """The value in the parameter's own type.

        Raises:
            ParameterError: wrong type, outside the range or not one of the choices.
        """
        found = _in_type(value, self.type)
        if found is None:
            given = type(value).__name__ if value is not None else "empty"
            raise ParameterError(f"parameter {self.name!r} is {value!r} ({given}), expected {self.allowed}")
        if self.minimum is not None and self.maximum is not None:
            number = float(found)  # type: ignore[arg-type]  # only numbers have a range
            if not self.minimum <= number <= self.maximum:
                raise ParameterError(f"parameter {self.name!r} is {found!r}, expected {self.allowed}")
        if self.choices and found not in self.choices:
            close = closest(str(found), self.choices)
            raise ParameterError(f"parameter {self.name!r} is {found!r}, expected {self.allowed}{close}")
        return found


def _in_type(value: object, wanted: type) -> Value | None:
    """`value` as `wanted` where that loses nothing (an integer serves as a double), else None."""
    if wanted is tuple:
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        return None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and wanted is not bool:
        return None
    return value if isinstance(value, wanted) else None  # type: ignore[return-value]


def closest(name: str, known: "tuple[str, ...] | list[str]") -> str:
    """'; did you mean …?' with the closest known name, or nothing when none is close."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def _parameter(
    default: Value,
    group: str,
    description: str,
    *,
    between: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = True,
) -> Any:  # noqa: ANN401  # as dataclasses.field
    low, high = between if between else (None, None)
    rules = {
        "description": description,
        "minimum": low,
        "maximum": high,
        "choices": choices,
        "read_only": read_only,
        "group": group,
    }
    return dataclasses.field(default=default, metadata=rules)


@dataclass(frozen=True)
class Settings:
    """All parameters with their values; what the node works with."""

    # --- network
    bundle: str = _parameter(
        "camvid_hybrid_lite0",
        "Network",
        "The trained network: a folder with manifest.yaml, or the name of a shipped one.",
    )
    backend: str = _parameter(
        "auto",
        "Network",
        "What runs the network. 'auto' takes the best that works and says which and why on the log and on "
        "/diagnostics; 'fake' computes a deterministic pattern without a network, for integration tests.",
        choices=("auto", "onnxruntime", "tensorrt", "fake"),
    )
    input_width: int = _parameter(
        0, "Network", "Width of the network input, px; 0 takes the bundle's. Set both or none.", between=(0, 8192)
    )
    input_height: int = _parameter(
        0, "Network", "Height of the network input, px; 0 takes the bundle's. Set both or none.", between=(0, 8192)
    )
    output_size: OutputSize = _parameter(  # noqa: RUF009  # makes a dataclasses.field, as the others
        "source",
        "Network",
        "Size of the published images: 'source' is the camera's own, pixel for pixel; 'network' is the network "
        "input's, for consumers that resize anyway.",
        choices=("source", "network"),
    )
    provider: str = _parameter(
        "auto",
        "Network",
        "ONNX Runtime's execution provider. 'auto' is the best that works with backend 'auto', else the CPU; "
        "any other one is that one or an error, never silently the CPU.",
        choices=("auto", "cpu", "cuda", "tensorrt"),
    )
    precision: str = _parameter(
        "auto",
        "Network",
        "Which of the bundle's networks runs. 'auto' is fp16 on a GPU where the bundle has it, else fp32; 'int8' is "
        "faster and costs accuracy, which the log tells.",
        choices=("auto", "fp32", "fp16", "int8"),
    )
    engine_cache: str = _parameter(
        "",
        "Network",
        "Folder that keeps TensorRT's engines; empty is the bundle's own where it can be written, else the user's "
        "cache. An engine that does not fit the machine any more is built again by itself.",
    )
    gpu_restarts: int = _parameter(
        3,
        "Network",
        "How often in a row a GPU that fails is let go of and started again, after 0.5, 1, 2 ... s.",
        between=(0, 1000),
    )
    cpu_fallback: bool = _parameter(
        True,
        "Network",
        "Go on with ONNX Runtime on the CPU when the GPU was started again in vain; /diagnostics says so. Without it "
        "the GPU is tried for ever, and nothing is published meanwhile.",
    )
    threads: int = _parameter(
        0, "Network", "CPU threads of the network run; 0 takes the usable physical cores.", between=(0, 256)
    )
    # --- decision
    operating_point: str = _parameter(
        "",
        "Decision",
        "Name of the bundle's operating point that gives the threshold (tpr95, best_f1, ...); empty takes the "
        "bundle's default. `hybrid-seg inspect <bundle>` lists them.",
        read_only=False,
    )
    threshold: float = _parameter(
        math.nan,
        "Decision",
        "Anomaly scores strictly above it are obstacles; takes precedence over operating_point. "
        "NaN (.nan) takes the operating point's.",
        read_only=False,
    )
    # --- cameras
    cameras: tuple[str, ...] = _parameter(
        ("",),
        "Cameras",
        "Names of the cameras that share the network. [''] is one camera on image and camera_info; [front, left] "
        "listens to front/image and left/image and publishes ~/front/semantic, ~/left/semantic, ...",
    )
    image_transport: str = _parameter(
        "raw",
        "Cameras",
        "'raw' listens to sensor_msgs/Image on <image>, 'compressed' to sensor_msgs/CompressedImage on "
        "<image>/compressed; one remap of image serves both.",
        choices=("raw", "compressed"),
    )
    input_reliability: str = _parameter(
        "best_effort",
        "Cameras",
        "Reliability asked of the cameras. best_effort hears every camera; reliable hears only reliable ones.",
        choices=("best_effort", "reliable"),
    )
    input_depth: int = _parameter(
        1, "Cameras", "Images kept by the middleware; more than 1 adds delay, never accuracy.", between=(1, 100)
    )
    # --- outputs
    output_reliability: str = _parameter(
        "reliable",
        "Outputs",
        "Reliability of the results. reliable serves reliable and best-effort subscribers alike.",
        choices=("reliable", "best_effort"),
    )
    output_depth: int = _parameter(
        1, "Outputs", "Results kept by the middleware for slow subscribers.", between=(1, 100)
    )
    score_encoding: str = _parameter(
        "32FC1",
        "Outputs",
        "Encoding of ~/anomaly_score. mono16 halves the bytes: score = score_mono16_min + pixel / 65535 * "
        "(score_mono16_max - score_mono16_min), clipped at both ends.",
        choices=("32FC1", "mono16"),
    )
    score_mono16_min: float = _parameter(-20.0, "Outputs", "Score that becomes 0 in mono16.", between=(-1e6, 1e6))
    score_mono16_max: float = _parameter(20.0, "Outputs", "Score that becomes 65535 in mono16.", between=(-1e6, 1e6))
    # --- health
    stale_after_s: float = _parameter(
        1.0,
        "Health",
        "Silence of a camera, s, after which its input is stale and /diagnostics says ERROR.",
        between=(0.01, 3600.0),
        read_only=False,
    )
    max_age_s: float = _parameter(
        0.0,
        "Health",
        "Images whose stamp is older than this, s, when their turn comes are dropped; 0 takes every age. Bags "
        "played without use_sim_time are as old as their recording.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    stamp_restart_s: float = _parameter(
        1.0,
        "Health",
        "A stamp that lies this far, s, before the last one is a new timeline (a bag that loops, a clock that was "
        "set); smaller steps back are dropped.",
        between=(0.01, 3600.0),
    )
    no_image_warning_s: float = _parameter(
        5.0,
        "Health",
        "After this long without an image, s, the log says who publishes what, and why it may not match.",
        between=(0.1, 3600.0),
        read_only=False,
    )
    log_throttle_s: float = _parameter(
        10.0,
        "Health",
        "Each kind of problem is logged at most once in this time, s, for each camera; 0 logs every one.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    diagnostics_period_s: float = _parameter(
        1.0, "Health", "Time between messages on /diagnostics, s.", between=(0.05, 60.0)
    )

    # --- fake backend
    fake_delay_s: float = _parameter(
        0.0, "Fake backend", "Only for backend 'fake': every run takes at least this long, s.", between=(0.0, 60.0)
    )
    fake_fail_at: int = _parameter(
        0, "Fake backend", "Only for backend 'fake': this run (1 is the warm-up) fails; 0 is none.", between=(0, 1e9)
    )
    fake_nan_at: int = _parameter(
        0,
        "Fake backend",
        "Only for backend 'fake': this run (1 is the warm-up) returns NaN; 0 is none.",
        between=(0, 1e9),
    )
    fake_hang_at: int = _parameter(
        0,
        "Fake backend",
        "Only for backend 'fake': this run (1 is the warm-up) does not return; 0 is none.",
        between=(0, 1e9),
    )

    @property
    def backend_options(self) -> BackendOptions:
        """What `backends.create` takes."""
        fake = FakeOptions(
            delay_s=self.fake_delay_s,
            fail_at=self.fake_fail_at or None,
            nan_at=self.fake_nan_at or None,
            hang_at=self.fake_hang_at or None,
        )
        return BackendOptions(
            precision=None if self.precision == "auto" else cast(Precision, self.precision),
            threads=self.threads or None,
            provider=None if self.provider == "auto" else cast(ProviderKind, self.provider),
            engine_cache=Path(self.engine_cache).expanduser() if self.engine_cache else None,
            fake=fake,
        )

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(width, height) of the network input, or None for the bundle's own."""
        return (self.input_width, self.input_height) if self.input_width else None

    @property
    def threshold_choice(self) -> float | str | None:
        """What the detector is told: a number, the name of an operating point, or None for the default."""
        if math.isnan(self.threshold):
            return self.operating_point or None
        return self.threshold

    def problems(self) -> list[str]:
        """What is wrong between parameters that are each fine alone."""
        found = []
        if bool(self.input_width) != bool(self.input_height):
            found.append(
                f"input_width is {self.input_width} and input_height is {self.input_height}, "
                "expected both set or both 0"
            )
        if not self.score_mono16_min < self.score_mono16_max:
            found.append(
                f"score_mono16_min is {self.score_mono16_min:g} and score_mono16_max is {self.score_mono16_max:g}, "
                "expected min < max"
            )
        if math.isinf(self.threshold):
            found.append(f"threshold is {self.threshold}, expected a finite number or .nan")
        if self.cameras != ("",):
            wrong = [name for name in self.cameras if not CAMERA_NAME.match(name)]
            if wrong:
                found.append(f"cameras has {wrong}, expected names of letters, digits and _ that begin with a letter")
            if len(set(self.cameras)) != len(self.cameras):
                found.append(f"cameras is {list(self.cameras)}, expected every name once")
        return found


def _specs() -> dict[str, ParameterSpec]:
    specs = {}
    for entry in dataclasses.fields(Settings):
        default: Any = entry.default
        specs[entry.name] = ParameterSpec(name=entry.name, type=type(default), default=default, **entry.metadata)
    return specs


SCHEMA: dict[str, ParameterSpec] = _specs()
"""Every parameter by name, in the order of the file."""

FOREIGN = ("use_sim_time", "start_type_description_service")
FOREIGN_PREFIXES = ("qos_overrides.",)


def is_foreign(name: str) -> bool:
    """Whether a parameter belongs to rclpy and not to this node."""
    return name in FOREIGN or name.startswith(FOREIGN_PREFIXES)


def check_overrides(overrides: Mapping[str, object]) -> tuple[dict[str, Value], dict[str, str]]:
    """Values of all parameters under `overrides`, and what is wrong with them.

    Returns:
        values: every parameter of the schema; the default where the override is not allowed.
        problems: parameter name -> what was given and what is allowed.
    """
    values: dict[str, Value] = {name: spec.default for name, spec in SCHEMA.items()}
    problems: dict[str, str] = {}
    for name, value in overrides.items():
        if is_foreign(name) or (value is None and name in SCHEMA and SCHEMA[name].type is tuple):
            continue  # rcl gives an empty list as None: nothing said
        if name not in SCHEMA:
            hint = closest(name, list(SCHEMA)) or f"; known are {', '.join(SCHEMA)}"
            problems[name] = f"parameter {name!r} is unknown{hint}"
            continue
        try:
            values[name] = SCHEMA[name].check(value)
        except ParameterError as error:
            problems[name] = str(error)
    return values, problems
