"""A set of images through a network, or beside saved scores: everything there is to say of it, as a document."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.assessment.cache import MapCache
from hybrid_seg_ros.assessment.collect import as_part, closed_set_part, components_part, machine_part, now, score_part
from hybrid_seg_ros.assessment.scores import KINDS, ScoreMaps
from hybrid_seg_ros.assessment.sources import ScoreSource
from hybrid_seg_ros.assessment.tally import Tally, Truth
from hybrid_seg_ros.assessment.worst import Worst, draw
from hybrid_seg_ros.datasets.sample import Dataset, Sample
from hybrid_seg_ros.detector import InvalidOutputError
from hybrid_seg_ros.evaluation.components import component_metrics
from hybrid_seg_ros.evaluation.distance import DistanceCounts, distance_map
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import (
    GROUND_TRUTH,
    Blocks,
    Calibration,
    ClosedSet,
    Components,
    DistanceBin,
    Evaluation,
    Network,
    OpenSet,
    Picture,
    Problem,
    Score,
)

Given = TypeVar("Given")
Made = TypeVar("Made")
ScoredImage = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]


def assess_images(
    dataset: Dataset,
    network: ScoreSource,
    *,
    kinds: Sequence[str] | None = None,
    cache: Path | None = None,
    pictures: Path | None = None,
    jobs: int = 1,
    progress: bool = True,
) -> Evaluation:
    """Evaluate a set.

    Maps are seen twice: once to count, and once more, from the cache, for what needs the threshold of the best F1 of
    the whole set. An image that cannot be read, or whose scores are NaN, is named in `problems` and left out.

    Args:
        dataset: the set.
        network: where the scores come from; not closed.
        kinds: the scores to evaluate; None: the one that it is meant to be read by.
        cache: folder where maps are kept, so that a run that was cut off goes on where it was; None: until the end.
        pictures: folder for the strips of the worst false alarms and misses, beside the document; None: no pictures.
        jobs: threads that count; one more image is read meanwhile where it is more than one.
        progress: show progress bars on stderr.

    Raises:
        ValueError: a score that the source does not give.
        BackendError: the network does not load, or failed.
    """
    started = time.perf_counter()
    wanted = _checked(kinds, network)
    described = network.describe()
    with contextlib.ExitStack() as stack:
        folder = cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hybrid_seg_")))
        run = _Run(
            dataset,
            network,
            described,
            wanted,
            MapCache(network, folder),
            stack.enter_context(ThreadPoolExecutor(max(1, jobs))),
            progress,
        )
        tally = run.count(ahead=jobs > 1)
        scores = run.scores(tally)
        drawn = run.pictures(scores, pictures) if pictures is not None else []
    counts = tally.counts[wanted[0]]
    return Evaluation(
        kind="images",
        name=dataset.name,
        network=described,
        machine=machine_part(),
        date=now(),
        seconds=round(time.perf_counter() - started, 1),
        images=tally.images,
        images_without_anomaly=tally.without_anomaly,
        averaging=dataset.averaging,
        known_pixels=counts.known,
        anomaly_pixels=counts.anomaly,
        void_pixels=counts.void,
        truth="label masks of the set",
        problems=run.problems,
        scores=scores,
        closed_set=run.closed_set(tally),
        calibration=as_part(Calibration, tally.reliability.result()) if tally.confusion.any() else None,
        distance={kind: bins for kind, counts in tally.distance.items() if (bins := _bins(counts))},
        open_set=None if tally.open_set is None else as_part(OpenSet, tally.open_set.result()),
        pictures=drawn,
    )


def _checked(kinds: Sequence[str] | None, source: ScoreSource) -> list[str]:
    wanted = list(dict.fromkeys(kinds or source.kinds[:1]))
    unknown = [kind for kind in wanted if kind not in source.kinds]
    if unknown:
        raise ValueError(f"score {', '.join(unknown)}: expected any of {', '.join(source.kinds)}")
    return wanted


@dataclass
class _Run:
    """One evaluation under way."""

    dataset: Dataset
    source: ScoreSource
    network: Network
    kinds: Sequence[str]
    maps: MapCache
    workers: Executor
    progress: bool
    usable: list[Sample] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def count(self, *, ahead: bool) -> Tally:
        """The first pass; after it, `usable` holds the samples that were counted."""
        self.problems += [Problem(where=where, what=what) for where, what in self.dataset.problems]
        self.problems += [
            Problem(where=str(path), what="a score map of no image of the set")
            for path in self.source.unused(self.dataset.samples)
        ]
        classes = len(self.source.classes or ()) if self._labelled else 0
        tally = Tally(self.kinds, classes, per_image=self._averaged)
        with ThreadPoolExecutor(1) as reader:
            read = _ahead(self._read, self.dataset.samples, reader if ahead else None)
            for sample, result in self._bar(read, "images", len(self.dataset.samples)):
                try:
                    maps, truth = result()
                    tally.add(maps, truth, self.workers)
                except (ValueError, OSError, InvalidOutputError) as error:
                    self.problems.append(Problem(where=sample.name, what=str(error)))
                    continue
                self.usable.append(sample)
        if self.maps.trouble:
            self.problems.append(Problem(where="cache", what=self.maps.trouble))
        if tally.images:
            self._doubt(tally.counts[self.kinds[0]])
        return tally

    def _doubt(self, counts: PixelCounts) -> None:
        """Tell of labels that leave nothing to rank: often the ids are others than the set was opened with."""
        if counts.anomaly or not any(sample.anomaly_reader for sample in self.usable):
            return
        what = "no image has an anomaly" if counts.known else "all pixels of all masks are void"
        self.problems.append(
            Problem(
                where=GROUND_TRUTH,
                what=f"{what}: AP, AUROC, FPR95 and F1 are not defined; where that is not so, the masks have other ids"
                " (pairs: --anomaly-ids, --void-ids, --known-ids; camvid: --held-out)",
            )
        )

    def scores(self, tally: Tally) -> dict[str, Score]:
        """Everything about each score; empty where no image has anomaly labels."""
        if not any(counts.known or counts.anomaly for counts in tally.counts.values()):
            return {}
        found = {}
        for kind, counts in tally.counts.items():
            thresholds = self.source.thresholds if kind == self.source.kinds[0] else {}
            part = score_part(counts, thresholds)
            part = part.model_copy(update={"components": self._components(kind, part)})
            # Blocks resample pooled pixels, which says nothing about a mean of images.
            more = _means(tally, kind) if self._averaged else {"blocks": as_part(Blocks, tally.blocks[kind].table())}
            found[kind] = part.model_copy(update=more)
        return found

    def pictures(self, scores: dict[str, Score], folder: Path) -> list[Picture]:
        """Strips of the worst places of the score that the network is meant to be read by."""
        kind = self.kinds[0]
        threshold = self._picture_threshold(scores.get(kind))
        if threshold is None:
            return []
        worst = Worst(threshold, self.dataset.track)
        for index, (score, anomaly) in enumerate(self._scored(kind, "worst places")):
            worst.add(index, score, anomaly)
        colours = kind if kind in KINDS else None
        samples = [sample for sample in self.usable if sample.anomaly_reader is not None]
        drawn: list[Picture] = []
        try:
            drawn.extend(draw(worst, samples, lambda sample: self._maps(sample, kind), folder, colours))
        except OSError as error:
            what = f"only {len(drawn)} pictures of the worst places could be written: {error.strerror or error}"
            self.problems.append(Problem(where=str(folder), what=what))
        return drawn

    def closed_set(self, tally: Tally) -> ClosedSet | None:
        """Closed-set accuracy; None where no image has class labels."""
        if not tally.confusion.any() or self.source.classes is None:
            return None
        part = closed_set_part(tally.confusion, self.source.classes)
        return part.model_copy(update={"blocks": tally.class_blocks()})

    @property
    def _averaged(self) -> bool:
        return self.dataset.averaging == "per_image"

    @property
    def _labelled(self) -> bool:
        return self.dataset.classes is not None and self.source.classes is not None

    def _components(self, kind: str, part: Score) -> Components | None:
        best = _best_f1(part)
        if best is None:
            return None
        metrics = component_metrics(self._scored(kind, f"components, {kind}"), best, self.dataset.track)
        return components_part(metrics, self.dataset.track, best)

    def _picture_threshold(self, part: Score | None) -> float | None:
        """The one that makes the node's masks, where this is its score; else that of the best F1."""
        if part is None:
            return None
        if self.kinds[0] == self.source.kinds[0] and self.network.threshold is not None:
            return self.network.threshold
        return _best_f1(part)

    def _scored(self, kind: str, title: str) -> Iterator[ScoredImage]:
        """A score and the anomaly labels of every image that has them."""
        for sample in self._bar(self.usable, title, len(self.usable)):
            anomaly = sample.anomaly()
            if anomaly is not None:
                yield self._maps(sample, kind), anomaly

    def _maps(self, sample: Sample, kind: str) -> npt.NDArray[np.float32]:
        return self.maps.maps(sample, [kind]).scores[kind]

    def _read(self, sample: Sample) -> tuple[ScoreMaps, Truth]:
        # The truth first: where it is broken the network need not run.
        truth = Truth(sample.anomaly(), sample.labels() if self._labelled else None, _distance(sample), sample.fold)
        return self.maps.maps(sample, self.kinds), truth

    def _bar(self, items: "Sequence[Given] | Iterator[Given]", title: str, total: int) -> "tqdm[Given]":
        return tqdm(items, total=total, unit="image", desc=title, disable=not self.progress)


def _best_f1(part: Score) -> float | None:
    """The threshold found on the set; on one without anomaly the point of this name is the bundle's."""
    point = part.points.get("best_f1")
    return None if point is None or point.origin != "set" else point.threshold


def _distance(sample: Sample) -> npt.NDArray[np.float32] | None:
    disparity = sample.disparity() if sample.camera is not None else None
    if disparity is None or sample.camera is None:
        return None
    return distance_map(disparity, sample.camera.baseline_m, sample.camera.focal_px)


def _bins(counts: DistanceCounts) -> list[DistanceBin]:
    return [as_part(DistanceBin, found) for found in counts.result()]


def _means(tally: Tally, kind: str) -> dict[str, object]:
    """AP, AUROC and FPR95 as the means of each image's own; those without anomaly are skipped."""
    ranked = tally.ranked[kind]

    def mean(values: list[float]) -> float | None:
        return float(np.mean(values)) if values else None

    return {
        "ap": mean([metrics.average_precision for metrics in ranked]),
        "auroc": mean([metrics.auroc for metrics in ranked]),
        "fpr95": mean([metrics.fpr95 for metrics in ranked]),
        "ap_error": 0.0,
        "auroc_error": 0.0,
        "fpr95_error": 0.0,
    }


def _ahead(
    work: Callable[[Given], Made], items: Sequence[Given], reader: Executor | None
) -> Iterator[tuple[Given, Callable[[], Made]]]:
    """Each item with what gives its result or raises its error; the next one is worked on meanwhile."""
    if reader is None:
        for item in items:
            yield item, lambda item=item: work(item)  # type: ignore[misc]
        return
    waiting: tuple[Given, Future[Made]] | None = None
    for item in items:
        following = item, reader.submit(work, item)
        if waiting is not None:
            yield waiting[0], waiting[1].result
        waiting = following
    if waiting is not None:
        yield waiting[0], waiting[1].result
