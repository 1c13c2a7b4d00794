import numpy as np
import pytest

from hybrid_seg_ros.evaluation.temporal import TemporalConsistency


def frame(*values: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.array([values], np.uint8)


def test_what_does_not_change_is_consistent_and_does_not_flicker() -> None:
    watch = TemporalConsistency(3)
    for _ in range(3):
        watch.add(frame(0, 1, 2, 2), frame(0, 255, 255, 0))
    found = watch.figures()
    assert (found.label_consistency, found.label_pairs) == (1.0, 2)
    assert (found.mask_flicker, found.mask_pairs) == (0.0, 2)


def test_changes_by_hand() -> None:
    watch = TemporalConsistency(3)
    watch.add(frame(0, 0, 1, 1), frame(255, 255, 0, 0))
    watch.add(frame(0, 1, 1, 1), frame(0, 255, 255, 0))
    found = watch.figures()
    assert found.label_consistency == pytest.approx((1 / 2 + 2 / 3) / 2)  # IoU of class 0 and 1; 2 is nowhere
    assert found.mask_flicker == pytest.approx(2 / 3)


def test_label_consistency_is_the_same_both_ways() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 5, (8, 9), np.uint8) for _ in range(6)]
    masks = [rng.integers(0, 2, (8, 9), np.uint8) for _ in range(6)]
    forward, backward = TemporalConsistency(5), TemporalConsistency(5)
    for labels, mask in zip(frames, masks, strict=True):
        forward.add(labels, mask)
    for labels, mask in zip(frames[::-1], masks[::-1], strict=True):
        backward.add(labels, mask)
    a, b = forward.figures(), backward.figures()
    assert a.label_consistency == pytest.approx(b.label_consistency)
    assert a.mask_flicker == pytest.approx(b.mask_flicker)


def test_a_frame_without_answer_parts_its_neighbours() -> None:
    watch = TemporalConsistency(2)
    watch.add(frame(0, 0), frame(255, 0))
    watch.add(None, None)
    watch.add(frame(1, 1), frame(0, 255))
    found = watch.figures()
    assert (found.label_consistency, found.label_pairs) == (None, 0)
    assert (found.mask_flicker, found.mask_pairs) == (None, 0)


def test_two_empty_masks_have_no_union_to_flicker_in() -> None:
    watch = TemporalConsistency(2)
    for mask in (frame(0, 0), frame(0, 0), frame(0, 255)):
        watch.add(None, mask)
    found = watch.figures()
    assert (found.mask_flicker, found.mask_pairs) == (1.0, 1)


def test_buffers_that_are_reused_are_safe() -> None:
    watch = TemporalConsistency(2)
    labels, mask = frame(0, 0), frame(255, 0)
    watch.add(labels, mask)
    labels[:], mask[:] = 1, 0
    watch.add(labels, mask)
    found = watch.figures()
    assert (found.label_consistency, found.mask_flicker) == (0.0, 1.0)


@pytest.mark.parametrize("part", ["labels", "mask"])
def test_sizes_that_change_are_an_error(part: str) -> None:
    watch = TemporalConsistency(2)
    small, large = frame(0, 0), frame(0, 0, 0)
    watch.add(*((small, None) if part == "labels" else (None, small)))
    with pytest.raises(ValueError, match="equal shapes"):
        watch.add(*((large, None) if part == "labels" else (None, large)))
    watch.add(large, None if part == "labels" else large)  # the frame after it has a neighbour again
    found = watch.figures()
    assert (found.label_pairs, found.mask_pairs) == ((1, 0) if part == "labels" else (0, 0))
    assert found.label_consistency in (1.0, None)
