"""Files of the engine cache: written whole or not at all, checked before anybody uses them."""

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.tensorrt.identity import EngineIdentity, differences, from_json, to_json

_MAX_JSON_BYTES = 1 << 16
_MODE = 0o644


def sha256(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


def json_path(plan: Path) -> Path:
    """Where the identity of a plan lies."""
    return plan.with_name(f"{plan.name}.json")


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the place and rename, so that a reader, or a power cut, finds all of it or the old.

    Raises:
        OSError: no room, no right to write; nothing is left behind.
    """
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(handle, left) :]
            os.fchmod(handle, _MODE)  # mkstemp makes it private
            os.fsync(handle)
        finally:
            os.close(handle)
        Path(partial).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(partial).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def store_plan(path: Path, plan: bytes, identity: EngineIdentity) -> None:
    """Write plan and identity; the identity last, so that one without its plan never appears.

    Raises:
        OSError: no room, no right to write.
    """
    write_atomically(path, plan)
    write_atomically(json_path(path), to_json(identity))


def fetch_plan(path: Path, wanted: EngineIdentity) -> tuple[bytes | None, EngineIdentity | None, list[str]]:
    """The plan at `path` if it is the wanted one: (plan, identity, []), else (None, None, reasons).

    Nothing of the plan is looked at before its identity fits, and nothing but this very content is handed on.
    """
    try:
        found = from_json(read_trusted(json_path(path), limit=_MAX_JSON_BYTES))
    except FileNotFoundError:
        reason = "a plan without its .json: not from this cache" if path.exists() else "there is none yet"
        return None, None, [reason]
    except (OSError, ValueError) as error:
        return None, None, [f"its .json cannot be trusted: {error}"]
    reasons = differences(wanted, found)
    if reasons:
        return None, None, reasons
    try:
        plan = read_trusted(path)
    except (OSError, ValueError) as error:
        return None, None, [f"the plan cannot be trusted: {error}"]
    if (digest := sha256(plan)) != found.plan_sha256:
        return (
            None,
            None,
            [f"the plan is damaged: {len(plan)} bytes of SHA-256 {digest[:12]}, not {found.plan_sha256[:12]}"],
        )
    return plan, found, []


def read_foreign_plan(path: Path, expected_sha256: str | None) -> bytes:
    """A plan from outside the cache. Plans execute code: only with the hash that its maker told.

    Raises:
        BackendError: no hash given, or another content.
    """
    if not expected_sha256:
        raise BackendError(
            f"{path}: expected the SHA-256 of a plan that this machine did not build, found none given; a plan executes"
            " code when it is loaded. To fix: build it here: hybrid-seg build-engine BUNDLE"
        )
    try:
        plan = path.read_bytes()
    except OSError as error:
        raise BackendError(f"{path}: expected a plan, found: {error}") from error
    if (digest := sha256(plan)) != expected_sha256.lower():
        raise BackendError(
            f"{path}: expected SHA-256 {expected_sha256}, found {digest}. To fix: build it here: hybrid-seg"
            " build-engine BUNDLE"
        )
    return plan


def read_trusted(path: Path, limit: int | None = None) -> bytes:
    """Content of a plain file that only this user or root can have written.

    Raises:
        OSError: not there, or a symbolic link.
        ValueError: another owner, writable by everybody, not a plain file, or larger than `limit` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path.name} is no plain file")
        if status.st_uid not in (os.geteuid(), 0):
            raise ValueError(f"{path.name} belongs to user {status.st_uid}")
        if status.st_mode & stat.S_IWOTH:
            raise ValueError(f"{path.name} is writable by everybody")
        if limit is not None and status.st_size > limit:
            raise ValueError(f"{path.name} has {status.st_size} bytes, expected at most {limit}")
        return stream.read()
