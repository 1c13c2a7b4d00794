"""Every reader finds the objects that were written in its format, and says what is wrong with files that are not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.classes import ClassFilter
from hybrid_seg_train.negatives.cutout import Cutouts
from hybrid_seg_train.negatives.patches import NEVER
from hybrid_seg_train.negatives.read import read_labelled_images, read_negatives, read_segments

Pixels = npt.NDArray[Any]

HEIGHT, WIDTH = 60, 80
ALL = ClassFilter()

# Two objects of one class that do not touch, and a triangle of another.
FIRST, SECOND, THIRD = (np.zeros((HEIGHT, WIDTH), bool) for _ in range(3))
FIRST[5:25, 5:35] = True
SECOND[30:55, 10:30] = True
THIRD[np.tri(HEIGHT, WIDTH, 10, dtype=bool) & (np.arange(WIDTH) >= 38)] = True
MASKS = {"first": FIRST, "second": SECOND, "third": THIRD}


def picture() -> Pixels:
    """Every pixel different, so that a shifted cut-out shows."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x, y, (x * 7 + y * 13) % 256], axis=2).astype(np.uint8)


def save_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path.with_suffix(".png")), picture())


def save_plane(path: Path, values: Pixels, *, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values.astype(np.uint8))
    if palette:
        image = image.convert("P")
        image.putdata(values.astype(np.uint8).ravel().tolist())
        image.putpalette([(v * 37) % 256 for v in range(768)])
    image.save(path)


def save_colors(path: Path, red: Any, green: Any, blue: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    planes = [np.broadcast_to(np.asarray(c), (HEIGHT, WIDTH)) for c in (red, green, blue)]
    Image.fromarray(np.stack(planes, axis=2).astype(np.uint8)).save(path)


def make_ade20k(root: Path) -> None:
    folder = root / "images/ADE/training/home/kitchen"
    save_image(folder / "ADE_train_1.png")
    # Codes 2579 (R 100, G 19) and 300 (R 10, G 44); R is stored with a remainder as in the real set's 10 * k.
    code = np.select([FIRST | SECOND, THIRD], [2579, 300])
    instance = np.select([FIRST, SECOND, THIRD], [40, 80, 120])
    save_colors(folder / "ADE_train_1_seg.png", code // 256 * 10, code % 256, instance)
    things = [
        {"name": "Box, carton", "name_ndx": 2579, "id": 1},
        {"name": "barrel, cask", "name_ndx": 300, "id": 2},
    ]
    note = b'"source": "caf\xe9", '  # not UTF-8, as some files of the set
    content = json.dumps({"annotation": {"object": things}}).encode()
    (folder / "ADE_train_1.json").write_bytes(b"{" + note + content[1:])


def make_ade20k_2016(root: Path) -> None:
    save_image(root / "images/training/ADE_train_1.png")
    save_plane(
        root / "annotations/training/ADE_train_1.png", np.select([FIRST | SECOND, THIRD], [42, 112])
    )  # box, barrel


def make_coco_stuff(root: Path) -> None:
    save_image(root / "train_img/1.png")
    save_plane(root / "train_label/1.png", np.select([FIRST | SECOND, THIRD], [15, 165], 255))  # bird, tent
    save_plane(root / "train_inst/1.png", np.select([FIRST, SECOND, THIRD], [0, 1, 165], 255))


def make_voc(root: Path) -> None:
    save_image(root / "JPEGImages/1.png")
    border = cv2.dilate(THIRD.astype(np.uint8), np.ones((3, 3))) > 0
    classes = np.select([FIRST | SECOND, THIRD, border], [3, 8, 255])  # bird, cat
    objects = np.select([FIRST, SECOND, THIRD, border], [1, 2, 3, 255])
    save_plane(root / "SegmentationClass/1.png", classes, palette=True)
    save_plane(root / "SegmentationObject/1.png", objects, palette=True)


def make_coco_panoptic(root: Path) -> None:
    save_image(root / "images/val/1.png")
    ids = np.select([FIRST, SECOND, THIRD], [7, 300, 70000])
    save_colors(root / "annotations/panoptic_val/1.png", ids % 256, ids // 256 % 256, ids // 65536)
    segments = [
        {"id": key, "category_id": category, "bbox": list(cv2.boundingRect(mask.astype(np.uint8))), "iscrowd": 0}
        for key, category, mask in ((7, 16, FIRST), (300, 16, SECOND), (70000, 166, THIRD))
    ]
    write_json(
        root / "annotations/panoptic_val.json",
        [{"image_id": 1, "file_name": "1.png", "segments_info": segments}],
        {16: "bird", 166: "tent"},
    )


def write_json(path: Path, annotations: list[dict[str, Any]], names: dict[int, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": 1, "file_name": "1.png", "height": HEIGHT, "width": WIDTH}],
        "categories": [{"id": key, "name": name} for key, name in names.items()],
        "annotations": annotations,
    }
    path.write_text(json.dumps(content))


def run_lengths(mask: Pixels) -> list[int]:
    """COCO's uncompressed run lengths, written out by hand: column by column, beginning with zeros."""
    counts, value, run = [], False, 0
    for pixel in mask.ravel(order="F"):
        if pixel != value:
            counts.append(run)
            value, run = pixel, 0
        run += 1
    return [*counts, run]


def compressed(counts: list[int]) -> str:
    """COCO's compressed run lengths after its format's description: differences in 5 bit groups, offset 48."""
    text = ""
    for index, count in enumerate(counts):
        rest = count - (counts[index - 2] if index > 2 else 0)
        more = True
        while more:
            bits = rest & 0x1F
            rest >>= 5
            more = rest != -1 if bits & 0x10 else rest != 0
            text += chr((bits | 0x20 if more else bits) + 48)
    return text


def make_coco_instances(root: Path) -> None:
    save_image(root / "val/1.png")
    rectangle = [5, 5, 35, 5, 35, 25, 5, 25]
    crowd = {"size": [HEIGHT, WIDTH], "counts": run_lengths(THIRD)}
    things = [
        {"id": 1, "image_id": 1, "category_id": 16, "iscrowd": 0, "segmentation": [rectangle]},
        {"id": 2, "image_id": 1, "category_id": 16, "iscrowd": 0,
         "segmentation": {"size": [HEIGHT, WIDTH], "counts": run_lengths(SECOND)}},
        {"id": 3, "image_id": 1, "category_id": 28, "iscrowd": 0,
         "segmentation": {"size": [HEIGHT, WIDTH], "counts": compressed(run_lengths(THIRD))}},
        {"id": 4, "image_id": 1, "category_id": 28, "iscrowd": 1, "segmentation": crowd},
    ]  # fmt: skip
    write_json(root / "annotations/instances_val.json", things, {16: "bird", 28: "umbrella"})


def make_folder(root: Path) -> None:
    save_image(root / "images/a/1.png")
    save_plane(root / "masks/a/1.png", np.select([FIRST, SECOND, THIRD], [9, 20, 30]))


def make_folder_classes(root: Path) -> None:
    make_folder(root)
    save_plane(root / "masks/a/1.png", np.select([FIRST | SECOND, THIRD], [9, 30]))
    (root / "classes.txt").write_text("9: crate\n\n30: pallet jack\n")


SETS: dict[str, tuple[str, Callable[[Path], None], tuple[str, str, str]]] = {
    "ade20k": ("ade20k", make_ade20k, ("box", "box", "barrel")),
    "ade20k_2016": ("ade20k_2016", make_ade20k_2016, ("box", "box", "barrel")),
    "coco_stuff": ("coco_stuff", make_coco_stuff, ("bird", "bird", "tent")),
    "voc": ("voc", make_voc, ("bird", "bird", "cat")),
    "coco_panoptic": ("coco_panoptic", make_coco_panoptic, ("bird", "bird", "tent")),
    "coco_instances": ("coco_instances", make_coco_instances, ("bird", "bird", "umbrella")),
    "folder": ("folder", make_folder, ("object", "object", "object")),
    "folder with classes": ("folder", make_folder_classes, ("crate", "crate", "pallet jack")),
}


@pytest.fixture(params=SETS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, tuple[str, str, str]]:
    kind, make, names = SETS[request.param]
    make(tmp_path)
    return kind, tmp_path, names


def read(kind: str, root: Path, classes: ClassFilter = ALL, **options: Any) -> Cutouts:
    return read_negatives(kind, root, classes=classes, progress=False, **options)


def test_finds_the_objects_that_were_written(written: tuple[str, Path, tuple[str, str, str]]) -> None:
    kind, root, names = written
    cutouts = read(kind, root)
    assert sorted(cutouts.kinds) == sorted(names)
    left = dict(zip(MASKS, names, strict=True))
    for cutout in cutouts:
        # The picture's first two channels are each pixel's column and row.
        x, y = cutout.image[0, 0, :2].tolist()
        h, w = cutout.alpha.shape
        whole = np.zeros((HEIGHT, WIDTH), bool)
        whole[y : y + h, x : x + w] = cutout.alpha == 255
        np.testing.assert_array_equal(cutout.image, picture()[y : y + h, x : x + w])
        assert set(np.unique(cutout.alpha)) <= {0, 255}
        match = next(name for name in left if (MASKS[name] == whole).all())
        assert left.pop(match) == cutout.kind
    assert not left


def test_labelled_images_hold_the_same_objects(written: tuple[str, Path, tuple[str, str, str]]) -> None:
    kind, root, names = written
    (by_object,) = read_labelled_images(kind, root, classes=ALL, instances=True, progress=False)
    ids = [set(by_object.labels[mask].tolist()) for mask in MASKS.values()]
    assert all(len(i) == 1 for i in ids)
    assert len(set.union(*ids)) == 3
    (by_class,) = read_labelled_images(kind, root, classes=ALL, progress=False)
    first, second, third = (by_class.labels[mask][0] for mask in MASKS.values())
    assert first == second
    assert (first == third) == (names[0] == names[2])
    np.testing.assert_array_equal(by_class.image, picture())


def test_classes_left_out_are_never_to_be_pasted(tmp_path: Path) -> None:
    make_coco_stuff(tmp_path)
    only = ClassFilter(only=frozenset({"bird"}))
    assert read("coco_stuff", tmp_path, only).kinds == ["bird", "bird"]
    (labelled,) = read_labelled_images("coco_stuff", tmp_path, classes=only, progress=False)
    np.testing.assert_array_equal(labelled.labels != NEVER, FIRST | SECOND)


def test_one_value_in_a_mask_marks_connected_objects(tmp_path: Path) -> None:
    make_folder(tmp_path)
    save_plane(tmp_path / "masks/a/1.png", (FIRST | SECOND) * 255)
    assert sorted(c.alpha.shape for c in read("folder", tmp_path)) == [(20, 30), (25, 20)]


def save_cut_out(path: Path, alpha: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.dstack([picture()[..., ::-1], alpha.astype(np.uint8)])).save(path)


def test_pictures_with_an_alpha_channel_are_one_object_each_of_their_folders_class(tmp_path: Path) -> None:
    save_cut_out(tmp_path / "animals/birds/owl.png", np.where(FIRST | SECOND, 255, 90))
    save_cut_out(tmp_path / "tools/saw.png", np.where(THIRD, 128, 127))
    (bird, tool) = read("transparent", tmp_path)
    assert (bird.kind, tool.kind) == ("animals/birds", "tools")
    np.testing.assert_array_equal(bird.alpha == 255, (FIRST | SECOND)[5:55, 5:35])
    np.testing.assert_array_equal(bird.image, picture()[5:55, 5:35])
    np.testing.assert_array_equal(tool.alpha == 255, THIRD[np.ix_(THIRD.any(axis=1), THIRD.any(axis=0))])


def test_a_picture_without_anything_transparent_is_no_object(tmp_path: Path) -> None:
    save_cut_out(tmp_path / "tools/poster.png", np.full((HEIGHT, WIDTH), 255))
    with pytest.raises(DataError, match="no objects of at least 16 px"):
        read("transparent", tmp_path)
    save_cut_out(tmp_path / "tools/saw.png", np.where(THIRD, 255, 0))
    assert len(read("transparent", tmp_path)) == 1


def test_small_objects_are_left_out(tmp_path: Path) -> None:
    make_coco_stuff(tmp_path)
    assert read("coco_stuff", tmp_path, min_side=26).kinds == ["bird", "tent"]
    with pytest.raises(DataError, match=r"no objects of at least 100 px.*bird, tent"):
        read("coco_stuff", tmp_path, min_side=100)


def test_the_cached_table_is_used_until_an_annotation_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, cache = tmp_path / "set", tmp_path / "cache"
    make_voc(root)
    before = read("voc", root, cache=cache)
    (file,) = cache.glob("*.npz")
    stamp = file.stat().st_mtime_ns
    assert read("voc", root, cache=cache).kinds == before.kinds
    assert file.stat().st_mtime_ns == stamp
    save_plane(root / "SegmentationClass/1.png", np.where(THIRD, 12, 0), palette=True)
    assert read("voc", root, cache=cache).kinds == ["dog"]
    file.write_bytes(b"torn")
    assert read("voc", root, cache=cache).kinds == ["dog"]


@pytest.mark.parametrize("name", ["voc", "coco_instances"])
def test_a_cached_table_gives_the_same_cutouts(tmp_path: Path, name: str) -> None:
    SETS[name][1](tmp_path / "set")
    scanned = read_segments(name, tmp_path / "set", cache=tmp_path, progress=False)
    kept = read_segments(name, tmp_path / "set", cache=tmp_path, progress=False)
    for row in range(len(scanned.key)):
        np.testing.assert_array_equal(scanned.alpha(tmp_path / "set", row), kept.alpha(tmp_path / "set", row))


def test_no_more_than_the_memory_limit_is_kept_and_slices_are_lazy(tmp_path: Path) -> None:
    make_voc(tmp_path)
    cutouts = read("voc", tmp_path, memory=3000)
    sizes = [c.image.nbytes + c.alpha.nbytes for c in cutouts]
    assert sorted(sizes)[0] < 3000 < sum(sizes)
    again = cutouts[sizes.index(min(sizes))]
    assert again is cutouts[sizes.index(min(sizes))]
    assert cutouts[sizes.index(max(sizes))] is not cutouts[sizes.index(max(sizes))]
    assert [c.kind for c in cutouts[1:]] == cutouts.kinds[1:]


Spoil = Callable[[Path], object]
INSTANCES = "annotations/instances_val.json"
MALFORMED: list[tuple[str, Spoil, str]] = [
    ("ade20k", lambda r: next(r.rglob("*.json")).unlink(), r"ADE_train_1\.json: is missing"),
    ("ade20k", lambda r: next(r.rglob("*.json")).write_text('{"annotation": []}'), "expected annotation.object"),
    ("ade20k", lambda r: next(r.rglob("*.json")).write_text('{"annotation": {"object": []}}'), "release of 2021"),
    ("ade20k", lambda r: save_plane(next(r.rglob("*_seg.png")), FIRST * 7), "expected red, green and blue"),
    ("ade20k_2016", lambda r: save_plane(next(r.glob("annotations/*/*")), FIRST * 151), "holds 151, expected"),
    ("ade20k_2016", lambda r: next(r.glob("images/*/*")).unlink(), "has no image; expected .*ADE_train_1"),
    ("coco_stuff", lambda r: save_plane(r / "train_label/1.png", FIRST * 182), "holds 182, expected"),
    ("coco_stuff", lambda r: save_plane(r / "train_inst/1.png", FIRST[:20]), r"1\.png: is \(80, 20\) px"),
    ("voc", lambda r: (r / "SegmentationObject/1.png").unlink(), "SegmentationObject.*is missing"),
    ("voc", lambda r: save_colors(r / "SegmentationClass/1.png", 1, 2, 3), "expected one channel or a palette"),
    ("voc", lambda r: save_plane(r / "SegmentationClass/1.png", FIRST * 21), "holds 21, expected"),
    ("voc", lambda r: (r / "SegmentationClass/1.png").write_bytes(b"GIF"), "cannot be read as a picture"),
    ("coco_panoptic", lambda r: (r / "annotations/panoptic_val").rename(r / "x"), "unpack panoptic_val.zip"),
    ("coco_panoptic", lambda r: (r / "images").rename(r / "x"), "no folder val/, images/val/ or images/"),
    ("coco_instances", lambda r: (r / INSTANCES).write_text("[]"), r"images\[\], anno"),
    ("coco_instances", lambda r: spoil_instance(r, category_id=99), r"annotation 1: .*KeyError\(99\)"),
    ("coco_instances", lambda r: spoil_instance(r, segmentation=[[1, 2]]), "no polygon of at least 3"),
    (
        "coco_instances",
        lambda r: spoil_instance(r, segmentation={"size": [9, 9], "counts": [81]}), r"run lengths for \[9, 9\]",
    ),
    (
        "coco_instances",
        lambda r: spoil_instance(r, segmentation={"size": [60, 80], "counts": [5, 7]}), "run lengths sum to 12",
    ),
    ("folder with classes", lambda r: (r / "classes.txt").write_text("crate 9"), r"classes\.txt:1: expected"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["coco_instances", "coco_panoptic"])
def test_file_names_that_lead_elsewhere_are_an_error(tmp_path: Path, name: str) -> None:
    SETS[name][1](tmp_path)
    (file,) = (tmp_path / "annotations").glob("*.json")
    content = json.loads(file.read_text())
    content["images"][0]["file_name"] = "../../secret.png"
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"file_name '\.\./\.\./secret\.png' leads out of its folder"):
        read(name, tmp_path)


def spoil_instance(root: Path, **changed: Any) -> None:
    file = root / INSTANCES
    content = json.loads(file.read_text())
    content["annotations"][0].update(changed)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(("name", "spoil", "message"), MALFORMED)
def test_malformed_files_are_named(tmp_path: Path, name: str, spoil: Spoil, message: str) -> None:
    kind, make, _ = SETS[name]
    make(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message) as failure:
        read(kind, tmp_path)
    assert str(tmp_path) in str(failure.value)


@pytest.mark.parametrize("kind", sorted({entry[0] for entry in SETS.values()} | {"yolo", "transparent"}))
def test_a_folder_of_something_else_is_an_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match=r"expected|no image"):
        read(kind, tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read(kind, tmp_path / "missing")


def test_an_unknown_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no format 'coco' of negatives, there are ade20k, "):
        read("coco", tmp_path)


@pytest.mark.parametrize("name", ["voc", "coco_panoptic", "coco_instances"])
def test_an_image_that_changed_since_the_scan_is_an_error(tmp_path: Path, name: str) -> None:
    SETS[name][1](tmp_path)
    cutouts = read(name, tmp_path)
    images = read_labelled_images(name, tmp_path, classes=ALL, progress=False)
    for path in tmp_path.rglob("1.png"):
        if "annotations" not in path.parts and "Segmentation" not in path.parent.name:
            cv2.imwrite(str(path), picture()[:20, :30])
    with pytest.raises(DataError, match="differ in size"):
        list(cutouts)
    with pytest.raises(DataError, match=r"\(30, 20\)"):
        list(images)
