"""Parameters of the network, the decision, the cameras and the images that come out."""

import math
import re
from dataclasses import dataclass

from hybrid_seg_ros.detector.plans import OutputSize
from hybrid_seg_ros.ros.parameter_spec import parameter

CAMERA_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


@dataclass(frozen=True)
class NetworkSettings:
    """What runs, on which cameras, and which images it makes."""

    # --- network
    bundle: str = parameter(
        "camvid_hybrid_lite0",
        "Network",
        "The trained network: a folder with manifest.yaml, or the name of a shipped one.",
    )
    backend: str = parameter(
        "auto",
        "Network",
        "What runs the network. 'auto' takes the best that works and says which and why on the log and on "
        "/diagnostics; 'fake' computes a deterministic pattern without a network, for integration tests.",
        choices=("auto", "onnxruntime", "tensorrt", "fake"),
    )
    input_width: int = parameter(
        0, "Network", "Width of the network input, px; 0 takes the bundle's. Set both or none.", between=(0, 8192)
    )
    input_height: int = parameter(
        0, "Network", "Height of the network input, px; 0 takes the bundle's. Set both or none.", between=(0, 8192)
    )
    output_size: OutputSize = parameter(  # noqa: RUF009  # makes a dataclasses.field, as the others
        "source",
        "Network",
        "Size of the published images: 'source' is the camera's own, pixel for pixel; 'network' is the network "
        "input's, for consumers that resize anyway.",
        choices=("source", "network"),
    )
    provider: str = parameter(
        "auto",
        "Network",
        "ONNX Runtime's execution provider. 'auto' is the best that works with backend 'auto', else the CPU; "
        "any other one is that one or an error, never silently the CPU.",
        choices=("auto", "cpu", "cuda", "tensorrt"),
    )
    precision: str = parameter(
        "auto",
        "Network",
        "Which of the bundle's networks runs. 'auto' is fp16 on a GPU where the bundle has it, else fp32; 'int8' is "
        "faster and costs accuracy, which the log tells.",
        choices=("auto", "fp32", "fp16", "int8"),
    )
    engine_cache: str = parameter(
        "",
        "Network",
        "Folder that keeps TensorRT's engines; empty is the bundle's own where it can be written, else the user's "
        "cache. An engine that does not fit the machine any more is built again by itself.",
    )
    gpu_restarts: int = parameter(
        3,
        "Network",
        "How often in a row a GPU that fails is let go of and started again, after 0.5, 1, 2 ... s.",
        between=(0, 1000),
    )
    cpu_fallback: bool = parameter(
        True,
        "Network",
        "Go on with ONNX Runtime on the CPU when the GPU was started again in vain; /diagnostics says so. Without it "
        "the GPU is tried for ever, and nothing is published meanwhile.",
    )
    threads: int = parameter(
        0, "Network", "CPU threads of the network run; 0 takes the usable physical cores.", between=(0, 256)
    )
    # --- decision
    operating_point: str = parameter(
        "",
        "Decision",
        "Name of the bundle's operating point that gives the threshold (tpr95, best_f1, ...); empty takes the "
        "bundle's default. `hybrid-seg inspect <bundle>` lists them.",
        read_only=False,
        per_camera=True,
    )
    threshold: float = parameter(
        math.nan,
        "Decision",
        "Anomaly scores strictly above it are obstacles; takes precedence over operating_point. "
        "NaN (.nan) takes the operating point's.",
        read_only=False,
        per_camera=True,
    )
    # --- cameras
    cameras: tuple[str, ...] = parameter(
        ("",),
        "Cameras",
        "Names of the cameras that share the network. [''] is one camera on image and camera_info; [front, left] "
        "listens to front/image and left/image and publishes ~/front/semantic, ~/left/semantic, ...",
    )
    image_transport: str = parameter(
        "raw",
        "Cameras",
        "'raw' listens to sensor_msgs/Image on <image>, 'compressed' to sensor_msgs/CompressedImage on "
        "<image>/compressed; one remap of image serves both.",
        choices=("raw", "compressed"),
    )
    input_reliability: str = parameter(
        "best_effort",
        "Cameras",
        "Reliability asked of the cameras. best_effort hears every camera; reliable hears only reliable ones.",
        choices=("best_effort", "reliable"),
    )
    input_depth: int = parameter(
        1, "Cameras", "Images kept by the middleware; more than 1 adds delay, never accuracy.", between=(1, 100)
    )
    # --- outputs
    output_reliability: str = parameter(
        "reliable",
        "Outputs",
        "Reliability of the results. reliable serves reliable and best-effort subscribers alike.",
        choices=("reliable", "best_effort"),
    )
    output_depth: int = parameter(
        1, "Outputs", "Results kept by the middleware for slow subscribers.", between=(1, 100)
    )
    score_encoding: str = parameter(
        "32FC1",
        "Outputs",
        "Encoding of ~/anomaly_score. mono16 halves the bytes: score = score_mono16_min + pixel / 65535 * "
        "(score_mono16_max - score_mono16_min), clipped at both ends.",
        choices=("32FC1", "mono16"),
    )
    score_mono16_min: float = parameter(-20.0, "Outputs", "Score that becomes 0 in mono16.", between=(-1e6, 1e6))
    score_mono16_max: float = parameter(20.0, "Outputs", "Score that becomes 65535 in mono16.", between=(-1e6, 1e6))

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

    def network_problems(self) -> list[str]:
        """What is wrong between these."""
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
