"""A function over many jobs, each in a process of its own: one that dies takes no other with it."""

import itertools
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

# A worker may have to end a ROS node, which takes up to 10 s for each signal.
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A job whose process ended without a result.

    Attributes:
        reason: how it ended, in one line.
    """

    reason: str


def in_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Generator[tuple[int, Result | Lost], None, None]:
    """(index of the job, what the function returned) in the order in which they end.

    Every job gets a fresh process, so that neither a crash nor memory that a job leaves behind reaches the next one,
    and a share of the processor's cores that no other running job has: thread pools take their size from it. Closing
    the generator ends what is running.

    Args:
        function: a function of a module, which must not raise: an exception ends its process.
        jobs: what it is called with; picklable, like what it returns.
        workers: how many run at the same time, at least 1.
    """
    shares = _shares(workers)
    waiting = iter(enumerate(jobs))
    running: dict[Connection, tuple[int, frozenset[int], SpawnProcess]] = {}
    try:
        while True:
            for index, job in itertools.islice(waiting, len(shares)):
                cores = shares.pop()
                receiver, process = _start(function, job, cores)
                running[receiver] = (index, cores, process)
            if not running:
                return
            for ready in multiprocessing.connection.wait(list(running)):
                receiver = next(r for r in running if r is ready)
                index, cores, process = running.pop(receiver)
                shares.append(cores)
                yield index, _result(receiver, process)
    finally:
        _end([process for _, _, process in running.values()])


def _shares(workers: int) -> list[frozenset[int]]:
    """As many sets of cores as there are workers, disjoint where there are cores enough."""
    cores = sorted(os.sched_getaffinity(0))
    if workers >= len(cores):
        return [frozenset({cores[i % len(cores)]}) for i in range(workers)]
    bounds = [round(i * len(cores) / workers) for i in range(workers + 1)]
    return [frozenset(cores[low:high]) for low, high in itertools.pairwise(bounds)]


def _start(function: Callable[[Job], Result], job: Job, cores: frozenset[int]) -> tuple[Connection, SpawnProcess]:
    # spawn: a forked child would inherit the locks of this process's threads.
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(function, job, cores, sender))
    process.start()
    # The only open end is now the child's: when it is gone, reading says so.
    sender.close()
    return receiver, process


def _work(function: Callable[[Any], Any], job: object, cores: frozenset[int], sender: Connection) -> None:
    """The child's life."""
    # Ctrl-C is for the parent alone, which ends the children in order; a node that a child started must not be told
    # to end before the child knows.
    os.setpgrp()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.sched_setaffinity(0, cores)
    sender.send(function(job))
    sender.close()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _result(receiver: Connection, process: SpawnProcess) -> Any | Lost:  # noqa: ANN401  # what the function returned
    try:
        result = receiver.recv()
    except (EOFError, OSError):
        process.join()
        return Lost(_how(process.exitcode))
    finally:
        receiver.close()
    process.join()
    return result


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = "; the machine may be out of memory" if -exitcode == signal.SIGKILL else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with status {exitcode} and no result"


def _end(processes: Sequence[SpawnProcess]) -> None:
    """Ask all to end, wait, and insist where one does not."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(_PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
