"""From patterns to recordings: files, folders, and what lies below them."""

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from hybrid_seg_ros.bags.topics import BagError

METADATA = "metadata.yaml"
SUFFIXES = (".mcap", ".db3")
_ENDINGS = (*SUFFIXES, ".mcap.zstd", ".db3.zstd")


def find_recordings(patterns: Sequence[str], *, outside: Path | None = None) -> list[Path]:
    """The recordings that patterns stand for, each once, sorted by path.

    A pattern is a path, or has `*`, `?`, `[...]` or `**` (any number of folders) in it. A folder with metadata.yaml
    is one recording, and so is a file that its metadata.yaml lists: the parts of a split recording belong together,
    whether a shell or this function expanded the pattern. A recorder that was killed leaves no metadata.yaml: then the
    files named as their folder, drive/drive_0.mcap, are its parts. Any other folder stands for all recordings below it.

    Args:
        patterns: as typed.
        outside: recordings in this folder are left out: the results of an earlier evaluation are recordings, too.

    Raises:
        BagError: nothing matches a pattern, or a file named in full is no recording.
    """
    found: dict[Path, Path] = {}
    forbidden = None if outside is None else outside.resolve()
    for pattern in patterns:
        recordings = list(_matches(pattern))
        if not recordings:
            raise BagError(f"{pattern}: no recording; expected rosbag2 folders with {METADATA}, .mcap or .db3 files")
        for path in recordings:
            resolved = path.resolve()
            if forbidden is None or not resolved.is_relative_to(forbidden):
                found.setdefault(resolved, path)
    return [found[path] for path in sorted(found)]


def _matches(pattern: str) -> Iterator[Path]:
    given = Path(pattern).expanduser()
    # A file whose name has brackets in it is first of all itself.
    if given.exists():
        if given.is_file() and not given.name.endswith(_ENDINGS):
            raise BagError(f"{given}: not a recording; expected a rosbag2 folder, .mcap or .db3 file")
        yield from _recordings(given)
        return
    if not glob.has_magic(pattern):
        raise BagError(f"{given}: no such recording; expected a rosbag2 folder, .mcap or .db3 file")
    for name in sorted(glob.iglob(str(given), recursive=True)):  # noqa: PTH207  # Path.glob takes no absolute pattern
        yield from _recordings(Path(name))


def _recordings(path: Path) -> Iterator[Path]:
    """What one existing path stands for; nothing where it is no recording and holds none."""
    if path.is_dir():
        if (path / METADATA).is_file():
            yield path
        else:
            for file in sorted(p for ending in _ENDINGS for p in path.rglob(f"*{ending}")):
                yield from _recordings(file)
    elif path.name.endswith(_ENDINGS):
        yield path.parent if _is_part(path) else path


def _is_part(file: Path) -> bool:
    """Whether a file belongs to the recording that its folder is."""
    try:
        content = yaml.safe_load((file.parent / METADATA).read_text(encoding="utf-8"))
        files = content["rosbag2_bagfile_information"]["relative_file_paths"]
        return file.name in {Path(str(name)).name for name in files}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        folder = re.escape(file.resolve().parent.name)
        return re.fullmatch(rf"{folder}(_\d+)?\.(mcap|db3)(\.zstd)?", file.name) is not None
