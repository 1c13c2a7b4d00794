import pickle
from pathlib import Path

import numpy as np
import pytest
from support.label_sets import ids, picture

from hybrid_seg_ros.datasets import DatasetError, open_dataset

ROW = [0, 1, 2, 3, 254, 255]


def test_ids_become_known_anomaly_and_void(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg", 30)
    ids(tmp_path / "labels_masks/a.png", ROW)
    (sample,) = open_dataset("pairs", tmp_path).samples
    assert sample.name == "a"
    assert sample.read_image().shape == (4, 6, 3)
    assert abs(int(sample.read_image().mean()) - 30) <= 1
    assert sample.anomaly().tolist() == [[0, 1, 0, 0, 0, 255]] * 4
    assert sample.labels() is None
    assert sample.disparity() is None

    (sample,) = open_dataset("pairs", tmp_path, anomaly_ids=[2, 3], void_ids=[0]).samples
    assert sample.anomaly()[0].tolist() == [255, 0, 1, 1, 0, 0]
    (sample,) = open_dataset("pairs", tmp_path, anomaly_ids=[2], void_ids=[], known_ids=[0, 1]).samples
    assert sample.anomaly()[0].tolist() == [0, 0, 1, 255, 255, 255]


def test_ids_in_two_roles_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    ids(tmp_path / "masks/a.png", ROW)
    with pytest.raises(DatasetError, match="id 1 is given as anomaly and as void"):
        open_dataset("pairs", tmp_path, void_ids=[1])
    with pytest.raises(DatasetError, match=r"anomaly id 70000: expected 0\.\.65535"):
        open_dataset("pairs", tmp_path, anomaly_ids=[70000])


def test_what_has_no_partner_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name in ("1", "2", "10"):
        picture(tmp_path / f"images/{name}.png")
        ids(tmp_path / f"labels/{name}.png", ROW)
    picture(tmp_path / "images/3.webp")
    ids(tmp_path / "labels/4.png", ROW)
    found = open_dataset("pairs", tmp_path)
    assert [sample.name for sample in found.samples] == ["1", "2", "10"]
    assert found.problems == (
        ("images/3.webp", "no mask; the image is left out"),
        ("labels/4.png", "a mask without image"),
    )


def test_a_set_without_any_pair_is_an_error(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    ids(tmp_path / "labels_masks/b.png", ROW)
    with pytest.raises(DatasetError, match=r"no image has a mask, for instance .*a\.jpg and .*b\.png; expected in"):
        open_dataset("pairs", tmp_path)


def test_a_mask_of_another_size_names_both_files(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg", shape=(8, 10))
    ids(tmp_path / "labels_masks/a.png", ROW)
    (sample,) = open_dataset("pairs", tmp_path).samples
    with pytest.raises(DatasetError, match=r"labels_masks/a\.png: anomaly labels of 6x4 px, but .*a\.jpg is 10x8 px"):
        sample.anomaly()


def test_two_images_of_one_name(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    picture(tmp_path / "images/a.png")
    ids(tmp_path / "labels_masks/a.png", ROW)
    with pytest.raises(DatasetError, match="two files for 'a'"):
        open_dataset("pairs", tmp_path)


def test_folders_options_and_names_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no set is named 'kitti'; expected one of .*pairs"):
        open_dataset("kitti", tmp_path)
    with pytest.raises(DatasetError, match=r"pairs has no option fold; expected .*anomaly_ids"):
        open_dataset("pairs", tmp_path, fold=1)
    with pytest.raises(DatasetError, match="nowhere: no such folder; expected pairs there: images/NAME"):
        open_dataset("pairs", tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="images: no such folder; expected in"):
        open_dataset("pairs", tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match=r"images: no file ending in \.png"):
        open_dataset("pairs", tmp_path)


def test_classes_are_translated_by_name(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    ids(tmp_path / "labels_masks/a.png", ROW)
    class_ids = {0: "road", 1: "traffic sign", 2: "llama"}
    found = open_dataset("pairs", tmp_path, class_ids=class_ids, classes=["Sky", "TrafficSign", "Road"])
    assert found.classes == ("Sky", "TrafficSign", "Road")
    assert found.samples[0].labels()[0].tolist() == [2, 1, 255, 255, 255, 255]
    assert found.problems == (("class llama", "unknown to the network; left out of the closed set"),)

    own = open_dataset("pairs", tmp_path, class_ids=class_ids)
    assert own.classes == ("road", "traffic sign", "llama")
    assert own.samples[0].labels()[0].tolist() == [0, 1, 2, 255, 255, 255]

    none = open_dataset("pairs", tmp_path, class_ids=class_ids, classes=["cow"])
    assert none.classes is None
    assert none.samples[0].labels() is None
    assert "none of the set's classes" in none.problems[0][1]


def test_samples_go_to_other_processes(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    ids(tmp_path / "labels_masks/a.png", ROW)
    found = open_dataset("pairs", tmp_path)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301  # made here
    np.testing.assert_array_equal(again.samples[0].anomaly(), found.samples[0].anomaly())
    assert again.samples[0].files == (tmp_path / "images/a.jpg", tmp_path / "labels_masks/a.png")
