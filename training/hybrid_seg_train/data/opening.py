"""From a reader's name and a folder to a labelled set in the training's label space."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_train.data.coarse import CoarseSets, build_encoder
from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.labelled_set import LabelledSet
from hybrid_seg_train.data.mapping import hold_out, resolve_mapping
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
    held_out: Sequence[str] = (),
    held_out_negative: bool = False,
    in_memory: bool = False,
    progress: bool = True,
) -> LabelledSet:
    """A data set as training examples.

    Args:
        reader: name of a reader, see `READERS`.
        root: the set's folder.
        split: the set's split; its reader knows which there are.
        target: the classes of the training, those that it holds out among them.
        coarse: the training's unions of classes; those that this set needs are added. It is of as many classes as
            `target.without(held_out)`, which are those that the labels count.
        mapping: name or path of a class mapping; see `resolve_mapping` for what None takes.
        held_out: names of classes that stay unknown: void, and with them every coarse label that includes one.
        held_out_negative: make held-out classes labelled negatives, for measuring.
        in_memory: decode once, now, and keep.
        progress: show a progress bar while decoding into memory.

    Raises:
        DataError: no such reader, files missing or odd, or a mapping that does not fit.
    """
    if reader not in READERS:
        raise DataError(f"{reader}: no such reader; expected one of: {', '.join(sorted(READERS))}")
    listing = READERS[reader](root, split)
    classes = resolve_mapping(listing.space, target, mapping)
    classes = classes.then(hold_out(target, held_out, negative=held_out_negative))
    encode = build_encoder(listing.space, target.without(held_out), classes, coarse)
    return LabelledSet(f"{reader} {split}", listing, encode, in_memory=in_memory, progress=progress)
