"""Scenes that the network knows, and scenes that it does not."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clean_drives import PERIOD_S, clean_drive
from support.lenses import behind_a_hand, saturated

from hybrid_seg_ros.bundle import DomainStatistics, Manifest, find_bundle, load_bundle
from hybrid_seg_ros.detector import Detector, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.monitor.domain import OUT_OF_DOMAIN, SUSPECT, DomainMonitor, DomainOptions
from hybrid_seg_ros.monitor.domain_reference import (
    DeclaredReference,
    MeasuredReference,
    calibrate_domain,
    image_statistic,
    reference_of,
)
from hybrid_seg_ros.scenes import WEATHERS

Image = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]

BUNDLE = "camvid_hybrid_lite0"
CAMVID = MeasuredReference(typical=-13.032, high=-12.075)
"""The shipped network's, from the 101 images of CamVid val."""

REFERENCE = MeasuredReference(typical=-10.0, high=-8.0)


def uniform(value: float) -> Scores:
    return np.full((64, 96), value, np.float32)


def spreads(count: float) -> Scores:
    return uniform(-10.0 + 2.0 * count)


def declared_rates() -> DeclaredReference:
    """What the shipped bundle's operating points alone say."""
    found = reference_of(load_bundle(find_bundle(BUNDLE)).manifest.model_copy(update={"domain": None}))
    assert isinstance(found, DeclaredReference)
    return found


def steps(options: DomainOptions, period_s: float) -> int:
    return int(options.detection_s(period_s) / period_s) + 1


@pytest.fixture(scope="module")
def detector() -> Iterator[Detector]:
    with open_detector(BUNDLE, "onnxruntime", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def scores(detector: Detector) -> Callable[[Image], Scores]:
    def of(image: Image) -> Scores:
        score = detector(Frame(np.ascontiguousarray(image))).score
        assert score is not None
        return score

    return of


@pytest.mark.parametrize("weather", WEATHERS)
def test_clean_drives_are_known_scenes(weather: str, scores: Callable[[Image], Scores]) -> None:
    """By the statistics of CamVid and by the declared rates alike, with a shorter window than the default."""
    monitors = [DomainMonitor(reference, DomainOptions(after_s=2.0)) for reference in (CAMVID, declared_rates())]
    for k, image in enumerate(clean_drive(weather)[::3]):
        seen = scores(image)
        assert [monitor.update(seen, 3 * k * PERIOD_S) for monitor in monitors] == [frozenset(), frozenset()]


def static(image: Image) -> Image:
    return np.random.default_rng(int(image[0, 0, 0])).integers(0, 256, image.shape, np.uint8)


def fallen_over(image: Image) -> Image:
    return np.rot90(image)


@pytest.mark.parametrize("scene", [static, fallen_over, behind_a_hand, saturated])
def test_foreign_scenes_are_told_in_the_stated_time_and_cleared_after(
    scene: Callable[[Image], Image], scores: Callable[[Image], Scores]
) -> None:
    options = DomainOptions(after_s=2.0)
    monitor = DomainMonitor(CAMVID, options)
    good = [scores(image) for image in clean_drive("overcast")[:6]]
    assert {state for k, seen in enumerate(good) for state in monitor.update(seen, k * PERIOD_S)} == set()
    n = steps(options, PERIOD_S)
    bad = [monitor.update(scores(scene(clean_drive("overcast")[k])), (6 + k) * PERIOD_S) for k in range(n)]
    assert bad[0] == frozenset()
    assert bad[-1] == {OUT_OF_DOMAIN}
    back = [monitor.update(good[k % 6], (6 + n + k) * PERIOD_S) for k in range(n + 2)]
    assert back[-1] == frozenset()


def test_without_a_reference_noise_is_out_of_domain_by_the_declared_rates(scores: Callable[[Image], Scores]) -> None:
    monitor = DomainMonitor(declared_rates(), DomainOptions(after_s=1.0))
    told = [monitor.update(scores(static(image)), k * PERIOD_S) for k, image in enumerate(clean_drive("clear")[:4])]
    assert told[-1] == {OUT_OF_DOMAIN}


@given(period=st.floats(0.01, 8.0), after=st.floats(0.0, 10.0), known=st.integers(0, 40), fewest=st.integers(1, 9))
def test_is_never_later_than_stated_whatever_was_before(period: float, after: float, known: int, fewest: int) -> None:
    options = DomainOptions(after_s=after, fewest=fewest)
    monitor = DomainMonitor(REFERENCE, options)
    for k in range(known):
        assert monitor.update(spreads(0.0), k * period) == frozenset()
    for k in range(1200):
        if monitor.update(spreads(9.0), (known + k) * period):
            assert k * period <= options.detection_s(period) + 1e-6
            return
    pytest.fail("never told")


def test_a_few_foreign_images_are_no_foreign_scene() -> None:
    monitor = DomainMonitor(REFERENCE, DomainOptions(after_s=1.0))
    told = [monitor.update(spreads(20.0 if k % 3 == 2 else 0.5), 0.1 * k) for k in range(60)]
    assert set(told) == {frozenset()}


def test_an_obstacle_that_fills_a_third_of_the_image_is_no_foreign_scene() -> None:
    score = spreads(0.5)
    score[20:50, 10:80] = 5.0
    monitor = DomainMonitor(REFERENCE, DomainOptions(after_s=0.0, fewest=1))
    assert monitor.update(score, 0.0) == frozenset()


def test_suspect_lies_between_and_states_are_left_below_their_limits() -> None:
    monitor = DomainMonitor(REFERENCE, DomainOptions(after_s=0.0, fewest=1, clear_share=0.8))
    levels = [0.0, 4.0, 6.0, 4.5, 3.9, 3.0, 2.7, 3.2]
    told = [monitor.update(spreads(level), k) for k, level in enumerate(levels)]
    ok, suspect, out = frozenset(), frozenset({SUSPECT}), frozenset({OUT_OF_DOMAIN})
    assert told == [ok, suspect, out, out, suspect, suspect, ok, ok]
    assert monitor.level == pytest.approx(3.2)


def test_scores_that_are_no_numbers_change_nothing() -> None:
    for reference in (REFERENCE, DeclaredReference(0.0, 0.2, 0.4)):
        monitor = DomainMonitor(reference, DomainOptions(after_s=0.0, fewest=1))
        assert monitor.update(uniform(50.0), 0.0) == {OUT_OF_DOMAIN}
        assert monitor.update(uniform(float("nan")), 1.0) == {OUT_OF_DOMAIN}
        assert monitor.update(uniform(-50.0), 2.0) == frozenset()


def test_a_clock_that_goes_back_begins_anew() -> None:
    monitor = DomainMonitor(REFERENCE, DomainOptions(after_s=5.0, fewest=1))
    for k in range(20):
        monitor.update(spreads(9.0), 100.0 + k)
    assert monitor.update(spreads(0.0), 3.0) == frozenset()


def test_statistics_are_quantiles_of_medians() -> None:
    """Against numpy, over whole images."""
    rng = np.random.default_rng(0)
    images = [rng.normal(-12 + 0.1 * k, 3, (64, 96)).astype(np.float32) for k in range(30)]
    medians = [float(np.median(image)) for image in images]
    assert [image_statistic(image) for image in images] == pytest.approx(medians)
    found = calibrate_domain(medians, "a set")
    assert found == DomainStatistics(
        source="a set", images=30, typical=float(np.median(medians)), high=float(np.quantile(medians, 0.99))
    )


@pytest.mark.parametrize(
    ("statistics", "fault"),
    [
        ([1.0] * 19, "at least 20 images of a set, found 19"),
        ([*range(19), float("nan")], "found 1 of a set not"),
        ([1.0] * 30, "expected images that differ"),
    ],
)
def test_sets_that_tell_nothing_are_refused(statistics: list[float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        calibrate_domain(statistics, "a set")


def test_the_best_reference_of_a_bundle_is_taken() -> None:
    shipped = load_bundle(find_bundle(BUNDLE)).manifest
    raw: dict[str, Any] = shipped.model_dump(mode="json")
    raw["domain"] = {"source": "x", "images": 40, "typical": -13.0, "high": -12.0}
    assert reference_of(Manifest.model_validate(raw)) == MeasuredReference(-13.0, -12.0)
    raw["domain"] = None
    for name, point in raw["score"]["operating_points"].items():
        point.update(fpr=None if name != "tpr95" else 0.02, threshold=-3.0)
    assert reference_of(Manifest.model_validate(raw)) == DeclaredReference(-3.0, suspect=0.02 + 0.2, out=0.02 + 0.4)
    raw["score"]["operating_points"]["tpr95"]["fpr"] = None
    assert reference_of(Manifest.model_validate(raw)) is None


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: MeasuredReference(1.0, 1.0), "high must be > typical, found 1 and 1"),
        (lambda: DeclaredReference(0.0, 0.4, 0.2), "expected 0 < suspect <= out, found 0.4 and 0.2"),
        (lambda: DomainOptions(after_s=-1.0), "after_s must be >= 0 s"),
        (lambda: DomainOptions(fewest=0), "fewest must lie within 1"),
        (lambda: DomainOptions(clear_share=0.0), "clear_share must lie within 0 and 1"),
        (lambda: REFERENCE.measure(np.zeros(5, np.float32)), r"expected scores of float32\[H, W\], found float32\[5\]"),
    ],
)
def test_what_makes_no_monitor_is_refused(make: Callable[[], object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        make()
