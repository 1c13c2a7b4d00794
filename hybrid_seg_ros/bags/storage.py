"""The files of a recording, opened: as they are, or what is whole in them."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path
from typing import Any, cast

import yaml
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from hybrid_seg_ros.bags.mcap_salvage import salvage
from hybrid_seg_ros.bags.messages import ros_types
from hybrid_seg_ros.bags.patched_file import PatchedPath
from hybrid_seg_ros.bags.sqlite_salvage import copy_whole_rows, recover_journal, side_files
from hybrid_seg_ros.bags.zstd import zstd

_ZSTD = b"\x28\xb5\x2f\xfd"  # no CDR message begins so: its first byte is 0
_SUFFIXES = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")


class StorageError(ValueError):
    """Nothing of a recording can be read; the message says why, without the path."""


@dataclass(slots=True)
class Storage:
    """An open recording of one or several files.

    Attributes:
        readers: one a file, or one for a folder that is as it should be.
        problems: what is lost or left out, a sentence each.
        stack: closes everything.
        pieced: the files were opened one by one because the folder is not whole.
    """

    readers: list[Reader] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    pieced: bool = False

    @property
    def connections(self) -> list[Connection]:
        """Of all files."""
        return [connection for reader in self.readers for connection in reader.connections]

    def messages(self, wanted: Callable[[Connection], bool]) -> Iterator[tuple[Connection, int, bytes]]:
        """(connection, log time ns, bytes) in log-time order."""
        streams = []
        for reader in self.readers:
            chosen = [connection for connection in reader.connections if wanted(connection)]
            if chosen:
                streams.append(reader.messages(chosen))
        for connection, log_time, data in merge(*streams, key=lambda message: message[1]):
            yield connection, log_time, _decompressed(data) if self.pieced else data


def open_storage(path: Path) -> Storage:
    """Open a recording; where it is broken, what is whole in it, and the problems say what is lost.

    Raises:
        StorageError: nothing can be read.
        FileNotFoundError: a folder without any file of a recording.
    """
    storage = Storage()
    try:
        files = _files(path)
        if not any(side_files(file) for file in files if file.suffix == ".db3"):
            try:
                reader = _opened(storage, path)
            except Exception as error:  # rosbags lets storage errors of many kinds through
                described = not path.is_dir() or (path / "metadata.yaml").exists()
                why = str(error) if described else "metadata.yaml is missing"
            else:
                # Written first with nothing counted, last with everything: in between it says nothing.
                if reader.message_count or not path.is_dir() or not _hold_messages(files):
                    return storage
                why = "metadata.yaml counts no messages"
                storage.readers.clear()
        else:
            why = "it was not closed: there is a journal beside it"
        if not files:
            raise StorageError(why)
        storage.pieced = True
        storage.problems.append(f"not whole ({_one_line(why)}); read file by file")
        _open_files(storage, files)
        _count_losses(storage, path)
    except BaseException:
        storage.stack.close()
        raise
    return storage


def type_store(storage: Storage) -> Typestore:
    """The recording's own message definitions, and Humble's for what it does not define.

    A definition that cannot be understood is a problem of its topics, not of the recording.
    """
    types: dict[str, Any] = {}
    for connection in storage.connections:
        definition = connection.msgdef
        if definition.format == MessageDefinitionFormat.NONE or connection.msgtype in types:
            continue
        try:
            types |= _parsed(definition.format, definition.data, connection.msgtype)
            get_typestore(Stores.EMPTY).register(types)
        except Exception as error:  # the parsers fail in many ways
            types.pop(connection.msgtype, None)
            storage.problems.append(
                f"topic {connection.topic}: the definition of {connection.msgtype} cannot be understood:"
                f" {_one_line(error)}"
            )
    store = get_typestore(Stores.EMPTY)
    if any(connection.msgtype not in types for connection in storage.connections):
        types = {**ros_types().fielddefs, **types}
    store.register(types)
    return store


def _parsed(form: MessageDefinitionFormat, text: str, name: str) -> dict[str, Any]:
    if form == MessageDefinitionFormat.MSG:
        return dict(get_types_from_msg(text, name))
    separator = "=" * 80 + "\n"
    if not text.startswith(f"{separator}IDL: "):
        return dict(get_types_from_idl(text))
    types: dict[str, Any] = {}
    for part in text.split(separator)[1:]:
        types |= get_types_from_idl(part.split("\n", 1)[1])
    return types


def _files(path: Path) -> list[Path]:
    """The storage files in the order of their numbers."""
    if not path.is_dir():
        return [path]
    files = [file for file in path.iterdir() if file.name.endswith(_SUFFIXES)]
    if not files and not (path / "metadata.yaml").exists():
        raise FileNotFoundError(path)
    return sorted(files, key=lambda file: [int(p) if p.isdigit() else p for p in _split_digits(file.name)])


def _split_digits(name: str) -> list[str]:
    import re

    # Digits at odd places, text at even ones: numbers are only compared with numbers.
    return re.split(r"(\d+)", name)


def _opened(storage: Storage, path: "Path | PatchedPath") -> Reader:
    reader = Reader(cast(Path, path))
    reader.open()
    storage.stack.callback(reader.close)
    storage.readers.append(reader)
    return reader


def _hold_messages(files: Sequence[Path]) -> bool:
    for file in files:
        with contextlib.suppress(Exception), Reader(file) as reader:
            if reader.message_count:
                return True
    return False


def _open_files(storage: Storage, files: Sequence[Path]) -> None:
    failures = []
    for file in files:
        try:
            storage.problems += [f"{file.name}: {problem}" for problem in _open_file(storage, file)]
        except (ValueError, OSError) as error:
            failures.append(f"{file.name}: {_one_line(error)}")
    if not storage.readers:
        raise StorageError("; ".join(failures))
    storage.problems += [f"{failure}; the whole file is left out" for failure in failures]


def _open_file(storage: Storage, file: Path) -> list[str]:
    """Open one file as it is or what is whole in it; the problems it has.

    Raises:
        ValueError: nothing can be read.
        OSError: no space for a copy where one is needed.
    """
    folder = Path(storage.stack.enter_context(tempfile.TemporaryDirectory(prefix="hybrid_seg_")))
    problems = []
    if file.suffix == ".zstd":
        file, why = _unpacked(file, folder)
        problems += [why] if why else []
    if file.suffix == ".db3" and side_files(file):
        file = recover_journal(file, folder)
        problems.append("its journal has been worked into a copy")
    try:
        _opened(storage, file)
        return problems
    except Exception as error:  # rosbags lets storage errors of many kinds through
        why = _one_line(error)
    if file.suffix == ".db3":
        copy, count, stopped = copy_whole_rows(file, folder)
        _opened(storage, copy)
        return [*problems, f"damaged ({stopped or why}); the first {count} messages are whole"]
    found = salvage(file)
    _opened(storage, PatchedPath(file, found.end, found.tail))
    return [*problems, *(found.problems or (f"its index cannot be read ({why}); made anew",))]


def _unpacked(file: Path, folder: Path) -> tuple[Path, str]:
    """The file inside a zstd file, as much of it as there is, and what is wrong with it."""
    target = folder / file.stem
    with file.open("rb") as packed, target.open("wb") as out:
        try:
            with zstd.open(packed, "rb") as stream:
                while block := stream.read(1 << 20):
                    out.write(block)
        except (EOFError, zstd.ZstdError) as error:
            return target, f"its compression breaks off: {_one_line(error)}"
    return target, ""


def _decompressed(data: bytes) -> bytes:
    """A message that was compressed by itself; metadata.yaml would have said so."""
    if bytes(data[:4]) != _ZSTD:
        return data
    return bytes(zstd.decompress(data))


def _count_losses(storage: Storage, path: Path) -> None:
    """How many messages are missing of those that metadata.yaml counts, where there is one."""
    try:
        content = yaml.safe_load((path / "metadata.yaml").read_text(encoding="utf-8"))
        expected = int(content["rosbag2_bagfile_information"]["message_count"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return
    found = sum(reader.message_count for reader in storage.readers)
    if expected > found:
        storage.problems.append(f"{expected - found} of {expected} messages are lost")


def _one_line(error: object) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
