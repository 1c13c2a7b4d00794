"""One labelled image, and how its files are read."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

ByteImage = npt.NDArray[np.uint8]


class DataError(ValueError):
    """A data set is not as expected; the message names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        image: uint8[H, W, 3], BGR.
        labels: uint8[H, W]: known class id, K + index of a coarse label, OUTLIER or VOID.
    """

    image: ByteImage
    labels: ByteImage


def read_image(path: Path) -> ByteImage:
    """uint8[H, W, 3] BGR of an image file; DataError where it cannot be decoded."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path}: cannot be read as an image")
    return np.asarray(image, np.uint8)


def read_labels(path: Path) -> ByteImage:
    """uint8[H, W] of a label file, values as stored (a palette is not applied).

    Raises:
        DataError: the file is missing, no image, or holds colours or more than 8 bits.
    """
    # Pillow rather than OpenCV, which turns the ids of palette files (Mapillary Vistas) into colours.
    try:
        with Image.open(path) as picture:
            picture.load()
            labels = np.array(picture)
            mode = picture.mode
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise DataError(f"{path}: cannot be read, expected a label image: {error}") from error
    if mode not in ("L", "P"):
        raise DataError(
            f"{path}: expected one 8 bit channel of class ids, found shape {labels.shape} of {labels.dtype}"
        )
    return np.asarray(labels, np.uint8)
