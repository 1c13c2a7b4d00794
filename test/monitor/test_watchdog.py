"""The judge with made-up times, and the thread with real ones."""

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.monitor.watchdog import BusyJudge, BusyLimits, Watchdog
from hybrid_seg_ros.ros.worker import LatestOnlyWorker

OK, LATE, HUNG = HealthState.OK, HealthState.NETWORK_LATE, HealthState.NETWORK_HUNG
PATIENCE_S = 20.0  # of the tests, on a machine that does much else
LIMITS = BusyLimits(late_s=0.1, hung_s=0.3, late_hold_s=0.2)


def judged(*steps: tuple[float, float]) -> list[HealthState]:
    """States on (now, busy) with late 0.5 s, hung 2 s, hold 3 s."""
    judge, limits = BusyJudge(), BusyLimits(0.5, 2.0, 3.0)
    return [judge.update(busy, limits, now) for now, busy in steps]


def test_one_item_that_takes_ever_longer() -> None:
    assert judged((0.5, 0.5), (0.6, 0.6), (2.0, 2.0), (2.1, 2.1), (9.0, 9.0)) == [OK, LATE, LATE, HUNG, HUNG]


def test_late_is_held_between_late_items_and_then_clears() -> None:
    assert judged((0.6, 0.6), (0.7, 0.0), (3.5, 0.4), (3.6, 0.1)) == [LATE, LATE, LATE, OK]
    assert judged((0.6, 0.6), (3.0, 0.7), (5.9, 0.0), (6.0, 0.0)) == [LATE, LATE, LATE, OK]


def test_after_a_hang_the_worker_is_late_for_a_while() -> None:
    assert judged((2.1, 2.1), (2.2, 0.0), (5.0, 0.1), (5.2, 0.1)) == [HUNG, LATE, LATE, OK]


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=50))
def test_items_within_the_limit_are_never_late(busy: list[float]) -> None:
    assert set(judged(*enumerate(busy))) == {OK}


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=50))
def test_hung_is_said_exactly_while_it_is_true(busy: list[float]) -> None:
    assert [state is HUNG for state in judged(*enumerate(busy))] == [seconds > 2.0 for seconds in busy]


def test_a_worker_may_hang_before_it_is_late() -> None:
    judge, limits = BusyJudge(), BusyLimits(late_s=5.0, hung_s=1.0)
    assert [judge.update(busy, limits, busy) for busy in (0.9, 1.1, 6.0)] == [OK, HUNG, HUNG]


@pytest.mark.parametrize("limits", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1.0, 2.0, -1.0), (float("nan"), 1.0, 0.0)])
def test_impossible_limits_are_refused(limits: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        BusyLimits(*limits)


class Kennel:
    """A watchdog and what it said."""

    def __init__(self, beat: Callable[[], None] = lambda: None, changed: Callable[[], None] = lambda: None) -> None:
        self.busy_s = 0.0
        self.said: list[HealthState] = []
        self.busy: list[float] = []
        self.beats: list[float] = []
        self.errors: list[Exception] = []
        self._news = threading.Condition()
        self._extra_beat, self._extra_changed = beat, changed
        self.dog = Watchdog(
            lambda: self.busy_s, lambda: LIMITS, self._changed, self._beat, self._failed,
            check_period_s=0.01, beat_period_s=0.02,
        )  # fmt: skip

    def _changed(self, state: HealthState, busy_s: float) -> None:
        with self._news:
            self.said.append(state)
            self.busy.append(busy_s)
            self._news.notify_all()
        self._extra_changed()

    def _beat(self) -> None:
        with self._news:
            self.beats.append(time.monotonic())
            self._news.notify_all()
        self._extra_beat()

    def _failed(self, error: Exception) -> None:
        self.errors.append(error)
        raise RuntimeError("even the reporter is broken")

    def until(self, condition: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(condition, PATIENCE_S), (self.said, len(self.beats))


@pytest.fixture
def kennel() -> Iterator[Kennel]:
    kennel = Kennel()
    kennel.dog.start()
    yield kennel
    assert kennel.dog.stop(PATIENCE_S)


def test_a_worker_that_hangs_is_late_then_hung_and_recovers(kennel: Kennel) -> None:
    for busy_s, state in ((0.2, LATE), (7.0, HUNG), (0.0, OK)):
        kennel.busy_s = busy_s
        kennel.until(lambda state=state: state in kennel.said)  # type: ignore[misc]  # bound now
    assert kennel.said == [LATE, HUNG, LATE, OK]
    assert kennel.busy == [0.2, 7.0, 0.0, 0.0]
    assert kennel.dog.state is OK
    assert kennel.errors == []


def test_an_idle_worker_is_no_news(kennel: Kennel) -> None:
    kennel.until(lambda: len(kennel.beats) >= 10)
    assert kennel.said == []
    assert kennel.dog.state is OK


def test_it_beats_while_a_worker_sleeps_in_native_code_and_the_main_thread_is_blocked(kennel: Kennel) -> None:
    kennel.busy_s = 7.0
    sleeper = threading.Thread(target=time.sleep, args=(0.5,))  # native, without the global lock
    sleeper.start()
    before = len(kennel.beats)
    sleeper.join()  # this thread is blocked, as an executor may be
    assert len(kennel.beats) - before >= 3
    assert HUNG in kennel.said


def test_beats_never_come_faster_than_their_period_after_a_stall() -> None:
    beats: list[float] = []

    def stall() -> None:
        beats.append(time.monotonic())
        if len(beats) == 3:
            time.sleep(0.1)

    kennel = Kennel(beat=stall)
    kennel.dog.start()
    kennel.until(lambda: len(kennel.beats) >= 12)
    assert kennel.dog.stop(PATIENCE_S)
    span = kennel.beats[-1] - kennel.beats[0]
    assert span >= 0.1 + 0.02 * (len(kennel.beats) - 1 - 2), "beats that were missed are not made up for"


def test_it_sleeps_between_looks_and_beats() -> None:
    looks = itertools.count()
    beats = threading.Semaphore(0)
    dog = Watchdog(lambda: 0.0 * next(looks), lambda: LIMITS, lambda state, busy: None, lambda: beats.release(),
                   lambda error: None, check_period_s=0.1, beat_period_s=0.05)  # fmt: skip
    started, used = time.monotonic(), time.process_time()
    dog.start()
    assert all(beats.acquire(timeout=PATIENCE_S) for _ in range(6))
    assert dog.stop(PATIENCE_S)
    assert next(looks) <= 1 + (time.monotonic() - started) / 0.1
    assert time.process_time() - used < 0.2 * (time.monotonic() - started), "no busy waiting"


def test_it_survives_what_its_callables_raise() -> None:
    def bark() -> None:
        raise ValueError("bark")

    kennel = Kennel(beat=bark, changed=bark)
    kennel.dog.start()
    kennel.busy_s = 7.0
    kennel.until(lambda: HUNG in kennel.said)
    kennel.until(lambda: len(kennel.beats) >= 5)
    assert kennel.dog.stop(PATIENCE_S)
    assert len(kennel.errors) >= 6
    assert {str(error) for error in kennel.errors} == {"bark"}


def test_a_broken_source_is_told_and_does_not_end_the_beats() -> None:
    beats = threading.Semaphore(0)
    errors: list[Exception] = []

    def broken() -> float:
        raise OSError("no worker")

    dog = Watchdog(broken, lambda: LIMITS, lambda state, busy: None, lambda: beats.release(), errors.append,
                   check_period_s=0.01, beat_period_s=0.01)  # fmt: skip
    dog.start()
    assert all(beats.acquire(timeout=PATIENCE_S) for _ in range(5))
    assert dog.stop(PATIENCE_S)
    assert {str(error) for error in errors} == {"no worker"}


def test_it_stops_at_once_also_between_rare_looks() -> None:
    first = threading.Event()
    dog = Watchdog(lambda: 0.0, lambda: LIMITS, lambda state, busy: None, first.set, lambda error: None,
                   check_period_s=3600.0, beat_period_s=3600.0)  # fmt: skip
    dog.start()
    assert first.wait(PATIENCE_S), "the first beat comes at the start"
    assert dog.stop(PATIENCE_S)


def test_it_can_be_stopped_before_it_starts_and_from_its_own_thread() -> None:
    assert Kennel().dog.stop()
    kennel = Kennel(beat=lambda: stopped.append(kennel.dog.stop()))
    stopped: list[bool] = []
    kennel.dog.start()
    assert kennel.dog.stop(PATIENCE_S)
    assert stopped == [False], "it cannot have ended while it calls"


def test_impossible_periods_are_refused() -> None:
    with pytest.raises(ValueError, match="check_period_s is 0 and beat_period_s is 1, expected both > 0"):
        Watchdog(lambda: 0.0, lambda: LIMITS, lambda state, busy: None, lambda: None, lambda error: None,
                 check_period_s=0.0, beat_period_s=1.0)  # fmt: skip


def test_the_node_s_own_worker_that_hangs_in_native_code_is_seen_and_seen_to_recover() -> None:
    reader, writer = os.pipe()
    worker = LatestOnlyWorker(["front"], lambda key, item, epoch: os.read(reader, 1) and None, lambda key, error: None)
    worker.start()
    worker.resume()
    said: queue.Queue[HealthState] = queue.Queue()
    dog = Watchdog(worker.busy_for, lambda: LIMITS, lambda state, busy: said.put(state), lambda: None,
                   lambda error: None, check_period_s=0.01)  # fmt: skip
    dog.start()
    worker.offer("front", "image")
    while said.get(timeout=PATIENCE_S) is not HUNG:
        pass
    os.write(writer, b"x")  # the read returns
    while said.get(timeout=PATIENCE_S) is not OK:
        pass
    assert dog.stop(PATIENCE_S)
    assert worker.stop(PATIENCE_S)
    os.close(reader)
    os.close(writer)
