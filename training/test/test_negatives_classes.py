import pytest

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives import class_names
from hybrid_seg_train.negatives.classes import (
    COCO_HELD_OUT_KINDS,
    COCO_PLANT_KINDS,
    COCO_ROAD_KINDS,
    ClassFilter,
    held_out_names,
    known_names,
    unknown_classes,
)
from hybrid_seg_train.negatives.read import FORMATS


def test_names_have_the_numbers_of_their_sets() -> None:
    assert [class_names.COCO.index(n) for n in ("person", "dog", "chair", "toothbrush")] == [0, 16, 56, 79]
    stuff = ("person", "toothbrush", "banner", "road", "wood")
    assert [class_names.COCO_STUFF.index(n) + 1 for n in stuff] == [1, 90, 92, 149, 182]
    assert [class_names.VOC.index(n) + 1 for n in ("aeroplane", "person", "tvmonitor")] == [1, 15, 20]
    ade = ("wall", "person", "streetlight", "traffic light", "flag")
    assert [class_names.ADE20K_150.index(n) + 1 for n in ade] == [1, 13, 88, 137, 150]
    # COCO-Stuff's things are COCO's with eleven more between them.
    assert [n for n in class_names.COCO_STUFF if n in class_names.COCO] == list(class_names.COCO)


def test_cocos_negatives_are_all_but_road_plant_and_held_out_kinds() -> None:
    out = COCO_ROAD_KINDS | COCO_PLANT_KINDS | COCO_HELD_OUT_KINDS
    assert len(out) == 17
    assert out < set(class_names.COCO)
    taken = unknown_classes("yolo").chosen(class_names.COCO, (), "set")
    assert {n for n, t in zip(class_names.COCO, taken, strict=True) if not t} == out


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_no_format_lets_road_classes_or_held_out_kinds_through(kind: str) -> None:
    taken = unknown_classes(kind)
    known = {"person", "car", "bus", "bicycle"}
    if kind != "voc":
        known |= {"truck", "traffic light"}
    if kind in ("ade20k", "ade20k_2016", "folder", "transparent"):
        known |= {"wall", "building", "sky", "road", "sidewalk", "tree", "fence", "pole", "signboard", "streetlight"}
    assert not {n for n in known if taken.takes(n)}
    assert not {n for n in ("chair", "bottle") if taken.takes(n)}
    assert unknown_classes(kind, held_out=True).takes("chair")
    for name in sorted(known_names(kind) | held_out_names(kind)):
        assert not taken.takes(name)


@pytest.mark.parametrize("kind", ["ade20k_2016", "voc"])
def test_every_name_of_the_lists_exists(kind: str) -> None:
    assert known_names(kind) | held_out_names(kind) <= set(FORMATS[kind].names)


def test_every_name_of_cocos_list_exists_in_one_of_its_sets() -> None:
    names = {*class_names.COCO, *class_names.COCO_STUFF, *class_names.COCO_PANOPTIC_STUFF}
    assert known_names("coco_panoptic") <= names


def test_open_vocabularies_go_by_the_last_word_too() -> None:
    taken = unknown_classes("ade20k")
    assert not taken.takes("office building")
    assert not taken.takes("Street Sign")
    assert taken.takes("building block")
    assert unknown_classes("yolo").takes("hot dog")  # a dog is held out, but these names are whole


def test_a_label_space_without_vegetation_can_paste_trees() -> None:
    taken = unknown_classes("ade20k_2016", concepts=("road", "vehicle"))
    assert taken.takes("tree")
    assert not taken.takes("car")
    with pytest.raises(ValueError, match="no concepts trees, there are person"):
        unknown_classes("ade20k_2016", concepts=("trees",))
    with pytest.raises(ValueError, match="no format 'ade'"):
        unknown_classes("ade")


def test_a_class_that_the_set_does_not_have_is_an_error_with_near_ones() -> None:
    names = ("dog", "teddy bear", "umbrella")
    with pytest.raises(DataError, match="coco128: has no class 'tedy bear'; did you mean 'teddy bear'"):
        ClassFilter(without=frozenset({"tedy bear"})).chosen(names, (), "coco128")
    with pytest.raises(DataError, match="has no class 'xyz'; it has dog, teddy bear, umbrella"):
        ClassFilter(only=frozenset({"xyz"})).chosen(names, (), "set")
    assert not ClassFilter(only=frozenset({"zebra"})).chosen(names, ("zebra",), "set").any()


def test_only_names_that_may_be_pasted() -> None:
    taken = unknown_classes("voc", only={"sheep"}, without={"cow"})
    assert [n for n in class_names.VOC if taken.takes(n)] == ["sheep"]
    for name in ("person", "dog", "cow"):
        with pytest.raises(DataError, match=f"'{name}' cannot be pasted as unknown"):
            unknown_classes("voc", only={"sheep", name}, without={"cow"})
