"""From a recipe to its labelled sets and its training stream."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import LabelSpace, load_label_space
from hybrid_seg_train.data.opening import open_source
from hybrid_seg_train.data.scenes import read_scenes, scene_encoder
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.data import SourcePart
from hybrid_seg_train.samples.augment import CropRecipe, LightRecipe
from hybrid_seg_train.samples.mixture import Mixture, Source
from hybrid_seg_train.samples.pasting import build_pasting, ground_classes

Statistics = tuple[float, float, float]


def known_classes(recipe: Recipe) -> LabelSpace:
    """The classes that a recipe's network knows.

    Raises:
        DataError: no such label space, or a held-out class that it does not have.
    """
    return load_label_space(recipe.classes).without(recipe.hold_out)


def ground_of(recipe: Recipe) -> tuple[int, ...]:
    """Ids of the known classes that things stand on."""
    return ground_classes(known_classes(recipe))


def coarse_sets(recipe: Recipe) -> CoarseSets:
    """The unions of known classes of a training, still without those its sources need."""
    return CoarseSets(len(known_classes(recipe)))


def read_source(
    part: SourcePart,
    recipe: Recipe,
    data: Path,
    *,
    coarse: CoarseSets | None = None,
    cache: Path | None = None,
    held_out_negative: bool = False,
    progress: bool = True,
) -> Sequence[Example]:
    """The images of one source, in the recipe's classes.

    Args:
        part: which source.
        recipe: says what is known and what is held out.
        data: the data root.
        coarse: the training's unions of classes; those that the source needs are added.
        cache: folder for generated scenes.
        held_out_negative: held-out classes are labelled negatives, for measuring; else void.
        progress: show progress bars.

    Raises:
        DataError: the set is not as expected.
    """
    target = load_label_space(recipe.classes)
    coarse = coarse_sets(recipe) if coarse is None else coarse
    if part.reader == "scenes":
        encode = scene_encoder(target, coarse, part.mapping, recipe.hold_out)
        return read_scenes(part.seeds, cache, encode=encode, progress=progress)
    return open_source(
        part.reader,
        data / part.path,
        part.split,
        target=target,
        coarse=coarse,
        mapping=part.mapping,
        held_out=recipe.hold_out,
        held_out_negative=held_out_negative,
        in_memory=part.in_memory,
        progress=progress,
    )


def build_mixture(
    recipe: Recipe,
    data: Path,
    *,
    mean: Statistics,
    std: Statistics,
    cache: Path | None = None,
    negatives: bool = True,
    progress: bool = True,
) -> tuple[Mixture, tuple[tuple[int, ...], ...]]:
    """The training stream of a recipe, and the unions of classes that its labels K + i stand for.

    Args:
        recipe: what is trained.
        data: the data root.
        mean: of the network's normalisation.
        std: of the network's normalisation.
        cache: folder for generated scenes and for what scanning negatives found.
        negatives: paste them; a closed-set training does not.
        progress: show progress bars.

    Raises:
        DataError: a set is not as expected.
    """
    coarse = coarse_sets(recipe)
    sources = [
        Source(
            read_source(part, recipe, data, coarse=coarse, cache=cache and cache / "scenes", progress=progress),
            part.weight,
            part.scale,
            part.from_iteration * recipe.schedule.batch,
        )
        for part in recipe.sources
    ]
    crop = recipe.crop
    mixture = Mixture(
        sources,
        CropRecipe((crop.width, crop.height), crop.scales, crop.rare, crop.rare_share, crop.law),
        LightRecipe(**recipe.light.model_dump()),
        build_pasting(recipe.negatives, known_classes(recipe), data, cache, none=not negatives, progress=progress),
        recipe.seed,
        mean,
        std,
    )
    return mixture, coarse.sets
