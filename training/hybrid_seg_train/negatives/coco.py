"""Scans of COCO's JSON annotations: instances (polygons, run lengths) and panoptic."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
from tqdm import tqdm

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.runs import segmentation_mask
from hybrid_seg_train.negatives.segments import Segment, SegmentTable, tabulate


def instance_files(root: Path) -> list[Path]:
    """annotations/instances_*.json; DataError where there are none."""
    return _files(root, "instances")


def panoptic_files(root: Path) -> list[Path]:
    """annotations/panoptic_*.json; DataError where there are none."""
    return _files(root, "panoptic")


def scan_coco_instances(root: Path, progress: bool) -> SegmentTable:
    """COCO instances: annotations/instances_<split>.json with the images in <split>/ or images/<split>/ or images/.

    Crowds are left out: they are many objects in one region.

    Raises:
        DataError: no annotations, or a malformed file; the message names the annotation.
    """

    def segments() -> Iterator[Segment]:
        for file in instance_files(root):
            content, names, images = _load(file)
            folder = _image_folder(root, file.stem.removeprefix("instances_"))
            for thing in tqdm(content["annotations"], f"scanning {file.name}", disable=not progress):
                try:
                    if thing.get("iscrowd", 0):
                        continue
                    image = images[thing["image_id"]]
                    mask = segmentation_mask(thing["segmentation"], int(image["width"]), int(image["height"]))
                    name, picture = names[thing["category_id"]], f"{folder}/{_inside(image['file_name'])}"
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise DataError(
                        f"{file}: annotation {_number(thing)}: expected image_id and category_id that the file lists, "
                        f"and a segmentation of polygons or run lengths; found {error!r}"
                    ) from error
                x, y, w, h = cv2.boundingRect(mask)
                if w and h:
                    yield Segment(picture, "", name, (x, y, w, h), mask=mask[y : y + h, x : x + w])

    return tabulate(segments())


def scan_coco_panoptic(root: Path, progress: bool) -> SegmentTable:
    """COCO panoptic: annotations/panoptic_<split>.json with its pictures in annotations/panoptic_<split>/.

    Boxes and classes come from the JSON file, so no picture is opened. Crowds are left out.

    Raises:
        DataError: no annotations, no folder of pictures, or a malformed file; the message names the annotation.
    """

    def segments() -> Iterator[Segment]:
        for file in panoptic_files(root):
            content, names, images = _load(file)
            folder = _image_folder(root, file.stem.removeprefix("panoptic_"))
            pictures = next((d for d in (file.with_suffix(""), root / file.stem) if d.is_dir()), None)
            if pictures is None:
                raise DataError(
                    f"{file.with_suffix('')}: no such folder, expected the id maps (unpack {file.stem}.zip)"
                )
            maps = pictures.relative_to(root)
            for entry in tqdm(content["annotations"], f"scanning {file.name}", disable=not progress):
                try:
                    picture = f"{folder}/{_inside(images[entry['image_id']]['file_name'])}"
                    for segment in entry["segments_info"]:
                        x, y, w, h = (int(v) for v in segment["bbox"])
                        if not segment.get("iscrowd", 0) and w and h:
                            name = names[segment["category_id"]]
                            yield Segment(
                                picture, str(maps / _inside(entry["file_name"])), name, (x, y, w, h), int(segment["id"])
                            )
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise DataError(
                        f"{file}: annotation {_number(entry)}: expected image_id, file_name and segments_info with id, "
                        f"category_id and bbox; found {error!r}"
                    ) from error

    return tabulate(segments(), "coco_panoptic")


def _files(root: Path, what: str) -> list[Path]:
    files = sorted((root / "annotations").glob(f"{what}_*.json"))
    if not files:
        raise DataError(f"{root / 'annotations'}: no {what}_*.json found, expected COCO's {what} annotations")
    return files


def _load(file: Path) -> tuple[dict[str, Any], dict[int, str], dict[int, dict[str, Any]]]:
    """The file's content, its class names and its images by id."""
    try:
        content = json.loads(file.read_bytes())
        names = {int(c["id"]): str(c["name"]) for c in content["categories"]}
        images = {i["id"]: i for i in content["images"]}
        if not isinstance(content["annotations"], list):
            raise TypeError("annotations is no list")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{file}: expected COCO's images[], annotations[] and categories[] with id and name, found {error!r}"
        ) from error
    return content, names, images


def _image_folder(root: Path, split: str) -> str:
    for folder in (split, f"images/{split}", "images"):
        if (root / folder).is_dir():
            return folder
    raise DataError(f"{root}: no folder {split}/, images/{split}/ or images/ with the images of {split}")


def _inside(name: str) -> str:
    """The file name, which must not lead out of its folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"file_name {name!r} leads out of its folder")
    return name


def _number(entry: Any) -> Any:  # noqa: ANN401 - JSON
    return entry.get("id", entry.get("image_id")) if isinstance(entry, dict) else repr(entry)[:40]
