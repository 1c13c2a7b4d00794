"""A function over many jobs on a Ray cluster, each in a process of its own."""

import contextlib
import fcntl
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hybrid_seg_ros.assessment.workers import Lost

Job = TypeVar("Job")
Result = TypeVar("Result")

INSTALL = "pip install 'hybrid_seg_ros[ray]'"
_PATIENCE_S = 30.0
_ANSWER_S = 10.0


def on_ray(
    function: Callable[[Job], Result], jobs: Sequence[Job], *, address: str, workers: int | None, gpus: int = 0
) -> Generator[tuple[int, Result | Lost], None, None]:
    """(index of the job, what the function returned) in the order in which they end.

    The machines of the cluster need the same version of this package, and the same paths: a shared file system.
    Closing the generator cancels what is running.

    Args:
        function: a function of a module, which must not raise.
        jobs: what it is called with; picklable, like what it returns.
        address: of the head of the cluster that this machine belongs to, e.g. "10.0.0.1:6379"; "auto" finds it,
            "local" starts one here for this run alone.
        workers: how many run at the same time at most; None leaves it to the cluster.
        gpus: GPUs that a job reserves; without any it sees none. It always reserves one core, and has no other.

    Raises:
        RuntimeError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise RuntimeError(f"--ray needs Ray, here and on every machine of the cluster: {INSTALL}") from None
    from ray.exceptions import RayError

    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, RayError, ValueError) as error:
        raise RuntimeError(
            f"--ray {address}: no Ray cluster answers: {_first_line(error)}; start one with `ray start --head`, or use "
            "--jobs on this machine alone"
        ) from error
    # max_calls: a fresh process for every job; max_retries: a job that dies is reported, not tried for ever.
    remote: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_calls=1, max_retries=0)(_on_one_core)
    waiting = list(enumerate(jobs))[::-1]
    running: dict[ray.ObjectRef[Any], int] = {}
    try:
        while waiting or running:
            while waiting and (workers is None or len(running) < workers):
                index, job = waiting.pop()
                running[remote.remote(function, job)] = index
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            index = running.pop(done)
            try:
                yield index, ray.get(done)
            except RayError as error:
                yield index, Lost(_first_line(error))
    finally:
        for reference in running:
            ray.cancel(reference)
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=_PATIENCE_S)
        ray.shutdown()


def _on_one_core(function: Callable[[Job], Result], job: Job) -> Result:
    """Thread pools take their size from the cores of their process: without a limit each job would fill the machine.

    Ray counts cores but names none; a lock file keeps other jobs from a core.
    """
    cores = sorted(os.sched_getaffinity(0))
    folder = Path(tempfile.gettempdir())
    with contextlib.ExitStack() as stack:
        for core in cores:
            try:
                lock = stack.enter_context((folder / f"hybrid_seg_core_{core}.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            os.sched_setaffinity(0, {core})
            break
        else:  # more jobs than cores
            os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
        return function(job)


def _knock(address: str) -> None:
    """Raises OSError where nobody listens, which would take Ray minutes, and ValueError for what is no address."""
    if address in ("auto", "local"):
        return
    host, separator, port = address.rpartition(":")
    if not (separator and port.isdigit()) or "//" in host:
        raise ValueError('expected HOST:PORT, "auto" or "local"')
    socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _first_line(error: BaseException) -> str:
    """The line of Ray's message that says most: the last one of a traceback, else the first."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return (lines[-1] if "Traceback" in str(error) else lines[0]).strip()
