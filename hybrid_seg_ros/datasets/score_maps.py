"""Saved score maps of anybody's method: npy, npz, HDF5, 8- and 16-bit PNG; matched to images by their stem."""

import contextlib
import importlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import list_files, read_ids

SCORE_KEY = "value"
"""Name of the array in HDF5 and npz files, as SegmentMeIfYouCan has it."""

_HDF5 = (".hdf5", ".h5")
SUFFIXES = (".npy", ".npz", *_HDF5, ".png")
_ENDINGS = ("", "_anomaly_score", "_anomaly_p", "_anomaly", "_scores", "_score", "_leftImg8bit", "_rgb")
_LAYOUT = "one file per image, named by it: NAME.npy, .npz, .hdf5, .h5 or .png"

Score = npt.NDArray[np.float32]


def read_score_map(path: Path, *, key: str | None = None, scale: float = 1.0, offset: float = 0.0) -> Score:
    """One score map.

    Args:
        path: .npy, .npz, .hdf5, .h5 or .png.
        key: name of the array in an npz or HDF5 file; None: SCORE_KEY, else the only array in it.
        scale: score = offset + scale * pixel, of a PNG.
        offset: see scale.

    Returns:
        float32[H, W], higher = more anomalous; of float16 exactly what is in the file, NaN included.

    Raises:
        DatasetError: no such file, another format, or not one number per pixel.
    """
    suffix = path.suffix.lower()
    if suffix == ".png":
        return (read_ids(path).astype(np.float64) * scale + offset).astype(np.float32)
    readers: Mapping[str, Callable[[Path, str | None], npt.NDArray[Any]]] = {
        ".npy": _read_npy,
        ".npz": _read_npz,
        **dict.fromkeys(_HDF5, _read_hdf5),
    }
    if suffix not in readers:
        raise DatasetError(f"{path}: expected a score map ending in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    array = readers[suffix](path, key)
    if array.dtype.kind not in "fiu":
        raise DatasetError(f"{path}: elements are {array.dtype}, expected numbers")
    score = np.squeeze(array)
    if score.ndim != 2:
        raise DatasetError(f"{path}: shape {array.shape}, expected one score per pixel, (height, width)")
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(score, np.float32)
    beyond = int((np.isinf(found) & np.isfinite(score)).sum()) if score.dtype == np.float64 else 0
    if beyond:
        raise DatasetError(f"{path}: {beyond} scores are beyond float32, which would rank them as equal; scale them")
    return found


def write_score_map(
    path: Path,
    score: npt.NDArray[np.floating],
    *,
    dtype: npt.DTypeLike = np.float16,
    scale: float = 1.0,
    offset: float = 0.0,
) -> None:
    """Save one score map, whole or not at all; an existing file is replaced.

    Args:
        path: .npy, .npz, .hdf5, .h5 (compressed, key SCORE_KEY) or .png (16 bits).
        score: float[H, W].
        dtype: float16, float32 or float64; a PNG has its scale instead.
        scale: a PNG's pixel = round((score - offset) / scale).
        offset: see scale.

    Raises:
        DatasetError: another suffix or shape, or scores that the element type or the PNG's scale cannot hold.
    """
    if score.ndim != 2:
        raise DatasetError(f"{path}: shape {score.shape}, expected one score per pixel, (height, width)")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DatasetError(f"{path}: cannot write {suffix or 'a file without suffix'}, expected {', '.join(SUFFIXES)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    array = _as_pixels(path, score, scale, offset) if suffix == ".png" else _as_floats(path, score, np.dtype(dtype))
    with _replacing(path) as temporary:
        if suffix == ".npy":
            np.save(temporary, array, allow_pickle=False)
        elif suffix == ".npz":
            np.savez_compressed(temporary, value=array)  # the keyword is SCORE_KEY
        elif suffix == ".png":
            temporary.write_bytes(cv2.imencode(".png", array)[1].tobytes())
        else:
            with _h5py(path).File(temporary, "w") as file:
                file.create_dataset(SCORE_KEY, data=array, compression="gzip", compression_opts=9)


@dataclass(frozen=True, slots=True)
class ScoreMaps:
    """A folder of saved score maps.

    Attributes:
        folder: where they lie.
        files: path below the folder without suffix -> file.
        key, scale, offset: see `read_score_map`.
    """

    folder: Path
    files: Mapping[str, Path]
    key: str | None = None
    scale: float = 1.0
    offset: float = 0.0

    def path(self, name: str) -> Path:
        """The file of a sample: its name, where "/" are folders or "_", and what methods like to put behind it.

        Raises:
            DatasetError: there is none, or more than one.
        """
        stems = dict.fromkeys(stem + ending for ending in _ENDINGS for stem in (name, name.replace("/", "_")))
        found = [self.files[stem] for stem in stems if stem in self.files]
        if len(found) != 1:
            what = " and ".join(str(path) for path in found) if found else f"{self.folder}: none"
            raise DatasetError(f"{what} for {name!r}, expected one score map: {_LAYOUT}")
        return found[0]

    def read(self, name: str) -> Score:
        """float32[H, W] of a sample.

        Raises:
            DatasetError: there is none, or see `read_score_map`.
        """
        return read_score_map(self.path(name), key=self.key, scale=self.scale, offset=self.offset)

    def unused(self, names: Iterable[str]) -> list[Path]:
        """Files that belong to none of the samples."""
        used = {self.path(name) for name in names if self._has(name)}
        return [path for path in self.files.values() if path not in used]

    def _has(self, name: str) -> bool:
        with contextlib.suppress(DatasetError):
            return bool(self.path(name))
        return False


def open_score_maps(folder: Path, *, key: str | None = None, scale: float = 1.0, offset: float = 0.0) -> ScoreMaps:
    """The score maps below a folder.

    Raises:
        DatasetError: no such folder, no score map in it, or two of one name.
    """
    files: dict[str, Path] = {}
    for path in list_files(folder, SUFFIXES, layout=_LAYOUT, recursive=True):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in files:
            raise DatasetError(
                f"{files[stem]} and {path}: two score maps of {stem!r}, expected one; remove one of them"
            )
        files[stem] = path
    return ScoreMaps(folder, files, key, scale, offset)


def _read_npy(path: Path, key: str | None) -> npt.NDArray[Any]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise DatasetError(f"{path}: not a npy file of numbers: {error}") from error


def _read_npz(path: Path, key: str | None) -> npt.NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays[_chosen(path, list(arrays.files), key)])
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path}: not a npz file of numbers: {error}") from error


def _read_hdf5(path: Path, key: str | None) -> npt.NDArray[Any]:
    h5py = _h5py(path)
    try:
        with h5py.File(path, "r") as file:
            arrays = [name for name in file if isinstance(file[name], h5py.Dataset)]
            return np.asarray(file[_chosen(path, arrays, key)][()])
    except (OSError, KeyError) as error:  # KeyError: a link to nowhere
        raise DatasetError(f"{path}: not an HDF5 file that can be read: {error}") from error


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    wanted = key or (SCORE_KEY if SCORE_KEY in names or len(names) != 1 else names[0])
    if wanted not in names:
        raise DatasetError(f"{path}: no array {wanted!r}, found {', '.join(names) or 'none'}; name one by its key")
    return wanted


def _h5py(path: Path) -> Any:  # noqa: ANN401  # a module without types
    try:
        return importlib.import_module("h5py")
    except ImportError:
        raise DatasetError(f"{path}: HDF5 needs h5py; install it with: pip install h5py") from None


def _as_floats(path: Path, score: npt.NDArray[np.floating], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype not in (np.float16, np.float32, np.float64):
        raise DatasetError(f"{path}: dtype {dtype}, expected float16, float32 or float64")
    with np.errstate(over="ignore"):
        array = score.astype(dtype)
    overflow = int((np.isinf(array) & ~np.isinf(score)).sum())
    if overflow:
        raise DatasetError(f"{path}: {overflow} scores are beyond what {dtype} holds; expected float32")
    return array


def _as_pixels(path: Path, score: npt.NDArray[np.floating], scale: float, offset: float) -> npt.NDArray[np.uint16]:
    pixels = np.rint((score.astype(np.float64) - offset) / scale)
    outside = int((~((pixels >= 0) & (pixels <= np.iinfo(np.uint16).max))).sum())
    if outside:
        raise DatasetError(
            f"{path}: {outside} scores are beyond the 16 bits of scale {scale:g} and offset {offset:g}; "
            f"expected {offset:g} to {offset + scale * np.iinfo(np.uint16).max:g}"
        )
    return pixels.astype(np.uint16)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside the wanted one that takes its place when all went well."""
    # The suffix stays last: numpy appends it where it is missing.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
