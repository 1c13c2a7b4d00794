"""Labelled images with objects of kinds that training never pastes: for choosing thresholds, and for measuring."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_seg_train.data.labels import OUTLIER, VOID
from hybrid_seg_train.data.lazy import LazySequence
from hybrid_seg_train.data.sources import ByteImage, DataError, Example
from hybrid_seg_train.negatives.classes import ClassFilter, held_out_names
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.paste import PasteRecipe, paste_negatives
from hybrid_seg_train.negatives.read import read_negatives
from hybrid_seg_train.recipe import Recipe


@dataclass(frozen=True)
class WithUnseenObjects(LazySequence[Example]):
    """Every example with 1 to 3 of the objects pasted, made when it is asked for; the same seed pastes the same.

    Smaller objects than 16 px can hardly be told at 480 x 360; larger ones than 160 px stand in front of a bumper.

    Attributes:
        examples: the images.
        objects: what is pasted.
        ground: class ids that most objects stand on.
        seed: of the pasting.
    """

    examples: Sequence[Example]
    objects: Sequence[Cutout]
    ground: tuple[int, ...]
    seed: int = 0

    def __len__(self) -> int:
        return len(self.examples)

    def item(self, place: int) -> Example:
        """Example `place` with objects."""
        recipe = PasteRecipe((1, 3), (16.0, 160.0), ground_share=0.8, blend_share=0.8, ground=self.ground)
        return paste_negatives(self.examples[place], self.objects, recipe, np.random.default_rng((self.seed, place)))


def unseen_objects(recipe: Recipe, data: Path) -> Sequence[Cutout]:
    """The objects that a recipe's calibration names, else those of the held-out kinds in its first set of negatives.

    Raises:
        DataError: the recipe names no set, or the set is not as expected.
    """
    part = recipe.calibration.objects
    if part is None and not recipe.negatives.sets:
        raise DataError(
            f"{recipe.name}: whose objects are to be pasted for calibration? Name a set, for example"
            " --set 'calibration.objects={kind: yolo, path: negatives/coco128_seg}'"
        )
    one = part or recipe.negatives.sets[0]
    only = held_out_names(one.kind) if one.only is None else frozenset(one.only)
    return read_negatives(one.kind, data / one.path, classes=ClassFilter(without=frozenset(one.exclude), only=only))


def anomaly_labels(labels: ByteImage) -> ByteImage:
    """Training labels -> 0 known, 1 anomaly, 255 void."""
    return np.where(labels == OUTLIER, 1, np.where(labels == VOID, 255, 0)).astype(np.uint8)
