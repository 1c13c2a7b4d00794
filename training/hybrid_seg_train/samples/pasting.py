"""From a recipe's negatives to what is pasted into its samples."""

import math
from dataclasses import replace
from pathlib import Path

from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.classes import ClassFilter, unknown_classes
from hybrid_seg_train.negatives.paste import ObjectsPaster, PasteRecipe
from hybrid_seg_train.negatives.paster import Paster
from hybrid_seg_train.negatives.published import PublishedPaster, SegmentsPaster
from hybrid_seg_train.negatives.read import read_labelled_images, read_negatives
from hybrid_seg_train.recipe.data import NegativeSetPart, NegativesPart
from hybrid_seg_train.samples.mixture import Pasting

_SIDEWALKS = ("pavement", "sidewalk")

# Less than this of a known object, px, and its class cannot be told.
_KNOWN_SIDE = 40


def ground_classes(space: LabelSpace) -> tuple[int, ...]:
    """Ids of the classes that things stand on: what is drivable, and sidewalks."""
    return tuple(i for i, c in enumerate(space.classes) if c.drivable or c.name.lower() in _SIDEWALKS)


def class_filter(part: NegativeSetPart) -> ClassFilter:
    """Which classes of a set are pasted: what looks like nothing that road scenes hold, less `exclude`."""
    return unknown_classes(part.kind, without=part.exclude, only=part.only)


def build_pasting(
    part: NegativesPart,
    space: LabelSpace,
    data: Path,
    cache: Path | None = None,
    *,
    none: bool = False,
    progress: bool = True,
) -> Pasting:
    """The pasters of a recipe.

    Args:
        part: sets, flow and how they are pasted.
        space: the known classes.
        data: the data root.
        cache: folder that keeps what scanning a set found.
        none: paste nothing, whatever the recipe says.
        progress: show a progress bar while scanning.

    Raises:
        DataError: a set is not as expected.
    """
    if none:
        return Pasting()
    flow_share = 0.0 if part.flow is None else part.flow.share
    if flow_share < 1 and part.flow is not None and not part.sets:
        raise DataError(f"negatives.flow.share is {flow_share} and there is no set for the rest; expected 1, or a set")
    negatives = [_paster(s, part, space, data, cache, progress) for s in part.sets] if flow_share < 1 else []
    known = [_known_paster(s, part, space, data, cache, progress) for s in part.sets[:1] if part.known_share]
    return Pasting(negatives, known, flow_share)


def _paster(
    one: NegativeSetPart, part: NegativesPart, space: LabelSpace, data: Path, cache: Path | None, progress: bool
) -> Paster:
    root, classes = data / one.path, class_filter(one)
    if part.recipe == "objects":
        cutouts = read_negatives(one.kind, root, classes=classes, cache=cache, progress=progress)
        return ObjectsPaster(cutouts, _objects(part, space))
    if part.recipe == "published":
        images = read_labelled_images(one.kind, root, classes=classes, cache=cache, progress=progress)
        return PublishedPaster(images, part.patch)
    images = read_labelled_images(one.kind, root, classes=classes, instances=True, cache=cache, progress=progress)
    return SegmentsPaster(images, part.count[1], (round(part.sides[0]), round(part.sides[1])))


def _objects(part: NegativesPart, space: LabelSpace) -> PasteRecipe:
    return PasteRecipe(
        part.count,
        part.sides,
        part.ground_share,
        part.blend_share,
        ground_classes(space),
        part.match_light,
        part.perspective,
        enlarge=part.enlarge or math.inf,
    )


def _known_paster(
    one: NegativeSetPart, part: NegativesPart, space: LabelSpace, data: Path, cache: Path | None, progress: bool
) -> ObjectsPaster:
    """Known objects of the first set, pasted with the label of their class."""
    places = {name: index for index, name in enumerate(space.names)}
    labels = {kind: places[name] for kind, name in part.known.items() if name in places}
    if not labels:
        raise DataError(f"negatives.known names {', '.join(part.known.values())}; {space.name} knows none of them")
    only = ClassFilter(only=frozenset(labels))
    cutouts = read_negatives(
        one.kind, data / one.path, classes=only, min_side=_KNOWN_SIDE, cache=cache, progress=progress
    )
    once = replace(_objects(part, space), count=(1, 1), ground_share=1.0, blend_share=0.5)
    return ObjectsPaster(cutouts, once, [labels[kind] for kind in cutouts.kinds], part.known_share)
