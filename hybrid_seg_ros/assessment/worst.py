"""The worst false alarms and misses of a set, as strips of pictures."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.datasets.sample import Sample
from hybrid_seg_ros.evaluation.components import TRACKS, Track
from hybrid_seg_ros.report.document import Picture
from hybrid_seg_ros.visual.colors import heat_limits
from hybrid_seg_ros.visual.strip import Box, strip

PER_KIND = 6
"""How many strips of either kind."""

# A component of the truth is found where at least this share of it lies in the mask, as an obstacle of a drive is.
_COVERED = 0.5
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 85]

Kind = Literal["false_alarm", "miss"]
Score = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Finding:
    """A component that the mask has and the truth has not, or the other way round.

    Attributes:
        kind: which of the two.
        index: of the image in its set.
        pixels: of the false alarm; of the missed component those that are missed.
        box: around the component, px.
        text: for people.
    """

    kind: Kind
    index: int
    pixels: int
    box: Box
    text: str


class Worst:
    """Keeps the largest findings of a set; at most one of either kind an image, so that the page shows many places.

    Args:
        threshold: mask = score > threshold.
        track: components too small for it do not count.
    """

    def __init__(self, threshold: float, track: Track) -> None:
        self.threshold = threshold
        self._track = track
        self._kept: dict[Kind, list[tuple[int, int, Finding]]] = {"false_alarm": [], "miss": []}

    def add(self, index: int, score: Score, anomaly: Labels) -> None:
        """Look at one image: float32[H, W], and uint8[H, W] with 0 known, 1 anomaly, else void."""
        mask = (score > np.float32(self.threshold)) & (anomaly <= 1)
        for finding in (self._false_alarm(index, mask, anomaly == 1), self._miss(index, mask, anomaly == 1)):
            if finding is not None:
                kept = self._kept[finding.kind]
                # Of equal sizes the first image stays.
                heapq.heappush(kept, (finding.pixels, -index, finding))
                if len(kept) > PER_KIND:
                    heapq.heappop(kept)

    def findings(self) -> list[Finding]:
        """False alarms, then misses; largest first."""
        return [entry[2] for kept in self._kept.values() for entry in sorted(kept, key=lambda e: e[:2], reverse=True)]

    def _false_alarm(self, index: int, mask: npt.NDArray[np.bool_], anomaly: npt.NDArray[np.bool_]) -> Finding | None:
        ids, boxes, areas = _components(mask)
        touching = np.bincount(ids[anomaly], minlength=areas.size)
        wrong = np.where((touching == 0) & (areas >= TRACKS[self._track].predicted), areas, 0)
        wrong[0] = 0
        worst = int(np.argmax(wrong))
        if wrong[worst] == 0:
            return None
        pixels = int(areas[worst])
        return Finding("false_alarm", index, pixels, boxes[worst], f"{pixels} px where the truth has no anomaly")

    def _miss(self, index: int, mask: npt.NDArray[np.bool_], anomaly: npt.NDArray[np.bool_]) -> Finding | None:
        ids, boxes, areas = _components(anomaly)
        covered = np.bincount(ids[mask], minlength=areas.size)
        missed = np.where(
            (covered < _COVERED * areas) & (areas >= TRACKS[self._track].ground_truth), areas - covered, 0
        )
        missed[0] = 0
        worst = int(np.argmax(missed))
        if missed[worst] == 0:
            return None
        pixels, area = int(missed[worst]), int(areas[worst])
        text = f"{pixels} of {area} px of an anomaly are not in the mask"
        return Finding("miss", index, pixels, boxes[worst], text)


def draw(
    worst: Worst,
    samples: Sequence[Sample],
    score_of: Callable[[Sample], Score],
    folder: Path,
    kind: ScoreKind | None = None,
) -> Iterator[Picture]:
    """Write a strip per finding as JPEG; yields each as it is written.

    Args:
        worst: the findings, by index of `samples`.
        samples: of the set.
        score_of: float32[H, W] of a sample.
        folder: made where it is not there; the pictures name it as it lies beside the document.
        kind: of the score, for the colours of the heat map; None: of another method, coloured by its own range.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers: dict[Kind, int] = {"false_alarm": 0, "miss": 0}
    for finding in worst.findings():
        sample, score = samples[finding.index], score_of(samples[finding.index])
        truth = sample.anomaly()
        if truth is None:
            continue
        limits = _range(score, worst.threshold) if kind is None else heat_limits(worst.threshold, kind)
        picture = strip(sample.read_image(), score, truth, finding.box, threshold=worst.threshold, limits=limits)
        numbers[finding.kind] += 1
        file = folder / f"{finding.kind}_{numbers[finding.kind]}.jpg"
        file.write_bytes(cv2.imencode(".jpg", picture, _JPEG)[1].tobytes())
        yield Picture(
            kind=finding.kind,
            frame=sample.name,
            file=f"{folder.name}/{file.name}",
            pixels=finding.pixels,
            text=finding.text,
        )


def _components(
    mask: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int32], list[Box], npt.NDArray[np.int64]]:
    """8-connected components: ids int32[H, W] (0 outside), box and pixels of each id."""
    _, ids, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask, np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    boxes: list[Box] = [(int(x), int(y), int(w), int(h)) for x, y, w, h in stats[:, :4]]
    return np.asarray(ids, np.int32), boxes, np.asarray(stats[:, cv2.CC_STAT_AREA], np.int64)


def _range(score: Score, threshold: float) -> tuple[float, float]:
    """Limits of a heat map with the threshold in its middle that show most of the scores."""
    finite = score[np.isfinite(score)]
    low, high = np.percentile(finite, (1, 99)) if finite.size else (threshold, threshold)
    half = max(abs(float(low) - threshold), abs(float(high) - threshold), 1e-6 * max(abs(threshold), 1.0))
    return threshold - half, threshold + half
