"""Scan of images with YOLO polygon labels (COCO128 and any set of that form)."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.class_names import COCO
from hybrid_seg_train.negatives.scan import images_below
from hybrid_seg_train.negatives.segments import Segment, SegmentTable, tabulate


def yolo_files(root: Path) -> list[Path]:
    """labels/**/*.txt of the images that have one; DataError where there are none."""
    files = [label for image in images_below(root / "images") if (label := _labels_of(root, image)).is_file()]
    if not files:
        raise DataError(f"{root}: no image below images/ has its YOLO polygon labels below labels/")
    return [*files, *root.glob("data.yaml")]


def scan_yolo(root: Path, progress: bool) -> SegmentTable:
    """images/**/<stem>.jpg with labels/**/<stem>.txt, sorted by file; class names of data.yaml, else COCO's 80.

    Each label line is `kind x1 y1 x2 y2 ...`, normalised to the image size. As everywhere in YOLO, an image without a
    label file has no objects.

    Raises:
        DataError: no labelled images, or a malformed line (with file and line number).
    """
    yolo_files(root)
    names = _names(root / "data.yaml")

    def segments() -> Iterator[Segment]:
        for image in tqdm(images_below(root / "images"), f"scanning {root.name}", disable=not progress):
            label_file = _labels_of(root, image)
            if not label_file.is_file():
                continue
            size = _size(image)
            for number, line in enumerate(label_file.read_text().splitlines(), start=1):
                kind, polygon = _parse(line, f"{label_file}:{number}")
                if kind not in names:
                    raise DataError(f"{label_file}:{number}: class {kind} has no name, known are 0..{max(names)}")
                yield _segment(str(image.relative_to(root)), polygon, size, names[kind])

    return tabulate(segments())


def _names(file: Path) -> dict[int, str]:
    if not file.is_file():
        return dict(enumerate(COCO))
    try:
        names = yaml.safe_load(file.read_text())["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(k): str(v) for k, v in pairs}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file}: expected 'names' with a list or a map of class names, found {error!r}") from error


def _size(image: Path) -> tuple[int, int]:
    """(width, height) as displayed: YOLO's labels follow the orientation that the camera noted."""
    try:
        with Image.open(image) as picture:
            turned = picture.getexif().get(0x0112, 1) >= 5
            return picture.size[::-1] if turned else picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{image}: cannot be read as an image: {error}") from error


def _parse(line: str, where: str) -> tuple[int, npt.NDArray[np.float64]]:
    fields = line.split()
    try:
        kind, numbers = int(fields[0]), np.array(fields[1:], np.float64)
    except (IndexError, ValueError) as error:
        raise DataError(f"{where}: expected 'kind x1 y1 x2 y2 ...', found {line[:40]!r}") from error
    if numbers.size < 6 or numbers.size % 2:
        raise DataError(f"{where}: expected a polygon of at least 3 points, found {numbers.size} numbers")
    if not np.isfinite(numbers).all():
        raise DataError(f"{where}: found numbers that are not finite, expected coordinates in 0..1")
    return kind, numbers.reshape(-1, 2)


def _labels_of(root: Path, image: Path) -> Path:
    return (root / "labels" / image.relative_to(root / "images")).with_suffix(".txt")


def _segment(image: str, polygon: npt.NDArray[np.float64], size: tuple[int, int], name: str) -> Segment:
    points = np.clip(np.round(polygon * size), 0, (size[0] - 1, size[1] - 1)).astype(np.int32)
    x, y, w, h = cv2.boundingRect(points)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [points - (x, y)], 1)
    return Segment(image, "", name, (x, y, w, h), mask=mask)
