"""Bag to bag without ROS: every image through the detector, results with the original stamps."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.bags.answers import Answer, write_answers
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.results import ResultWriter
from hybrid_seg_ros.bags.summary import RunSummary, StageTime, spread
from hybrid_seg_ros.bags.writer import BagWriter, DiskFullError, Distro, Storage
from hybrid_seg_ros.bundle import Manifest, label_table
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.visual.overlay import overlay as paint


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
    answers: list[Answer] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {"preprocess": [], "network": [], "postprocess": []})
    totals: list[float] = field(default_factory=list)

    def reject(self, stamp_ns: int, sent_s: float, reason: ValueError) -> None:
        self.rejected += 1
        self.answers.append(Answer(stamp_ns, "rejected", sent_s, None))
        self.first_rejection = self.first_rejection or str(reason)

    def count(self, stamp_ns: int, sent_s: float, segmentation: Segmentation) -> None:
        timings = segmentation.timings
        self.answers.append(Answer(stamp_ns, "answered", sent_s, sent_s + timings.total_ms / 1e3))
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
    overlay: bool = False,
    answers: Path | None = None,
    progress: bool = True,
) -> RunSummary:
    """Run every image of a recording through the detector into a new recording.

    A broken image is counted and named in the summary; the run goes on. Where the disk gets full the results end
    there, readable, and the summary says so.

    Args:
        source: rosbag2 to read.
        target: rosbag2 folder to make.
        detector: the detector; it keeps its threshold and output size.
        manifest: of the detector's bundle, for the latched label topic.
        image_topic: which camera; may be left out when there is one.
        outputs: what to compute and record.
        distro: the oldest ROS 2 that must play the result.
        storage: "mcap" or "sqlite3".
        overlay: record the image with classes and obstacles painted in, too.
        answers: CSV file for what became of each frame (see `answers`), or None.
        progress: show a progress bar on stderr.

    Raises:
        BagError: the source cannot be read, or the target exists.
    """
    tally = _Tally()
    started = time.perf_counter()
    cut_short = ""
    with BagReader(source) as bag:
        topic, _ = bag.camera(image_topic)
        with BagWriter(target, distro=distro, storage=storage) as writer:
            results = ResultWriter(writer, overlay=_painter(manifest) if overlay else None)
            images = tqdm(
                bag.images(topic.name), total=topic.count, unit="frame", desc="replay", disable=not progress, leave=True
            )
            for image in images:
                if tally.frames_in == 0:
                    table = label_table(manifest, detector.threshold)
                    results.write_labels(image.log_time_ns, json.dumps(table))
                tally.frames_in += 1
                sent = time.perf_counter() - started
                try:
                    frame = image.frame()
                except ValueError as error:
                    tally.reject(image.stamp_ns, sent, error)
                    continue
                segmentation = detector(frame, outputs)
                try:
                    results.write(frame, segmentation, image.log_time_ns)
                except DiskFullError as error:
                    tally.frames_in -= 1
                    cut_short = str(error)
                    break
                tally.count(image.stamp_ns, sent, segmentation)
        wall = time.perf_counter() - started
        if answers is not None:
            write_answers(answers, tally.answers)
        problems = [*bag.problems, *([cut_short] if cut_short else [])]
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
            extra={"problems": problems} if problems else {},
        )


def _painter(manifest: Manifest) -> Callable[[Frame, Segmentation], npt.NDArray[np.uint8]]:
    return lambda frame, segmentation: paint(frame.image, segmentation, manifest.classes)
