"""Every published layout, generated in miniature, against a slow look at every pixel."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import trees
import yaml

from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.labelled_set import LabelledSet, check
from hybrid_seg_train.data.labels import IDD_LITE_AS_CAMVID11, OUTLIER, VOID
from hybrid_seg_train.data.mapping import load_mapping
from hybrid_seg_train.data.opening import open_source
from hybrid_seg_train.data.sources import DataError, Example


def opened(
    reader: str, root: Path, split: str, target: str = "cityscapes19", mapping: str | None = None
) -> LabelledSet:
    space = load_label_space(target)
    return open_source(reader, root, split, target=space, coarse=CoarseSets(len(space)), mapping=mapping)


def named(source: LabelledSet, index: int, target: str, coarse: CoarseSets | None = None) -> np.ndarray:
    """Labels of an example as sorted tuples of class names, one a pixel: the inverse of the encoding, by loops."""
    space = load_label_space(target)
    labels = source[index].labels
    out = np.empty(labels.shape, object)
    for place, label in np.ndenumerate(labels):
        if label in (VOID, OUTLIER):
            out[place] = () if label == VOID else ("outlier",)
        else:
            ids = [label] if label < len(space) else (coarse.sets[label - len(space)] if coarse else ())
            out[place] = tuple(sorted(space.names[i] for i in ids))
    return out


def expect(truth: np.ndarray, meaning: dict[int, tuple[str, ...]]) -> np.ndarray:
    out = np.empty(truth.shape, object)
    for place, value in np.ndenumerate(truth):
        out[place] = tuple(sorted(meaning[int(value)]))
    return out


CITYSCAPES_TRAIN_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
                        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}  # fmt: skip


def test_cityscapes_label_ids_become_train_ids(tmp_path: Path) -> None:
    trees.cityscapes(tmp_path, "labelIds", tuple(range(34)))
    source = opened("cityscapes", tmp_path, "train")
    assert [image.name[:11] for image, _ in source.listing.pairs] == ["bern_000001", "bern_000002", "ulm_000001_"]
    for index, seed in enumerate((2, 1, 0)):
        stored = trees.mask(tmp_path / "again.png", tuple(range(34)), seed)
        wanted = [[CITYSCAPES_TRAIN_IDS.get(int(value), VOID) for value in row] for row in stored]
        np.testing.assert_array_equal(source[index].labels, wanted)
        np.testing.assert_array_equal(source[index].image, trees.picture(tmp_path / "again_image.png", seed))


def test_cityscapes_prefers_train_ids_and_reads_coarse_truth(tmp_path: Path) -> None:
    trees.cityscapes(tmp_path, "labelIds", (7, 26))
    trees.cityscapes(tmp_path, "labelTrainIds", (*range(19), 255))
    assert set(np.unique(opened("cityscapes", tmp_path, "train")[0].labels)) == {*range(19), 255}
    trees.cityscapes(tmp_path, "labelIds", (7, 26, 0), truth="gtCoarse", split="train_extra")
    assert set(np.unique(opened("cityscapes_coarse", tmp_path, "train_extra")[1].labels)) == {0, 13, 255}


def test_bdd100k_in_both_layouts(tmp_path: Path) -> None:
    trees.picture(tmp_path / "images/10k/val/a1.jpg")
    truth = trees.mask(tmp_path / "labels/sem_seg/masks/val/a1.png", (0, 3, 18, 255))
    np.testing.assert_array_equal(opened("bdd100k", tmp_path, "val")[0].labels, truth)
    trees.picture(tmp_path / "old/seg/images/val/a1.jpg")
    truth = trees.mask(tmp_path / "old/seg/labels/val/a1_train_id.png", (1, 2, 255))
    np.testing.assert_array_equal(opened("bdd100k", tmp_path / "old", "val")[0].labels, truth)


# csTrainId of AutoNUE's 40 ids.
IDD_TRAIN_IDS = [0, 255, 255, 1, 255, 9, 11, 255, 12, 17, 18, 255, 13, 14, 15, 255, 255, 16, 255, 255, 3, 4, 255, 255,
                 7, 6, 5, 255, 255, 2, 255, 255, 8, 10, 255, 255, 255, 255, 255, 255]  # fmt: skip


def idd(root: Path, ending: str, ids: tuple[int, ...]) -> np.ndarray:
    trees.picture(root / "leftImg8bit/train/201/frame0029_leftImg8bit.jpg")
    return trees.mask(root / f"gtFine/train/201/frame0029_gtFine_{ending}.png", ids)


def test_idd_in_the_forms_of_its_tools(tmp_path: Path) -> None:
    truth = idd(tmp_path / "a", "labelids", tuple(range(40)))
    np.testing.assert_array_equal(opened("idd", tmp_path / "a", "train")[0].labels, np.array(IDD_TRAIN_IDS)[truth])
    truth = idd(tmp_path / "b", "labellevel3Ids", (0, 2, 4, 9, 22, 24, 25, 255))
    meaning = {0: 0, 2: 1, 4: 11, 9: 13, 22: 2, 24: 8, 25: 10, 255: 255}
    np.testing.assert_array_equal(opened("idd", tmp_path / "b", "train")[0].labels, np.vectorize(meaning.get)(truth))
    truth = idd(tmp_path / "c", "labelcsTrainIds", (0, 18, 255))
    np.testing.assert_array_equal(opened("idd", tmp_path / "c", "train")[0].labels, truth)


def test_idd_with_polygons_only_says_the_command(tmp_path: Path) -> None:
    idd(tmp_path, "labelids", (0,))
    (tmp_path / "gtFine/train/201/frame0029_gtFine_labelids.png").unlink()
    (tmp_path / "gtFine/train/201/frame0029_gtFine_polygons.json").write_text("{}")
    with pytest.raises(DataError, match=r"(?s)polygons only, .*createLabels\.py --datadir .* --id-type id"):
        opened("idd", tmp_path, "train")


def vistas_names() -> tuple[str, ...]:
    return tuple(load_mapping("mapillary_vistas_as_cityscapes19").classes)[:48]


def test_mapillary_vistas_takes_names_from_its_config_and_ids_from_palettes(tmp_path: Path) -> None:
    names = tuple(reversed(vistas_names()))
    trees.vistas(tmp_path, names)
    target = load_label_space("cityscapes19")
    coarse = CoarseSets(len(target))
    source = open_source("mapillary_vistas", tmp_path, "train", target=target, coarse=coarse)
    truth = trees.mask(tmp_path / "again.png", tuple(range(len(names))), 0)
    mapping = load_mapping("mapillary_vistas_as_cityscapes19").classes
    wanted = expect(truth, {i: mapping[name] for i, name in enumerate(names)})
    assert (named(source, 1, "cityscapes19", coarse) == wanted).all()
    assert coarse.sets


def test_mapillary_vistas_versions_have_their_own_folders(tmp_path: Path) -> None:
    trees.vistas(tmp_path, ("nature--sky",), split="validation")
    trees.vistas(tmp_path, ("construction--flat--road",), version="v2.0", split="validation")
    assert (opened("mapillary_vistas", tmp_path, "val")[0].labels == 10).all()
    assert (opened("mapillary_vistas_v2", tmp_path, "validation")[0].labels == 0).all()
    (tmp_path / "config_v2.0.json").write_text('{"labels": [{"name": "road"}]}')
    with pytest.raises(DataError, match=r"config_v2\.0\.json: expected .*labels.*found KeyError\('color'\)"):
        opened("mapillary_vistas_v2", tmp_path, "val")
    (tmp_path / "config_v2.0.json").unlink()
    with pytest.raises(DataError, match=r"config_v2\.0\.json: not there"):
        opened("mapillary_vistas_v2", tmp_path, "val")
    trees.vistas(tmp_path, ("construction--flat--raod",), version="v2.0", split="validation")
    with pytest.raises(DataError, match=r"no entry for 'construction--flat--raod'.*did you mean"):
        opened("mapillary_vistas_v2", tmp_path, "val")


def test_wilddash_reads_panoptic_segments(tmp_path: Path) -> None:
    truths = trees.panoptic(tmp_path, {0: "unlabeled", 1: "ego vehicle", 7: "road", 34: "pickup", 19: "traffic light"})
    source = opened("wilddash2", tmp_path, "all")
    meaning = {255: 255, 0: 255, 1: 255, 7: 0, 34: 14, 19: 6}
    for index, truth in enumerate(truths):
        np.testing.assert_array_equal(source[index].labels, np.vectorize(meaning.get)(truth))


def test_wilddash_splits_and_unlisted_segments(tmp_path: Path) -> None:
    trees.panoptic(tmp_path, {7: "road"}, count=21)
    train, val = (opened("wilddash2", tmp_path, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (19, 2)
    assert not set(train.listing.pairs) & set(val.listing.pairs)
    with pytest.raises(DataError, match="no split 'test', expected one of all, train, val"):
        opened("wilddash2", tmp_path, "test")
    content = json.loads((tmp_path / "panoptic.json").read_text())
    content["annotations"][0]["segments_info"] = []
    (tmp_path / "panoptic.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"wd0000\.png: holds segment \d+, which panoptic\.json does not list"):
        opened("wilddash2", tmp_path, "all")[0]


def test_camvid_with_11_ids(tmp_path: Path) -> None:
    trees.picture(tmp_path / "train/images/a.png")
    truth = trees.mask(tmp_path / "train/labels/a.png", tuple(range(12)))
    labels = opened("camvid", tmp_path, "train", "camvid11")[0].labels
    np.testing.assert_array_equal(labels, np.where(truth == 11, VOID, truth))


@pytest.mark.parametrize("layout", ["701", "split folders"])
def test_camvid_with_32_colours(tmp_path: Path, layout: str) -> None:
    native = load_label_space("camvid32")
    images, labels = ("701_StillsRaw_full", "LabeledApproved_full") if layout == "701" else ("val", "val_labels")
    trees.picture(tmp_path / images / "0001TP_1.png")
    trees.picture(tmp_path / images / "0001TP_0.png")
    index = trees.colored(tmp_path / labels / "0001TP_1_L.png", tuple(known.color for known in native.classes))
    trees.colored(tmp_path / labels / "0001TP_0_L.png", ((0, 0, 0),))
    (tmp_path / "val.txt").write_text("0001TP_1\n\n")
    source = opened("camvid", tmp_path, "val", "camvid11")
    mapping = load_mapping("camvid32_as_camvid11").classes
    wanted = expect(index, {i: mapping[name] for i, name in enumerate(native.names)})
    assert (named(source, len(source) - 1, "camvid11") == wanted).all()
    if layout == "701":
        assert len(source) == 1
        assert len(opened("camvid", tmp_path, "all", "camvid11")) == 2
        (tmp_path / "val.txt").write_text("0001TP_7\n")
        with pytest.raises(DataError, match=r"val\.txt: names \['0001TP_7'\], expected stems .*such as 0001TP_0"):
            opened("camvid", tmp_path, "val", "camvid11")
        with pytest.raises(DataError, match=r"train\.txt: not there, expected the stems"):
            opened("camvid", tmp_path, "train", "camvid11")


def test_colours_of_no_class_are_named(tmp_path: Path) -> None:
    trees.picture(tmp_path / "val/a.png")
    trees.colored(tmp_path / "val_labels/a_L.png", ((1, 2, 3),))
    with pytest.raises(
        DataError, match=r"a_L\.png: holds the colour \(1, 2, 3\), which is no class of camvid32; first at"
    ):
        opened("camvid", tmp_path, "val", "camvid11")[0]


def test_streethazards_folders_and_lists(tmp_path: Path) -> None:
    wanted = [VOID, 0, 1, 2, VOID, 3, 4, 5, 6, 7, 8, 9, 10, 11, OUTLIER]  # raw ids 0..14
    for base, name in (("train", "training"), ("test", "test")):
        trees.picture(tmp_path / base / "images" / name / "t1-3/300.png")
        truth = trees.mask(tmp_path / base / "annotations" / name / "t1-3/300.png", tuple(range(15)))
        split = "train" if name == "training" else "test"
        (example,) = opened("streethazards", tmp_path, split, "streethazards12")
        np.testing.assert_array_equal(example.labels, np.array(wanted)[truth])
    entry = {"fpath_img": "images/test/t1-3/300.png", "fpath_segm": "annotations/test/t1-3/300.png"}
    (tmp_path / "test/test.odgt").write_text(json.dumps([entry]))
    assert len(opened("streethazards", tmp_path, "test/test.odgt", "streethazards12")) == 1
    (tmp_path / "test/test.odgt").write_text(json.dumps({**entry, "fpath_img": "../../../x.png"}) + "\n")
    with pytest.raises(DataError, match=r"test\.odgt: lists '\.\./\.\./\.\./x\.png', which is not below"):
        opened("streethazards", tmp_path, "test/test.odgt", "streethazards12")
    (tmp_path / "test/test.odgt").write_text("nothing")
    with pytest.raises(DataError, match=r"test\.odgt: expected entries .*fpath_img"):
        opened("streethazards", tmp_path, "test/test.odgt", "streethazards12")


def test_a2d2_colours_by_its_class_list(tmp_path: Path) -> None:
    mapping = load_mapping("a2d2_as_cityscapes19").classes
    names = tuple(mapping)
    colors = tuple((40 + 3 * i, 200 - i, 7 * i % 256) for i in range(len(names)))
    codes = {"#{:02x}{:02X}{:02x}".format(*color): name for color, name in zip(colors, names, strict=True)}
    (tmp_path / "class_list.json").write_text(json.dumps(codes))
    indices = {}
    for drive in ("20180807_145028", "20180925_101535"):
        stem = f"{drive.replace('_', '')}_{{}}_frontcenter_000000091.png"
        trees.picture(tmp_path / drive / "camera/cam_front_center" / stem.format("camera"))
        label = tmp_path / drive / "label/cam_front_center" / stem.format("label")
        indices[drive] = trees.colored(label, colors, int(drive[-3:]))
    target = load_label_space("cityscapes19")
    coarse = CoarseSets(len(target))
    source = open_source("a2d2", tmp_path, "all", target=target, coarse=coarse)
    meaning = {i: mapping[name] for i, name in enumerate(names)}
    for place, index in enumerate(indices.values()):
        assert (named(source, place, "cityscapes19", coarse) == expect(index, meaning)).all()
    (tmp_path / "val.txt").write_text("20180925_101535\n")
    assert len(opened("a2d2", tmp_path, "val")) == len(opened("a2d2", tmp_path, "20180807_145028")) == 1
    with pytest.raises(DataError, match="expected A2D2's sequence test; found the splits 20180807_145028"):
        opened("a2d2", tmp_path, "test")
    (tmp_path / "class_list.json").write_text('{"red": "Car 1"}')
    with pytest.raises(DataError, match=r"class_list\.json: expected .*found the colour 'red'"):
        opened("a2d2", tmp_path, "all")


def test_pairs_with_a_label_space_and_mapping_of_ones_own(tmp_path: Path) -> None:
    trees.picture(tmp_path / "day/images/x.jpg")
    truth = trees.mask(tmp_path / "day/labels/x.png", (3, 9, 0, 77))
    with pytest.raises(DataError, match=r"label_space\.yaml: not there, expected the masks' classes"):
        opened("pairs", tmp_path, "day")
    content = {
        "name": "mine",
        "void": [0],
        "outlier": [77],
        "classes": [{"name": "lane", "id": 3}, {"name": "cow", "id": 9}],
    }
    (tmp_path / "label_space.yaml").write_text(yaml.safe_dump(content))
    entries = {"native": "mine", "target": "cityscapes19", "classes": {"lane": "road", "cow": "outlier"}}
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(entries))
    labels = opened("pairs", tmp_path, "day", mapping=str(tmp_path / "mapping.yaml"))[0].labels
    wanted = {3: 0, 9: OUTLIER, 0: VOID, 77: OUTLIER}
    np.testing.assert_array_equal(labels, np.vectorize(wanted.get)(truth))
    same = opened("pairs", tmp_path, "day", str(tmp_path / "label_space.yaml"))[0].labels
    np.testing.assert_array_equal(same, np.vectorize({3: 0, 9: 1, 0: VOID, 77: OUTLIER}.get)(truth))


def test_sources_survive_pickling_for_helper_processes(tmp_path: Path) -> None:
    trees.panoptic(tmp_path, {7: "road", 23: "sky"})
    source = opened("wilddash2", tmp_path, "all")
    copy: LabelledSet = pickle.loads(pickle.dumps(source))  # noqa: S301  (own bytes)
    np.testing.assert_array_equal(copy[0].labels, source[0].labels)


def miniature(root: Path) -> Path:
    for split in ("train", "val", "test"):
        for name in ("b", "a"):
            trees.picture(root / f"camvid/{split}/images/{name}.png")
            trees.mask(root / f"camvid/{split}/labels/{name}.png", tuple(range(12)))
    for split in ("train", "val"):
        for name in ("7/x", "12/y"):
            trees.picture(root / f"idd_lite/leftImg8bit/{split}/{name}_image.jpg")
            trees.mask(root / f"idd_lite/gtFine/{split}/{name}_label.png", (*range(7), 255))
    return root


def test_the_sets_of_our_own_training(tmp_path: Path) -> None:
    """On the real sets where HYBRID_SEG_DATA names their folder, else on generated ones of the same form."""
    real = os.environ.get("HYBRID_SEG_DATA")
    root = Path(real) if real else miniature(tmp_path)
    counts = {("camvid", "train"): 367, ("camvid", "val"): 101, ("camvid", "test"): 233,
              ("idd_lite", "train"): 1403, ("idd_lite", "val"): 204}  # fmt: skip
    target = load_label_space("camvid11")
    coarse = CoarseSets(len(target))
    for (reader, split), count in counts.items():
        source = open_source(reader, root / reader, split, target=target, coarse=coarse)
        report = check(source, 8)
        assert report.images == (count if real else 2)
        seen = set(report.shares)
        if reader == "camvid":
            assert seen <= {*range(11), VOID}
            assert len(seen) >= 9
            assert report.sizes == (((480, 360),) if real else ((8, 6),))
        else:
            assert coarse.sets == tuple(tuple(sorted(row)) for row in IDD_LITE_AS_CAMVID11 if len(row) > 1)
            assert seen == {0, 3, *range(11, 16), VOID}
        assert sum(report.shares.values()) == pytest.approx(1.0)


def test_held_out_classes_stay_unknown_in_fine_and_coarse_labels(tmp_path: Path) -> None:
    root, full = miniature(tmp_path), load_label_space("camvid11")
    held_out = ("Road", "Car")
    known = full.without(held_out)
    assert known.names == tuple(name for name in full.names if name not in held_out)
    truth = trees.mask(tmp_path / "again.png", tuple(range(12)))
    for negative in (False, True):
        coarse = CoarseSets(len(known))
        camvid, idd_lite = (
            open_source(
                reader,
                root / reader,
                "train",
                target=full,
                coarse=coarse,
                held_out=held_out,
                held_out_negative=negative,
            )
            for reader in ("camvid", "idd_lite")
        )
        unknown = OUTLIER if negative else VOID
        wanted = [known.names.index(n) if n in known.names else unknown for n in full.names] + [VOID]
        np.testing.assert_array_equal(camvid[0].labels, np.array(wanted)[truth])
        # Drivable is Road; vehicles are cars in part only, so they are void, and no example of "unknown".
        stored = trees.mask(tmp_path / "again.png", (*range(7), 255))
        labels = idd_lite[0].labels
        assert set(labels[stored == 0]) == {unknown}
        assert set(labels[stored == 3]) == {VOID}
        living = tuple(sorted(known.names.index(name) for name in ("Pedestrian", "Bicyclist")))
        assert set(labels[stored == 2]) == {len(known) + coarse.sets.index(living)}
    with pytest.raises(DataError, match="camvid11 has no class 'Cow' to hold out, expected of: Sky, Building"):
        full.without(("Cow",))


def test_examples_are_examples(tmp_path: Path) -> None:
    source = opened("camvid", miniature(tmp_path) / "camvid", "val", "camvid11")
    assert [image.stem for image, _ in source.listing.pairs] == ["a", "b"]
    assert all(isinstance(example, Example) for example in source)
    assert len(source[:1]) == 1
    with pytest.raises(IndexError):
        source[2]
