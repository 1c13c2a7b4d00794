"""Each benchmark in small, in its own layout: which files belong together and what their ids mean."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.label_sets import ids, picture

from hybrid_seg_ros.datasets import DATASETS, Camera, DatasetError, open_dataset

ROW = [0, 1, 2, 3, 254, 255]


def first_row(reading: np.ndarray | None) -> list[int]:
    assert reading is not None
    return reading[0].tolist()


def lost_and_found_frame(root: Path, scene: str, number: str, row: list[int], split: str = "test") -> str:
    name = f"{scene}_{number}"
    picture(root / f"leftImg8bit/{split}/{scene}/{name}_leftImg8bit.png")
    ids(root / f"gtCoarse/{split}/{scene}/{name}_gtCoarse_labelIds.png", row)
    ids(root / f"gtCoarse/{split}/{scene}/{name}_gtCoarse_labelTrainIds.png", [9] * 6)
    return name


class TestSegmentMeIfYouCan:
    def test_anomaly_track_takes_the_images_with_public_masks(self, tmp_path: Path) -> None:
        for name in ("validation0000", "validation0001", "bear0001", "zebra0002"):
            picture(tmp_path / f"images/{name}.jpg")
        for name in ("validation0000", "validation0001"):
            ids(tmp_path / f"labels_masks/{name}_labels_semantic.png", ROW)
            ids(tmp_path / f"labels_masks/{name}_labels_semantic_color.png", np.zeros((4, 6, 3)))
        found = open_dataset("road-anomaly21", tmp_path)
        assert [sample.name for sample in found.samples] == ["validation0000", "validation0001"]
        assert (found.track, found.averaging, found.classes) == ("anomaly", "pooled", None)
        assert first_row(found.samples[0].anomaly()) == [0, 1, 255, 255, 255, 255]
        assert found.problems == (("road-anomaly21", "2 images, the complete set has 10"),)

        everything = open_dataset("road-anomaly21", tmp_path, split="all")
        assert len(everything.samples) == 4
        assert everything.samples[0].name == "bear0001"
        assert everything.samples[0].anomaly() is None

    def test_obstacle_track_leaves_out_what_the_split_does(self, tmp_path: Path) -> None:
        for name in ("validation_1", "validation_19", "validation_21", "validation_30", "snowstorm1_1"):
            picture(tmp_path / f"images/{name}.webp")
            if "validation" in name:
                ids(tmp_path / f"labels_masks/{name}_labels_semantic.png", ROW)
        found = open_dataset("road-obstacle21", tmp_path)
        assert [sample.name for sample in found.samples] == ["validation_1", "validation_30"]
        assert found.track == "obstacle"
        assert found.samples[0].read_image().shape == (4, 6, 3)

    def test_renamed_images(self, tmp_path: Path) -> None:
        for number in (0, 1, 10, 2):
            picture(tmp_path / f"images/{number}.jpg")
            ids(tmp_path / f"labels_masks/{number}.png", ROW)
        assert [s.name for s in open_dataset("road-anomaly21", tmp_path).samples] == ["0", "1", "2", "10"]

    def test_a_mask_that_is_missing_and_another_split(self, tmp_path: Path) -> None:
        picture(tmp_path / "images/validation0.jpg")
        picture(tmp_path / "images/validation1.jpg")
        ids(tmp_path / "labels_masks/validation1_labels_semantic.png", ROW)
        problems = open_dataset("road-anomaly21", tmp_path).problems
        assert problems[0] == ("images/validation0.jpg", "no mask; the image is left out")
        with pytest.raises(DatasetError, match="split 'test' of road-anomaly21: expected validation or all"):
            open_dataset("road-anomaly21", tmp_path, split="test")


class TestLostAndFound:
    def test_road_is_known_obstacles_are_anomalies_the_rest_void(self, tmp_path: Path) -> None:
        name = lost_and_found_frame(tmp_path, "02_Hanns_Klemm_Str_44", "000000_000020", [0, 1, 2, 39, 200, 255])
        found = open_dataset("lost-and-found", tmp_path)
        (sample,) = found.samples
        assert sample.name == name
        assert first_row(sample.anomaly()) == [255, 0, 1, 1, 1, 255]
        assert (found.track, sample.disparity(), sample.camera) == ("obstacle", None, None)
        assert found.problems == (("lost-and-found", "1 images, the complete set has 1186"),)

    def test_disparity_and_camera(self, tmp_path: Path) -> None:
        scene = "02_Hanns_Klemm_Str_44"
        names = [lost_and_found_frame(tmp_path, scene, f"000000_00000{i}", ROW) for i in range(3)]
        for name in names[:2]:
            ids(tmp_path / f"disparity/test/{scene}/{name}_disparity.png", [0, 1, 257, 2561, 2690, 65535], np.uint16)
        camera = tmp_path / f"camera/test/{scene}/{names[0]}_camera.json"
        camera.parent.mkdir(parents=True)
        camera.write_text(json.dumps({"extrinsic": {"baseline": 0.21}, "intrinsic": {"fx": 2268.0, "fy": 2270.0}}))
        found = open_dataset("lost-and-found", tmp_path)
        first, second, third = found.samples
        assert first_row(first.disparity()) == [0.0, 0.0, 1.0, 10.0, 2689 / 256, 65534 / 256]
        assert first.disparity().dtype == np.float32
        assert first.camera == Camera(0.21, 2268.0)
        assert camera in first.files
        assert second.disparity() is None
        assert found.problems[0] == (
            f"camera/test/{scene}/{names[1]}_camera.json",
            "no such file; the image has no distances",
        )
        assert third.disparity() is None

    @pytest.mark.parametrize("text", ["{", "{}", '{"extrinsic": {"baseline": 0}, "intrinsic": {"fx": 2000}}', "[1]"])
    def test_cameras_that_cannot_be(self, tmp_path: Path, text: str) -> None:
        name = lost_and_found_frame(tmp_path, "02_A", "000000_000020", ROW)
        ids(tmp_path / f"disparity/test/02_A/{name}_disparity.png", [300] * 6, np.uint16)
        (tmp_path / "camera/test/02_A").mkdir(parents=True)
        (tmp_path / f"camera/test/02_A/{name}_camera.json").write_text(text)
        found = open_dataset("lost-and-found", tmp_path)
        assert found.samples[0].camera is None
        assert "; the image has no distances" in found.problems[0][1]

    def test_a_disparity_of_8_bits_is_refused(self, tmp_path: Path) -> None:
        name = lost_and_found_frame(tmp_path, "02_A", "000000_000020", ROW)
        path = ids(tmp_path / f"disparity/test/02_A/{name}_disparity.png", ROW)
        camera = tmp_path / f"camera/test/02_A/{name}_camera.json"
        camera.parent.mkdir(parents=True)
        camera.write_text('{"extrinsic": {"baseline": 0.2}, "intrinsic": {"fx": 2000}}')
        with pytest.raises(DatasetError, match=rf"{path.name}: disparities are uint8, expected 16 bits"):
            open_dataset("lost-and-found", tmp_path).samples[0].disparity()

    def test_no_known_objects(self, tmp_path: Path) -> None:
        kept = lost_and_found_frame(tmp_path, "01_Hanns_Klemm_Str_45", "000005_000100", ROW)
        lost_and_found_frame(tmp_path, "01_Hanns_Klemm_Str_45", "000006_000100", ROW)
        lost_and_found_frame(tmp_path, "15_Rechbergstr_Deckenpfronn", "000000_000010", ROW)
        lost_and_found_frame(tmp_path, "10_Schlossberg_9", "000004_000010", ROW)
        other = lost_and_found_frame(tmp_path, "10_Schlossberg_9", "000003_000010", ROW)
        found = open_dataset("lost-and-found-noknown", tmp_path)
        assert [sample.name for sample in found.samples] == [kept, other]
        assert len(open_dataset("lost-and-found", tmp_path).samples) == 5

    def test_the_complete_split_loses_its_unlabelled_frames(self, tmp_path: Path) -> None:
        # 1036 names without content: which of them stay is decided by name alone.
        for folder, ending in (("leftImg8bit", "_leftImg8bit"), ("gtCoarse", "_gtCoarse_labelIds")):
            (tmp_path / folder / "train/05_S").mkdir(parents=True)
            for i in range(1036):
                (tmp_path / folder / f"train/05_S/05_S_000000_{i:06d}{ending}.png").touch()
        names = [sample.name for sample in open_dataset("lost-and-found", tmp_path, split="train").samples]
        assert len(names) == 1030
        gone = sorted({f"05_S_000000_{i:06d}" for i in range(1036)} - set(names))
        assert gone == [f"05_S_000000_{i:06d}" for i in (44, 67, 88, 109, 131, 614)]


class TestFishyscapes:
    def test_masks_beside_the_images_of_lost_and_found(self, tmp_path: Path) -> None:
        base = "04_Maurener_Weg_8_000000_000030"
        ids(tmp_path / f"fishyscapes_lostandfound/0000_{base}_labels.png", ROW)
        ids(tmp_path / "fishyscapes_lostandfound/0001_04_Other_000000_000010_labels.png", ROW)
        image = picture(tmp_path / f"leftImg8bit/train/04_Maurener_Weg_8/{base}_leftImg8bit.png")
        found = open_dataset("fishyscapes-laf", tmp_path)
        (sample,) = found.samples
        assert (sample.name, sample.image) == (f"0000_{base}", image)
        assert first_row(sample.anomaly()) == [0, 1, 255, 255, 255, 255]
        assert found.problems[0][0] == "fishyscapes_lostandfound/0001_04_Other_000000_000010_labels.png"
        assert "no image" in found.problems[0][1]

    def test_static_is_cityscapes_plus_overlay(self, tmp_path: Path) -> None:
        base = "frankfurt_000001_034047"
        ids(tmp_path / f"fs_val_v3/0003_{base}_labels.png", ROW)
        picture(tmp_path / f"leftImg8bit/val/frankfurt/{base}_leftImg8bit.png", 100)
        overlay = np.zeros((4, 6, 3), np.int16)
        overlay[0, 0] = (10, -20, 300)  # RGB
        np.savez(tmp_path / f"fs_val_v3/0003_{base}_rgb.npz", rgb=overlay)
        (sample,) = open_dataset("fishyscapes-static", tmp_path).samples
        image = sample.read_image()
        assert image[0, 0].tolist() == [255, 80, 110]
        assert (image[1:] == 100).all()
        assert image.dtype == np.uint8

        np.savez(tmp_path / f"fs_val_v3/0003_{base}_rgb.npz", rgb=overlay[:2])
        with pytest.raises(DatasetError, match=r"rgb\.npz: 'rgb' is int16\(2, 6, 3\), expected integers of the shape"):
            sample.read_image()
        (tmp_path / f"fs_val_v3/0003_{base}_rgb.npz").write_bytes(b"PK")
        with pytest.raises(DatasetError, match=r"rgb\.npz: expected an npz with an array 'rgb'"):
            sample.read_image()
        (tmp_path / f"fs_val_v3/0003_{base}_rgb.npz").unlink()
        with pytest.raises(DatasetError, match="no image"):  # the plain Cityscapes image has no anomaly in it
            open_dataset("fishyscapes-static", tmp_path)

    def test_images_beside_masks_and_the_two_folder_layouts(self, tmp_path: Path) -> None:
        ids(tmp_path / "a/0003_x_labels.png", ROW)
        picture(tmp_path / "a/0003_x_rgb.jpg")
        (sample,) = open_dataset("fishyscapes-static", tmp_path / "a").samples
        assert sample.image == tmp_path / "a/0003_x_rgb.jpg"
        for images, masks in (("images", "labels_masks"), ("original", "labels")):
            root = tmp_path / images
            picture(root / images / "7.png")
            ids(root / masks / "7.png", ROW)
            (sample,) = open_dataset("fishyscapes-laf", root).samples
            assert first_row(sample.anomaly()) == [0, 1, 255, 255, 255, 255]

    def test_nothing_of_it(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png")
        with pytest.raises(DatasetError, match=r"no file named 0000_ID_labels\.png; expected in .*fs_val_v3"):
            open_dataset("fishyscapes-static", tmp_path)


def test_road_anomaly(tmp_path: Path) -> None:
    picture(tmp_path / "frames/animals01.jpg")
    ids(tmp_path / "frames/animals01.labels/labels_semantic.png", ROW)
    (tmp_path / "frames/animals02.labels").mkdir()
    picture(tmp_path / "frames/animals02.jpg")
    found = open_dataset("road-anomaly", tmp_path)
    assert [sample.name for sample in found.samples] == ["animals01"]
    assert first_row(found.samples[0].anomaly()) == [0, 0, 1, 0, 0, 255]
    assert found.problems[0] == ("frames/animals02.jpg", "no mask; the image is left out")


def test_street_hazards(tmp_path: Path) -> None:
    row = [1, 2, 4, 13, 14, 15]
    for town in ("t5", "t6"):
        picture(tmp_path / f"test/images/test/{town}/300.png")
        ids(tmp_path / f"test/annotations/test/{town}/300.png", row)
    found = open_dataset("streethazards", tmp_path)
    assert [(sample.name, sample.fold) for sample in found.samples] == [("t5/300", 0), ("t6/300", 1)]
    assert found.averaging == "per_image"
    assert len(found.classes) == 12
    assert first_row(found.samples[0].anomaly()) == [0, 0, 255, 0, 1, 255]
    assert first_row(found.samples[0].labels()) == [0, 1, 255, 11, 255, 255]
    assert found.classes[:2] == ("unlabeled", "building")


@pytest.mark.parametrize(("folder", "shift"), [("labels", 0), ("train_labels", 2)])
def test_bdd_anomaly_is_what_has_one(tmp_path: Path, folder: str, shift: int) -> None:
    rows = {"a": [0, 1, 2, 13, 255, 255], "b": [0, 1, 16, 13, 255, 255], "c": [0, 18, 17, 13, 12, 255]}
    for name, row in rows.items():
        split = "val" if name == "c" else "train"
        picture(tmp_path / f"seg/images/{split}/{name}.jpg")
        ids(tmp_path / f"seg/{folder}/{split}/{name}_train_id.png", [(value + shift) % 256 for value in row])
    broken = tmp_path / f"seg/{folder}/train/d_train_id.png"
    broken.write_bytes(b"")
    found = open_dataset("bdd-anomaly", tmp_path, progress=False)
    assert [sample.name for sample in found.samples] == ["b", "c"]
    assert first_row(found.samples[0].anomaly()) == [0, 0, 1, 0, 255, 255]
    assert first_row(found.samples[1].labels()) == [0, 255, 255, 13, 12, 255]
    assert (len(found.classes), found.averaging) == (16, "per_image")
    assert found.problems[0][0] == f"seg/{folder}/train/d_train_id.png"
    broken.unlink()
    for name in ("b", "c"):
        ids(next(tmp_path.glob(f"seg/{folder}/*/{name}_*")), [shift] * 6)
    with pytest.raises(DatasetError, match="no mask holds one of the ids"):
        open_dataset("bdd-anomaly", tmp_path, progress=False)


class TestCamVid:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        for i in range(4):
            picture(tmp_path / f"val/images/{i}.jpg")
            ids(tmp_path / f"val/labels/{i}.png", [0, 3, 8, 9, 10, 11])
        return tmp_path

    def test_without_held_out_classes_nothing_is_an_anomaly(self, root: Path) -> None:
        found = open_dataset("camvid", root)
        assert first_row(found.samples[0].anomaly()) == [0, 0, 0, 0, 0, 255]
        assert first_row(found.samples[0].labels()) == [0, 3, 8, 9, 10, 255]
        assert found.samples[0].fold is None

    def test_a_held_out_class_that_the_network_has_is_told(self, root: Path) -> None:
        found = open_dataset("camvid", root, held_out=["Car", "SignSymbol"], classes=["road", "sign symbol"])
        told = [where for where, what in found.problems if "a class of the network" in what]
        assert told == ["class SignSymbol"]

    def test_held_out_classes_are_anomalies_and_no_class(self, root: Path) -> None:
        found = open_dataset("camvid", root, held_out=["Car", "Bicyclist"], classes=["road", "Sky", "Pedestrian"])
        assert first_row(found.samples[0].anomaly()) == [0, 0, 1, 0, 1, 255]
        assert first_row(found.samples[0].labels()) == [1, 0, 255, 2, 255, 255]
        assert [sample.fold for sample in found.samples] == [0, 0, 1, 1]
        assert ("class Building", "unknown to the network; left out of the closed set") in found.problems

    def test_the_layout_of_segnet(self, tmp_path: Path) -> None:
        picture(tmp_path / "test/a.png")
        ids(tmp_path / "testannot/a.png", ROW)
        assert [sample.name for sample in open_dataset("camvid", tmp_path, split="test").samples] == ["a"]

    def test_errors(self, root: Path) -> None:
        with pytest.raises(DatasetError, match=r"camvid has no class Dog to hold out; expected Sky, Building"):
            open_dataset("camvid", root, held_out=["Dog"])
        with pytest.raises(DatasetError, match="split 'x' of camvid"):
            open_dataset("camvid", root, split="x")
        with pytest.raises(DatasetError, match="train: no such folder; expected in"):
            open_dataset("camvid", root, split="train")


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_folder_names_the_layout(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected in ") as error:
        open_dataset(name, tmp_path)
    assert DATASETS[name].layout in str(error.value)
