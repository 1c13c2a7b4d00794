"""What changed between two evaluations of the same set, and whether more than chance is shown."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from hybrid_seg_ros.evaluation.block_tables import BlockTable, ClassTable, Metric, ScoreMetric
from hybrid_seg_ros.evaluation.bootstrap import Interval, difference
from hybrid_seg_ros.report.document import GROUND_TRUTH, Blocks, ClassBlocks, Evaluation, Node, Part, Score
from hybrid_seg_ros.report.listing import main_score, ordered_scores
from hybrid_seg_ros.report.words import plural, whole

Verdict = Literal["better", "worse", "not shown", "no interval", "equal"]
# Half of the last digit that a change is written with. Rounding somewhere can change every image a little in one
# direction: the interval is narrow then, and says nothing of a network.
_VISIBLE = 5e-5
CONFIDENCE = 0.95


class ComparisonError(ValueError):
    """Two evaluations that say nothing about each other; the message names what differs."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of both.

    Attributes:
        group: what it belongs to: a score, the classes, the node.
        name: of the figure.
        unit: "%" for shares, which are 0..1 here; else as it is.
        higher_is_better: None where neither is.
        a, b: of both; None where it is not defined.
        interval: of b - a, 95 %, where blocks of both are there.
    """

    group: str
    name: str
    unit: str
    higher_is_better: bool | None
    a: float | None
    b: float | None
    interval: Interval | None = None

    @property
    def difference(self) -> float | None:
        """Second minus first; None where one of them is not defined."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def verdict(self) -> Verdict:
        """What may be said of it: better or worse only where the interval leaves out 0, and what is written as 0."""
        change = self.difference
        if change == 0:
            return "equal"
        if self.interval is None or self.interval.low is None or change is None:
            return "no interval"
        if not self.interval.significant or abs(change) < _VISIBLE:
            return "not shown"
        return "better" if (change > 0) == self.higher_is_better else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two evaluations side by side.

    Attributes:
        a, b: the first and the second.
        changes: every figure that one of them has.
        notes: what to know before reading them.
    """

    a: Evaluation
    b: Evaluation
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def compare(a: Evaluation, b: Evaluation, *, seed: int = 0) -> Comparison:
    """What changed from a to b.

    Intervals are of resampled blocks of images (evaluation.bootstrap), paired where both saw the same pixels. They are
    found on the blocks' thresholds and moved by what the exact difference has over the difference there.

    Args:
        a: the first, to which b is compared.
        b: the second.
        seed: of the resampling; same seed, same intervals.

    Raises:
        ComparisonError: they are not of the same set or recording.
    """
    _refuse_different_sets(a, b)
    changes = [
        *(change for name_a, name_b in score_pairs(a, b) for change in _score_changes(a, b, name_a, name_b, seed)),
        *_class_changes(a, b, seed),
        *_other_changes(a, b),
    ]
    shown = tuple(change for change in changes if change.a is not None or change.b is not None)
    return Comparison(a, b, shown, tuple(_notes(a, b, shown)))


def score_pairs(a: Evaluation, b: Evaluation) -> list[tuple[str, str]]:
    """Which score of a to hold against which of b: those of one name; where there is none, the main ones."""
    common = [(name, name) for name, _ in ordered_scores(a) if name in b.scores]
    main_a, main_b = main_score(a), main_score(b)
    if common or main_a is None or main_b is None:
        return common
    return [(main_a, main_b)]


def _refuse_different_sets(a: Evaluation, b: Evaluation) -> None:
    for what in ("kind", "name", "averaging"):
        first, second = getattr(a, what), getattr(b, what)
        if first != second:
            raise ComparisonError(
                f"evaluations of different sets: {what} is {first!r} in the first and {second!r} in the second;"
                " expected both of one set: evaluate both networks on the same one"
            )
    # What an image lacks in one run is a problem that the run names; pixels that differ without are another set.
    if a.kind == "images" and not (_images_left_out(a) or _images_left_out(b)) and _pixels(a) != _pixels(b):
        raise ComparisonError(
            f"evaluations of different sets, though both are called {a.name!r}: {_counted(a)} in the first,"
            f" {_counted(b)} in the second; evaluate both networks on the same images and masks"
        )


def _images_left_out(one: Evaluation) -> bool:
    return any(problem.where != GROUND_TRUTH for problem in one.problems)


def _pixels(one: Evaluation) -> tuple[int, int, int]:
    return one.images, one.known_pixels, one.anomaly_pixels


def _counted(one: Evaluation) -> str:
    images = plural(one.images, "image")
    return f"{images} with {whole(one.known_pixels)} known and {whole(one.anomaly_pixels)} anomaly pixels"


def _score_changes(a: Evaluation, b: Evaluation, name_a: str, name_b: str, seed: int) -> Iterator[Change]:
    first, second = a.scores[name_a], b.scores[name_b]
    group = name_a if name_a == name_b else f"{name_a} → {name_b}"
    # Blocks are of pooled pixels: they say nothing of figures that are means of each image's.
    pooled = a.averaging == b.averaging == "pooled"
    tables = (_score_table(first), _score_table(second)) if pooled else (None, None)
    labels = {"ap": ("AP", True), "auroc": ("AUROC", True), "fpr95": ("FPR95", False)}
    for metric in get_args(ScoreMetric):
        label, higher = labels[metric]
        change = Change(group, label, "%", higher, getattr(first, metric), getattr(second, metric))
        yield _with_interval(change, tables, metric, seed)
    yield Change(group, "best F1", "%", True, first.best_f1, second.best_f1)
    for name, label in (("mean_siou", "component sIoU"), ("mean_ppv", "component PPV"), ("mean_f1", "component F1")):
        yield Change(group, label, "%", True, *_both(first.components, second.components, name))


def _class_changes(a: Evaluation, b: Evaluation, seed: int) -> Iterator[Change]:
    first, second = a.closed_set, b.closed_set
    tables = _class_table(first.blocks if first else None), _class_table(second.blocks if second else None)
    yield _with_interval(Change("classes", "mIoU", "%", True, *_both(first, second, "miou")), tables, "miou", seed)
    iou_a, iou_b = first.iou if first else {}, second.iou if second else {}
    for name in dict.fromkeys([*iou_a, *iou_b]):
        yield Change("classes", f"IoU of {name}", "%", True, iou_a.get(name), iou_b.get(name))
    yield Change("classes", "open-mIoU", "%", True, *_both(a.open_set, b.open_set, "open_miou"))
    yield Change("classes", "open-set gap", "%", False, *_both(a.open_set, b.open_set, "gap"))
    yield Change("confidence", "ECE", "%", False, *_both(a.calibration, b.calibration, "ece"))


def _other_changes(a: Evaluation, b: Evaluation) -> Iterator[Change]:
    for name, label, higher in (
        ("label_consistency", "label consistency", True),
        ("mask_flicker", "mask flicker", False),
        ("delayed_miou", "mIoU known in time", True),
        ("delayed_ap", "AP known in time", True),
    ):
        yield Change("over time", label, "%", higher, *_both(a.video, b.video, name))
    yield Change("over time", "obstacles detected", "", True, _detected(a), _detected(b))
    latency = tuple(one.node.latency_ms if one.node else None for one in (a, b))
    for name in ("p50", "p99", "jitter"):
        yield Change("node", f"latency {name}", "ms", False, *_both(latency[0], latency[1], name))
    yield Change("node", "frames without answer", "%", False, _lost(a.node), _lost(b.node))
    yield Change("node", "peak rate", "Hz", True, *_both(a.node, b.node, "peak_hz"))


def _both(first: Part | None, second: Part | None, name: str) -> tuple[float | None, float | None]:
    """One figure of a part of both; None where one has no such part."""
    return (getattr(first, name) if first else None, getattr(second, name) if second else None)


def _with_interval(
    change: Change,
    tables: tuple[BlockTable | ClassTable | None, BlockTable | ClassTable | None],
    metric: Metric,
    seed: int,
) -> Change:
    first, second = tables
    exact = change.difference
    if first is None or second is None or exact is None:
        return change
    found = difference(first, second, metric, confidence=CONFIDENCE, seed=seed)
    if found.value is None or found.low is None or found.high is None:
        return change
    moved = exact - found.value
    return replace(change, interval=replace(found, value=exact, low=found.low + moved, high=found.high + moved))


def _score_table(score: Score) -> BlockTable | None:
    blocks: Blocks | None = score.blocks
    return BlockTable(blocks.thresholds, blocks.images, blocks.known, blocks.anomaly) if blocks else None


def _class_table(blocks: ClassBlocks | None) -> ClassTable | None:
    return ClassTable(blocks.images, blocks.intersection, blocks.predicted, blocks.truth) if blocks else None


def _detected(one: Evaluation) -> float | None:
    if one.video is None or not one.video.obstacles:
        return None
    return float(sum(o.first_detected_s is not None for o in one.video.obstacles))


def _lost(node: Node | None) -> float | None:
    return (node.dropped + node.rejected) / node.frames_in if node and node.frames_in else None


def _notes(a: Evaluation, b: Evaluation, changes: tuple[Change, ...]) -> Iterator[str]:
    compared = {name for pair in score_pairs(a, b) for name in pair}
    only = [f"{name} (first only)" for name in a.scores if name not in compared]
    only += [f"{name} (second only)" for name in b.scores if name not in compared]
    if only:
        yield f"Scores of one evaluation only: {', '.join(only)}."
    if _pixels(a) != _pixels(b):
        yield f"Not the same pixels: {_counted(a)} in the first, {_counted(b)} in the second."
    if a.problems or b.problems:
        yield f"Problems: {len(a.problems)} in the first, {len(b.problems)} in the second; see their reports."
    intervals = [change.interval for change in changes if change.interval]
    if any(not found.paired for found in intervals):
        yield "Intervals are of unpaired images: wider than they would be of the same pixels."
    few = min((len(s.blocks.images) for e in (a, b) for s in e.scores.values() if s.blocks), default=0)
    if intervals and 0 < few < 20:
        yield f"Intervals are of {plural(few, 'block')} of images only: take them as rough."
    if a.node and b.node and a.machine.cpu != b.machine.cpu:
        yield f"Different machines: {a.machine.cpu!r} and {b.machine.cpu!r}; times are not comparable."
