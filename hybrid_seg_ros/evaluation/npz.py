"""Arrays kept in a file: there whole or not at all, the same bytes for the same arrays, and never code."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


def write_npz(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Write compressed arrays in place of what is there; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type, unused-ignore]
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_npz(path: Path, version: int, names: Sequence[str]) -> Arrays:
    """The arrays of these names, and "meta", integers of which the first is the version of the format.

    Raises:
        ValueError: damaged, or another format; the message names the file.
        OSError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found: Arrays = {name: file[name] for name in ("meta", *names)}
        if found["meta"][0] != version:
            raise ValueError(f"format {found['meta'][0]}, expected {version}")
    except (ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: no saved counts ({error}); delete it and evaluate again") from error
    return found
