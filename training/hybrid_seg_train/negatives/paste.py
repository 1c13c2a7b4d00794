"""Pasting cut-outs into labelled images: sizes, places, edges (METHOD section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hybrid_seg_train.data.labels import OUTLIER
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.negatives.yolo import Cutout


@dataclass(frozen=True, slots=True)
class PasteRecipe:
    """How many objects are pasted, how large, where and how.

    Attributes:
        count: smallest and largest number of objects per image.
        sides: range of an object's longer side, px; drawn log-uniformly, so that small ones are as many as large ones.
        ground_share: share of objects whose foot stands on `ground` labels; the others lie anywhere.
        blend_share: share of objects with a softened edge; the others are pasted hard.
        ground: label ids that count as ground.
    """

    count: tuple[int, int] = (1, 3)
    sides: tuple[float, float] = (12.0, 220.0)
    ground_share: float = 0.5
    blend_share: float = 0.5
    ground: tuple[int, ...] = ()


def paste_objects(
    example: Example,
    cutouts: Sequence[Cutout],
    labels: Sequence[int],
    recipe: PasteRecipe,
    rng: np.random.Generator,
) -> Example:
    """A copy of `example` with objects pasted; their pixels carry the label that belongs to their cut-out.

    Args:
        example: the scene.
        cutouts: objects to choose from, uniformly.
        labels: the label of each cut-out's pixels (OUTLIER for negatives, a class id for known objects).
        recipe: counts, sizes, places, edges.
        rng: the source of all randomness.
    """
    image, target = example.image.copy(), example.labels.copy()
    for _ in range(int(rng.integers(recipe.count[0], recipe.count[1] + 1))):
        chosen = int(rng.integers(len(cutouts)))
        side = float(np.exp(rng.uniform(np.log(recipe.sides[0]), np.log(recipe.sides[1]))))
        patch, alpha = _vary(cutouts[chosen], min(side, 0.9 * min(target.shape)), rng)
        left, top = _place(example.labels, alpha, recipe, rng)
        _paste(image, target, patch, alpha, labels[chosen], (left, top), rng.random() < recipe.blend_share, rng)
    return Example(image, target)


def paste_negatives(
    example: Example, cutouts: Sequence[Cutout], recipe: PasteRecipe, rng: np.random.Generator
) -> Example:
    """`paste_objects` with every pasted pixel labelled OUTLIER."""
    return paste_objects(example, cutouts, [OUTLIER] * len(cutouts), recipe, rng)


def _vary(cutout: Cutout, side: float, rng: np.random.Generator) -> tuple[ByteImage, ByteImage]:
    """The cut-out flipped, turned, brightened and scaled so that its longer side is `side` px."""
    patch, alpha = cutout.image, cutout.alpha
    if rng.random() < 0.5:
        patch, alpha = patch[:, ::-1], alpha[:, ::-1]
    height, width = alpha.shape
    scale = side / max(height, width)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0.0, 10.0), scale)
    reach = np.abs(turn[:, :2]) @ (width, height)
    size = max(3, int(np.ceil(reach[0]))), max(3, int(np.ceil(reach[1])))
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    if scale < 0.5:  # warpAffine alone would alias
        patch = np.asarray(cv2.GaussianBlur(patch, (0, 0), 0.3 / scale), np.uint8)
    pixels = cv2.warpAffine(np.ascontiguousarray(patch), turn, size, borderMode=cv2.BORDER_REPLICATE)
    shape = cv2.warpAffine(np.ascontiguousarray(alpha), turn, size)
    lit = np.clip(pixels * rng.uniform(0.6, 1.25) + rng.uniform(-20, 20), 0, 255)
    return lit.astype(np.uint8), np.asarray(shape, np.uint8)


def _place(labels: ByteImage, alpha: ByteImage, recipe: PasteRecipe, rng: np.random.Generator) -> tuple[int, int]:
    """Left and top of the patch in the image; parts of it may lie outside."""
    height, width = alpha.shape
    if recipe.ground and rng.random() < recipe.ground_share:
        rows, columns = np.nonzero(np.isin(labels, recipe.ground))
        if rows.size:
            foot = int(rng.integers(rows.size))
            return int(columns[foot]) - width // 2, int(rows[foot]) - height + 1
    top = int(rng.integers(-height // 4, max(labels.shape[0] - 3 * height // 4, 1)))
    return int(rng.integers(-width // 4, max(labels.shape[1] - 3 * width // 4, 1))), top


def _paste(
    image: ByteImage,
    labels: ByteImage,
    patch: ByteImage,
    alpha: ByteImage,
    label: int,
    corner: tuple[int, int],
    blend: bool,
    rng: np.random.Generator,
) -> None:
    """Write the visible part of the patch into `image` and `labels`, in place."""
    left, top = max(corner[0], 0), max(corner[1], 0)
    right = min(corner[0] + alpha.shape[1], labels.shape[1])
    bottom = min(corner[1] + alpha.shape[0], labels.shape[0])
    if right <= left or bottom <= top:
        return
    seen = slice(top - corner[1], bottom - corner[1]), slice(left - corner[0], right - corner[0])
    there = slice(top, bottom), slice(left, right)
    if blend:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.6, 1.8)), np.uint8)
        if rng.random() < 0.5:
            patch = np.asarray(cv2.GaussianBlur(patch, (0, 0), rng.uniform(0.4, 1.2)), np.uint8)
        weight = alpha[seen][..., None].astype(np.float32) / 255
        image[there] = np.round(patch[seen] * weight + image[there] * (1 - weight)).astype(np.uint8)
    else:
        hard = alpha[seen] > 127
        image[there][hard] = patch[seen][hard]
    labels[there][alpha[seen] > 127] = label
