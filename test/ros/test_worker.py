"""The latest-only worker, with real threads and no clock."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hybrid_seg_ros.ros.worker import LatestOnlyWorker

LONG_S = 30.0


class Gate:
    """A `process` that waits to be let through, one item at a time."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.passes = threading.Semaphore(0)
        self.left = threading.Semaphore(0)
        self.seen: list[tuple[str, int]] = []
        self.published: list[tuple[str, int]] = []
        self.worker: LatestOnlyWorker[int] | None = None

    def __call__(self, key: str, item: int, epoch: int) -> None:
        self.seen.append((key, item))
        self.entered.release()
        assert self.passes.acquire(timeout=LONG_S)
        assert self.worker is not None
        with self.worker.committing(epoch) as valid:
            if valid:
                self.published.append((key, item))
        self.left.release()

    def wait_entered(self) -> None:
        assert self.entered.acquire(timeout=LONG_S)

    def let_pass(self) -> None:
        self.passes.release()
        assert self.left.acquire(timeout=LONG_S)


def fail_never(key: str, error: Exception) -> None:
    raise AssertionError(f"{key}: {error}")


@contextmanager
def running(
    keys: list[str], process: Callable[[str, int, int], None], failed: Callable[[str, Exception], None] = fail_never
) -> Iterator[LatestOnlyWorker[int]]:
    worker: LatestOnlyWorker[int] = LatestOnlyWorker(keys, process, failed)
    if isinstance(process, Gate):
        process.worker = worker
    worker.start()
    worker.resume()
    try:
        yield worker
    finally:
        if isinstance(process, Gate):
            process.passes.release(1000)
        assert worker.stop(LONG_S)


def test_only_the_latest_waits_and_the_others_are_counted() -> None:
    gate = Gate()
    with running(["a"], gate) as worker:
        worker.offer("a", 1)
        gate.wait_entered()
        for item in (2, 3, 4):
            worker.offer("a", item)
        gate.let_pass()
        gate.wait_entered()
        gate.let_pass()
        assert gate.published == [("a", 1), ("a", 4)]
        assert worker.dropped("a") == 2


def test_a_fast_camera_does_not_starve_a_slow_one() -> None:
    gate = Gate()
    with running(["fast", "slow", "rare"], gate) as worker:
        worker.offer("fast", 0)
        gate.wait_entered()
        worker.offer("slow", 0)
        for item in range(1, 8):
            worker.offer("fast", item)
            if item == 3:
                worker.offer("rare", 0)
            gate.let_pass()
            gate.wait_entered()
        order = [key for key, _ in gate.seen]
    assert order == ["fast", "slow", "fast", "rare", "fast", "fast", "fast", "fast"]


def test_results_of_an_ended_epoch_cannot_be_committed() -> None:
    gate = Gate()
    with running(["a"], gate) as worker:
        worker.offer("a", 1)
        gate.wait_entered()
        worker.offer("a", 2)  # waits, and must never be processed
        worker.pause()
        worker.offer("a", 3)  # refused: paused
        worker.resume()
        worker.offer("a", 4)
        gate.let_pass()
        gate.wait_entered()
        gate.let_pass()
        assert [item for _, item in gate.seen] == [1, 4]
        assert gate.published == [("a", 4)]
        assert worker.dropped("a") == 1


def test_pause_waits_for_a_commit_that_has_begun() -> None:
    begun, go_on, order = threading.Event(), threading.Event(), []

    def process(key: str, item: int, epoch: int) -> None:
        with worker.committing(epoch) as valid:
            begun.set()
            assert go_on.wait(LONG_S)
            order.append(("published", valid))

    with running(["a"], process) as worker:
        worker.offer("a", 1)
        assert begun.wait(LONG_S)
        pausing = threading.Thread(target=lambda: (worker.pause(), order.append(("paused", True))))
        pausing.start()
        go_on.set()
        pausing.join(LONG_S)
        assert order == [("published", True), ("paused", True)]


def test_an_exception_is_told_and_the_thread_goes_on() -> None:
    failures: list[str] = []
    done = threading.Event()

    def process(key: str, item: int, epoch: int) -> None:
        if item == 1:
            raise ValueError("no")
        done.set()

    with running(["a"], process, lambda key, error: failures.append(f"{key}: {error}")) as worker:
        worker.offer("a", 1)
        while not failures:
            threading.Event().wait(0.01)
        worker.offer("a", 2)
        assert done.wait(LONG_S)
    assert failures == ["a: no"]


def test_stop_says_when_an_item_hangs() -> None:
    gate = Gate()
    with running(["a"], gate) as worker:
        worker.offer("a", 1)
        gate.wait_entered()
        assert worker.busy_for() > 0
        assert not worker.stop(0.05)
    assert worker.busy_for() == 0


def test_stop_before_start_is_fine() -> None:
    worker: LatestOnlyWorker[int] = LatestOnlyWorker(["a"], lambda *_: None, fail_never)
    assert worker.stop(1.0)


class TwoParts:
    """A `process` whose second parts are told apart from the first ones."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.begun, self.go_on, self.finished = (threading.Semaphore(0) for _ in range(3))

    def __call__(self, key: str, item: int, epoch: int) -> Callable[[], None]:
        self.order.append(f"begin {item}")
        self.begun.release()
        assert self.go_on.acquire(timeout=LONG_S)
        return lambda: self._finish(item)

    def _finish(self, item: int) -> None:
        self.order.append(f"finish {item}")
        self.finished.release()
        if item < 0:
            raise ValueError("no")


def test_the_next_item_is_begun_before_the_one_under_way_is_finished() -> None:
    parts = TwoParts()
    with running(["a"], parts) as worker:
        worker.offer("a", 1)
        assert parts.begun.acquire(timeout=LONG_S)
        worker.offer("a", 2)
        parts.go_on.release(2)
        for _ in range(2):
            assert parts.finished.acquire(timeout=LONG_S)
    assert parts.order == ["begin 1", "begin 2", "finish 1", "finish 2"]


def test_an_item_is_finished_at_once_where_nothing_waits() -> None:
    parts = TwoParts()
    parts.go_on.release(9)
    with running(["a"], parts) as worker:
        for item in (1, 2):
            worker.offer("a", item)
            assert parts.finished.acquire(timeout=LONG_S)
    assert parts.order == ["begin 1", "finish 1", "begin 2", "finish 2"]
    assert worker.busy_for() == 0


def test_a_second_part_that_fails_is_told_and_the_thread_goes_on() -> None:
    parts, failures = TwoParts(), []
    parts.go_on.release(9)
    with running(["a"], parts, lambda key, error: failures.append(f"{key}: {error}")) as worker:
        worker.offer("a", -1)
        assert parts.finished.acquire(timeout=LONG_S)
        worker.offer("a", 2)
        assert parts.finished.acquire(timeout=LONG_S)
    assert failures == ["a: no"]


def test_what_was_begun_is_finished_before_the_thread_ends() -> None:
    parts = TwoParts()
    with running(["a"], parts) as worker:
        worker.offer("a", 1)
        assert parts.begun.acquire(timeout=LONG_S)
        threading.Timer(0.05, parts.go_on.release).start()
        assert worker.stop(LONG_S)
    assert parts.order == ["begin 1", "finish 1"]
