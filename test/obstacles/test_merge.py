"""One cloud of all cameras: what is in it, when it comes, and what a camera that is late or dead does to the others."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.obstacles.cloud import POINT, Points
from hybrid_seg_ros.obstacles.merge import CloudMerger, MergedCloud, MergeOptions, merged_id

MS = 1_000_000
OPTIONS = MergeOptions(window_s=0.05, patience_s=0.1)


def cloud(x: float, ids: Iterable[int] = (1,)) -> Points:
    ids = list(ids)
    points = np.zeros(len(ids), POINT)
    points["x"], points["id"] = x, ids
    return points


def test_a_merged_cloud_waits_for_all_cameras_and_has_the_oldest_stamp() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    assert merger.add("left", 30 * MS, cloud(2.0), 1.00) is None
    merged = merger.add("front", 10 * MS, cloud(1.0), 1.02)
    assert merged is not None
    assert merged.stamp_ns == 10 * MS
    assert (merged.cameras, merged.missing) == (("front", "left"), ())
    assert merged.points["x"].tolist() == [1.0, 2.0]
    assert merger.poll(9.0) is None


def test_one_camera_alone_is_merged_at_once() -> None:
    merged = CloudMerger(["front"], OPTIONS).add("front", 1, cloud(1.0), 0.0)
    assert merged is not None
    assert merged.cameras == ("front",)


def test_clear_on_all_cameras_is_an_empty_cloud() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("front", 0, cloud(0.0, []), 0.0)
    merged = merger.add("left", 0, cloud(0.0, []), 0.0)
    assert merged is not None
    assert merged.points.dtype == POINT
    assert len(merged.points) == 0


def test_ids_stay_apart_and_tell_camera_and_track() -> None:
    merger = CloudMerger(["front", "left", "right"], OPTIONS)
    merger.add("left", 0, cloud(2.0, [1, 2, 0]), 0.0)
    merger.add("right", 0, cloud(3.0, [1, 7]), 0.0)
    merged = merger.add("front", 0, cloud(1.0, [1, 2]), 0.0)
    assert merged is not None
    ids = merged.points["id"].tolist()
    assert ids == [merged_id(1, 0, 3), merged_id(2, 0, 3), merged_id(1, 1, 3), merged_id(2, 1, 3), 0, 5, 23]
    assert [(k % 3, k // 3) for k in ids if k] == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 7)]


def test_the_camera_s_own_points_are_left_as_they_are() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    own = cloud(1.0, [4])
    merger.add("left", 0, own, 0.0)
    merger.add("front", 0, cloud(1.0), 0.0)
    assert own["id"].tolist() == [4]


def test_a_late_camera_is_left_out_after_the_patience_and_said() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("front", 0, cloud(1.0), 5.0)
    assert merger.poll(5.09) is None
    merged = merger.poll(5.11)
    assert merged is not None
    assert (merged.cameras, merged.missing) == (("front",), ("left",))


def test_a_dead_camera_is_waited_for_once_and_again_after_its_next_result() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("front", 0, cloud(1.0), 0.0)
    assert merger.poll(0.1) is not None
    alone = merger.add("front", 66 * MS, cloud(1.0), 0.12)
    assert alone is not None
    assert alone.missing == ("left",)
    back = merger.add("left", 133 * MS, cloud(2.0), 0.19)
    assert back is None  # the front camera is not left behind
    both = merger.add("front", 133 * MS, cloud(1.0), 0.2)
    assert both is not None
    assert both.cameras == ("front", "left")


def test_a_camera_that_was_forgotten_is_not_waited_for() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("left", 0, cloud(2.0), 0.0)
    merger.forget("left")
    merged = merger.add("front", 0, cloud(1.0), 0.01)
    assert merged is not None
    assert merged.cameras == ("front",)


def test_stamps_that_do_not_match_are_not_merged() -> None:
    merger = CloudMerger(["front", "left", "right"], OPTIONS)
    merger.add("left", 0, cloud(2.0), 0.0)
    merger.add("right", 200 * MS, cloud(3.0), 0.0)
    assert merger.add("front", 210 * MS, cloud(1.0), 0.0) is None
    merged = merger.poll(0.2)
    assert merged is not None
    assert (merged.cameras, merged.missing, merged.stamp_ns) == (("front", "right"), ("left",), 200 * MS)
    assert merger.poll(1.0) is None  # what was older is gone with it


def test_the_larger_group_goes_and_a_stray_stamp_from_the_future_waits() -> None:
    merger = CloudMerger(["front", "left", "right"], OPTIONS)
    merger.add("left", 10**12, cloud(2.0), 0.0)
    merger.add("right", 200 * MS, cloud(3.0), 0.0)
    merger.add("front", 210 * MS, cloud(1.0), 0.0)
    merged = merger.poll(0.1)
    assert merged is not None
    assert merged.cameras == ("front", "right")


def test_a_newer_result_replaces_the_one_that_waits() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("front", 0, cloud(1.0), 0.0)
    merger.add("front", 66 * MS, cloud(1.5), 0.066)
    merged = merger.add("left", 70 * MS, cloud(2.0), 0.07)
    assert merged is not None
    assert merged.points["x"].tolist() == [1.5, 2.0]


def test_a_result_given_twice_counts_once() -> None:
    merger = CloudMerger(["front"], OPTIONS)
    assert merger.add("front", 7, cloud(1.0), 0.0) is not None
    assert merger.add("front", 7, cloud(1.0), 0.1) is None


def test_after_time_was_set_back_nothing_of_before_is_merged() -> None:
    merger = CloudMerger(["front", "left"], OPTIONS)
    merger.add("front", 900 * MS, cloud(9.0), 0.0)
    assert merger.add("left", 900 * MS, cloud(9.0), 0.0) is not None
    merger.add("front", 966 * MS, cloud(9.5), 0.05)
    assert merger.add("left", 0, cloud(2.0), 0.06) is None
    merged = merger.add("front", 0, cloud(1.0), 0.07)
    assert merged is not None
    assert merged.points["x"].tolist() == [1.0, 2.0]


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 90), st.integers(-120, 0), st.booleans()), min_size=1, max_size=60
    )
)
def test_whatever_comes_in(steps: list[tuple[int, int, int, bool]]) -> None:
    """No result twice, stamps within the window, the oldest one on top, nothing held back beyond the patience."""
    names = ["a", "b", "c"]
    merger = CloudMerger(names, OPTIONS)
    now_ms, waiting_since = 1000, None
    newest: dict[int, int] = {}
    given_: dict[int, int] = {}
    used: set[int] = set()
    for number, (camera, gap, delay, only_poll) in enumerate(steps, start=1):
        now_ms += gap
        merged: MergedCloud | None
        if only_poll:
            merged = merger.poll(now_ms / 1000)
        else:
            stamp = max(now_ms + delay, newest.get(camera, 0) + 1)
            newest[camera] = stamp
            given_[number] = stamp
            if waiting_since is None:
                waiting_since = now_ms
            merged = merger.add(names[camera], stamp * MS, cloud(number, [number]), now_ms / 1000)
        if merged is None:
            assert waiting_since is None or now_ms - waiting_since < 100 + 1e-6
            continue
        numbers = [int(x) for x in merged.points["x"]]
        stamps = [given_[k] for k in numbers]
        assert not used & set(numbers)
        used |= set(numbers)
        assert max(stamps) - min(stamps) <= 50
        assert merged.stamp_ns == min(stamps) * MS
        assert len(merged.cameras) == len(numbers)
        assert sorted(merged.cameras + merged.missing) == names
        # What stays for the next cloud is newer than what went.
        waiting_since = now_ms if merger.waiting else None


@pytest.mark.parametrize("cameras", [[], ["front", "front"]])
def test_cameras_that_make_no_merger_are_refused(cameras: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one, each once"):
        CloudMerger(cameras)


def test_wrong_options_and_strangers_are_refused() -> None:
    with pytest.raises(ValueError, match="window_s is -1"):
        MergeOptions(window_s=-1.0)
    with pytest.raises(ValueError, match="patience_s is -1"):
        MergeOptions(patience_s=-1.0)
    with pytest.raises(KeyError, match=r"rear.*front, left"):
        CloudMerger(["front", "left"]).add("rear", 0, cloud(1.0), 0.0)
