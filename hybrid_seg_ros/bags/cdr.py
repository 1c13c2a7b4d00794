"""The few header bytes of a serialised message that replay and recording need without deserialising it."""

import struct

# Encapsulation header: representation id (2 bytes; low bit of the second = little-endian), options (2 bytes).
_ENCAPSULATION = 4


def header_stamp_ns(data: bytes | memoryview) -> int:
    """The acquisition stamp, ns, of a CDR message that begins with std_msgs/Header.

    Raises:
        ValueError: fewer bytes than a header has.
    """
    if len(data) < _ENCAPSULATION + 8:
        raise ValueError(f"a message with a header has at least {_ENCAPSULATION + 8} bytes, found {len(data)}")
    order = "<" if data[1] & 1 else ">"
    sec, nanosec = struct.unpack_from(f"{order}iI", data, _ENCAPSULATION)
    return int(sec) * 1_000_000_000 + int(nanosec)
