"""Each kind of message once in a period."""

from hybrid_seg_ros.monitor.throttle import Throttle


def test_each_kind_once_in_a_period() -> None:
    throttle = Throttle(10.0)
    assert throttle.ready("a", 0.0)
    assert not throttle.ready("a", 9.9)
    assert throttle.ready("b", 9.9)
    assert throttle.ready("a", 10.0)
    assert not throttle.ready("a", 19.0)


def test_zero_lets_everything_through() -> None:
    throttle = Throttle(0.0)
    assert all(throttle.ready("a", 1.0) for _ in range(3))


def test_clear_forgets() -> None:
    throttle = Throttle(10.0)
    throttle.ready("a", 0.0)
    throttle.clear()
    assert throttle.ready("a", 0.1)


def test_memory_is_bounded() -> None:
    throttle = Throttle(1e9, max_keys=3)
    for key in range(10):
        assert throttle.ready(key, 0.0)
    assert not throttle.ready(9, 1.0)
    assert throttle.ready(0, 1.0), "the oldest are forgotten"
