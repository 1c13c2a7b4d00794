"""From a judged recording to its document, and to what pooling several recordings needs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid_seg_ros.assessment.collect import (
    as_part,
    closed_set_part,
    components_part,
    machine_part,
    now,
    score_part,
)
from hybrid_seg_ros.assessment.recorded_results import Frames
from hybrid_seg_ros.assessment.recording_judge import Judge
from hybrid_seg_ros.assessment.recording_run import Run
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.evaluation.components import ComponentMetrics
from hybrid_seg_ros.report.document import (
    GROUND_TRUTH,
    Blocks,
    Calibration,
    ClosedSet,
    Evaluation,
    Network,
    Obstacle,
    Picture,
    Problem,
    Score,
    Video,
)

COUNTS = "pixel_counts.npz"
"""File beside the document: `PixelCounts` of the bundle's score; only where there are labels of anomalies."""
CONFUSION = "confusion.npy"
"""File beside the document: int64[K, K] pixel counts, row = truth; only where there are class labels."""


def document(
    bag: Path,
    frames: Frames,
    bundle: Bundle,
    run: Run,
    judge: Judge,
    *,
    threshold: float,
    truth: str,
    against: str,
    components: tuple[ComponentMetrics, float] | None,
    pictures: Sequence[Picture],
    problems: Sequence[tuple[str, str]],
    out: Path,
) -> Evaluation:
    """The whole document; also writes COUNTS and CONFUSION to `out`.

    Args:
        bag: the recording.
        frames: its images.
        bundle: whose results were judged.
        run: how they came about.
        judge: what was found.
        threshold: of the masks.
        truth: where the ground truth comes from; "" = there is none.
        against: the other run, "" = none.
        components: component metrics and their threshold.
        pictures: written already.
        problems: (where, what) beside those of the frames and the run.
        out: folder of the document.
    """
    counts = judge.tally.counts[judge.kind]
    if judge.with_anomaly_labels:
        counts.save(out / COUNTS)
    if judge.tally.confusion.any():
        np.save(out / CONFUSION, judge.tally.confusion, allow_pickle=False)
    told = [
        *((frames.topic, problem) for problem in frames.problems),
        *(("run", problem) for problem in run.problems),
        *problems,
    ]
    if truth and not judge.judged:
        told.append((GROUND_TRUTH, "no frame has both a result and ground truth of its size"))
    if judge.with_anomaly_labels and not (counts.known or counts.anomaly):
        told.append((GROUND_TRUTH, "all pixels of all frames are void: its ids are others than --anomaly-ids tells"))
    return Evaluation(
        kind="recording",
        name=bag.stem if bag.is_file() else bag.resolve().name,
        network=_network(run.network, bundle, threshold),
        machine=machine_part(),
        date=now(),
        images=judge.judged if truth else run.node.answered,
        images_without_anomaly=judge.tally.without_anomaly,
        known_pixels=counts.known,
        anomaly_pixels=counts.anomaly,
        void_pixels=counts.void,
        truth=truth,
        problems=[Problem(where=where, what=what) for where, what in told],
        scores={judge.kind: _score(judge, bundle, threshold, components)} if judge.with_anomaly_labels else {},
        closed_set=_closed_set(judge, bundle),
        calibration=_calibration(judge),
        video=_video(judge),
        node=run.node,
        agreement=judge.agreement.part(against) if judge.agreement is not None else None,
        frames=judge.rows,
        pictures=list(pictures),
    )


def _network(network: Network, bundle: Bundle, threshold: float) -> Network:
    """With the threshold that the recording tells of, and its name where the bundle has one for it."""
    points = {name: point.threshold for name, point in bundle.manifest.score.operating_points.items()}
    same = [name for name, value in points.items() if np.float32(value) == np.float32(threshold)]
    name = network.operating_point if network.operating_point in same else (same[0] if same else "")
    own = bundle.manifest.input
    size = network.input_size or (own.width, own.height)
    return network.model_copy(update={"threshold": threshold, "operating_point": name, "input_size": size})


def _score(judge: Judge, bundle: Bundle, threshold: float, components: tuple[ComponentMetrics, float] | None) -> Score:
    thresholds = {name: point.threshold for name, point in bundle.manifest.score.operating_points.items()}
    if np.float32(threshold) not in np.array(list(thresholds.values()), np.float32):
        thresholds["chosen"] = threshold
    blocks = as_part(Blocks, judge.tally.blocks[judge.kind].table())
    part = None if components is None else components_part(components[0], "obstacle", components[1])
    return score_part(judge.tally.counts[judge.kind], thresholds, blocks=blocks, components=part)


def _closed_set(judge: Judge, bundle: Bundle) -> ClosedSet | None:
    if not judge.tally.confusion.any():
        return None
    part = closed_set_part(judge.tally.confusion, [c.name for c in bundle.manifest.classes])
    return part.model_copy(update={"blocks": judge.tally.class_blocks()})


def _calibration(judge: Judge) -> Calibration | None:
    found = as_part(Calibration, judge.tally.reliability.result())
    return None if found.ece is None else found


def _video(judge: Judge) -> Video:
    steady = judge.temporal.figures()
    delayed = judge.delayed
    return Video(
        label_consistency=steady.label_consistency,
        mask_flicker=steady.mask_flicker,
        delayed_miou=None if delayed is None else delayed.miou,
        delayed_ap=None if delayed is None else delayed.ap,
        mean_delay_s=None if delayed is None else delayed.mean_delay_s,
        obstacles=[as_part(Obstacle, obstacle) for obstacle in judge.watch.obstacles()],
    )
