"""What a finished evaluation is known by, so that it is not done twice: recording, truth, bundle and options."""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybrid_seg_ros import __version__
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.bundle import MANIFEST_NAME, find_bundle
from hybrid_seg_ros.bundle.store import sha256
from hybrid_seg_ros.report.document import DocumentError, read_evaluation

KEY = "key.json"
DOCUMENT = "evaluation.json"

RunKey = dict[str, Any]


def run_key(bag: Path, options: RecordingOptions) -> RunKey:
    """Equal keys mean equal results; plain types, as JSON holds them.

    Files are told apart by name, size and time of change, not by their content: a drive has hundreds of gigabytes.
    A bundle is told by the SHA-256 of its manifest, which names the hash of every other file.

    Raises:
        BundleError: no such bundle.
        OSError: a file cannot be looked at.
    """
    plain = {
        field.name: _plain(getattr(options, field.name))
        for field in dataclasses.fields(options)
        if field.name != "bundle"
    }
    return {
        "version": __version__,
        "recording": _files(bag),
        "bundle": sha256(find_bundle(options.bundle) / MANIFEST_NAME),
        "options": plain,
    }


def is_done(folder: Path, key: RunKey) -> bool:
    """Whether a folder holds a whole evaluation with this key."""
    try:
        found = json.loads((folder / KEY).read_text(encoding="utf-8"))
        read_evaluation(folder / DOCUMENT)
    except (OSError, ValueError, DocumentError):
        return False
    return bool(found == key)


def forget(folder: Path) -> None:
    """What is in the folder no longer counts as done."""
    (folder / KEY).unlink(missing_ok=True)


def write_key(folder: Path, key: RunKey) -> None:
    """Say that the folder's evaluation is done; the last thing to write, there whole or not at all."""
    unfinished = folder / f"{KEY}.part"
    unfinished.write_text(json.dumps(key, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(folder / KEY)


def _plain(value: object) -> Any:  # noqa: ANN401  # whatever JSON can hold
    if isinstance(value, Path):
        return [str(value.resolve()), _files(value)]
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value


def _files(path: Path) -> list[list[str | int]]:
    """[name, bytes, time of change in ns] of a file, or of every file in a folder, sorted by name."""
    return [[name, found.st_size, found.st_mtime_ns] for name, found in sorted(_states(path), key=lambda s: s[0])]


def _states(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if not path.is_dir():
        yield path.name, path.stat()
        return
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder) / name
            yield file.relative_to(path).as_posix(), file.stat()
