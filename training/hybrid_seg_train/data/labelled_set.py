"""A labelled set in the training's label space, decoded when it is asked for or once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from tqdm import tqdm

from hybrid_seg_train.data.coarse import Encoder
from hybrid_seg_train.data.listing import Listing
from hybrid_seg_train.data.sources import DataError, Example, read_image


class LabelledSet(Sequence[Example]):
    """The images of one source, sorted by path, with labels in the training's space.

    Decoded at every access, so that a large set needs no memory; with `in_memory` decoded once, at the start.

    Attributes:
        name: the source, for messages and progress bars.
        listing: its files.
        encode: stored ids -> training labels.
    """

    def __init__(
        self, name: str, listing: Listing, encode: Encoder, *, in_memory: bool = False, progress: bool = True
    ) -> None:
        self.name, self.listing, self.encode = name, listing, encode
        self._kept: list[Example] | None = None
        if in_memory:
            places = tqdm(range(len(listing.pairs)), f"reading {name}", disable=not progress)
            self._kept = [self._read(place) for place in places]

    def __len__(self) -> int:
        return len(self.listing.pairs)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        """One example, or the list of a slice.

        Raises:
            DataError: a file that cannot be read, sizes that differ, or a label that the set does not have.
            IndexError: beyond the end.
        """
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return self._read(index) if self._kept is None else self._kept[index]

    def _read(self, index: int) -> Example:
        image_path, label_path = self.listing.pairs[index]
        image, stored = read_image(image_path), self.listing.decode(label_path)
        if image.shape[:2] != stored.shape:
            raise DataError(
                f"{label_path}: is {stored.shape[::-1]} px, its image {image_path.name} {image.shape[1::-1]}"
            )
        return Example(image, self.encode(stored, label_path))


@dataclass(frozen=True)
class SetReport:
    """What a check of a set saw.

    Attributes:
        name: the source.
        images: images of the set.
        checked: images that were decoded.
        sizes: different image sizes (width, height), px, sorted.
        shares: label -> share of the checked pixels.
    """

    name: str
    images: int
    checked: int
    sizes: tuple[tuple[int, int], ...]
    shares: dict[int, float]


def check(source: LabelledSet, sample: int | None = 16) -> SetReport:
    """Decode images spread evenly over a set, before a long training relies on it.

    That every image has its label file was checked when the set was opened.

    Args:
        source: the set.
        sample: how many images; None = all.

    Raises:
        DataError: the first image that is not as expected.
        ValueError: a sample of less than one image.
    """
    if sample is not None and sample < 1:
        raise ValueError(f"sample is {sample}, expected at least 1 or None")
    count = len(source) if sample is None else min(sample, len(source))
    places = np.linspace(0, len(source) - 1, count).round().astype(int).tolist()
    pixels = np.zeros(256, np.int64)
    sizes = set()
    for place in places:
        example = source[place]
        pixels += np.bincount(example.labels.ravel(), minlength=256)
        sizes.add((example.image.shape[1], example.image.shape[0]))
    shares = {int(label): float(pixels[label] / pixels.sum()) for label in np.flatnonzero(pixels)}
    return SetReport(source.name, len(source), count, tuple(sorted(sizes)), shares)
