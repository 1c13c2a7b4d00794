"""From a reader's name and a folder to a labelled set in the training's label space."""

from pathlib import Path

from hybrid_seg_train.data.coarse import CoarseSets, build_encoder
from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.labelled_set import LabelledSet
from hybrid_seg_train.data.mapping import resolve_mapping
from hybrid_seg_train.data.readers import READERS
from hybrid_seg_train.data.sources import DataError


def open_source(
    reader: str,
    root: Path,
    split: str,
    *,
    target: LabelSpace,
    coarse: CoarseSets,
    mapping: str | None = None,
    in_memory: bool = False,
    progress: bool = True,
) -> LabelledSet:
    """A data set as training examples.

    Args:
        reader: name of a reader, see `READERS`.
        root: the set's folder.
        split: the set's split; its reader knows which there are.
        target: the training's known classes.
        coarse: the training's unions of classes; those that this set needs are added.
        mapping: name or path of a class mapping; see `resolve_mapping` for what None takes.
        in_memory: decode once, now, and keep.
        progress: show a progress bar while decoding into memory.

    Raises:
        DataError: no such reader, files missing or odd, or a mapping that does not fit.
    """
    if reader not in READERS:
        raise DataError(f"{reader}: no such reader; expected one of: {', '.join(sorted(READERS))}")
    listing = READERS[reader](root, split)
    classes = resolve_mapping(listing.space, target, mapping)
    encode = build_encoder(listing.space, target, classes, coarse)
    return LabelledSet(f"{reader} {split}", listing, encode, in_memory=in_memory, progress=progress)
