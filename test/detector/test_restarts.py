from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.detector.restarts import RestartPolicy, Restarts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_up_to_the_longest() -> None:
    clock = Clock()
    restarts = Restarts(RestartPolicy(attempts=99, first_wait_s=0.5, longest_wait_s=3.0), clock)
    waits = []
    for _ in range(5):
        restarts.failed()
        waits.append(restarts.wait_s)
        clock.now += restarts.wait_s
        assert restarts.wait_s == 0
    assert waits == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_gives_up_after_the_attempts_and_not_before() -> None:
    clock = Clock()
    restarts = Restarts(RestartPolicy(attempts=2), clock)
    for expected in (False, False, True):
        assert not restarts.given_up
        restarts.failed()
        assert restarts.given_up == expected


def test_no_attempts_is_giving_up_at_once() -> None:
    restarts = Restarts(RestartPolicy(attempts=0), Clock())
    restarts.failed()
    assert restarts.given_up


@given(st.floats(0.01, 1000), st.integers(1, 6))
def test_a_healthy_time_is_a_new_beginning(healthy_s: float, failures: int) -> None:
    clock = Clock()
    restarts = Restarts(RestartPolicy(attempts=failures, healthy_s=healthy_s), clock)
    for _ in range(failures):
        restarts.failed()
    clock.now += 1.01 * healthy_s
    restarts.failed()
    assert restarts.wait_s == RestartPolicy().first_wait_s
    assert not restarts.given_up
