"""Results that cannot be."""

import numpy as np
import pytest

from hybrid_seg_ros.monitor.output_check import CONSTANT, NAN, OutputCheck, OutputOptions

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 11, (48, 64), np.uint8)
SCORE = RNG.normal(-8, 3, (48, 64)).astype(np.float32)


def test_sound_results_are_sound() -> None:
    check = OutputCheck(OutputOptions(frames=1))
    assert check.update(labels=LABELS, score=SCORE) == frozenset()
    assert check.update(labels=LABELS) == frozenset()
    assert check.update() == frozenset()
    assert check.why == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_no_number_is_told_at_once(value: float) -> None:
    check = OutputCheck()
    for place in (0, SCORE.size // 2 + 5, SCORE.size - 1):
        score = SCORE.copy()
        score.flat[place] = value
        assert check.update(labels=LABELS, score=score) == {NAN}
        assert "expected finite values" in check.why
    assert check.update(labels=LABELS, score=SCORE) == frozenset()
    assert OutputOptions().detection_s(NAN, 0.1) == 0.0


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"labels": np.full_like(LABELS, 3)}, "found class 3 everywhere"),
        ({"score": np.full_like(SCORE, -2.5)}, "found -2.5 everywhere"),
    ],
)
def test_constant_results_are_told_after_so_many_frames_and_end_with_a_sound_one(
    fault: dict[str, np.ndarray], why: str
) -> None:
    sound = {"labels": LABELS, "score": SCORE}
    check = OutputCheck(OutputOptions(frames=3))
    told = [check.update(**(sound | fault)) for _ in range(4)]  # type: ignore[arg-type]
    assert told == [frozenset(), frozenset(), {CONSTANT}, {CONSTANT}]
    assert why in check.why
    assert check.update(**sound) == frozenset()  # type: ignore[arg-type]
    assert check.update(**(sound | fault)) == frozenset()  # type: ignore[arg-type]
    assert OutputOptions(frames=3).detection_s(CONSTANT, 0.1) == pytest.approx(0.2)


def test_a_count_that_tells_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="frames must be >= 1, found 0"):
        OutputOptions(frames=0)
