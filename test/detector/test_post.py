"""Both fast paths against the formula as written."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.detector import InvalidOutputError, Outputs, reference
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.maps import Formula, Maps, PostProcessor
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.tiled import TiledPostProcessor
from hybrid_seg_ros.frames.geometry import Placement

Make = Callable[[Formula], PostProcessor]
KINDS: tuple[ScoreKind, ...] = ("hybrid", "energy", "posterior", "msp", "max_logit", "entropy")


def fused(formula: Formula, bands: Bands) -> PostProcessor:
    from hybrid_seg_ros.detector.fused import FusedPostProcessor

    return FusedPostProcessor(formula, bands)


@pytest.fixture(params=[fused, TiledPostProcessor], ids=["fused", "tiled"], scope="module")
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    bands = Bands(2)
    yield lambda formula: request.param(formula, bands)
    bands.close()


def random_output(plan: Plan, classes: int, scale: float, offset: float, seed: int) -> NetworkOutput:
    rng = np.random.default_rng(seed)
    grid = (plan.rows.cells, plan.columns.cells)
    return NetworkOutput(
        (rng.normal(size=(classes, *grid)) * scale + offset).astype(np.float32),
        (rng.normal(size=(2, *grid)) * 6).astype(np.float32),
    )


def check(got: Maps, output: NetworkOutput, plan: Plan, formula: Formula, outputs: Outputs, threshold: float) -> None:
    expected = reference.segment(output.logits, output.posterior, plan.rows, plan.columns, formula, threshold)
    exact = reference.upsample(output.logits.astype(np.float64), plan.rows, plan.columns)
    top = np.sort(exact, axis=0)[-2:]
    size = float(np.abs(output.logits).max())
    assert expected.labels is not None
    assert expected.score is not None
    assert expected.mask is not None
    assert expected.confidence is not None
    for name, flag in (
        ("labels", Outputs.LABELS), ("score", Outputs.SCORE), ("mask", Outputs.MASK), ("confidence", Outputs.CONFIDENCE)
    ):  # fmt: skip
        assert (getattr(got, name) is not None) == (flag in outputs)
    if got.labels is not None:
        clear = top[1] - top[0] > 1e-5 * max(1.0, size / 10)
        np.testing.assert_array_equal(got.labels[clear], expected.labels[clear])
    tolerance = 1e-4 * max(1.0, size / 50)
    if got.score is not None:
        np.testing.assert_allclose(got.score, expected.score, atol=tolerance, rtol=0)
    if got.mask is not None:
        clear = np.abs(expected.score - threshold) > tolerance
        np.testing.assert_array_equal(got.mask[clear], expected.mask[clear])
    if got.mask is not None and got.score is not None:
        np.testing.assert_array_equal(got.mask, np.where(got.score > threshold, 255, 0))
    if got.confidence is not None:
        assert np.abs(got.confidence.astype(int) - expected.confidence).max() <= 1


def plan_for(source: tuple[int, int], network: tuple[int, int], rule: str = "letterbox", stride: int = 4) -> Plan:
    return Plan.make(Placement.fit(source, network, rule), "source", stride)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    classes=st.integers(2, 21),
    source=st.tuples(st.integers(1, 300), st.integers(1, 90)),
    cells=st.tuples(st.integers(1, 40), st.integers(1, 12)),
    rule=st.sampled_from(["stretch", "letterbox"]),
    stride=st.sampled_from([1, 4, 8]),
    wanted=st.integers(0, 15),
    scale=st.sampled_from([1.0, 8.0, 100.0]),
    offset=st.sampled_from([0.0, -40.0]),
    temperature=st.sampled_from([1.0, 1.7, 0.5]),
    seed=st.integers(0, 1000),
)
def test_equals_the_reference(
    make: Make,
    kind: ScoreKind,
    classes: int,
    source: tuple[int, int],
    cells: tuple[int, int],
    rule: str,
    stride: int,
    wanted: int,
    scale: float,
    offset: float,
    temperature: float,
    seed: int,
) -> None:
    plan = plan_for(source, (cells[0] * stride, cells[1] * stride), rule, stride)
    formula, outputs = Formula(kind, temperature), Outputs(wanted)
    output = random_output(plan, classes, scale, offset, seed)
    threshold = 0.3
    got = make(formula)(output, plan.rows, plan.columns, outputs, threshold)
    check(got, output, plan, formula, outputs, threshold)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(2100, 40), (257, 300)])
def test_wide_and_tall_frames(make: Make, kind: ScoreKind, size: tuple[int, int]) -> None:
    plan, formula = plan_for(size, (512, 256)), Formula(kind)
    output = random_output(plan, 19, 5.0, 0.0, 1)
    check(make(formula)(output, plan.rows, plan.columns, Outputs.ALL, 1.0), output, plan, formula, Outputs.ALL, 1.0)


def test_255_classes(make: Make) -> None:
    plan, formula = plan_for((96, 64), (96, 64)), Formula()
    output = random_output(plan, 255, 3.0, 0.0, 2)
    check(make(formula)(output, plan.rows, plan.columns, Outputs.ALL, 0.0), output, plan, formula, Outputs.ALL, 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e3, 1e6])
def test_confident_networks_do_not_overflow(make: Make, kind: ScoreKind, size: float) -> None:
    plan, formula = plan_for((64, 64), (64, 64)), Formula(kind)
    output = random_output(plan, 7, size, 0.0, 3)
    output.posterior[...] *= np.float32(100)
    check(make(formula)(output, plan.rows, plan.columns, Outputs.ALL, 0.0), output, plan, formula, Outputs.ALL, 0.0)


def test_ties_take_the_first_class_as_argmax_does(make: Make) -> None:
    plan = plan_for((64, 32), (64, 32))
    zeros = NetworkOutput(np.zeros((7, 8, 16), np.float32), np.zeros((2, 8, 16), np.float32))
    got = make(Formula())(zeros, plan.rows, plan.columns, Outputs.ALL, -np.log(14.0))
    assert got.labels is not None
    assert not got.labels.any()
    np.testing.assert_allclose(got.score, -np.log(2.0) - np.log(7.0), atol=1e-5)
    np.testing.assert_array_equal(got.confidence, round(255 / 7))


def test_the_threshold_is_strict(make: Make) -> None:
    plan = plan_for((32, 32), (32, 32))
    flat = NetworkOutput(np.full((2, 8, 8), 3.0, np.float32), np.zeros((2, 8, 8), np.float32))
    processor = make(Formula("max_logit"))
    score = processor(flat, plan.rows, plan.columns, Outputs.SCORE, 0.0).score
    assert score is not None
    level = float(score[0, 0])
    at, below = (processor(flat, plan.rows, plan.columns, Outputs.MASK, t).mask for t in (level, level - 1e-3))
    assert at is not None
    assert below is not None
    assert not at.any()
    assert (below == 255).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("where", ["logits", "posterior"])
def test_one_bad_value_refuses_the_frame(make: Make, value: float, where: str) -> None:
    plan = plan_for((64, 64), (64, 64))
    output = random_output(plan, 5, 1.0, 0.0, 4)
    getattr(output, where)[1, 7, 9] = value
    with pytest.raises(InvalidOutputError, match=f"network output {where}: expected finite values"):
        make(Formula())(output, plan.rows, plan.columns, Outputs.LABELS, 0.0)


def test_results_belong_to_the_caller(make: Make) -> None:
    plan = plan_for((64, 64), (64, 64))
    processor = make(Formula())
    first = processor(random_output(plan, 5, 1.0, 0.0, 5), plan.rows, plan.columns, Outputs.ALL, 0.0)
    assert first.score is not None
    kept = first.score.copy()
    processor(random_output(plan, 5, 1.0, 0.0, 6), plan.rows, plan.columns, Outputs.ALL, 0.0)
    np.testing.assert_array_equal(first.score, kept)


def test_kernels_compile_where_no_cache_can_be_written() -> None:
    from hybrid_seg_ros.detector import kernels

    # No file, so no place for a cache beside it: numba refuses to cache, not to compile.
    scope: dict[str, Callable[[int], int]] = {}
    exec("def double(x): return 2 * x", scope)  # noqa: S102
    assert kernels._compiled("int64(int64)")(scope["double"])(21) == 42
