"""Object cut-outs from images with YOLO polygon labels (COCO128 and any set of that form)."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage, DataError, read_image

# COCO's road classes: person, bicycle, car, motorcycle, bus, train, truck, traffic light, stop sign.
COCO_ROAD_KINDS = frozenset({0, 1, 2, 3, 5, 6, 7, 9, 11})

# Potted plant and broccoli look like the known class Tree.
COCO_PLANT_KINDS = frozenset({50, 58})

# Never pasted in training, only for choosing thresholds: dog, suitcase, sports ball, bottle, chair, teddy bear.
COCO_HELD_OUT_KINDS = frozenset({16, 28, 32, 39, 56, 77})


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object without its surroundings.

    Attributes:
        image: uint8[h, w, 3], BGR, the object's bounding box.
        alpha: uint8[h, w], 255 inside the object's polygon.
        kind: class number in the set it comes from.
    """

    image: ByteImage
    alpha: ByteImage
    kind: int


def read_cutouts(
    root: Path,
    *,
    only: Collection[int] | None = None,
    without: Collection[int] = (),
    min_side: int = 16,
) -> list[Cutout]:
    """All objects of the wanted kinds under `root` (images/**/<stem>.jpg with labels/**/<stem>.txt), sorted by file.

    Each label line is `kind x1 y1 x2 y2 ...`, normalised to the image size. As everywhere in YOLO, an image without
    a label file has no objects.

    Args:
        root: folder of the set.
        only: kinds to take; all when None.
        without: kinds to leave out.
        min_side: objects whose longer side is smaller, px, are left out: nothing to see in them.

    Raises:
        DataError: no labelled images, or a malformed line (with file and line number).
    """
    pairs = [(image, _labels_of(root, image)) for image in sorted((root / "images").rglob("*.*"))]
    pairs = [(image, labels) for image, labels in pairs if labels.is_file()]
    if not pairs:
        raise DataError(f"{root}: no image below images/ has its YOLO polygon labels below labels/")
    cutouts: list[Cutout] = []
    for image_file, label_file in pairs:
        image: ByteImage | None = None
        for number, line in enumerate(label_file.read_text().splitlines(), start=1):
            kind, polygon = _parse(line, f"{label_file}:{number}")
            if kind in without or (only is not None and kind not in only):
                continue
            if image is None:
                image = read_image(image_file)
            cutout = _cut(image, polygon, kind)
            if max(cutout.alpha.shape) >= min_side and cutout.alpha.any():
                cutouts.append(cutout)
    return cutouts


def _parse(line: str, where: str) -> tuple[int, npt.NDArray[np.float64]]:
    fields = line.split()
    try:
        kind, numbers = int(fields[0]), np.array(fields[1:], np.float64)
    except (IndexError, ValueError) as error:
        raise DataError(f"{where}: expected 'kind x1 y1 x2 y2 ...', found {line[:40]!r}") from error
    if numbers.size < 6 or numbers.size % 2:
        raise DataError(f"{where}: expected a polygon of at least 3 points, found {numbers.size} numbers")
    return kind, numbers.reshape(-1, 2)


def _labels_of(root: Path, image: Path) -> Path:
    return (root / "labels" / image.relative_to(root / "images")).with_suffix(".txt")


def _cut(image: ByteImage, polygon: npt.NDArray[np.float64], kind: int) -> Cutout:
    height, width = image.shape[:2]
    points = np.clip(np.round(polygon * (width, height)), 0, (width - 1, height - 1)).astype(np.int32)
    x, y, w, h = cv2.boundingRect(points)
    alpha = np.zeros((h, w), np.uint8)
    cv2.fillPoly(alpha, [points - (x, y)], 255)
    return Cutout(np.ascontiguousarray(image[y : y + h, x : x + w]), alpha, kind)
