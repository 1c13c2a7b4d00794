import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation import best_f1_threshold, component_metrics
from hybrid_seg_ros.evaluation.components import SIOU_THRESHOLDS, TRACKS, ComponentCounts, Track

Pixel = tuple[int, int]
VOID = 255


def canvas(*boxes: tuple[int, int, int, int], value: int = 1, shape: Pixel = (100, 200)) -> np.ndarray:
    """uint8 labels: 0, and `value` inside boxes (x, y, width, height)."""
    labels = np.zeros(shape, np.uint8)
    for x, y, width, height in boxes:
        labels[y : y + height, x : x + width] = value
    return labels


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    return canvas(*boxes) == 1


def test_thresholds_are_the_benchmarks() -> None:
    assert pytest.approx([0.25 + 0.05 * i for i in range(11)]) == SIOU_THRESHOLDS


def test_one_object_found_in_part() -> None:
    # Object 40 x 20, prediction 40 x 20 shifted by 9: I = 620, union = 980, PPV = 620 / 800.
    result = component_metrics([(mask((19, 10, 40, 20)), canvas((10, 10, 40, 20)))])
    assert result.mean_siou == pytest.approx(620 / 980)
    assert result.mean_ppv == pytest.approx(0.775)
    # sIoU 0.633 is a hit up to 0.6; PPV 0.775 is never an alarm.
    assert result.f1_by_threshold == pytest.approx([1.0] * 8 + [0.0] * 3)
    assert result.mean_f1 == pytest.approx(8 / 11)
    assert (result.ground_truth, result.predicted) == (1, 1)


def test_a_prediction_over_two_objects_is_not_charged_for_the_other_one() -> None:
    # 100 x 10 over two objects 40 x 10: I = 400, |P| = 1000, A = 400, so 400 / (1000 + 400 - 400 - 400).
    result = component_metrics([(mask((0, 10, 100, 10)), canvas((0, 10, 40, 10), (60, 10, 40, 10)))])
    assert result.mean_siou == pytest.approx(400 / 600)
    assert result.mean_ppv == pytest.approx(0.8)
    assert (result.ground_truth, result.predicted) == (2, 1)


def test_two_predictions_on_one_object_count_together() -> None:
    # Both halves belong to P(k): I = 1200, union = 1600.
    result = component_metrics([(mask((0, 0, 30, 20), (50, 0, 30, 20)), canvas((0, 0, 80, 20)))])
    assert result.mean_siou == pytest.approx(1200 / 1600)
    assert result.mean_ppv == 1.0
    assert result.predicted == 2


def test_alarms_and_misses() -> None:
    # One object found exactly, one missed, one alarm: F1 = 2 / (2 + 1 + 1) at every threshold.
    result = component_metrics(
        [(mask((0, 0, 30, 20), (100, 50, 30, 20)), canvas((0, 0, 30, 20), (0, 50, 30, 20)))], track="anomaly"
    )
    assert result.f1_by_threshold == (0.5,) * 11
    assert (result.mean_siou, result.mean_ppv) == (0.5, 0.5)


@pytest.mark.parametrize(("track", "pixels"), [("anomaly", 500), ("obstacle", 50)])
def test_small_predictions_are_dropped(track: Track, pixels: int) -> None:
    truth = canvas((0, 50, 50, 20))
    assert component_metrics([(mask((0, 0, pixels // 5, 5)), truth)], track=track).predicted == 1
    smaller = mask((0, 0, pixels // 5, 5))
    smaller[0, 0] = False
    assert component_metrics([(smaller, truth)], track=track).predicted == 0


@pytest.mark.parametrize(("track", "width"), [("anomaly", 20), ("obstacle", 2)])
def test_small_objects_become_void(track: Track, width: int) -> None:
    cover = mask((0, 0, 60, 20))
    kept = component_metrics([(cover, canvas((0, 0, width, 5)))], track=track)
    assert (kept.ground_truth, kept.predicted) == (1, 1)
    small = canvas((0, 0, width, 5))
    small[0, 0] = 0
    result = component_metrics([(cover, small)], track=track)
    assert (result.ground_truth, result.predicted) == (0, 1)
    assert result.mean_ppv == 0.0
    # A prediction on nothing but a small object vanishes with it.
    only = canvas((0, 0, width, 5), (10, 10, 3, 3), value=0)
    only[10:13, 10:13] = 1
    assert component_metrics([(only == 1, only)], track="anomaly").predicted == 0


def test_prediction_in_void_does_not_count() -> None:
    labels = canvas((0, 0, 40, 20))
    labels[:, 40:] = VOID
    inside = component_metrics([(mask((0, 0, 200, 20)), labels)])
    assert (inside.mean_siou, inside.mean_ppv) == (1.0, 1.0)
    assert component_metrics([(mask((50, 0, 100, 50)), labels)]).predicted == 0


def test_corners_connect() -> None:
    diagonal = mask((0, 0, 20, 15), (20, 15, 20, 15))
    result = component_metrics([(diagonal, diagonal.astype(np.uint8))])
    assert (result.ground_truth, result.predicted) == (1, 1)


def test_nothing_at_all_has_no_mean() -> None:
    result = component_metrics([(mask(), canvas())])
    assert all(math.isnan(value) for value in (result.mean_siou, result.mean_ppv, result.mean_f1))
    found_nothing = component_metrics([(mask(), canvas((0, 0, 40, 20)))])
    assert found_nothing.mean_siou == found_nothing.mean_f1 == 0.0
    assert math.isnan(found_nothing.mean_ppv)


def test_the_threshold_is_the_best_pixel_f1_and_strict() -> None:
    truth = canvas((0, 0, 40, 20))
    score = np.where(truth == 1, 2.0, 0.0).astype(np.float32)
    score[0:20, 40:50] = 1.0
    threshold = best_f1_threshold([(score, truth)])
    assert 1.0 <= threshold < 2.0
    assert component_metrics([(score, truth)], threshold).mean_siou == 1.0
    assert component_metrics([(score, truth)], 2.0).predicted == 0
    assert component_metrics([(score, truth)], 1.0).mean_ppv == 1.0


def test_the_threshold_also_holds_for_half_precision() -> None:
    truth = canvas((0, 0, 40, 20))
    score = np.where(truth == 1, 2.0, 0.0).astype(np.float16)
    assert component_metrics([(score, truth)], best_f1_threshold([(score, truth)])).mean_siou == 1.0


def test_merged_counts_are_those_of_all_images_in_any_order() -> None:
    rng = np.random.default_rng(0)
    images = [(rng.random((60, 80)).repeat(4, 0) > 0.6, canvas((5 * i, 5, 30, 20), shape=(240, 80))) for i in range(6)]
    merged, rest = ComponentCounts("obstacle"), ComponentCounts("obstacle")
    for place in (4, 0, 2):
        merged.add(*images[place])
    for place in (5, 3, 1):
        rest.add(*images[place])
    merged.merge(rest)
    assert merged.result() == component_metrics(images, track="obstacle")
    with pytest.raises(ValueError, match="components of the track 'anomaly', expected 'obstacle'"):
        merged.merge(ComponentCounts())


def test_thousands_of_components_on_either_side() -> None:
    # Boxes of 8 x 7 pixels in steps of 10; every second row of boxes is found, with a column more on the right.
    truth, found = np.zeros((1000, 1000), np.uint8), np.zeros((1000, 1000), bool)
    for row in range(0, 1000, 10):
        for column in range(0, 1000, 10):
            truth[row : row + 7, column : column + 8] = 1
            found[row : row + 7, column : column + 9] = row % 20 == 0
    result = component_metrics([(found, truth)], track="obstacle")
    assert (result.ground_truth, result.predicted) == (10_000, 5_000)
    assert result.mean_siou == pytest.approx(0.5 * 56 / 63)
    assert result.mean_ppv == pytest.approx(56 / 63)


@pytest.mark.parametrize(
    ("prediction", "threshold", "track", "message"),
    [
        (np.zeros((4, 5), np.float32), 0.0, "anomaly", r"prediction is \(4, 5\), the anomaly labels \(4, 4\)"),
        (np.zeros((4, 4), np.float32), None, "anomaly", "a score needs a threshold"),
        (np.zeros((4, 4), bool), None, "road", "track is 'road', expected one of anomaly, obstacle"),
    ],
)
def test_refuses_what_has_no_meaning(
    prediction: np.ndarray, threshold: float | None, track: Track, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        component_metrics([(prediction, np.zeros((4, 4), np.uint8))], threshold, track)


def components(pixels: set[Pixel]) -> list[set[Pixel]]:
    """8-connected components of a set of pixels, by flood filling."""
    left, found = set(pixels), []
    while left:
        front = [left.pop()]
        component = set(front)
        while front:
            y, x = front.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            component |= near
            front.extend(near)
        found.append(component)
    return found


def by_definition(images: list[tuple[np.ndarray, np.ndarray]], track: Track) -> tuple[float, float, float]:
    """METHOD section 3 word by word, with sets of pixels."""
    sious, ppvs = [], []
    for prediction, labels in images:

        def pixels(where: np.ndarray) -> set[Pixel]:
            return {(int(y), int(x)) for y, x in zip(*np.nonzero(where), strict=True)}

        objects = components(pixels(labels == 1))
        small = set().union(*(o for o in objects if len(o) < TRACKS[track].ground_truth))
        objects = [o for o in objects if len(o) >= TRACKS[track].ground_truth]
        every_object = set().union(*objects)
        predicted = components(pixels(prediction & (labels != VOID)))
        predicted = [p - small for p in predicted if len(p) >= TRACKS[track].predicted]
        predicted = [p for p in predicted if p]
        for k in objects:
            union = set().union(*(p for p in predicted if p & k))
            adjustment = len(union & (every_object - k))
            sious.append(len(k & union) / (len(union) + len(k) - len(k & union) - adjustment))
        ppvs += [len(p & every_object) / len(p) for p in predicted]
    f1 = []
    for i in range(11):
        t = 0.25 + i * (0.5 / 10)  # as floats of the benchmark's own linspace: it matters where a ratio is exactly 0.6
        tp = sum(s >= t for s in sious)
        fn, fp = len(sious) - tp, sum(p < t for p in ppvs)
        f1.append(2 * tp / (2 * tp + fn + fp) if tp + fn + fp else math.nan)
    return tuple(float(np.mean(v)) if v else math.nan for v in (sious, ppvs, f1))  # type: ignore[return-value]


@st.composite
def scenes(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray]]:
    """One or two images of blocks 3 to 7 px wide: components of every size around the track's limits."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def one() -> tuple[np.ndarray, np.ndarray]:
        block = np.ones(draw(st.tuples(st.integers(3, 7), st.integers(3, 7))), np.uint8)
        labels = np.kron(rng.choice([0, 1, VOID], (6, 7), p=[0.6, 0.3, 0.1]).astype(np.uint8), block)
        agree = np.kron(rng.random((6, 7)) < draw(st.sampled_from([0.5, 0.8, 1.0])), block).astype(bool)
        return np.where(agree, labels == 1, rng.random(labels.shape) < 0.4), labels

    return [one() for _ in range(draw(st.integers(1, 2)))]


@settings(deadline=None, max_examples=60)
@given(scenes(), st.sampled_from(["obstacle", "anomaly"]))
def test_agrees_with_the_definition(images: list[tuple[np.ndarray, np.ndarray]], track: Track) -> None:
    result = component_metrics(images, track=track)
    found = (result.mean_siou, result.mean_ppv, result.mean_f1)
    assert found == pytest.approx(by_definition(images, track), nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(scenes())
def test_what_does_not_matter_changes_nothing(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    result = component_metrics(images, track="obstacle")

    def flipped() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for prediction, labels in reversed(images):
            yield prediction[::-1, ::-1], labels[::-1, ::-1]

    def with_void_filled() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for prediction, labels in images:
            yield prediction | (labels == VOID), labels

    for other in (
        component_metrics(flipped(), track="obstacle"),
        component_metrics(with_void_filled(), track="obstacle"),
    ):
        assert other.f1_by_threshold == pytest.approx(result.f1_by_threshold, nan_ok=True)
        assert other.mean_siou == pytest.approx(result.mean_siou, nan_ok=True)
        assert other.mean_ppv == pytest.approx(result.mean_ppv, nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(scenes())
def test_the_truth_itself_is_perfect(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    result = component_metrics([(labels == 1, labels) for _, labels in images], track="obstacle")
    if result.predicted:
        assert result.mean_ppv == 1.0
    if result.predicted == result.ground_truth > 0:  # none between 10 and 50 px
        assert result.mean_siou == result.mean_f1 == 1.0
