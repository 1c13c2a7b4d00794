"""Bag to bag without ROS: every image through the detector, results with the original stamps."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.results import ResultWriter
from hybrid_seg_ros.bags.summary import RunSummary, StageTime, spread
from hybrid_seg_ros.bags.writer import BagWriter, Distro, Storage
from hybrid_seg_ros.bundle import Manifest, label_table
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames import Frame


class Detects(Protocol):
    """What the offline runner needs of a detector."""

    @property
    def threshold(self) -> float:
        """The threshold that makes the mask."""
        ...

    def __call__(self, frame: Frame, outputs: Outputs) -> Segmentation:
        """The segmentation of one frame."""
        ...


@dataclass(slots=True)
class _Tally:
    frames_in: int = 0
    rejected: int = 0
    first_rejection: str = ""
    stages: dict[str, list[float]] = field(default_factory=lambda: {"preprocess": [], "network": [], "postprocess": []})
    totals: list[float] = field(default_factory=list)

    def reject(self, reason: ValueError) -> None:
        self.rejected += 1
        self.first_rejection = self.first_rejection or str(reason)

    def count(self, segmentation: Segmentation) -> None:
        timings = segmentation.timings
        self.stages["preprocess"].append(timings.preprocess_ms)
        self.stages["network"].append(timings.network_ms)
        self.stages["postprocess"].append(timings.postprocess_ms)
        self.totals.append(timings.total_ms)


def run_offline(
    source: Path | str,
    target: Path | str,
    detector: Detects,
    manifest: Manifest,
    *,
    image_topic: str | None = None,
    outputs: Outputs = Outputs.ALL,
    distro: Distro = "humble",
    storage: Storage = "mcap",
    progress: bool = True,
) -> RunSummary:
    """Run every image of a recording through the detector into a new recording.

    A broken image is counted and named in the summary; the run goes on.

    Args:
        source: rosbag2 to read.
        target: rosbag2 folder to make.
        detector: the detector; it keeps its threshold and output size.
        manifest: of the detector's bundle, for the latched label topic.
        image_topic: which camera; may be left out when there is one.
        outputs: what to compute and record.
        distro: the oldest ROS 2 that must play the result.
        storage: "mcap" or "sqlite3".
        progress: show a progress bar on stderr.

    Raises:
        BagError: the source cannot be read, or the target exists.
    """
    tally = _Tally()
    started = time.perf_counter()
    with BagReader(source) as bag:
        topic, _ = bag.camera(image_topic)
        with BagWriter(target, distro=distro, storage=storage) as writer:
            results = ResultWriter(writer)
            images = tqdm(
                bag.images(topic.name), total=topic.count, unit="frame", desc="replay", disable=not progress, leave=True
            )
            for image in images:
                if tally.frames_in == 0:
                    table = label_table(manifest, detector.threshold)
                    results.write_labels(image.log_time_ns, json.dumps(table))
                tally.frames_in += 1
                try:
                    frame = image.frame()
                except ValueError as error:
                    tally.reject(error)
                    continue
                segmentation = detector(frame, outputs)
                tally.count(segmentation)
                results.write(frame, segmentation, image.log_time_ns)
        wall = time.perf_counter() - started
        return RunSummary(
            source=str(bag.path),
            image_topic=topic.name,
            frames_in=tally.frames_in,
            frames_out=len(tally.totals),
            rejected=tally.rejected,
            first_rejection=tally.first_rejection,
            dropped=0,
            latency_ms=spread(tally.totals),
            stages_ms={n: StageTime(s.p50, s.p99) for n, v in tally.stages.items() if (s := spread(v)) is not None},
            wall_s=round(wall, 3),
            rate_hz=round(tally.frames_in / wall, 2) if wall > 0 else 0.0,
        )
