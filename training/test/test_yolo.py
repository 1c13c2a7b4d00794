from pathlib import Path

import cv2
import numpy as np
import pytest

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.yolo import read_cutouts


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
    (cutout,) = read_cutouts(make_set(tmp_path, [f"16 {RECTANGLE}"]))
    assert cutout.kind == 16
    assert cutout.alpha.shape == (40, 100)
    assert cutout.alpha.min() == 255
    assert (cutout.image == (10, 20, 30)).all()


def test_filters_kinds_and_tiny_objects(tmp_path: Path) -> None:
    tiny = "3 0.1 0.1 0.12 0.1 0.12 0.14"
    root = make_set(tmp_path, [f"0 {RECTANGLE}", f"5 {RECTANGLE}", tiny])
    assert [c.kind for c in read_cutouts(root)] == [0, 5]
    assert [c.kind for c in read_cutouts(root, without={0})] == [5]
    assert [c.kind for c in read_cutouts(root, only={0})] == [0]
    assert [c.kind for c in read_cutouts(root, min_side=4)] == [0, 5, 3]


@pytest.mark.parametrize(
    ("line", "message"),
    [("cat 0 0 1 1 0 1", "expected 'kind x1 y1"), ("1 0 0 1", "at least 3 points"), ("1 0 0 1 0 1 1 0.5", "7 numbers")],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as failure:
        read_cutouts(make_set(tmp_path, [f"0 {RECTANGLE}", line]))
    assert "a.txt:2" in str(failure.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image below images/"):
        read_cutouts(tmp_path)
