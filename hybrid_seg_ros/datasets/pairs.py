"""Any folder of images and a folder of masks: the reader that the simple benchmarks are made of, too."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, by_stem, list_files, list_masks
from hybrid_seg_ros.datasets.ids import Table, anomaly_table, read_mapped, translate_classes
from hybrid_seg_ros.datasets.sample import Averaging, Dataset, Sample, Track

MASK_ENDINGS = ("_labels_semantic", "_gtCoarse_labelIds", "_labelIds", "_labels", "_label", "_mask", "_gt", "")
"""What may stand behind the image's stem in the stem of its mask."""

IMAGE_ENDINGS = ("_leftImg8bit", "_rgb", "")
MASK_FOLDERS = ("labels_masks", "masks", "labels")
LAYOUT = "images/NAME.jpg (or .png, .webp ...) and labels_masks/NAME.png (or masks/, labels/; NAME_labels_semantic.png)"


def open_pairs(
    root: Path,
    *,
    classes: Sequence[str] | None = None,
    name: str = "pairs",
    images: str = "images",
    masks: str | None = None,
    anomaly_ids: Collection[int] = (1,),
    void_ids: Collection[int] = (255,),
    known_ids: Collection[int] | None = None,
    class_ids: Mapping[int, str] | None = None,
    track: Track = "anomaly",
    averaging: Averaging = "pooled",
    unlabelled: bool = False,
) -> Dataset:
    """Images and masks of one stem.

    Args:
        root: folder of the two folders.
        classes: the network's classes; `class_ids` are translated to them.
        name: of the set.
        images: folder of the images below root.
        masks: folder of the masks below root; None: the first of MASK_FOLDERS that is there.
        anomaly_ids: stored ids of anomalies.
        void_ids: stored ids of what does not count.
        known_ids: stored ids of what is known; None: all others.
        class_ids: stored id -> class name, where the masks hold classes, too.
        track: whose component sizes count.
        averaging: see `Dataset`.
        unlabelled: images without a mask are samples without labels, not problems.

    Raises:
        DatasetError: a folder is missing, no image has a mask, or ids contradict each other.
    """
    layout = f"in {root}: {LAYOUT}"
    mask_folder = root / (masks or next((f for f in MASK_FOLDERS if (root / f).is_dir()), MASK_FOLDERS[0]))
    found = by_stem(list_files(root / images, IMAGE_SUFFIXES, layout=layout), IMAGE_ENDINGS)
    masks_found = by_stem(list_masks(mask_folder, layout=layout), MASK_ENDINGS)
    return pair(
        name,
        found,
        masks_found,
        anomaly=anomaly_table(anomaly=anomaly_ids, void=void_ids, known=known_ids),
        class_ids=class_ids,
        classes=classes,
        track=track,
        averaging=averaging,
        unlabelled=unlabelled,
        layout=layout,
    )


def pair(
    name: str,
    images: Mapping[str, Path],
    masks: Mapping[str, Path],
    *,
    anomaly: Table,
    layout: str,
    class_ids: Mapping[int, str] | None = None,
    classes: Sequence[str] | None = None,
    track: Track = "anomaly",
    averaging: Averaging = "pooled",
    unlabelled: bool = False,
    folds: Mapping[str, int] | None = None,
) -> Dataset:
    """A set of images and masks (sample name -> file); what has no partner is a problem.

    `anomaly` maps stored ids to 0 known, 1 anomaly, 255 void; `folds` sample names to folds; `layout` says what is
    expected where nothing fits. The others are those of `open_pairs`.

    Raises:
        DatasetError: no image has a mask.
    """
    translation = translate_classes(class_ids, classes)
    samples, problems = [], list(translation.problems)
    for sample, image in images.items():
        mask = masks.get(sample)
        if mask is None and not unlabelled:
            problems.append((str(image), "no mask; the image is left out"))
            continue
        samples.append(
            Sample(
                name=sample,
                image=image,
                anomaly_reader=partial(read_mapped, mask, anomaly) if mask else None,
                labels_reader=partial(read_mapped, mask, translation.table)
                if mask and translation.table is not None
                else None,
                fold=(folds or {}).get(sample),
                files=(image, mask) if mask else (image,),
            )
        )
    problems += [(str(mask), "a mask without image") for stem, mask in masks.items() if stem not in images]
    if not any(sample.anomaly_reader for sample in samples) and not unlabelled:
        one, other = next(iter(images.values())), next(iter(masks.values()))
        raise DatasetError(f"no image has a mask, for instance {one} and {other}; expected {layout}")
    return Dataset(name, tuple(samples), track, averaging, translation.classes, tuple(problems))
