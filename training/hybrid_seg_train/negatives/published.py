"""The published recipes: patches and segments of whole labelled images (METHOD section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.negatives.paster import When, paste_hard, random_window
from hybrid_seg_train.negatives.patches import NEVER, LabelledImage

TRIES = 20
"""Images tried for one with anything to paste before a scene is left as it is."""


@dataclass(frozen=True, slots=True)
class PublishedPaster:
    """One patch per scene, pasted hard at a uniform place after the scene's augmentation.

    The shape inside the patch is a rectangle whose sides are drawn from {16, 24, 32, ...} up to the patch's, or the
    union of two label ids of the patch. METHOD section 2, "Negatives from an auxiliary dataset".

    Attributes:
        images: where patches are cut from.
        side: side of the patch, px; 192 for crops of 512, 384 for crops of 768.
        rectangle_share: share of rectangles.
        min_pixels: shapes of which less is left are drawn anew: nothing to see in them.
    """

    when: ClassVar[When] = "after"
    images: Sequence[LabelledImage]
    side: int = 192
    rectangle_share: float = 0.5
    min_pixels: int = 64

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """A copy of `example` with one shape pasted; unchanged where no image has anything to paste."""
        image, labels = example.image.copy(), example.labels.copy()
        for _ in range(TRIES):
            whole = self.images[int(rng.integers(len(self.images)))]
            patch, ids = self._patch(whole, labels.shape, rng)
            if (ids == NEVER).all():
                continue
            inside = self._shape(ids, rng) & (ids != NEVER)
            if inside.sum() >= self.min_pixels:
                height, width = inside.shape
                corner = random_window(labels.shape[1], width, rng), random_window(labels.shape[0], height, rng)
                paste_hard(image, labels, patch, inside, corner)
                break
        return Example(image, labels)

    def _patch(
        self, whole: LabelledImage, shape: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[ByteImage, npt.NDArray[np.int64]]:
        """A window of the image, no larger than the image or the scene."""
        height, width = (min(self.side, ours, its) for ours, its in zip(shape, whole.labels.shape, strict=True))
        top, left = random_window(whole.labels.shape[0], height, rng), random_window(whole.labels.shape[1], width, rng)
        window = slice(top, top + height), slice(left, left + width)
        return whole.image[window], whole.labels[window]

    def _shape(self, ids: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        if rng.random() >= self.rectangle_share:
            present = np.unique(ids[ids != NEVER])
            return np.isin(ids, rng.choice(present, min(2, len(present)), replace=False))
        inside = np.zeros(ids.shape, bool)
        height, width = (int(rng.choice(np.arange(16, max(side, 16) + 1, 8))) for side in ids.shape)
        top, left = random_window(ids.shape[0], height, rng), random_window(ids.shape[1], width, rng)
        inside[top : top + height, left : left + width] = True
        return inside


@dataclass(frozen=True, slots=True)
class SegmentsPaster:
    """Several segments of one image, each pasted hard at its own place before the scene's augmentation.

    The image is scaled so that its longer side is uniform in `longer_side`: segments are small and many over a wide
    range of sizes, which helps with small obstacles. METHOD section 2, the group's later recipe.

    Attributes:
        images: where segments are cut from.
        count: segments per scene.
        longer_side: smallest and largest longer side of the scaled image, px.
        min_pixels: smaller segments of the scaled image are not pasted: nothing to see in them.
    """

    when: ClassVar[When] = "before"
    images: Sequence[LabelledImage]
    count: int = 3
    longer_side: tuple[int, int] = (96, 500)
    min_pixels: int = 16

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """A copy of `example` with up to `count` segments; unchanged where no image has any that is large enough."""
        image, labels = example.image.copy(), example.labels.copy()
        for _ in range(TRIES):
            whole = self.images[int(rng.integers(len(self.images)))]
            pixels, ids = _scaled(whole, int(rng.integers(self.longer_side[0], self.longer_side[1] + 1)))
            present, sizes = np.unique(ids[ids != NEVER], return_counts=True)
            present = present[sizes >= self.min_pixels]
            if present.size:
                for chosen in rng.choice(present, min(self.count, present.size), replace=False):
                    _paste_segment(image, labels, pixels, ids == chosen, rng)
                break
        return Example(image, labels)


def _scaled(whole: LabelledImage, longer_side: int) -> tuple[ByteImage, npt.NDArray[np.int64]]:
    """Image and labels with the longer side `longer_side` px."""
    height, width = whole.labels.shape
    scale = longer_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = cv2.resize(whole.image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    ids = cv2.resize(whole.labels.astype(np.int32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(pixels, np.uint8), np.asarray(ids, np.int64)


def _paste_segment(
    image: ByteImage,
    labels: ByteImage,
    pixels: ByteImage,
    inside: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Paste a segment at a uniform place that holds it whole; what is larger than the scene is cut to its size."""
    x, y, width, height = cv2.boundingRect(inside.astype(np.uint8))
    width, height = min(width, labels.shape[1]), min(height, labels.shape[0])
    window = slice(y, y + height), slice(x, x + width)
    corner = random_window(labels.shape[1], width, rng), random_window(labels.shape[0], height, rng)
    paste_hard(image, labels, pixels[window], inside[window], corner)
