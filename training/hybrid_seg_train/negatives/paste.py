"""Pasting cut-outs into labelled images: sizes, places, edges (METHOD section 2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from hybrid_seg_train.data.labels import OUTLIER
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.light import STRENGTH, match_light
from hybrid_seg_train.negatives.paster import When


@dataclass(frozen=True, slots=True)
class PasteRecipe:
    """How many objects are pasted, how large, where and how.

    Attributes:
        count: smallest and largest number of objects per image.
        sides: range of an object's longer side, px; drawn log-uniformly, so that small ones are as many as large ones.
        ground_share: share of objects whose foot stands on `ground` labels; the others lie anywhere.
        blend_share: share of objects with a softened edge; the others are pasted hard.
        ground: label ids that count as ground.
        match_light: share of objects whose colours are moved towards those around them.
        perspective: share of objects that, where they stand on the ground, have the size that follows from how far away
            that is: a foot is as many pixels below the horizon as the camera's height has at its distance.
        heights: range of such an object's longer side as a multiple of the camera's height; drawn log-uniformly.
        enlarge: no object becomes larger than this many times its cut-out: blur would tell it.
    """

    count: tuple[int, int] = (1, 3)
    sides: tuple[float, float] = (12.0, 220.0)
    ground_share: float = 0.5
    blend_share: float = 0.5
    ground: tuple[int, ...] = ()
    match_light: float = 0.0
    perspective: float = 0.0
    heights: tuple[float, float] = (0.08, 1.0)
    enlarge: float = math.inf


@dataclass(frozen=True, slots=True)
class ObjectsPaster:
    """Single objects, pasted after the scene's augmentation.

    Attributes:
        cutouts: objects to choose from, uniformly.
        recipe: counts, sizes, places, edges.
        labels: class id of each cut-out, for known objects among the pasted, so that a pasted edge alone does not mean
            "unknown"; None labels every object OUTLIER.
        share: share of scenes that get any.
    """

    when: ClassVar[When] = "after"
    cutouts: Sequence[Cutout]
    recipe: PasteRecipe
    labels: Sequence[int] | None = None
    share: float = 1.0

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """A copy of `example` with objects pasted."""
        if self.share < 1 and rng.random() >= self.share:
            return Example(example.image.copy(), example.labels.copy())
        labels = OUTLIER if self.labels is None else self.labels
        return paste_objects(example, self.cutouts, labels, self.recipe, rng)


def paste_objects(
    example: Example,
    cutouts: Sequence[Cutout],
    labels: Sequence[int] | int,
    recipe: PasteRecipe,
    rng: np.random.Generator,
) -> Example:
    """A copy of `example` with objects pasted; their pixels carry the label that belongs to their cut-out.

    Args:
        example: the scene.
        cutouts: objects to choose from, uniformly.
        labels: the label of each cut-out's pixels, or of all (OUTLIER for negatives, class ids for known objects).
        recipe: counts, sizes, places, edges.
        rng: the source of all randomness.
    """
    image, target = example.image.copy(), example.labels.copy()
    for _ in range(int(rng.integers(recipe.count[0], recipe.count[1] + 1))):
        chosen = int(rng.integers(len(cutouts)))
        side = float(np.exp(rng.uniform(np.log(recipe.sides[0]), np.log(recipe.sides[1]))))
        cutout = cutouts[chosen]
        share, foot = recipe.ground_share, None
        if recipe.perspective and rng.random() < recipe.perspective:
            share = float(rng.random() < share)
            if share:
                height = float(np.exp(rng.uniform(*np.log(recipe.heights))))
                foot = standing_place(example.labels, recipe.ground, recipe.sides[0] / height, rng)
        if foot is not None:
            side = min(height * foot[2], recipe.sides[1])
        side = min(side, recipe.enlarge * max(cutout.alpha.shape), 0.9 * min(target.shape))
        patch, alpha = _vary(cutout, side, rng)
        corner = _place(example.labels, alpha, recipe.ground, share, rng) if foot is None else _standing(alpha, foot)
        if recipe.match_light and rng.random() < recipe.match_light:
            patch = match_light(patch, alpha, example.image, corner, rng.uniform(*STRENGTH))
        label = labels if isinstance(labels, int) else labels[chosen]
        _paste(image, target, patch, alpha, label, corner, rng.random() < recipe.blend_share, rng)
    return Example(image, target)


def paste_negatives(
    example: Example, cutouts: Sequence[Cutout], recipe: PasteRecipe, rng: np.random.Generator
) -> Example:
    """`paste_objects` with every pasted pixel labelled OUTLIER."""
    return paste_objects(example, cutouts, OUTLIER, recipe, rng)


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


def _place(
    labels: ByteImage, alpha: ByteImage, ground: Sequence[int], ground_share: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Left and top of the patch in the image; parts of it may lie outside."""
    height, width = alpha.shape
    if ground and rng.random() < ground_share:
        rows, columns = np.nonzero(np.isin(labels, ground))
        if rows.size:
            foot = int(rng.integers(rows.size))
            return int(columns[foot]) - width // 2, int(rows[foot]) - height + 1
    top = int(rng.integers(-height // 4, max(labels.shape[0] - 3 * height // 4, 1)))
    return int(rng.integers(-width // 4, max(labels.shape[1] - 3 * width // 4, 1))), top


def standing_place(
    labels: ByteImage, ground: Sequence[int], min_drop: float, rng: np.random.Generator
) -> tuple[int, int, int] | None:
    """Column and row of a foot on the ground, and how many pixels it lies below the horizon.

    The horizon is where the ground begins; where the upper edge of the image cuts it off, it is out of sight and there
    is no telling sizes. Distances are drawn log-uniformly, so that far feet are as many as near ones.

    Args:
        labels: uint8[H, W] of the scene.
        ground: label ids that count as ground.
        min_drop: no foot is less far below the horizon, px: objects there would be too small.
        rng: the source of all randomness.

    Returns:
        (column, row, rows below the horizon), or None where no ground is that far below a horizon in sight.
    """
    on_ground = np.isin(labels, ground)
    # A few stray pixels of ground high up are label noise.
    rows = np.flatnonzero(on_ground.sum(axis=1) > 0.02 * labels.shape[1])
    if not rows.size or rows[0] == 0:
        return None
    drops = rows - rows[0]
    if drops[-1] < max(min_drop, 1.0):
        return None
    wanted = np.exp(rng.uniform(np.log(max(min_drop, 1.0)), np.log(drops[-1])))
    chosen = int(np.searchsorted(drops, wanted))
    row = int(rows[min(chosen, len(rows) - 1)])
    return int(rng.choice(np.flatnonzero(on_ground[row]))), row, row - int(rows[0])


def _standing(alpha: ByteImage, foot: tuple[int, int, int]) -> tuple[int, int]:
    """Left and top of a patch whose object has its lowest pixel at the foot's row, around its column."""
    rows = np.flatnonzero((alpha > 127).any(axis=1))
    lowest = int(rows[-1]) if rows.size else alpha.shape[0] - 1
    return foot[0] - alpha.shape[1] // 2, foot[1] - lowest


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
