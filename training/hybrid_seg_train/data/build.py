"""From a recipe to the training stream and the validation set."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_train.data.augment import CropRecipe, LightRecipe
from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.labels import BICYCLIST, CAR, IDD_LITE_AS_CAMVID11, PAVEMENT, PEDESTRIAN, ROAD
from hybrid_seg_train.data.mixture import Mixture, Pasting, Source
from hybrid_seg_train.data.opening import open_source
from hybrid_seg_train.data.scenes import read_scenes
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.negatives.classes import ClassFilter, unknown_classes
from hybrid_seg_train.negatives.paste import PasteRecipe
from hybrid_seg_train.negatives.read import read_negatives
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.data import NegativesPart, SourcePart

# COCO class -> known class.
_COCO_AS_CAMVID11 = {
    "person": PEDESTRIAN, "bicycle": BICYCLIST, "car": CAR, "motorcycle": BICYCLIST, "bus": CAR, "truck": CAR,
}  # fmt: skip


def read_source(part: SourcePart, data: Path, cache: Path | None = None) -> Sequence[Example]:
    """The images of one source.

    Args:
        part: which source.
        data: the data root.
        cache: folder for generated scenes.

    Raises:
        DataError: the set is not as expected.
    """
    if part.reader == "scenes":
        return read_scenes(part.seeds, cache)
    target = load_label_space("camvid11")
    return open_source(
        part.reader,
        data / part.path,
        part.split,
        target=target,
        coarse=CoarseSets(len(target), IDD_LITE_AS_CAMVID11),
        mapping=part.mapping,
        in_memory=part.in_memory,
    )


def build_mixture(recipe: Recipe, data: Path, cache: Path | None = None) -> Mixture:
    """The training stream of a recipe; `data` is the data root, `cache` a folder for generated scenes."""
    batch = recipe.schedule.batch
    sources = [
        Source(read_source(part, data, cache), part.weight, part.scale, part.from_iteration * batch)
        for part in recipe.sources
    ]
    crop = CropRecipe(
        (recipe.crop.width, recipe.crop.height), recipe.crop.scales, recipe.crop.rare, recipe.crop.rare_share
    )
    return Mixture(
        sources, crop, LightRecipe(**recipe.light.model_dump()), _pasting(recipe.negatives, data), recipe.seed
    )


def _pasting(part: NegativesPart, data: Path) -> Pasting:
    recipe = PasteRecipe(part.count, part.sides, part.ground_share, part.blend_share, ground=(ROAD, PAVEMENT))
    if not part.sets:
        return Pasting([], recipe)
    root = data / part.sets[0].path
    negatives = read_negatives("yolo", root, classes=unknown_classes("yolo"))
    if not part.known_share:
        return Pasting(negatives, recipe)
    only = ClassFilter(only=frozenset(_COCO_AS_CAMVID11))
    known = read_negatives("yolo", root, classes=only, min_side=40)
    return Pasting(negatives, recipe, known, [_COCO_AS_CAMVID11[kind] for kind in known.kinds], part.known_share)
