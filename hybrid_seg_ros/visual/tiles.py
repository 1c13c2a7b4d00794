"""Captions, tiles, rows and grids: what panels and contact sheets are laid out with."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.visual.colors import Bgr

Picture = TypeVar("Picture", bound=npt.NDArray[Any])

BACKGROUND = (32, 28, 24)
TEXT = (235, 235, 235)
GAP = 4
STRIP = 22
"""Height of a caption strip, px."""

_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


def canvas(width: int, height: int) -> Bgr:
    """uint8[height, width, 3] of the background colour."""
    out = np.empty((height, width, 3), np.uint8)
    out[:] = BACKGROUND
    return out


def write(image: Bgr, text: str, x: int, baseline: int) -> None:
    """Write text into the image in place. The built-in font is ASCII: anything else becomes '?'."""
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(image, plain, (x, baseline), _FONT, _SCALE, TEXT, 1, cv2.LINE_AA)


def text_width(text: str) -> int:
    """Width of a written text, px."""
    return int(cv2.getTextSize(text, _FONT, _SCALE, 1)[0][0])


def fitted(image: Picture, width: int, height: int) -> Picture:
    """The image at width x height; shrinking averages, growing keeps pixels visible."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = width <= image.shape[1] and height <= image.shape[0]
    rule = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    return cast(Picture, cv2.resize(image, (width, height), interpolation=rule))


def captioned(image: Bgr, text: str) -> Bgr:
    """The image under a strip with its caption, cut to the image's width."""
    while text and text_width(text) > image.shape[1] - 12:
        text = text[:-1]
    strip = canvas(image.shape[1], STRIP)
    write(strip, text, 6, STRIP - 7)
    return np.vstack([strip, image])


def grid(tiles: Sequence[Bgr], columns: int) -> Bgr:
    """Tiles of one size, row by row, with gaps between them; an unfinished last row is left empty."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    out = canvas(columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    for i, tile in enumerate(tiles):
        y, x = (i // columns) * (height + GAP), (i % columns) * (width + GAP)
        out[y : y + height, x : x + width] = tile
    return out


def legend(classes: Sequence[ClassInfo], width: int) -> Bgr:
    """Colour patches with class names, wrapped into as many lines as `width` needs."""
    places: list[tuple[int, int]] = []
    x, line = 6, 0
    for info in classes:
        needed = 12 + 5 + text_width(info.name) + 14
        if x > 6 and x + needed > width:
            x, line = 6, line + 1
        places.append((x, line * STRIP))
        x += needed
    out = canvas(width, (line + 1) * STRIP)
    for info, (left, top) in zip(classes, places, strict=True):
        patch = out[top + 5 : top + 17, left : left + 12]
        patch[:] = info.color[::-1]
        write(out, info.name, left + 17, top + 15)
    return out
