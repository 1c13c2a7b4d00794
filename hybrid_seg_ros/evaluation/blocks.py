"""Counts of consecutive images, for resampling: neighbours on a drive are not independent, blocks nearly are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hybrid_seg_ros.evaluation.npz import read_npz, write_npz
from hybrid_seg_ros.evaluation.pixel_counts import Counts, Labels, PixelCounts, Score
from hybrid_seg_ros.evaluation.score_bins import bin_of, lowest_score

MAX_BLOCKS = 200

_FORMAT = 1
_MANTISSA_BITS = 8  # thresholds to choose from lie 0.4 % of the score apart
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Row b of `known` and `anomaly`: per threshold, the pixels of block b with score >= threshold.

    Attributes:
        thresholds: descending; the last is lower than every score.
        images: how many images each block holds.
        known: int[B][T].
        anomaly: int[B][T].
    """

    thresholds: list[float]
    images: list[int]
    known: list[list[int]]
    anomaly: list[list[int]]


@dataclass(slots=True)
class _Block:
    """Pixels of some consecutive images by score: bins int64[N] ascending, pixels int64[N, 2] (known, anomaly)."""

    images: int = 0
    bins: Counts = field(default_factory=lambda: np.empty(0, np.int64))
    pixels: Counts = field(default_factory=lambda: np.empty((0, 2), np.int64))

    def joined(self, other: "_Block") -> "_Block":
        bins, place = np.unique(np.concatenate([self.bins, other.bins]), return_inverse=True)
        pixels = np.zeros((bins.size, 2), np.int64)
        np.add.at(pixels, place, np.concatenate([self.pixels, other.pixels]))
        return _Block(self.images + other.images, bins, pixels)


class BlockCounts:
    """Streaming counts per block of images, each score map seen once.

    Every block keeps its pixels on coarse bins of `score_bins` (0.4 % of the score wide, a few thousand are used),
    and the thresholds of `table` are chosen among their edges at the end, when the whole set is known: the counts at
    these are exact, no second pass is needed. Blocks hold 1 image each until there are more than MAX_BLOCKS; then
    neighbours join, and blocks hold 2, 4, 8 ... images: equal sets give equal blocks, however they were counted.
    """

    def __init__(self) -> None:
        self._size = 1
        self._blocks: list[_Block] = []

    @property
    def images(self) -> int:
        """Images so far."""
        return sum(block.images for block in self._blocks)

    def add(self, score: Score, anomaly: Labels) -> None:
        """Count the next image of the set; arguments and errors of `PixelCounts.add`."""
        counts = PixelCounts(_MANTISSA_BITS)
        counts.add(score, anomaly)
        bins, known, positive = counts.bins()
        image = _Block(1, bins, np.stack([known, positive], axis=1))
        if self._blocks and self._blocks[-1].images < self._size:
            self._blocks[-1] = self._blocks[-1].joined(image)
        else:
            self._blocks.append(image)
        self._shorten()

    def merge(self, other: "BlockCounts") -> None:
        """Append the blocks of the images that follow, those of another recording for example."""
        self._blocks += other._blocks
        self._size = max(self._size, other._size)
        self._shorten()

    def table(self, count: int = 128, *, thresholds: Sequence[float] | None = None) -> Blocks:
        """The counts at some thresholds of `score >= threshold`.

        Args:
            count: how many thresholds at most, spread evenly over the anomaly and over the known pixels, small
                shares included.
            thresholds: these instead, each lowered to the next edge of a bin, so that two sets can have the same.

        Raises:
            ValueError: count is less than 8.
        """
        if count < 8:
            raise ValueError(f"count is {count}, expected 8 or more thresholds")
        total = _Block()
        for block in self._blocks:
            total = total.joined(block)
        if thresholds is None:
            edges = _spread(total, count - 1)
        else:
            edges = np.unique([bin_of(threshold, _MANTISSA_BITS) for threshold in thresholds])
        # Below every score, of this set and of any other with the same thresholds.
        values = [*lowest_score(edges[::-1], _MANTISSA_BITS).astype(np.float64).tolist(), -_LARGEST]
        known, anomaly = [], []
        for block in self._blocks:
            above = np.concatenate([_above(block, edges)[::-1], block.pixels.sum(axis=0, keepdims=True)])
            known.append([int(value) for value in above[:, 0]])
            anomaly.append([int(value) for value in above[:, 1]])
        finite = np.clip(values, -_LARGEST, _LARGEST).tolist()
        return Blocks(finite, [block.images for block in self._blocks], known, anomaly)

    def save(self, path: Path) -> None:
        """Write everything as .npz; the file is there whole or not at all."""
        write_npz(
            path,
            meta=np.array([_FORMAT, self._size], np.int64),
            images=np.array([block.images for block in self._blocks], np.int64),
            lengths=np.array([block.bins.size for block in self._blocks], np.int64),
            bins=np.concatenate([np.empty(0, np.int64), *(block.bins for block in self._blocks)]).astype(np.uint32),
            pixels=np.concatenate([np.empty((0, 2), np.int64), *(block.pixels for block in self._blocks)]),
        )

    @classmethod
    def load(cls, path: Path) -> "BlockCounts":
        """What `save` wrote.

        Raises:
            ValueError: not such a file; the message names it.
            OSError: it cannot be read.
        """
        arrays = read_npz(path, _FORMAT, ("images", "lengths", "bins", "pixels"))
        found = cls()
        found._size = int(arrays["meta"][1])
        ends = np.cumsum(arrays["lengths"])[:-1]
        bins = np.split(arrays["bins"].astype(np.int64), ends)
        pixels = np.split(arrays["pixels"], ends)
        for images, own_bins, own_pixels in zip(arrays["images"].tolist(), bins, pixels, strict=False):
            found._blocks.append(_Block(images, own_bins, own_pixels))
        return found

    def _shorten(self) -> None:
        while len(self._blocks) > MAX_BLOCKS:
            pairs = [self._blocks[i : i + 2] for i in range(0, len(self._blocks), 2)]
            self._blocks = [pair[0].joined(pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
            self._size *= 2


def _spread(total: _Block, count: int) -> Counts:
    """Ascending bins of at most so many thresholds that show the whole curve of all blocks."""
    share = np.cumsum(total.pixels[::-1], axis=0)[::-1] / np.maximum(total.pixels.sum(axis=0), 1)
    if total.bins.size <= count:
        return total.bins
    half = count // 2
    known, anomaly = share[::-1].T
    places = (
        np.searchsorted(anomaly, np.linspace(0, 1, count - half)),
        np.searchsorted(known, np.geomspace(1e-5, 1, half)),
    )
    chosen = np.unique(np.minimum(np.concatenate(places), total.bins.size - 1))
    return np.asarray(total.bins[::-1][chosen][::-1])


def _above(block: _Block, edges: Counts) -> Counts:
    """Pixels (known, anomaly) of the block in each edge's bin or a higher one: int64[N] -> int64[N, 2]."""
    sums = np.concatenate([np.cumsum(block.pixels[::-1], axis=0)[::-1], np.zeros((1, 2), np.int64)])
    return np.asarray(sums[np.searchsorted(block.bins, edges)])
