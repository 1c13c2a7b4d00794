"""Small sets of images and masks on disk, as `datasets.open_dataset("pairs", ...)` reads them."""

from pathlib import Path

import cv2
import numpy as np


def write_pairs(root: Path, images: int, *, seed: int = 0, anomaly: bool = True) -> Path:
    """Random pictures of 64x48 px with masks: 0 known, 1 anomaly (a box with another texture), 255 void."""
    rng = np.random.default_rng(seed)
    for folder in ("images", "labels_masks"):
        (root / folder).mkdir(parents=True)
    for index in range(images):
        image = rng.integers(0, 128, (48, 64, 3), np.uint8)
        mask = np.zeros((48, 64), np.uint8)
        mask[:6] = 255
        if anomaly:
            x, y = (int(value) for value in rng.integers(8, 30, 2))
            image[y : y + 12, x : x + 20] = rng.integers(100, 256, (12, 20, 3), np.uint8)
            mask[y : y + 12, x : x + 20] = 1
        cv2.imwrite(str(root / "images" / f"{index:03d}.png"), image)
        cv2.imwrite(str(root / "labels_masks" / f"{index:03d}.png"), mask)
    return root
