"""What to do with a recording: everything but the recording itself and where the result goes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hybrid_seg_ros.bags.writer import Distro, Storage

Mode = Literal["offline", "online", "recorded"]
Matching = Literal["auto", "stamp", "index"]


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How a recording is evaluated; plain values only, so that another process can have them.

    Attributes:
        mode: "offline" runs the detector on every frame; "online" plays the recording through the real node;
            "recorded" judges results that are there already (`results`).
        bundle: name or folder of the trained bundle; its class table is needed in every mode.
        backend: "auto", "onnxruntime", "tensorrt" or "fake".
        precision: "auto", "fp32", "fp16" or "int8".
        input_size: (width, height) of the network's input, px; None takes the bundle's.
        threshold: a value, the name of an operating point, or None for the bundle's default.
        image_topic: which camera; None takes the only one.
        results: recording of a node's outputs, for mode "recorded".
        truth: recording or folder that holds the ground truth; None looks in the recording itself.
        truth_topic: a mono8 label topic to read instead of `/ground_truth/...`.
        matching: how files of a truth folder belong to frames: by stamp in their name, by their order, or "auto".
        anomaly_ids: label ids that are anomalies.
        void_ids: label ids that do not count; ids beyond the bundle's classes never do unless they are anomalies.
        against: another run's results over the same frames, to agree with.
        speed: playing speed relative to the recording, online.
        rates_hz: fixed rates to play at besides, online.
        peak: search the highest rate with less than 5 % drops, online.
        running_node: full name of a node that is running and active already, online; None starts one.
        overlay: record the picture with classes and obstacles painted in, for Foxglove and RViz.
        distro: the oldest ROS 2 that must play the results.
        storage: of the results.
        pictures: at most so many pictures of each kind; 0: none.
    """

    mode: Mode = "offline"
    bundle: str = "camvid_hybrid_lite0"
    backend: str = "auto"
    precision: Literal["auto", "fp32", "fp16", "int8"] = "auto"
    input_size: tuple[int, int] | None = None
    threshold: float | str | None = None
    image_topic: str | None = None
    results: Path | None = None
    truth: Path | None = None
    truth_topic: str | None = None
    matching: Matching = "auto"
    anomaly_ids: tuple[int, ...] = ()
    void_ids: tuple[int, ...] = (255,)
    against: Path | None = None
    speed: float = 1.0
    rates_hz: tuple[float, ...] = ()
    peak: bool = False
    running_node: str | None = None
    overlay: bool = False
    distro: Distro = "humble"
    storage: Storage = "mcap"
    pictures: int = 8
