"""A file that reads as its beginning and something else behind that, without a copy."""

import io
from pathlib import Path


class PatchedFile(io.RawIOBase):
    """The first `end` bytes of a file, then `tail`; read only, seekable."""

    def __init__(self, path: Path, end: int, tail: bytes) -> None:
        self._file = path.open("rb")
        self._end = end
        self._tail = tail
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end + len(self._tail)}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        if self._at < self._end:
            self._file.seek(self._at)
            count = self._file.readinto(view[: self._end - self._at])
        else:
            start = self._at - self._end
            data = self._tail[start : start + len(view)]
            count = len(data)
            view[:count] = data
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class PatchedPath:
    """What stands for a patched file where rosbags expects a path (`rosbags.interfaces.typing.RPath`)."""

    def __init__(self, path: Path, end: int, tail: bytes) -> None:
        self._path, self._end, self._tail = path, end, tail

    def __str__(self) -> str:
        return str(self._path)

    @property
    def suffix(self) -> str:
        return self._path.suffix

    @property
    def stem(self) -> str:
        return self._path.stem

    def exists(self) -> bool:
        return self._path.exists()

    def is_dir(self) -> bool:
        return False

    def open(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(PatchedFile(self._path, self._end, self._tail))
