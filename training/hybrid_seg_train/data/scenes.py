"""Generated scenes as a labelled source: exact labels, and unknown obstacles as negatives."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.scenes import CLASS_NAMES, SceneFrame, random_scene
from hybrid_seg_ros.scenes import VOID as SCENE_VOID
from hybrid_seg_train.data.coarse import CoarseSets, Encoder, build_encoder
from hybrid_seg_train.data.label_space import LabelSpace, load_label_space
from hybrid_seg_train.data.labels import OUTLIER, VOID
from hybrid_seg_train.data.mapping import hold_out, resolve_mapping
from hybrid_seg_train.data.sources import DataError, Example

SIZES = ((480, 360), (512, 288), (480, 320))
"""Image sizes (width, height) that scenes are drawn at, px."""


def as_example(scene: SceneFrame) -> Example:
    """A scene's picture and labels: known classes, OUTLIER on unknown obstacles, VOID on the rest."""
    labels = np.where(scene.labels == SCENE_VOID, VOID, scene.labels)
    labels = np.where(scene.anomaly == 1, OUTLIER, labels)
    return Example(np.ascontiguousarray(scene.frame.image), labels.astype(np.uint8))


def scene_encoder(
    target: LabelSpace, coarse: CoarseSets, mapping: str | None = None, held_out: Sequence[str] = ()
) -> Encoder:
    """From the labels of `as_example`, which are CamVid-11's, to those of a training with other classes.

    Args:
        target: the classes of the training, those that it holds out among them.
        coarse: the training's unions of classes; those that scenes need are added.
        mapping: name or path of a class mapping from camvid11; see `resolve_mapping` for what None takes.
        held_out: names of classes that stay unknown, as in `open_source`.

    Raises:
        DataError: a mapping that does not fit.
    """
    native = replace(load_label_space("camvid11"), outlier=frozenset({OUTLIER}))
    classes = resolve_mapping(native, target, mapping).then(hold_out(target, held_out))
    return build_encoder(native, target.without(held_out), classes, coarse)


def read_scenes(
    seeds: tuple[int, int], cache: Path | None = None, *, encode: Encoder | None = None, progress: bool = True
) -> list[Example]:
    """The random scenes of the seeds first..last - 1.

    Args:
        seeds: (first, last + 1).
        cache: folder in which drawn scenes are kept, one file per seed; nothing is kept when None. It is not noticed
            when the generator itself changes: delete the folder then.
        encode: see `scene_encoder`; None leaves CamVid-11's labels.
        progress: show a progress bar while drawing.

    Raises:
        DataError: an empty range of seeds.
    """
    if seeds[0] < 0 or seeds[1] <= seeds[0]:
        raise DataError(f"scene seeds are {seeds}, expected 0 <= first < last + 1")
    drawn = [_scene(seed, cache) for seed in tqdm(range(*seeds), "drawing scenes", disable=not progress)]
    if encode is None:
        return drawn
    return [Example(scene.image, encode(scene.labels, Path("generated scene"))) for scene in drawn]


def _scene(seed: int, cache: Path | None) -> Example:
    file = cache / f"scene_{seed:08d}.npz" if cache else None
    if file is not None and file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            return Example(stored["image"], stored["labels"])
    rng = np.random.default_rng((len(CLASS_NAMES), seed))
    example = as_example(random_scene(rng, SIZES[int(rng.integers(len(SIZES)))]))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, image=example.image, labels=example.labels)
        partial.replace(file)
    return example
