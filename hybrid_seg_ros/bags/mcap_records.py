"""The records of an mcap file (https://mcap.dev/spec), as far as finding what is whole in a broken one needs them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"\x89MCAP0\r\n"
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = range(1, 9)
STATISTICS, DATA_END = 0x0B, 0x0F
_LAST_OPCODE = 0x0F
_PREFIX = struct.Struct("<BQ")

PREFIX_BYTES = _PREFIX.size
"""Of a record: opcode and length of its content."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what it is, where its prefix starts, how many bytes its content has."""

    opcode: int
    start: int
    size: int

    @property
    def content(self) -> int:
        """Offset of its content."""
        return self.start + PREFIX_BYTES

    @property
    def end(self) -> int:
        """Offset of what follows it."""
        return self.content + self.size


def record(opcode: int, content: bytes) -> bytes:
    """A record as bytes."""
    return _PREFIX.pack(opcode, len(content)) + content


def string(value: bytes) -> bytes:
    """A string, map or byte array: its length before it."""
    return struct.pack("<I", len(value)) + value


def read_string(data: bytes, offset: int) -> tuple[bytes, int]:
    """The string at an offset, and the offset of what follows it.

    Raises:
        ValueError: it ends beyond the data.
    """
    if offset + 4 > len(data):
        raise ValueError("a string is cut off")
    (length,) = struct.unpack_from("<I", data, offset)
    end = offset + 4 + length
    if end > len(data):
        raise ValueError("a string is cut off")
    return data[offset + 4 : end], end


def walk(file: BinaryIO, start: int, size: int) -> Iterator[Record]:
    """The records from an offset on, the last of them maybe longer than the file; ends where no record is.

    Args:
        file: seekable.
        start: where the first prefix is.
        size: of the file, bytes.
    """
    while start + PREFIX_BYTES <= size:
        file.seek(start)
        opcode, length = _PREFIX.unpack(file.read(PREFIX_BYTES))
        if not 0 < opcode <= _LAST_OPCODE:  # a page that was never written reads as zeros
            return
        found = Record(opcode, start, length)
        yield found
        start = found.end
