"""Small sets on disk in the layouts of the benchmarks."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

HEIGHT, WIDTH = 4, 6


def picture(path: Path, value: int = 100, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    """One image of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((*shape, 3), value, np.uint8))
    return path


def ids(path: Path, rows: npt.ArrayLike, dtype: type = np.uint8) -> Path:
    """One mask; a flat list is repeated in every row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(rows, dtype)
    assert cv2.imwrite(str(path), np.tile(array, (HEIGHT, 1)) if array.ndim == 1 else array)
    return path
