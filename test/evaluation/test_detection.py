import numpy as np
import numpy.typing as npt
import pytest

from hybrid_seg_ros.evaluation.detection import DetectionWatch, Sighting

S = 10**9
START = 1_700_000_000 * S + 7


def instances(**pixels: int) -> npt.NDArray[np.uint16]:
    """uint16[10, 10] with rows of pixels for id 3 ("a") and then id 5 ("b")."""
    flat = np.zeros(100, np.uint16)
    a = pixels.get("a", 0)
    flat[:a] = 3
    flat[a : a + pixels.get("b", 0)] = 5
    return flat.reshape(10, 10)


def mask(pixels: int) -> npt.NDArray[np.uint8]:
    flat = np.zeros(100, np.uint8)
    flat[:pixels] = 255
    return flat.reshape(10, 10)


def test_detected_where_half_of_what_is_visible_is_covered() -> None:
    watch = DetectionWatch()
    watch.add(START, instances(a=19), mask(100))  # too few pixels to count
    watch.add(START + 1 * S, instances(a=40), mask(19))
    watch.add(START + 2 * S, instances(a=40), mask(20))
    watch.add(START + 3 * S, instances(a=40), None)
    (found,) = watch.obstacles()
    assert (found.id, found.frames_in_view, found.frames_detected) == (3, 3, 1)
    assert (found.first_in_view_s, found.first_detected_s, found.time_to_detection_s) == (1.0, 2.0, 1.0)
    assert (found.first_in_view_m, found.first_detected_m) == (None, None)


def test_a_result_counts_when_it_arrives_and_the_obstacle_is_nearer_by_then() -> None:
    watch = DetectionWatch()
    for second, metres in enumerate((50.0, 40.0, 30.0)):
        watch.add(
            START + second * S,
            instances(a=40),
            mask(40 if second == 0 else 0),
            arrival_ns=START + second * S + S // 2,
            obstacles=[Sighting(3, "dog", metres)],
        )
    (found,) = watch.obstacles()
    assert (found.kind, found.first_in_view_m) == ("dog", 50.0)
    assert (found.first_detected_s, found.time_to_detection_s) == (0.5, 0.5)
    assert found.first_detected_m == pytest.approx(45.0)


def test_the_first_arrival_counts_whichever_frame_it_is_of() -> None:
    watch = DetectionWatch()
    watch.add(START, instances(a=40), mask(40), arrival_ns=START + 5 * S)
    watch.add(START + S, instances(a=40), mask(40), arrival_ns=START + 2 * S)
    assert watch.obstacles()[0].first_detected_s == 2.0


def test_out_of_view_when_the_result_arrives_has_a_time_but_no_distance() -> None:
    watch = DetectionWatch()
    watch.add(START, instances(a=40), mask(40), arrival_ns=START + S, obstacles=[Sighting(3, "dog", 9.0)])
    (found,) = watch.obstacles()
    assert (found.first_detected_s, found.first_in_view_m, found.first_detected_m) == (1.0, 9.0, None)


def test_only_those_to_watch_and_never_detected() -> None:
    watch = DetectionWatch()
    watch.add(START, instances(a=40, b=40), mask(0), obstacles=[Sighting(5, "box", 20.0), Sighting(9, "gone", 5.0)])
    (found,) = watch.obstacles()
    assert (found.id, found.frames_in_view, found.frames_detected) == (5, 1, 0)
    assert (found.first_detected_s, found.time_to_detection_s, found.first_detected_m) == (None, None, None)


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        DetectionWatch().add(START, instances(a=40), np.zeros((9, 10), np.uint8))
