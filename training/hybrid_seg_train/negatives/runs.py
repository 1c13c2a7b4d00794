"""Masks as COCO's run lengths."""

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask  # type: ignore[import-untyped]

from hybrid_seg_train.data.sources import ByteImage


def encode(mask: ByteImage) -> bytes:
    """uint8[h, w], nonzero inside -> compressed run lengths."""
    return bytes(coco_mask.encode(np.asfortranarray(mask > 0, np.uint8))["counts"])


def decode(runs: bytes, width: int, height: int) -> ByteImage:
    """Compressed run lengths -> uint8[height, width], 1 inside."""
    return np.asarray(coco_mask.decode({"size": [height, width], "counts": runs}), np.uint8)


def segmentation_mask(segmentation: Any, width: int, height: int) -> ByteImage:  # noqa: ANN401 - JSON
    """A COCO annotation's polygons or run lengths (compressed or not) -> uint8[height, width], 1 inside.

    Raises:
        ValueError, TypeError, KeyError: it is neither, or for an image of another size.
    """
    if isinstance(segmentation, list):
        polygons = [p for p in segmentation if len(p) >= 6]
        if not polygons:
            raise ValueError("no polygon of at least 3 points")
        runs = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    else:
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"run lengths for {segmentation['size']}, image is {[height, width]}")
        runs = segmentation
        if isinstance(segmentation["counts"], list):
            if sum(segmentation["counts"]) != height * width:
                raise ValueError(f"run lengths sum to {sum(segmentation['counts'])}, expected {height * width}")
            runs = coco_mask.frPyObjects(segmentation, height, width)
    return np.asarray(coco_mask.decode(runs), np.uint8)
