"""Images and label masks as files, and which of them belong together."""

import re
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.frames.compressed import decode_compressed, decode_unchanged, read_header
from hybrid_seg_ros.frames.pixel_format import ImageFormatError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm")
MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")

_CHECKED = (".png", ".jpg", ".jpeg")  # what frames.compressed can tell to be complete before it decodes
_COLOURED = ("_color", "_labelColors")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_GREY, _INDEXED = 0, 3


def read_bgr(path: Path) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3], BGR; an EXIF orientation is not applied, because masks are drawn without it.

    Raises:
        DatasetError: no such file, or not an image that can be decoded.
    """
    if path.suffix.lower() in _CHECKED:
        try:
            return decode_compressed(_bytes(path), path.suffix)
        except ImageFormatError as error:
            raise DatasetError(f"{path}: {error}") from error
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return np.asarray(_imdecode(path, flags), np.uint8)


def read_ids(path: Path) -> npt.NDArray[Any]:
    """A mask of ids, uint8[H, W] or uint16[H, W]; of a palette the indices, as the label tools mean them.

    Raises:
        DatasetError: no such file, not an image that can be decoded, or a coloured one.
    """
    if path.suffix.lower() == ".png":
        data = _bytes(path)
        try:
            depth = read_header(data).bits
            grey = _palette_as_grey(data.tobytes())
            mask = decode_unchanged(data if grey is None else np.frombuffer(grey, np.uint8), "png")
        except ImageFormatError as error:
            raise DatasetError(f"{path}: {error}") from error
        if depth < 8 and mask.ndim == 2:
            mask = mask // (255 // (2**depth - 1))
    else:
        mask = _imdecode(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim == 3:
        if (mask[..., :1] != mask[..., :3]).any():
            raise DatasetError(f"{path}: a coloured picture, expected a mask with one id per pixel")
        mask = np.ascontiguousarray(mask[..., 0])
    if mask.dtype not in (np.uint8, np.uint16):
        raise DatasetError(f"{path}: pixels are {mask.dtype}, expected ids of 8 or 16 bits")
    return mask


def image_size(path: Path) -> tuple[int, int]:
    """(height, width), px.

    Raises:
        DatasetError: no such file, or not an image.
    """
    if path.suffix.lower() in _CHECKED:
        try:
            header = read_header(_bytes(path))
        except ImageFormatError as error:
            raise DatasetError(f"{path}: {error}") from error
        return header.height, header.width
    height, width = read_bgr(path).shape[:2]
    return height, width


def list_files(folder: Path, suffixes: Iterable[str], *, layout: str, recursive: bool = False) -> list[Path]:
    """Files of a folder with one of the suffixes, in natural order; hidden ones are skipped.

    Raises:
        DatasetError: no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; expected {layout}")
    wanted = tuple(suffixes)
    found = folder.rglob("*") if recursive else folder.iterdir()
    paths = [p for p in found if p.suffix.lower() in wanted and not p.name.startswith(".") and p.is_file()]
    if not paths:
        raise DatasetError(f"{folder}: no file ending in {', '.join(wanted)}; expected {layout}")
    return sorted(paths, key=lambda path: natural_key(path.as_posix()))


def list_masks(folder: Path, *, layout: str) -> list[Path]:
    """Masks of a folder as `list_files` has them, without the coloured pictures that label tools put beside them.

    Raises:
        DatasetError: see `list_files`.
    """
    return [path for path in list_files(folder, MASK_SUFFIXES, layout=layout) if not path.stem.endswith(_COLOURED)]


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Sorts 2 before 10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text) if part)


def by_stem(paths: Iterable[Path], suffixes: Iterable[str] = ("",)) -> dict[str, Path]:
    """Stem without the first of the suffixes that it ends in -> file.

    Raises:
        DatasetError: two files with one stem.
    """
    found: dict[str, Path] = {}
    endings = tuple(suffixes)
    for path in paths:
        ending = next((ending for ending in endings if ending and path.stem.endswith(ending)), "")
        stem = path.stem.removesuffix(ending)
        if stem in found:
            raise DatasetError(f"{found[stem]} and {path}: two files for {stem!r}, expected one; remove one of them")
        found[stem] = path
    return found


def _bytes(path: Path) -> npt.NDArray[np.uint8]:
    try:
        return np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error


def _imdecode(path: Path, flags: int) -> npt.NDArray[Any]:
    data = _bytes(path)
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise DatasetError(f"{path}: not an image that can be decoded ({data.size} bytes)")
    return image


def _palette_as_grey(png: bytes) -> bytes | None:
    """The same PNG with its indices as grey values, which OpenCV does not translate to colours; None: no palette."""
    if png[25] != _INDEXED:
        return None
    header = b"IHDR" + png[16:25] + bytes([_GREY]) + png[26:29]
    parts = [_PNG_MAGIC, png[8:12], header, struct.pack(">I", zlib.crc32(header))]
    at = 33
    while at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] in (b"IDAT", b"IEND"):
            parts.append(png[at : at + 12 + length])
        at += 12 + length
    return b"".join(parts)
