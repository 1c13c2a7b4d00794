"""Several recordings as one evaluation: what can be pooled exactly, and a row for each of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.collect import closed_set_part, machine_part, now, score_part
from hybrid_seg_ros.assessment.many import Outcome
from hybrid_seg_ros.assessment.pooling import pooled_blocks, pooled_calibration, pooled_class_blocks, pooled_times
from hybrid_seg_ros.assessment.recording import CONFUSION, COUNTS
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import (
    ClosedSet,
    Evaluation,
    Machine,
    Node,
    Picture,
    Problem,
    RecordingRow,
    Score,
    Video,
)


def combine(name: str, outcomes: Sequence[Outcome], *, out: Path, classes: Sequence[str], pictures: int) -> Evaluation:
    """One evaluation of all recordings that did not fail.

    Pixels, confusions, latencies and blocks are pooled, so that the figures are those of one long recording; what
    cannot be pooled exactly (consistency between frames, distance bins, playing rates) is left to the recordings' own
    evaluations.

    Args:
        name: of the whole.
        outcomes: of every recording; at least one did not fail.
        out: folder of the whole run, which the recordings' folders lie in.
        classes: names of the bundle's classes, by id.
        pictures: at most so many of each kind, those that show most.

    Raises:
        DocumentError: the evaluation of a finished recording cannot be read.
        ValueError: what it left for pooling cannot be read, or all failed.
    """
    done = [(outcome, outcome.evaluation()) for outcome in outcomes if outcome.state != "failed"]
    if not done:
        raise ValueError("none of the recordings could be evaluated")
    documents = [document for _, document in done]
    by_name = {outcome.name: document for outcome, document in done}
    named = [p.model_copy(update={"where": f"{o.name}: {p.where}"}) for o, d in done for p in d.problems]
    machine, of_machine = _machine(documents)
    failed = [Problem(where=o.name, what=f"not evaluated: {o.error}") for o in outcomes if o.state == "failed"]
    return Evaluation(
        kind="recording",
        name=name,
        network=documents[0].network,
        machine=machine,
        date=now(),
        seconds=round(sum(d.seconds for d in documents), 3),
        images=sum(d.images for d in documents),
        images_without_anomaly=sum(d.images_without_anomaly for d in documents),
        known_pixels=sum(d.known_pixels for d in documents),
        anomaly_pixels=sum(d.anomaly_pixels for d in documents),
        void_pixels=sum(d.void_pixels for d in documents),
        truth="; ".join(sorted({d.truth for d in documents if d.truth})),
        problems=[*failed, *of_machine, *named],
        scores=_scores(done),
        closed_set=_closed_set(done, classes),
        calibration=pooled_calibration([d.calibration for d in documents if d.calibration]),
        video=_video(documents),
        node=_node(documents),
        pictures=_pictures(done, out, pictures),
        recordings=[_row(outcome, by_name.get(outcome.name), out) for outcome in outcomes],
    )


Done = Sequence[tuple[Outcome, Evaluation]]


def _scores(done: Done) -> dict[str, Score]:
    """The score that the bundle is read by, over the recordings that have labels of anomalies."""
    counted = [
        (document, PixelCounts.load(outcome.folder / COUNTS))
        for outcome, document in done
        if (outcome.folder / COUNTS).is_file()
    ]
    if not counted:
        return {}
    kind = counted[0][0].network.score
    total = PixelCounts(counted[0][1].mantissa_bits)
    for _, counts in counted:
        total.merge(counts)
    # A point of the bundle that shares its name with one found on the set has "bundle_" before it already.
    shipped = {
        name.removeprefix("bundle_"): point.threshold
        for document, _ in counted
        if kind in document.scores
        for name, point in document.scores[kind].points.items()
        if point.origin == "bundle"
    }
    blocks = pooled_blocks([(document.images, counts) for document, counts in counted], total)
    return {kind: score_part(total, shipped, blocks=blocks)}


def _closed_set(done: Done, classes: Sequence[str]) -> ClosedSet | None:
    labelled = [
        (o.folder / CONFUSION, d.closed_set) for o, d in done if d.closed_set and (o.folder / CONFUSION).is_file()
    ]
    if not labelled:
        return None
    total: npt.NDArray[np.int64] = np.sum([np.load(path, allow_pickle=False) for path, _ in labelled], axis=0)
    blocks = pooled_class_blocks([part.blocks for _, part in labelled])
    return closed_set_part(total, classes).model_copy(update={"blocks": blocks})


def _video(documents: Sequence[Evaluation]) -> Video | None:
    """Obstacles only, numbered anew: ids of two recordings may be the same."""
    found = [obstacle for d in documents if d.video for obstacle in d.video.obstacles]
    numbered = [obstacle.model_copy(update={"id": number}) for number, obstacle in enumerate(found, start=1)]
    return Video(obstacles=numbered) if numbered else None


def _node(documents: Sequence[Evaluation]) -> Node | None:
    nodes = [d.node for d in documents if d.node]
    if not nodes:
        return None
    return Node(
        mode=nodes[0].mode,
        frames_in=sum(n.frames_in for n in nodes),
        answered=sum(n.answered for n in nodes),
        dropped=sum(n.dropped for n in nodes),
        rejected=sum(n.rejected for n in nodes),
        latency_ms=pooled_times([f.latency_ms for d in documents for f in d.frames if f.latency_ms is not None]),
    )


def _pictures(done: Done, out: Path, count: int) -> list[Picture]:
    """Those that show most, of each kind; their files stay where they are."""
    found = [
        picture.model_copy(
            update={
                "file": (outcome.folder.resolve() / picture.file).relative_to(out.resolve()).as_posix(),
                "frame": f"{outcome.name}: {picture.frame}",
            }
        )
        for outcome, document in done
        for picture in document.pictures
    ]
    kept: list[Picture] = []
    for kind in sorted({picture.kind for picture in found}):
        kept += sorted((p for p in found if p.kind == kind), key=lambda p: (-p.pixels, p.file))[:count]
    return kept


def _row(outcome: Outcome, document: Evaluation | None, out: Path) -> RecordingRow:
    if document is None:
        return RecordingRow(name=outcome.name, error=outcome.error)
    score = document.scores.get(document.network.score)
    return RecordingRow(
        name=outcome.name,
        images=document.images,
        ap=score.ap if score else None,
        auroc=score.auroc if score else None,
        fpr95=score.fpr95 if score else None,
        miou=document.closed_set.miou if document.closed_set else None,
        dropped=document.node.dropped if document.node else 0,
        rejected=document.node.rejected if document.node else 0,
        problems=len(document.problems),
        folder=outcome.folder.resolve().relative_to(out.resolve()).as_posix(),
    )


def _machine(documents: Sequence[Evaluation]) -> tuple[Machine, list[Problem]]:
    """The machine of all recordings; where they had several, that of this process, and a note of how many."""
    cores = max(d.machine.cores for d in documents)
    # Recordings that were evaluated side by side shared the cores of one machine.
    machines = {m.model_dump_json(): m for m in (d.machine.model_copy(update={"cores": cores}) for d in documents)}
    if len(machines) == 1:
        return next(iter(machines.values())), []
    names = sorted({machine.cpu for machine in machines.values()})
    what = f"the recordings were evaluated on {len(machines)} different machines: {', '.join(names)}"
    return machine_part(), [Problem(where="machine", what=what)]
