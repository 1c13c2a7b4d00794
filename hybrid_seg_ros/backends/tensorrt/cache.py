"""Find the engine that is wanted, or build it, once for all processes of the machine."""

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_seg_ros.backends.tensorrt import store
from hybrid_seg_ros.backends.tensorrt.identity import EngineIdentity
from hybrid_seg_ros.backends.tensorrt.lock import exclusive, log_wait

_log = logging.getLogger(__name__)
# Hidden, so that they may lie in a bundle's folder.
_LOCK = ".engine.lock"
_TIMING = ".engine.timing-{}"
_DIGEST_LINE = 65


@dataclass(frozen=True, slots=True)
class CachedPlan:
    """A plan that is the wanted one.

    Attributes:
        plan: what TensorRT gets; its hash was checked.
        identity: of this plan.
        path: where it lies; None = it could not be kept and lives in memory only.
        reasons: why it was built anew; empty = it was found.
    """

    plan: bytes
    identity: EngineIdentity
    path: Path | None
    reasons: tuple[str, ...]


def cache_folder(bundle: Path, explicit: Path | None = None) -> Path:
    """Where a bundle's engines lie: `explicit`, else the bundle's own folder if it takes files, else the user's cache.

    In the user's cache each place of a bundle has a folder of its own: two of the same name do not fight over it. For a
    user without a home it is the bundle's folder all the same, and the engine runs from memory.
    """
    if explicit is not None:
        return explicit
    if takes_files(bundle):
        return bundle
    # The XDG base directory specification: a relative path is to be ignored.
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():
        try:
            root = Path.home() / ".cache"
        except RuntimeError:  # a container's user who is in no passwd file
            return bundle
    place = hashlib.sha256(str(bundle.resolve()).encode()).hexdigest()[:8]
    return root / "hybrid_seg_ros" / "engines" / f"{bundle.resolve().name}-{place}"


def takes_files(folder: Path) -> bool:
    """Whether a file can be made there, found out by making one: rights alone do not tell of read-only mounts."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".engine.", suffix=".partial", dir=folder):
            return True
    except OSError:
        return False


def plan_path(folder: Path, identity: EngineIdentity) -> Path:
    """One file a library, precision and size; everything else about it is in its identity."""
    width, height = identity.options.input_size
    library = "" if identity.library == "tensorrt" else "rtx."
    return folder / f"{library}{identity.options.precision}.{width}x{height}.engine"


def find_or_build(
    wanted: EngineIdentity,
    build: Callable[[bytes], tuple[bytes, bytes]],
    folder: Path,
    *,
    also: Sequence[Path] = (),
    force: bool = False,
    on_wait: Callable[[str, float], None] = log_wait,
    cancel: threading.Event | None = None,
) -> CachedPlan:
    """The wanted plan from the cache, else a fresh one that is put there.

    A folder that takes no file, a full disk: said as a warning, and the fresh plan is returned all the same.

    Args:
        wanted: what the plan must be.
        build: old timing cache, b"" if none -> (plan, new timing cache, b"" if none).
        folder: of the cache; made if it is not there.
        also: folders to look in that are not written to, such as a bundle's own in a read-only image.
        force: build even if the cache has it.
        on_wait: told who builds it while this process waits.
        cancel: ends the waiting.

    Raises:
        BackendError: cancelled, or what `build` raises.
    """
    path = plan_path(folder, wanted)
    for place in () if force else (folder, *also):
        if cached := _look_up(plan_path(place, wanted), wanted)[0]:
            return cached
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive(folder / _LOCK, on_wait=on_wait, cancel=cancel))
        except OSError as error:
            _log.warning("%s", _not_kept(folder, 0, error))
            plan, _ = build(b"")
            identity = wanted.of_plan(store.sha256(plan))
            return CachedPlan(plan, identity, None, (f"{folder} takes no files",))
        # Whoever held the lock may have built it meanwhile.
        cached, reasons = _look_up(path, wanted)
        if force:
            reasons = ["asked for"]
        elif cached:
            return cached
        _log.info("building %s, because: %s", path, "; ".join(reasons))
        timing = folder / timing_name(wanted)
        plan, new_timing = build(_read_timing(timing))
        identity = wanted.of_plan(store.sha256(plan))
        kept = None
        with _warned(folder, len(plan)):
            store.store_plan(path, plan, identity)
            kept = path
        if new_timing:
            with _warned(folder, len(new_timing)):
                store.write_atomically(timing, store.sha256(new_timing).encode() + b"\n" + new_timing)
        return CachedPlan(plan, identity, kept, tuple(reasons))


def timing_name(identity: EngineIdentity) -> str:
    """File name of the timing cache: kernels timed by one TensorRT on one GPU tell nothing about another."""
    gpu = identity.gpu
    key = f"{identity.version}|{gpu.name}|{gpu.compute_capability}|{gpu.multiprocessors}"
    return _TIMING.format(hashlib.sha256(key.encode()).hexdigest()[:16])


def _look_up(path: Path, wanted: EngineIdentity) -> tuple[CachedPlan | None, list[str]]:
    plan, identity, reasons = store.fetch_plan(path, wanted)
    if plan is None or identity is None:
        return None, reasons
    return CachedPlan(plan, identity, path, ()), []


def _read_timing(path: Path) -> bytes:
    """A timing cache only saves time: whatever is wrong with it, b"" does as well."""
    try:
        content = store.read_trusted(path)
    except (OSError, ValueError):
        return b""
    digest, payload = content[: _DIGEST_LINE - 1], content[_DIGEST_LINE:]
    return payload if store.sha256(payload).encode() == digest else b""


@contextlib.contextmanager
def _warned(folder: Path, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.warning("%s", _not_kept(folder, size, error))


def _not_kept(folder: Path, size: int, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(folder).free
            return (
                f"{folder}: expected room for an engine of {size / 1e6:.1f} MB, found {free / 1e6:.1f} MB free"
                f" ({error.strerror}); it runs from memory and is built again at the next start. To fix: free some"
                " space, or name another folder as engine cache"
            )
    return (
        f"{folder}: expected a folder that takes the engine, found: {error}; it runs from memory and is built again at"
        f" the next start. To fix: chown -R $USER {folder}, or name another folder as engine cache"
    )
