"""The post-processing kernel, on the host and on a GPU, against the formula as written: labels to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_runners import Runner
from support.post_kernel import Raw, postprocess

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.detector.plans import OutputSize, Plan
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import Placement

VARIANTS: tuple[tuple[int, ScoreKind, str], ...] = (
    (11, "hybrid", "float"), (11, "energy", "half"), (11, "posterior", "float"), (11, "msp", "float"),
    (11, "max_logit", "half"), (11, "entropy", "float"), (7, "energy", "float"), (7, "posterior", "half"),
    (7, "max_logit", "float"), (2, "hybrid", "half"), (2, "hybrid", "float"),
    (19, "hybrid", "half"), (19, "msp", "half"), (40, "hybrid", "float"), (40, "entropy", "half"),
)  # fmt: skip
SUBSETS = [Outputs(value) for value in range(1, Outputs.ALL.value + 1)]
KNOTS = ((0.0, 0.1), (0.5, 0.3), (1.0, 0.9))


def plan_for(
    source: tuple[int, int], network: tuple[int, int], rule: str = "letterbox", output_size: OutputSize = "source"
) -> Plan:
    return Plan.make(Placement.fit(source, network, rule), output_size, 4)  # type: ignore[arg-type]


def random_raw(plan: Plan, classes: int, element: str, *, scale: float, offset: float, levels: int, seed: int) -> Raw:
    """Normal numbers, or a few levels only, so that classes tie."""
    rng = np.random.default_rng(seed)
    grid = (plan.rows.cells, plan.columns.cells)
    dtype = np.float16 if element == "half" else np.float32
    logits = rng.integers(0, levels, (classes, *grid)) * scale if levels else rng.normal(size=(classes, *grid)) * scale
    posterior = rng.normal(size=(2, *grid)) * min(scale, 50)
    return Raw((np.clip(logits, -6e4, 6e4) + offset).astype(dtype), posterior.astype(dtype))


def expected_maps(raw: Raw, plan: Plan, formula: Formula, threshold: float) -> Maps:
    logits, posterior = raw.logits.astype(np.float32), raw.posterior.astype(np.float32)
    return reference.segment(logits, posterior, plan.rows, plan.columns, formula, threshold)


def check(
    runner: Runner, raw: Raw, plan: Plan, formula: Formula, outputs: Outputs, threshold: float, any_size: bool = True
) -> None:
    got, noticed = postprocess(raw, plan, formula, outputs, threshold, any_size=any_size, on=runner)
    expected = expected_maps(raw, plan, formula, threshold)
    assert expected.labels is not None
    assert expected.score is not None
    assert expected.mask is not None
    assert expected.confidence is not None
    if got.labels is not None:
        np.testing.assert_array_equal(got.labels, expected.labels)
    # float32 itself resolves the network's outputs to 6e-8 of their size, and both sides round a few times.
    tolerance = 1e-6 + 4e-7 * float(max(np.abs(raw.logits).max(), np.abs(raw.posterior).max()))
    if got.score is not None:
        np.testing.assert_allclose(got.score, expected.score, rtol=1e-5, atol=tolerance)
    if got.mask is not None:
        clear = np.abs(expected.score - threshold) > tolerance + 1e-5 * np.abs(expected.score)
        np.testing.assert_array_equal(got.mask[clear], expected.mask[clear])
        assert noticed.masked == np.count_nonzero(got.mask)
    if got.mask is not None and got.score is not None:
        np.testing.assert_array_equal(got.mask, np.where(got.score > np.float32(threshold), 255, 0))
    if got.score is not None:
        assert (noticed.lowest, noticed.highest) == (got.score.min(), got.score.max())
    if got.confidence is not None and formula.confidence_table is None:
        assert np.abs(got.confidence.astype(int) - expected.confidence).max() <= 1
    if got.score is None and got.mask is None:
        assert (noticed.lowest, noticed.highest) == (None, None)
    assert noticed.non_finite == 0


@settings(max_examples=80, deadline=None)
@given(
    variant=st.sampled_from(VARIANTS),
    source=st.tuples(st.integers(1, 150), st.integers(1, 90)),
    network=st.tuples(st.integers(1, 24), st.integers(1, 16)).map(lambda n: (4 * n[0], 4 * n[1])),
    rule=st.sampled_from(["stretch", "letterbox"]),
    output_size=st.sampled_from(["source", "network"]),
    scale=st.sampled_from([0.01, 1.0, 6.0, 80.0, 1e4]),
    offset=st.sampled_from([0.0, -30.0, 1000.0]),
    levels=st.sampled_from([0, 1, 2, 4]),
    outputs=st.sampled_from(SUBSETS),
    temperature=st.sampled_from([1.0, 0.6, 2.5]),
    threshold=st.sampled_from([-8.0, 0.0, 0.3]),
    seed=st.integers(0, 2**16),
)
def test_against_the_formula_as_written(
    runner: Runner, variant: tuple[int, ScoreKind, str], source: tuple[int, int], network: tuple[int, int], rule: str,
    output_size: OutputSize, scale: float, offset: float, levels: int, outputs: Outputs, temperature: float,
    threshold: float, seed: int,
) -> None:  # fmt: skip
    classes, kind, element = variant
    plan = plan_for(source, network, rule, output_size)
    raw = random_raw(plan, classes, element, scale=scale, offset=offset, levels=levels, seed=seed)
    check(runner, raw, plan, Formula(kind, temperature), outputs, threshold)


@pytest.mark.parametrize(("classes", "kind", "element"), VARIANTS)
def test_every_variant(runner: Runner, classes: int, kind: ScoreKind, element: str) -> None:
    plan = plan_for((251, 141), (128, 96))
    raw = random_raw(plan, classes, element, scale=6, offset=0, levels=0, seed=classes)
    check(runner, raw, plan, Formula(kind), Outputs.ALL, -5.0)


def test_a_kernel_of_one_size_gives_the_same(runner: Runner) -> None:
    plan = plan_for((256, 192), (256, 192), "stretch")
    raw = random_raw(plan, 19, "half", scale=6, offset=0, levels=0, seed=1)
    check(runner, raw, plan, Formula("hybrid"), Outputs.ALL, -5.0, any_size=False)


@pytest.mark.parametrize("outputs", SUBSETS)
def test_every_subset_of_the_outputs(runner: Runner, outputs: Outputs) -> None:
    plan = plan_for((97, 61), (64, 48))
    raw = random_raw(plan, 11, "float", scale=6, offset=0, levels=0, seed=3)
    all_maps, _ = postprocess(raw, plan, Formula("hybrid"), Outputs.ALL, -5.0, on=runner)
    some, _ = postprocess(raw, plan, Formula("hybrid"), outputs, -5.0, on=runner)
    for name in ("labels", "score", "mask", "confidence"):
        one, all_of_it = getattr(some, name), getattr(all_maps, name)
        assert (one is not None) == (Outputs[name.upper()] in outputs)
        if one is not None:
            np.testing.assert_array_equal(one, all_of_it)


def test_the_confidence_goes_through_its_table(runner: Runner) -> None:
    plan = plan_for((97, 61), (64, 48))
    raw = random_raw(plan, 11, "float", scale=2, offset=0, levels=0, seed=4)
    plain, _ = postprocess(raw, plan, Formula("hybrid"), Outputs.CONFIDENCE, 0.0, on=runner)
    mapped, _ = postprocess(raw, plan, Formula("hybrid", confidence_table=KNOTS), Outputs.CONFIDENCE, 0.0, on=runner)
    knots = np.asarray(KNOTS) * 255
    assert plain.confidence is not None
    assert mapped.confidence is not None
    assert plain.confidence.min() < 100 < plain.confidence.max()
    expected = np.interp(plain.confidence, knots[:, 0], knots[:, 1])
    assert np.abs(mapped.confidence - expected).max() <= 0.51


def test_the_first_of_equal_classes_wins(runner: Runner) -> None:
    plan = plan_for((64, 48), (64, 48))
    grid = (plan.rows.cells, plan.columns.cells)
    logits = np.zeros((19, *grid), np.float32)
    logits[[7, 11]] = 3.7
    got, _ = postprocess(Raw(logits, np.zeros((2, *grid), np.float32)), plan, Formula(), Outputs.LABELS, 0.0, on=runner)
    assert got.labels is not None
    assert (got.labels == 7).all()


@pytest.mark.parametrize("element", ["float", "half"])
def test_where_only_the_order_of_roundings_decides(runner: Runner, element: str) -> None:
    """Class 0 varies with the row alone, class 1 in the same way with the column: mathematically, the diagonal ties."""
    plan = plan_for((251, 251), (256, 256))  # weights with all their bits
    profile = np.random.default_rng(5).normal(size=64) * 7
    dtype = np.float16 if element == "half" else np.float32
    logits = np.stack([np.tile(profile[:, None], 64), np.tile(profile, (64, 1))]).astype(dtype)
    raw = Raw(logits, np.zeros((2, 64, 64), dtype))
    got, _ = postprocess(raw, plan, Formula("hybrid"), Outputs.LABELS, 0.0, on=runner)
    expected = expected_maps(raw, plan, Formula("hybrid"), 0.0).labels
    assert expected is not None
    np.testing.assert_array_equal(got.labels, expected)
    assert 0 < np.diagonal(expected).sum() < 251  # not all went to the first, so roundings did decide


def test_a_score_of_the_threshold_is_not_in_the_mask(runner: Runner) -> None:
    plan = plan_for((64, 48), (64, 48))
    raw = Raw(np.full((11, 12, 16), 2, np.float16), np.zeros((2, 12, 16), np.float16))
    for threshold, expected in ((-2.0, 0), (np.nextafter(np.float32(-2), np.float32(-3)), 255)):
        got, noticed = postprocess(raw, plan, Formula("max_logit"), Outputs.MASK, float(threshold), on=runner)
        assert got.mask is not None
        assert (got.mask == expected).all()
        assert noticed.masked == (got.mask.size if expected else 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["logits", "posterior"])
@pytest.mark.parametrize("element", [np.float32, np.float16])
def test_a_non_finite_value_is_noticed_wherever_it_is(runner: Runner, bad: float, where: str, element: type) -> None:
    plan = plan_for((64, 48), (64, 48))
    rng = np.random.default_rng(0)
    for row, column in ((0, 0), (5, 15), (11, 15), (11, 0)):
        raw = Raw(rng.normal(size=(11, 12, 16)).astype(element), rng.normal(size=(2, 12, 16)).astype(element))
        getattr(raw, where)[1, row, column] = bad
        _, noticed = postprocess(raw, plan, Formula(), Outputs.LABELS | Outputs.SCORE, 0.0, on=runner)
        reached = [
            ((table.low == cell) | (table.high == cell)).sum()
            for table, cell in ((plan.rows, row), (plan.columns, column))
        ]
        assert noticed.non_finite == reached[0] * reached[1]


def test_a_constant_output_shows_in_the_statistics(runner: Runner) -> None:
    plan = plan_for((64, 48), (64, 48))
    raw = Raw(np.full((11, 12, 16), 2, np.float32), np.zeros((2, 12, 16), np.float32))
    _, noticed = postprocess(raw, plan, Formula(), Outputs.SCORE, 0.0, on=runner)
    assert noticed.lowest is not None
    assert noticed.lowest == noticed.highest == pytest.approx(-np.log(2) - 2 - np.log(11), abs=1e-5)
