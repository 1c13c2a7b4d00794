import contextlib
import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import engine_process
from support.fake_tensorrt import GPU, Faults, install
from support.half_bundles import make_half_bundle

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt import PreparedEngine, engine_options, prepare_engine, store
from hybrid_seg_ros.backends.tensorrt.cache import cache_folder, find_or_build, takes_files
from hybrid_seg_ros.backends.tensorrt.gpu import Gpu
from hybrid_seg_ros.backends.tensorrt.lock import exclusive
from hybrid_seg_ros.bundle import Bundle, load_bundle, seal_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_half_bundle(tmp_path / "tiny")


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    return install(monkeypatch)


def prepare(bundle: Bundle, *, force: bool = False, cache: Path | None = None, **options: Any) -> PreparedEngine:
    return prepare_engine(bundle, engine_options(bundle, **options), cache_dir=cache, force=force)


def test_built_once_and_found_ever_after(bundle: Bundle, faults: Faults) -> None:
    first, second = prepare(bundle), prepare(bundle)
    assert faults.builds == 1
    assert (first.reasons, second.reasons) == (("there is none yet",), ())
    assert (second.plan, second.identity, second.path) == (first.plan, first.identity, first.path)
    assert first.path == bundle.path / "fp16.128x96.engine"
    assert first.identity.plan_sha256 == store.sha256(first.plan)
    assert first.path.stat().st_mode & 0o777 == 0o644
    load_bundle(bundle.path)  # what lies in its folder now is no foreign file


def test_sizes_and_precisions_are_kept_side_by_side(bundle: Bundle, faults: Faults) -> None:
    for _ in range(2):
        prepare(bundle)
        prepare(bundle, input_size=(96, 64))
        prepare(bundle, precision="fp32")
    assert faults.builds == 3


def test_forced_it_is_built_again(bundle: Bundle, faults: Faults) -> None:
    prepare(bundle)
    assert prepare(bundle, force=True).reasons == ("asked for",)
    assert faults.builds == 2


def another_gpu(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return install(monkeypatch, gpu=Gpu("NVIDIA L4", "8.7", 16, "12.6", "540.4.0"))


def another_version(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return install(monkeypatch, "10.3.0")


def older_driver(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return install(monkeypatch, gpu=replace(GPU, cuda="12.4"))


def another_onnx(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Faults:
    other = make_half_bundle(bundle.path.parent / "other", classes=11)
    content = (other.path / "model.fp16.onnx").read_bytes() + b"\x32\x01x"  # doc_string: another file, the same network
    (bundle.path / "model.fp16.onnx").write_bytes(content)
    return install(monkeypatch)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (another_gpu, "GPU Orin, this machine has NVIDIA L4"),
        (another_version, "TensorRT 10.16.1.11, this machine has 10.3.0"),
        (older_driver, "a driver for CUDA 12.6, this machine's is older: CUDA 12.4"),
        (another_onnx, "the bundle has "),
    ],
)
def test_what_no_longer_fits_is_built_again_and_says_why(
    change: Callable[[Bundle, pytest.MonkeyPatch], Faults],
    why: str,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    install(monkeypatch)
    old = prepare(bundle)
    after = change(bundle, monkeypatch)
    bundle = seal_bundle(bundle.path)
    with caplog.at_level(logging.INFO):
        new = prepare(bundle)
    assert after.builds == 1
    assert len(new.reasons) == 1
    assert why in new.reasons[0]
    assert why in caplog.text
    assert new.identity.of_plan("") != old.identity.of_plan("")
    assert prepare(bundle).reasons == ()


def test_other_options_build_again(bundle: Bundle, faults: Faults) -> None:
    prepare(bundle)
    assert prepare(bundle, workspace_mb=64).reasons == ("workspace 1024 MB, asked for 64 MB",)
    assert "half_io False, asked for True" in "".join(
        [*prepare(bundle, half_io=False).reasons, *prepare(bundle).reasons]
    )


@settings(max_examples=30)
@given(st.data())
def test_a_plan_with_any_bit_changed_or_cut_anywhere_never_reaches_tensorrt(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        faults = install(patch)
        bundle, folder = _bundle_of_the_module(), _bundle_of_the_module().path.parent / "cache"
        engine = prepare(bundle, cache=folder)
        assert engine.path is not None
        content = bytearray(engine.plan)
        if data.draw(st.booleans()):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        engine.path.write_bytes(content)
        patch.setattr("hybrid_seg_ros.backends.tensorrt.engine.deserialize", lambda *_: pytest.fail("loaded"))
        again = prepare(bundle, cache=folder)
        assert again.reasons[0].startswith("the plan is damaged")
        assert (again.plan, faults.builds) == (engine.plan, faults.builds)
        assert engine.path.read_bytes() == engine.plan


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (None, "a plan without its .json: not from this cache"),
        (b"", "its .json cannot be trusted"),
        (b'{"schema_version": 1}', "its .json cannot be trusted"),
        (b" " * 100_000, "has 100000 bytes, expected at most"),
    ],
)
def test_a_foreign_plan_is_not_taken(document: bytes | None, why: str, bundle: Bundle, faults: Faults) -> None:
    plan = bundle.path / "fp16.128x96.engine"
    plan.write_bytes(b"executes whatever it likes")
    if document is not None:
        store.json_path(plan).write_bytes(document)
    engine = prepare(bundle)
    assert why in engine.reasons[0]
    assert plan.read_bytes() == engine.plan != b"executes whatever it likes"


def test_links_and_files_that_others_could_have_written_are_not_taken(
    bundle: Bundle, faults: Faults, tmp_path: Path
) -> None:
    path = prepare(bundle).path
    assert path is not None
    path.chmod(0o666)
    assert prepare(bundle).reasons == ("the plan cannot be trusted: fp16.128x96.engine is writable by everybody",)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "symbolic links" in prepare(bundle).reasons[0]
    assert not path.is_symlink()
    path.unlink()
    os.mkfifo(path)
    assert prepare(bundle).reasons == ("the plan cannot be trusted: fp16.128x96.engine is no plain file",)
    assert prepare(bundle).reasons == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_plan_is_not_taken(bundle: Bundle, faults: Faults) -> None:
    path = prepare(bundle).path
    assert path is not None
    os.chown(path, 12345, -1)
    assert prepare(bundle).reasons == ("the plan cannot be trusted: fp16.128x96.engine belongs to user 12345",)


def test_a_plan_from_outside_needs_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "given.engine"
    path.write_bytes(b"plan")
    digest = store.sha256(b"plan")
    assert store.read_foreign_plan(path, digest) == store.read_foreign_plan(path, digest.upper()) == b"plan"
    for none in (None, ""):
        with pytest.raises(BackendError, match=r"expected the SHA-256 .* found none given"):
            store.read_foreign_plan(path, none)
    with pytest.raises(BackendError, match=f"expected SHA-256 {'0' * 64}, found {digest}"):
        store.read_foreign_plan(path, "0" * 64)
    with pytest.raises(BackendError, match="No such file"):
        store.read_foreign_plan(tmp_path / "none", digest)


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may write anywhere: be somebody who may not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_read_only_folder_is_said_and_the_engine_runs_from_memory(
    bundle: Bundle, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    made = prepare(bundle)
    folder = Path("/usr/share")  # not ours, whoever we are now
    with nobody():
        assert not takes_files(folder)
        found = find_or_build(made.identity, lambda timing_cache: (made.plan, b""), folder / "engines")
    assert (found.plan, found.identity, found.path) == (made.plan, made.identity, None)
    assert "/usr/share/engines: expected a folder that takes the engine, found: [Errno 13]" in caplog.text
    assert "To fix: chown" in caplog.text


def test_an_engine_that_came_with_a_read_only_bundle_is_found(
    bundle: Bundle, faults: Faults, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built = prepare(bundle)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("hybrid_seg_ros.backends.tensorrt.cache.takes_files", lambda folder: False)
    assert prepare(bundle).path == built.path
    # One that no longer fits is left alone, and the fresh one goes where it may.
    changed = prepare(bundle, workspace_mb=64)
    assert changed.path is not None
    assert changed.path.is_relative_to(tmp_path / "cache")
    assert prepare(bundle).path == built.path
    assert faults.builds == 2


def test_without_an_explicit_folder_the_users_cache_stands_in_for_a_bundle_that_takes_no_files(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert cache_folder(bundle.path) == bundle.path
    assert cache_folder(bundle.path, tmp_path / "mine") == tmp_path / "mine"
    nowhere = Path("/proc/tiny")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = cache_folder(nowhere)
    assert folder.parent == tmp_path / "cache" / "hybrid_seg_ros" / "engines"
    assert folder.name.startswith("tiny-")
    assert cache_folder(Path("/sys/tiny")) != folder
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder(nowhere).parent == Path.home() / ".cache" / "hybrid_seg_ros" / "engines"
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 987654321)
    assert cache_folder(nowhere) == nowhere


@pytest.mark.parametrize("full_after", [0, 100])
@pytest.mark.parametrize("where", ["plan", "identity", "fsync"])
def test_a_full_disk_is_said_and_the_engine_runs_from_memory(
    where: str,
    full_after: int,
    bundle: Bundle,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write, sync, plain = os.write, os.fsync, bundle.path / "fp16.128x96.engine"

    def full(handle: int, content: Any) -> int:
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        if where != "fsync" and (".engine.json." in name) == (where == "identity") and ".128x96." in name:
            if len(content) <= full_after or os.fstat(handle).st_size >= full_after:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(handle, content[:full_after])
        return write(handle, content)

    def no_sync(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        patch.setattr(os, "fsync", no_sync if where == "fsync" else sync)
        engine = prepare(bundle)
    assert engine.path is None
    assert "expected room for an engine of 0.0 MB, found" in caplog.text
    engine.open().close()
    assert not [entry for entry in bundle.path.iterdir() if entry.name.endswith(".partial")]
    # Without its identity a plan is none; with room again all is as it should be.
    assert not store.json_path(plain).exists()
    assert prepare(bundle).path == plain
    assert prepare(bundle).reasons == ()


def test_a_failed_build_leaves_the_old_engine_and_frees_the_lock(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = install(monkeypatch)
    kept = prepare(bundle)
    broken = install(monkeypatch, "10.3.0", Faults(no_plan=True))
    for _ in range(2):
        with pytest.raises(BackendError, match="OutOfMemory"):
            prepare(bundle)
    install(monkeypatch, faults=old)
    assert prepare(bundle).plan == kept.plan
    assert (old.builds, broken.builds) == (1, 2)


def test_the_timing_cache_of_this_gpu_is_used_again_unless_it_is_damaged(bundle: Bundle, faults: Faults) -> None:
    prepare(bundle)
    (timing,) = bundle.path.glob(".engine.timing-*")
    prepare(bundle, force=True)
    timing.write_bytes(timing.read_bytes()[:-1])
    prepare(bundle, force=True)
    assert faults.timing_caches == [b"", b"+timed", b""]


def start(bundle: Bundle, cache: Path, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, engine_process.__file__, str(bundle.path), str(cache), str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_build_once_and_the_second_says_whom_it_waits_for(bundle: Bundle, tmp_path: Path) -> None:
    processes = [start(bundle, tmp_path / "cache", 1.5) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    told = [json.loads(lines[-1]) for lines in said]
    assert sorted(each["builds"] for each in told) == [0, 1]
    assert told[0]["plan"] == told[1]["plan"]
    builder = processes[[each["builds"] for each in told].index(1)]
    waiter = said[[each["builds"] for each in told].index(0)]
    # What the holder has not written yet cannot be told.
    assert waiter[0] in (f"waiting for process {builder.pid} on {os.uname().nodename}", "waiting for another process")


def test_the_lock_of_a_killed_process_is_free(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    process = start(bundle, tmp_path / "cache", 60)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    lock = tmp_path / "cache" / ".engine.lock"
    while not (lock.exists() and lock.read_text()):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert prepare(bundle, cache=tmp_path / "cache").reasons == ("there is none yet",)


def test_waiting_tells_again_and_can_be_cancelled(tmp_path: Path) -> None:
    cancel, told = threading.Event(), []

    def tell(holder: str, waited: float) -> None:
        told.append(holder)
        if len(told) == 3:
            cancel.set()

    lock = tmp_path / "lock"
    with exclusive(lock):
        with pytest.raises(BackendError, match="cancelled"), exclusive(lock, on_wait=tell, tell_s=0.1, cancel=cancel):
            pytest.fail("two hold one lock")
        assert told == [f"process {os.getpid()} on {os.uname().nodename}"] * 3
    with exclusive(lock, on_wait=lambda *_: pytest.fail("nobody holds it")):
        pass


_made: list[Bundle] = []


def _bundle_of_the_module() -> Bundle:
    return _made[0]


@pytest.fixture(scope="module", autouse=True)
def _shared_bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("shared")
    _made.append(make_half_bundle(folder / "tiny"))
    yield
    shutil.rmtree(folder)
    _made.clear()
