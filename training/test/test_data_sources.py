"""What all readers have in common: laziness, checks and errors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trees

from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.labelled_set import LabelledSet, check
from hybrid_seg_train.data.opening import open_source
from hybrid_seg_train.data.readers import READERS
from hybrid_seg_train.data.sources import DataError


def camvid(root: Path, count: int = 3) -> Path:
    for place in range(count):
        trees.picture(root / f"train/images/{place:02d}.png", place)
        trees.mask(root / f"train/labels/{place:02d}.png", tuple(range(12)), place)
    return root


def opened(root: Path, *, in_memory: bool = False) -> LabelledSet:
    target = load_label_space("camvid11")
    return open_source(
        "camvid", root, "train", target=target, coarse=CoarseSets(11), in_memory=in_memory, progress=False
    )


def test_lazy_sets_decode_at_every_access_and_kept_ones_once(tmp_path: Path) -> None:
    lazy, kept = opened(camvid(tmp_path)), opened(tmp_path, in_memory=True)
    before = [lazy[i] for i in range(3)]
    for example, same in zip(before, kept, strict=True):
        np.testing.assert_array_equal(example.image, same.image)
        np.testing.assert_array_equal(example.labels, same.labels)
    assert lazy[1] is not lazy[1]
    trees.mask(tmp_path / "train/labels/01.png", (3,))
    assert (lazy[1].labels == 3).all()
    np.testing.assert_array_equal(kept[1].labels, before[1].labels)
    np.testing.assert_array_equal(lazy[-1].labels, before[-1].labels)


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "label outside": (
        lambda root: trees.mask(root / "train/labels/01.png", (12,)),
        r"01\.png: holds label 12, expected one of \[0, 1",
    ),
    "sizes differ": (
        lambda root: trees.picture(root / "train/images/01.png", size=(5, 8)),
        r"01\.png: is \(8, 6\) px, its image 01\.png \(8, 5\)",
    ),
    "colours": (
        lambda root: trees.colored(root / "train/labels/01.png", ((1, 2, 3),)),
        r"expected one 8 bit channel of class ids, found shape \(6, 8, 3\)",
    ),
    "no label picture": (
        lambda root: (root / "train/labels/01.png").write_text("no image"),
        r"01\.png: cannot be read, expected a label image",
    ),
    "label picture cut short": (
        lambda root: (root / "train/labels/01.png").write_bytes((root / "train/labels/01.png").read_bytes()[:60]),
        r"01\.png: cannot be read, expected a label image",
    ),
    "no picture": (
        lambda root: (root / "train/images/01.png").write_text("no image"),
        r"01\.png: cannot be read as an image",
    ),
}


@pytest.mark.parametrize("odd", BREAKS)
def test_odd_files_are_named_at_access_and_by_a_check(tmp_path: Path, odd: str) -> None:
    break_it, message = BREAKS[odd]
    break_it(camvid(tmp_path))
    source = opened(tmp_path)
    assert source[0].labels.shape == trees.SIZE
    for act in (lambda: source[1], lambda: check(source), lambda: opened(tmp_path, in_memory=True)):
        with pytest.raises(DataError, match=message):
            act()


def test_images_without_labels_are_found_on_opening(tmp_path: Path) -> None:
    camvid(tmp_path)
    (tmp_path / "train/labels/02.png").unlink()
    with pytest.raises(
        DataError, match=r"02\.png: not there, expected the labels of .*02\.png \(1 of 3 images have none\)"
    ):
        opened(tmp_path)


def test_a_check_spreads_its_sample_and_counts(tmp_path: Path) -> None:
    source = opened(camvid(tmp_path, 9))
    report = check(source, 3)
    assert (report.images, report.checked, report.sizes) == (9, 3, ((8, 6),))
    pooled = np.concatenate([source[i].labels.ravel() for i in (0, 4, 8)])
    assert report.shares == {int(v): float((pooled == v).mean()) for v in np.unique(pooled)}
    assert check(source, None).checked == 9
    (tmp_path / "train/labels/08.png").write_text("cut short")
    with pytest.raises(DataError, match=r"08\.png"):
        check(source, 2)
    with pytest.raises(ValueError, match="sample is 0, expected at least 1"):
        check(source, 0)


@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_missing_set_shows_the_expected_folders(tmp_path: Path, reader: str) -> None:
    with pytest.raises(DataError, match=r"(?s)no images found, expected .*\n  .*/"):
        READERS[reader](tmp_path / "nowhere", "all" if reader in ("wilddash2", "a2d2") else "train")


def test_a_missing_split_says_which_there_are(tmp_path: Path) -> None:
    trees.cityscapes(tmp_path, "labelIds", (7,), split="val")
    with pytest.raises(DataError, match="expected Cityscapes' train split; found the splits val"):
        READERS["cityscapes"](tmp_path, "train")
    with pytest.raises(DataError, match=r"labelIds\.png: not there, nor .*unpack gtCoarse\.zip"):
        READERS["cityscapes_coarse"](tmp_path, "val")


def test_an_unknown_reader_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="kitti: no such reader; expected one of: a2d2, bdd100k, camvid"):
        open_source("kitti", tmp_path, "train", target=load_label_space("camvid11"), coarse=CoarseSets(11))
