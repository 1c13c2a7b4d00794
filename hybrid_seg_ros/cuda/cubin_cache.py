"""Compiled kernels on disk: one file each, named by everything that decides its content, checked before use."""

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from hybrid_seg_ros.cuda.sources import Kernel, source_files

_log = logging.getLogger(__name__)
_DIGEST = hashlib.sha256().digest_size


def cache_key(kernel: Kernel, arch: int, compiler: str) -> str:
    """SHA-256 over the sources, the kernel's parameters, the architecture and the compiler's version."""
    digest = hashlib.sha256()
    parts = [kernel.entry, kernel.file, *(f"{name}={value}" for name, value in kernel.defines), str(arch), compiler]
    for name, text in source_files().items():
        parts += [name, text]
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key}.kernel"


def load(folder: Path, key: str) -> bytes | None:
    """The machine code of a key; None where there is none, or where the file is not what was written."""
    try:
        content = _file(folder, key).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("compiled kernel %s is not readable, compiling it again: %s", _file(folder, key), error)
        return None
    digest, cubin = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(cubin).digest() != digest:
        _log.warning("compiled kernel %s is damaged (its hash differs), compiling it again", _file(folder, key))
        return None
    return cubin


def store(folder: Path, key: str, cubin: bytes) -> None:
    """Write the machine code of a key, whole or not at all; where that fails, the log says so and life goes on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f"{key}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(cubin).digest() + cubin)
            Path(temporary).replace(_file(folder, key))
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        _log.warning("the compiled kernel is not kept, every start compiles it again: %s", error)
