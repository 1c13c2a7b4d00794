from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.label_sets import ids, picture

from hybrid_seg_ros.datasets import open_dataset
from hybrid_seg_ros.datasets.ids import anomaly_table, read_mapped, translate_classes

IDS = st.integers(0, 300)


@settings(deadline=None, max_examples=50)
@given(
    roles=st.dictionaries(IDS, st.sampled_from(["known", "anomaly", "void"])),
    all_others_known=st.booleans(),
    stored=st.lists(IDS, min_size=1),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)
def test_every_pixel_gets_its_role(
    tmp_path_factory: pytest.TempPathFactory,
    roles: dict[int, str],
    all_others_known: bool,
    stored: list[int],
    dtype: type,
) -> None:
    stored = [value % 256 for value in stored] if dtype is np.uint8 else stored
    given_ids = {role: {value for value, r in roles.items() if r == role} for role in ("known", "anomaly", "void")}
    known = None if all_others_known else given_ids["known"]
    table = anomaly_table(anomaly=given_ids["anomaly"], void=given_ids["void"], known=known)
    path = ids(tmp_path_factory.mktemp("ids") / "a.png", [stored], dtype)
    other = "known" if all_others_known else "void"
    expected = [{"known": 0, "anomaly": 1, "void": 255}[roles.get(value, other)] for value in stored]
    assert read_mapped(path, table).tolist() == [expected]


def test_ids_beyond_a_byte(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png", shape=(1, 3))
    ids(tmp_path / "masks/a.png", [[7, 263, 1000]], np.uint16)  # 263 = 7 + 256
    (sample,) = open_dataset("pairs", tmp_path, anomaly_ids=[263], void_ids=[1000]).samples
    assert sample.anomaly().tolist() == [[0, 1, 255]]


def test_names_agree_without_case_and_punctuation() -> None:
    found = translate_classes({5: "traffic sign", 9: "Road", 2: "tree"}, ["ROAD", "Traffic_Sign", "sky"])
    assert found.classes == ("ROAD", "Traffic_Sign", "sky")
    assert found.table is not None
    assert found.table[[5, 9, 2, 0]].tolist() == [1, 0, 255, 255]
    assert found.problems == (("class tree", "unknown to the network; left out of the closed set"),)


def test_the_sets_own_classes_keep_the_order_of_their_ids() -> None:
    found = translate_classes({7: "b", 3: "a"}, None)
    assert found.classes == ("a", "b")
    assert found.table is not None
    assert found.table[[3, 7, 4]].tolist() == [0, 1, 255]
    assert translate_classes(None, ["a"]).table is None


def test_a_mask_in_another_format_than_png(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.bmp"), np.array([[0, 1, 2]], np.uint8))
    assert read_mapped(tmp_path / "a.bmp", anomaly_table(anomaly=(2,))).tolist() == [[0, 0, 1]]
