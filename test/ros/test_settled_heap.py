"""What is loaded is out of the garbage collector's sight, and not for ever."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from hybrid_seg_ros.ros.settled_heap import settle_heap


class Circle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def seen_again() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_full_collection_looks_at_hardly_anything() -> None:
    before = len(gc.get_objects())
    settle_heap()
    assert len(gc.get_objects()) < 0.05 * before


def test_what_was_loaded_the_time_before_is_collected() -> None:
    circle = Circle()
    settle_heap()
    gone = weakref.ref(circle)
    del circle
    gc.collect()
    assert gone() is not None, "hidden"
    settle_heap()
    assert gone() is None
