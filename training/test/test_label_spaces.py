from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hybrid_seg_train.data.coarse import CoarseSets, build_encoder
from hybrid_seg_train.data.label_space import LabelSpace, load_label_space, shipped_label_spaces
from hybrid_seg_train.data.labels import CAMVID11, IDD_LITE_AS_CAMVID11, OUTLIER, VOID, KnownClass
from hybrid_seg_train.data.mapping import load_mapping, resolve_mapping, shipped_mappings
from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.losses import inlier_loss


def write(path: Path, content: object) -> str:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


def space(name: str, *names: str) -> LabelSpace:
    return LabelSpace(name, tuple(KnownClass(n, (0, 0, 0)) for n in names))


@pytest.mark.parametrize("name", shipped_label_spaces())
def test_shipped_label_spaces_load_and_are_named_as_their_files(name: str) -> None:
    loaded = load_label_space(name)
    assert loaded.name == name
    assert any(known.drivable for known in loaded.classes)
    assert any(known.obstacle for known in loaded.classes)


def test_known_spaces_have_the_published_classes() -> None:
    cityscapes = load_label_space("cityscapes19")
    assert len(cityscapes) == 19
    assert cityscapes.names[11:] == ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
    hazards = load_label_space("streethazards12")
    assert len(hazards) == 12
    assert "other" not in hazards.names
    assert sorted({*hazards.ids, *hazards.void, *hazards.outlier}) == [*range(15), 255]
    assert load_label_space("camvid11").void == {11, 255}
    assert [known.name for known in CAMVID11][3:5] == ["Road", "Pavement"]


@pytest.mark.parametrize("name", shipped_mappings())
def test_shipped_mappings_fit_their_label_spaces(name: str) -> None:
    mapping = load_mapping(name)
    assert f"{mapping.native}_as_{mapping.target}" == name
    target = load_label_space(mapping.target)
    if mapping.native in shipped_label_spaces():
        native = load_label_space(mapping.native)
        assert set(mapping.classes) == set(native.names)
    else:  # the classes come with the data set
        native = space(mapping.native, *mapping.classes)
    resolve_mapping(native, target)
    reached = {wanted for targets in mapping.classes.values() for wanted in targets}
    if mapping.native not in ("idd_lite7", "a2d2", "idd_level3"):
        assert reached == set(target.names)


def test_idd_lite_keeps_its_unions_of_camvid() -> None:
    names = [known.name for known in CAMVID11]
    assert [{names[i] for i in row} for row in IDD_LITE_AS_CAMVID11] == [
        {"Road"},
        {"Pavement", "Tree"},
        {"Pedestrian", "Bicyclist"},
        {"Car", "Bicyclist"},
        {"Building", "Pole", "Pavement", "SignSymbol", "Fence"},
        {"Building", "Tree"},
        {"Sky"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "x"}, r"x\.yaml: not a label space: .*classes"),
        ({"name": "x", "classes": [{"name": "a"}, {"name": "a"}]}, r"x\.yaml: .*class 'a' occurs twice"),
        ({"name": "x", "classes": [{"name": "a", "id": 255}]}, r"x\.yaml: .*stored id 255 occurs twice"),
        ({"name": "x", "classes": [{"name": "void"}]}, r"x\.yaml: .*'void', a word that mappings reserve"),
        ({"name": "x", "classes": [{"name": "a", "colour": [1, 2, 3]}]}, r"x\.yaml: .*colour"),
    ],
)
def test_odd_label_spaces_are_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(DataError, match=f"(?s){message}"):
        load_label_space(write(tmp_path / "x.yaml", content))


@pytest.mark.parametrize("tail", ["road: [1]\n  lane: road\n  lane: sidewalk", "lane: road\n  lane: road"])
def test_a_class_that_is_mapped_twice_is_named(tmp_path: Path, tail: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(f"native: mine\ntarget: cityscapes19\nclasses:\n  {tail}\n")
    with pytest.raises(DataError, match=r"(?s)m\.yaml: not a mapping: the key 'lane' occurs twice.*line 4"):
        load_mapping(file)


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: !!python/object/apply:os.getcwd []\nclasses: [{name: a}]\n")
    with pytest.raises(DataError, match=r"x\.yaml: not a label space: .*could not determine a constructor"):
        load_label_space(file)


def test_a_missing_label_space_says_which_there_are() -> None:
    with pytest.raises(DataError, match=r"cityscape: no such label space; expected a \.yaml file or one of: camvid11"):
        load_label_space("cityscape")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"lane": "road"}, r"m\.yaml: classes: no entry for 'lanes' of mine; did you mean 'lane'"),
        ({"lanes": "raod"}, r"m\.yaml: classes\.lanes: cityscapes19 has no class 'raod'; did you mean 'road'"),
        ({"lanes": []}, r"m\.yaml: classes\.lanes: expected a class, a list"),
        ({"lanes": ["road", "void"]}, r"m\.yaml: classes\.lanes: expected a class, a list"),
        ({"lanes": 3}, r"m\.yaml: not a mapping"),
    ],
)
def test_odd_mappings_are_named(tmp_path: Path, classes: object, message: str) -> None:
    file = write(tmp_path / "m.yaml", {"native": "mine", "target": "cityscapes19", "classes": classes})
    with pytest.raises(DataError, match=message):
        resolve_mapping(space("mine", "lanes"), load_label_space("cityscapes19"), file)


def test_a_mapping_must_lead_to_the_trainings_classes() -> None:
    with pytest.raises(DataError, match="target: is 'camvid11', expected 'cityscapes19'"):
        resolve_mapping(load_label_space("idd_lite7"), load_label_space("cityscapes19"), "idd_lite7_as_camvid11")
    with pytest.raises(DataError, match=r"no mapping from mine to cityscapes19 .* entry for each of: lanes"):
        resolve_mapping(space("mine", "lanes"), load_label_space("cityscapes19"))


def test_spaces_without_a_mapping_of_their_own_go_over_cityscapes() -> None:
    over = resolve_mapping(load_label_space("idd"), load_label_space("camvid11"))
    assert over.classes["rider"] == ("Bicyclist",)
    assert over.classes["non-drivable fallback"] == ("Pavement", "Tree")
    assert over.classes["animal"] == ()
    there_and_back = load_mapping("camvid11_as_cityscapes19").then(load_mapping("cityscapes19_as_camvid11"))
    for name, targets in there_and_back.classes.items():
        assert name in targets
    assert set(there_and_back.classes["Tree"]) == {"Tree", "Pavement"}


def test_a_mapping_of_ones_own_follows_the_shipped_one(tmp_path: Path) -> None:
    classes = dict.fromkeys(load_label_space("cityscapes19").names, "thing") | {
        "road": "ground",
        "sidewalk": "void",
        "car": "outlier",
        "terrain": ["ground", "thing"],
    }
    file = write(tmp_path / "m.yaml", {"native": "cityscapes19", "target": "two", "classes": classes})
    mapped = resolve_mapping(load_label_space("idd_lite7"), space("two", "ground", "thing"), file).classes
    assert mapped["drivable"] == ("ground",)
    assert mapped["non-drivable"] == ()  # sidewalk is void, so the sum would miss it
    assert mapped["vehicles"] == ()  # a part is a negative, a part is not
    assert mapped["far objects"] == ("thing",)


def test_coarse_sets_are_shared_ordered_and_bounded() -> None:
    coarse = CoarseSets(11)
    assert coarse.label([3]) == 3
    assert [coarse.label(m) for m in ([5, 4], [8, 10], [4, 5], [1, 5])] == [11, 12, 11, 13]
    assert coarse.sets == ((4, 5), (8, 10), (1, 5))
    assert CoarseSets(11, coarse.sets).label([1, 5]) == 13
    with pytest.raises(DataError, match=r"expected ids in 0\.\.10"):
        coarse.label([3, 11])
    full = CoarseSets(250)
    for last in range(1, 4):
        full.label([0, last])
    with pytest.raises(DataError, match="250 known classes and 4 coarse labels are more than the 253 labels there are"):
        full.label([0, 4])


def test_encoding_agrees_with_a_slow_look_at_every_pixel() -> None:
    native, target = load_label_space("idd_lite7"), load_label_space("camvid11")
    mapping, coarse = resolve_mapping(native, target), CoarseSets(len(target))
    coarse.label([0, 1])
    stored = np.random.default_rng(0).choice(np.array([*range(7), 255], np.uint8), (9, 13))
    labels = build_encoder(native, target, mapping, coarse)(stored, Path("x.png"))
    assert labels.dtype == np.uint8
    for value, label in zip(stored.ravel(), labels.ravel(), strict=True):
        if value == 255:
            assert label == VOID
            continue
        wanted = set(mapping.classes[native.names[value]])
        ids = [label] if label < len(target) else coarse.sets[label - len(target)]
        assert {target.names[i] for i in ids} == wanted


def test_negatives_void_and_large_ids_are_encoded_and_others_are_named() -> None:
    target = space("two", "ground", "thing")
    native = LabelSpace("wide", target.classes, (7, 4000), frozenset({0}), frozenset({900}))
    mapping = resolve_mapping(space("two", "ground", "thing"), target)
    encode = build_encoder(native, target, mapping, CoarseSets(2))
    stored = np.array([[7, 4000, 0, 900]], np.int32)
    np.testing.assert_array_equal(encode(stored, Path("x.png")), [[0, 1, VOID, OUTLIER]])
    for bad in (5, 4001, 60000):
        with pytest.raises(
            DataError, match=rf"x\.png: holds label {bad}, expected one of \[0, 7, 900, 4000\] \(wide\)"
        ):
            encode(np.array([[7, bad]], np.int32), Path("x.png"))


def test_a_coarse_label_supervises_the_sum_of_its_classes() -> None:
    # Native label -> encoder -> loss, against probabilities summed by hand.
    native, target = load_label_space("idd_lite7"), load_label_space("camvid11")
    coarse = CoarseSets(len(target))
    encode = build_encoder(native, target, resolve_mapping(native, target), coarse)
    stored = np.arange(7, dtype=np.uint8)[None]
    labels = torch.from_numpy(encode(stored, Path("x.png")).astype(np.int64))[None]
    logits = torch.randn(1, len(target), 1, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    probabilities = logits.softmax(dim=1)[0, :, 0].numpy()
    by_hand = [-np.log(sum(probabilities[i, c] for i in row)) for c, row in enumerate(IDD_LITE_AS_CAMVID11)]
    assert float(inlier_loss(logits, labels, coarse.sets)) == pytest.approx(np.mean(by_hand), rel=1e-9)
    # Probability moves freely inside a union: only the sum is supervised.
    moved = logits.clone().requires_grad_()
    pixel = torch.full((1, 1, 7), int(labels[0, 0, 5]))
    inlier_loss(moved, pixel, coarse.sets).backward()
    assert moved.grad is not None
    inside = moved.grad[0, [1, 5], 0]  # Building and Tree: far objects
    assert bool((inside < 0).all())
    assert bool((moved.grad[0, [0, 2, 3, 4, 6, 7, 8, 9, 10], 0] > 0).all())
