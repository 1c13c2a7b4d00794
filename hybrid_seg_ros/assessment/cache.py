"""Maps on disk: a run that was cut off goes on where it was, and every pass after the first one needs no network."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.scores import ScoreMaps
from hybrid_seg_ros.assessment.sources import ScoreSource
from hybrid_seg_ros.datasets.sample import Sample

_LABELS, _CONFIDENCE = "labels", "confidence"

# Left on the disk for what the maps are for: the document, the page, the pictures.
_RESERVE = 64 << 20


class MapCache:
    """A source's maps, computed once and kept as .npy files; threads may share it.

    Files are named by what they depend on: all of `ScoreSource.key`, and name, size and time of change of the
    sample's files. What is there is there whole. A source without a key is asked every time.

    Args:
        source: makes the maps.
        folder: where they are kept; made with the first of them.

    Attributes:
        trouble: why maps could not be kept; "" where they were. The run goes on, at the price of time.
    """

    def __init__(self, source: ScoreSource, folder: Path) -> None:
        self._source = source
        key = source.key
        self._keeps = bool(key)
        self._folder = folder / hashlib.sha256(key.encode()).hexdigest()[:16]
        self._lock = threading.Lock()
        self.trouble = ""

    def maps(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps:
        """See `ScoreSource.maps`."""
        kept = self._kept(sample, kinds)
        if kept is not None:
            return kept
        with self._lock:  # sources are not thread-safe
            maps = self._source.maps(sample, kinds)
        self._keep(sample, maps)
        return maps

    def _kept(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps | None:
        if not self._keeps:
            return None
        try:
            scores = {kind: _read(self._file(sample, kind)) for kind in kinds}
            if self._source.classes is None:
                return ScoreMaps(scores)
            return ScoreMaps(scores, _read(self._file(sample, _LABELS)), _read(self._file(sample, _CONFIDENCE)))
        except (OSError, ValueError, EOFError):
            return None

    def _keep(self, sample: Sample, maps: ScoreMaps) -> None:
        if not self._keeps or self.trouble:
            return
        arrays: dict[str, npt.NDArray[Any] | None] = {
            **maps.scores,
            _LABELS: maps.labels,
            _CONFIDENCE: maps.confidence,
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for what, array in arrays.items():
                if array is not None:
                    free = shutil.disk_usage(self._folder).free
                    if free < _RESERVE + array.nbytes:
                        raise OSError(errno.ENOSPC, f"the disk is nearly full ({free >> 20} MiB left)")
                    _write(self._file(sample, what), array)
        except OSError as error:
            why = error.strerror or error
            self.trouble = f"{self._folder}: maps are not kept, which costs time: {why}; another place is --cache DIR"

    def _file(self, sample: Sample, what: str) -> Path:
        # An image can be made of several files.
        states = [path.stat() for path in dict.fromkeys((sample.image, *sample.files))]
        identity = [sample.name, *(f"{state.st_size} {state.st_mtime_ns}" for state in states)]
        digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", sample.name)[-80:].lstrip(".")
        return self._folder / f"{readable}.{digest}.{what}.npy"


def _read(path: Path) -> npt.NDArray[Any]:
    return np.asarray(np.load(path, allow_pickle=False))


def _write(path: Path, array: npt.NDArray[Any]) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with unfinished.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
