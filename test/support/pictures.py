"""Small labelled sets on disk: images, masks and what is wrong with some of them."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt


def write_pairs(root: Path, count: int = 4, *, size: tuple[int, int] = (160, 120), seed: int = 0) -> Path:
    """A set as `datasets.pairs` reads it: textured images with bright squares, which are the anomalies.

    Masks: 0 known, 1 anomaly, 255 void (the top rows). Image i is named picture_i and holds i squares.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    for folder in ("images", "labels_masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        image = rng.integers(0, 120, (height, width, 3), np.uint8)
        mask = np.zeros((height, width), np.uint8)
        mask[:8] = 255
        for square in range(index):
            left, top = 10 + 45 * (square % 3), 20 + 40 * (square // 3)
            image[top : top + 30, left : left + 30] = rng.integers(180, 256, (30, 30, 3))
            mask[top : top + 30, left : left + 30] = 1
        _write(root / "images" / f"picture_{index}.png", image)
        _write(root / "labels_masks" / f"picture_{index}.png", mask)
    return root


def _write(path: Path, array: npt.NDArray[np.uint8]) -> None:
    path.write_bytes(cv2.imencode(".png", array)[1].tobytes())
