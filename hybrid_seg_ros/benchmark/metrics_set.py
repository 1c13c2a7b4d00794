"""All metrics of a set of score maps, in a process of its own: `python -m hybrid_seg_ros.benchmark.metrics_set`."""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.evaluation.blocks import BlockCounts
from hybrid_seg_ros.evaluation.components import ComponentCounts, Track
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures, histogram, points, thin_curve

THREADS = 2

Score = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]
ResultT = TypeVar("ResultT")


def write_set(folder: Path, images: int, size: tuple[int, int], progress: bool) -> None:
    """Score maps float32 and anomaly labels uint8 as .npy: few small objects, alarms along edges, the rim void.

    Args:
        folder: made.
        images: how many.
        size: width, height, px.
        progress: show a progress bar on stderr.
    """
    folder.mkdir(parents=True)
    for index in tqdm(range(images), desc="score maps", unit="image", disable=not progress):
        score, anomaly = _scene(np.random.default_rng(index), size)
        np.save(folder / f"{index:04d}.score.npy", score)
        np.save(folder / f"{index:04d}.anomaly.npy", anomaly)


def evaluate_set(folder: Path, progress: bool = True) -> dict[str, Any]:
    """Everything that is told of a score: two passes over the maps, THREADS at a time.

    The first counts pixels, over all and by block; the second takes components above the threshold of best F1.
    """
    stems = sorted(path.name.partition(".")[0] for path in folder.glob("*.score.npy"))
    started = time.perf_counter()
    with tqdm(total=2 * len(stems), desc="metrics", unit="image", disable=not progress) as bar:
        counted = _in_threads(stems, lambda part: _count(folder, part, bar))
        (counts, blocks), (more, following) = counted
        counts.merge(more)
        blocks.merge(following)
        found = figures(counts)
        pixels_s = time.perf_counter() - started
        threshold = found.best_f1_threshold
        if threshold is None:
            raise ValueError(f"{folder}: no anomaly or no known pixel in {len(stems)} images")
        tracks, others = _in_threads(stems, lambda part: _components(folder, part, threshold, bar))
    components = {}
    for mine, theirs in zip(tracks, others, strict=True):
        mine.merge(theirs)
        components[mine.track] = mine.result()
    curve, table = thin_curve(counts), blocks.table()
    told = {
        "points": len(points(counts, {})),
        "curve": len(curve.thresholds) if curve else 0,
        "histogram": histogram(counts) is not None,
        "blocks": len(table.images),
    }
    seconds = time.perf_counter() - started
    return {
        "images": len(stems),
        "pixels": counts.known + counts.anomaly + counts.void,
        "seconds": round(seconds, 2),
        "first_pass_seconds": round(pixels_s, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "threads": THREADS,
        "told": told,
        "ap": found.ap,
        "ap_error": found.ap_error,
        "fpr95": found.fpr95,
        "fpr95_error": found.fpr95_error,
        "components": {
            track: {"mean_f1": result.mean_f1, "ground_truth": result.ground_truth, "predicted": result.predicted}
            for track, result in components.items()
        },
    }


def _count(folder: Path, stems: Sequence[str], bar: "tqdm[Any]") -> tuple[PixelCounts, BlockCounts]:
    counts, blocks = PixelCounts(), BlockCounts()
    for stem in stems:
        score, anomaly = _read(folder, stem)
        counts.add(score, anomaly)
        blocks.add(score, anomaly)
        bar.update()
    return counts, blocks


def _components(
    folder: Path, stems: Sequence[str], threshold: float, bar: "tqdm[Any]"
) -> tuple[ComponentCounts, ComponentCounts]:
    tracks: tuple[Track, Track] = "anomaly", "obstacle"
    found = ComponentCounts(tracks[0]), ComponentCounts(tracks[1])
    for stem in stems:
        score, anomaly = _read(folder, stem)
        for counts in found:
            counts.add(score, anomaly, threshold)
        bar.update()
    return found


def _in_threads(stems: Sequence[str], work: Callable[[Sequence[str]], ResultT]) -> list[ResultT]:
    """Each thread takes a run of images that follow each other, so that blocks stay in order."""
    ends = [round(len(stems) * part / THREADS) for part in range(THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, [stems[ends[part] : ends[part + 1]] for part in range(THREADS)]))


def _read(folder: Path, stem: str) -> tuple[Score, Labels]:
    score, anomaly = (np.load(folder / f"{stem}.{kind}.npy", allow_pickle=False) for kind in ("score", "anomaly"))
    return score, anomaly


def _scene(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Score, Labels]:
    """A score as a network at a quarter of the size gives it, resized; higher on objects, not everywhere."""
    width, height = size
    anomaly = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        center = int(rng.integers(0, width)), int(rng.integers(height // 2, height))
        axes = int(rng.integers(6, width // 32)), int(rng.integers(6, height // 24))
        cv2.ellipse(anomaly, center, axes, 0, 0, 360, 1, -1)
    coarse = rng.normal(0, 0.6, (height // 4, width // 4)).astype(np.float32)
    broad = cv2.resize(rng.normal(-8, 2.5, (height // 64, width // 64)).astype(np.float32), coarse.shape[::-1])
    small = cv2.resize(anomaly, coarse.shape[::-1], interpolation=cv2.INTER_AREA)
    raised = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.5) * np.float32(rng.uniform(2, 9))
    score = cv2.resize(coarse + broad + raised, size, interpolation=cv2.INTER_LINEAR)
    anomaly[-height // 12 :] = 255
    anomaly[:, : width // 40] = 255
    return np.asarray(score, np.float32), anomaly


if __name__ == "__main__":
    print(json.dumps(evaluate_set(Path(sys.argv[1]), progress=sys.argv[2] == "progress")))
