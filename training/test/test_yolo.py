from pathlib import Path

import cv2
import numpy as np
import pytest

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.classes import ClassFilter
from hybrid_seg_train.negatives.cutout import Cutouts
from hybrid_seg_train.negatives.read import read_negatives

ALL = ClassFilter()


def read(root: Path, classes: ClassFilter = ALL, min_side: int = 16) -> Cutouts:
    return read_negatives("yolo", root, classes=classes, min_side=min_side, progress=False)


def make_set(root: Path, lines: list[str]) -> Path:
    for folder in ("images/train", "labels/train"):
        (root / folder).mkdir(parents=True)
    image = np.zeros((100, 200, 3), np.uint8)
    image[20:60, 50:150] = (10, 20, 30)
    cv2.imwrite(str(root / "images/train/a.png"), image)
    cv2.imwrite(str(root / "images/train/empty.png"), image)
    (root / "labels/train/a.txt").write_text("\n".join(lines))
    (root / "labels/train/gone.txt").write_text("1 0 0 1 0 1 1")
    return root


RECTANGLE = "0.25 0.2 0.745 0.2 0.745 0.59 0.25 0.59"


def test_cuts_the_polygon_out_of_its_image(tmp_path: Path) -> None:
    (cutout,) = read(make_set(tmp_path, [f"16 {RECTANGLE}"]))
    assert cutout.kind == "dog"
    assert cutout.alpha.shape == (40, 100)
    assert cutout.alpha.min() == 255
    assert (cutout.image == (10, 20, 30)).all()


def test_filters_kinds_and_tiny_objects(tmp_path: Path) -> None:
    tiny = "3 0.1 0.1 0.12 0.1 0.12 0.14"
    root = make_set(tmp_path, [f"0 {RECTANGLE}", f"5 {RECTANGLE}", tiny])
    assert read(root).kinds == ["person", "bus"]
    assert read(root, ClassFilter(without=frozenset({"person"}))).kinds == ["bus"]
    assert read(root, ClassFilter(only=frozenset({"person"}))).kinds == ["person"]
    assert [c.kind for c in read(root, min_side=4)] == ["person", "bus", "motorcycle"]


def test_own_names_come_from_data_yaml(tmp_path: Path) -> None:
    root = make_set(tmp_path, [f"1 {RECTANGLE}"])
    (root / "data.yaml").write_text("names: [crate, pallet]\n")
    assert read(root).kinds == ["pallet"]
    (root / "data.yaml").write_text("names: {1: drum}\n")
    assert read(root).kinds == ["drum"]
    (root / "data.yaml").write_text("classes: [crate]\n")
    with pytest.raises(DataError, match=r"data\.yaml.*expected 'names'"):
        read(root)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cat 0 0 1 1 0 1", "expected 'kind x1 y1"),
        ("1 0 0 1", "at least 3 points"),
        ("1 0 0 1 0 1 1 0.5", "7 numbers"),
        ("80 0 0 1 0 1 1", r"class 80 has no name, known are 0\.\.79"),
        ("1 0 0 nan 0 1 1", "found numbers that are not finite"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as failure:
        read(make_set(tmp_path, [f"0 {RECTANGLE}", line]))
    assert "a.txt:2" in str(failure.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image below images/"):
        read(tmp_path)
