"""What is whole in an mcap file that was cut off mid-write or damaged, readable as if it had been finished.

Nothing is copied and the file stays as it is: a summary of what is whole is made in memory and read behind it.
"""

import io
import struct
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hybrid_seg_ros.bags import mcap_records as mcap
from hybrid_seg_ros.bags.zstd import zstd

_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_READABLE = (b"ros2msg", b"ros2idl", b"omgidl", b"")


@dataclass(slots=True)
class _Chunk:
    """A chunk that decodes, where it is and which messages it holds."""

    start: int
    length: int
    compression: bytes
    compressed: int
    uncompressed: int
    times: list[int] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Found:
    """Everything that was found whole."""

    schemas: dict[int, bytes] = field(default_factory=dict)
    channels: dict[int, bytes] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    times: list[int] = field(default_factory=list)

    def take(self, opcode: int, content: bytes) -> int | None:
        """Note a schema, a channel or a message; the log time of a message."""
        if opcode == mcap.SCHEMA:
            (number,) = struct.unpack_from("<H", content)
            _, offset = mcap.read_string(content, 2)
            encoding, _ = mcap.read_string(content, offset)
            if encoding in _READABLE:
                self.schemas[number] = content
        elif opcode == mcap.CHANNEL:
            number, schema = struct.unpack_from("<HH", content)
            topic, offset = mcap.read_string(content, 4)
            encoding, _ = mcap.read_string(content, offset)
            if encoding == b"cdr" and (schema in self.schemas or schema == 0):
                self.channels[number] = content
            else:
                self.unreadable[topic.decode(errors="replace")] = encoding.decode(errors="replace")
        elif opcode == mcap.MESSAGE:
            number, _, log_time, _ = _MESSAGE.unpack_from(content)
            self.counts[number] += 1
            self.times.append(log_time)
            return int(log_time)
        return None


@dataclass(frozen=True, slots=True)
class Salvage:
    """A broken file's whole part.

    Attributes:
        end: how many of its bytes are whole.
        tail: what to read behind them: a last chunk of what was whole in a chunk cut off, and the summary.
        messages: how many messages that makes.
        problems: what is lost, a sentence each.
    """

    end: int
    tail: bytes
    messages: int
    problems: tuple[str, ...]


def salvage(path: Path) -> Salvage:
    """Find what is whole in an mcap file; reads all of it.

    Raises:
        ValueError: not an mcap file, or one without a single whole topic.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(mcap.MAGIC)) != mcap.MAGIC:
            raise ValueError("it does not begin as an mcap file does")
        return _salvage(file, size)


def _salvage(file: BinaryIO, size: int) -> Salvage:
    found, chunks, problems = _Found(), [], []
    end, rest = len(mcap.MAGIC), b""
    finished = False
    for entry in mcap.walk(file, len(mcap.MAGIC), size):
        if entry.opcode in (mcap.DATA_END, mcap.FOOTER):
            finished = True
            break
        file.seek(entry.content)
        if entry.opcode == mcap.CHUNK:
            content = file.read(min(entry.size, size - entry.content))
            chunk, records, why = _open_chunk(entry, content)
            if entry.end > size:
                rest = records
                break
            if why:
                problems.append(f"a chunk of {entry.size} bytes at byte {entry.start} is lost: {why}")
            else:
                _take_all(found, records, chunk)
                chunks.append(chunk)
        elif entry.end > size:
            break
        elif entry.opcode in (mcap.SCHEMA, mcap.CHANNEL, mcap.MESSAGE):
            found.take(entry.opcode, file.read(entry.size))
        end = entry.end
    tail = b""
    kept = _whole_records(rest)
    if kept:
        chunk = _Chunk(end, 0, b"", len(kept), len(kept))
        _take_all(found, kept, chunk)
        tail = _chunk_record(chunk, kept)
        chunk.length = len(tail)
        chunks.append(chunk)
    if not finished and end < size:
        problems.append(f"cut off: the last {size - end} of {size} bytes are not whole" + _kept_text(kept))
    problems += [f"topic {t} is left out: its messages are {e!r}, not CDR" for t, e in found.unreadable.items()]
    if not found.channels:
        raise ValueError(f"nothing in its {size} bytes can be read; " + "; ".join(problems))
    if chunks:
        tail += _summary(found, chunks, end + len(tail))
    else:  # messages outside of chunks have no index; without a summary readers scan
        tail += mcap.record(mcap.FOOTER, struct.pack("<QQI", 0, 0, 0)) + mcap.MAGIC
    readable = sum(n for channel, n in found.counts.items() if channel in found.channels)
    return Salvage(end, tail, readable, tuple(problems))


def _kept_text(kept: bytes) -> str:
    return f", {len(kept)} bytes of messages in them are" if kept else ""


def _open_chunk(entry: mcap.Record, content: bytes) -> tuple[_Chunk, bytes, str]:
    """The chunk, its records as far as they can be decompressed, and why they are not whole ("" = they are)."""
    nothing = _Chunk(entry.start, mcap.PREFIX_BYTES + entry.size, b"", 0, 0)
    try:
        _, _, uncompressed, crc = struct.unpack_from("<QQQI", content)
        compression, offset = mcap.read_string(content, 28)
        (compressed,) = struct.unpack_from("<Q", content, offset)
    except (struct.error, ValueError):
        return nothing, b"", "its head is cut off"
    chunk = _Chunk(entry.start, mcap.PREFIX_BYTES + entry.size, compression, compressed, uncompressed)
    data, why = _decompress(content[offset + 8 : offset + 8 + compressed], compression)
    if not why and len(data) != uncompressed:
        why = f"it holds {len(data)} bytes, expected {uncompressed}"
    if not why and crc and zlib.crc32(data) != crc:
        why = "its checksum differs"
    if not why and len(_whole_records(data)) != uncompressed:
        why = "it does not consist of records"
    return chunk, data, why


def _decompress(data: bytes, compression: bytes) -> tuple[bytes, str]:
    """As much of the data as can be decompressed, and what stopped it."""
    if not compression:
        return data, ""
    # The decompressors come with rosbags, which reads whole files with them.
    try:
        if compression == b"lz4":
            import lz4.frame  # type: ignore[import-untyped]

            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data)), ""
        if compression == b"zstd":
            return bytes(zstd.ZstdDecompressor().decompress(data)), ""
    except Exception as error:  # each library has errors of its own
        return b"", f"it cannot be decompressed: {error}"
    return b"", f"unknown compression {compression!r}"


def _whole_records(data: bytes) -> bytes:
    """The beginning of the data that consists of whole records."""
    end = 0
    for entry in mcap.walk(io.BytesIO(data), 0, len(data)):
        if entry.end > len(data):
            break
        end = entry.end
    return data[:end]


def _take_all(found: _Found, records: bytes, chunk: _Chunk) -> None:
    for entry in mcap.walk(io.BytesIO(records), 0, len(records)):
        content = records[entry.content : entry.end]
        log_time = found.take(entry.opcode, content)
        if log_time is not None:
            chunk.counts[_MESSAGE.unpack_from(content)[0]] += 1
            chunk.times.append(log_time)


def _chunk_record(chunk: _Chunk, records: bytes) -> bytes:
    head = struct.pack("<QQQI", *_span(chunk.times), len(records), zlib.crc32(records))
    return mcap.record(mcap.CHUNK, head + mcap.string(b"") + struct.pack("<Q", len(records)) + records)


def _span(times: list[int]) -> tuple[int, int]:
    return (min(times), max(times)) if times else (0, 0)


def _summary(found: _Found, chunks: list[_Chunk], start: int) -> bytes:
    """Data end, schemas, channels, chunk indexes, statistics, footer and magic, as they stand at an offset."""
    data_end = mcap.record(mcap.DATA_END, struct.pack("<I", 0))
    parts = [mcap.record(mcap.SCHEMA, content) for content in found.schemas.values()]
    parts += [mcap.record(mcap.CHANNEL, content) for content in found.channels.values()]
    parts += [mcap.record(mcap.CHUNK_INDEX, _chunk_index(chunk)) for chunk in chunks if chunk.times]
    counts = {channel: count for channel, count in found.counts.items() if channel in found.channels}
    head = (sum(counts.values()), len(found.schemas), len(found.channels), 0, 0, len(chunks), *_span(found.times))
    table = b"".join(struct.pack("<HQ", *item) for item in counts.items())
    parts.append(mcap.record(mcap.STATISTICS, struct.pack("<QHIIIIQQ", *head) + mcap.string(table)))
    footer = mcap.record(mcap.FOOTER, struct.pack("<QQI", start + len(data_end), 0, 0))
    return b"".join([data_end, *parts, footer, mcap.MAGIC])


def _chunk_index(chunk: _Chunk) -> bytes:
    """Readers count a channel's messages by the distance of the message indexes: 15 bytes and 16 a message each."""
    offset = chunk.start + chunk.length
    table = b""
    for channel, count in sorted(chunk.counts.items()):
        table += struct.pack("<HQ", channel, offset)
        offset += mcap.PREFIX_BYTES + 6 + 16 * count
    head = struct.pack("<QQQQ", *_span(chunk.times), chunk.start, chunk.length)
    index_length = offset - chunk.start - chunk.length
    sizes = struct.pack("<QQ", chunk.compressed, chunk.uncompressed)
    return head + mcap.string(table) + struct.pack("<Q", index_length) + mcap.string(chunk.compression) + sizes
