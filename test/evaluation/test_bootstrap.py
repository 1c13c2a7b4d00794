from typing import Any

import numpy as np
import pytest
from scipy import stats

from hybrid_seg_ros.evaluation import confusion_matrix, mean_iou, pixel_metrics
from hybrid_seg_ros.evaluation.block_tables import BlockTable, ClassTable, Metric
from hybrid_seg_ros.evaluation.bootstrap import difference, interval
from hybrid_seg_ros.report.document import Blocks, ClassBlocks

GRID = np.arange(30, -31, -1) / 10  # scores are on this grid, so the curve through it is exact


def scored(seed: int, blocks: int, shift: float, noise: int = 0) -> tuple[list[Any], list[Any]]:
    """Scores and labels of blocks of 200 pixels; blocks differ in how hard they are."""
    truth, rng = np.random.default_rng(seed), np.random.default_rng([seed, noise])
    labels = [truth.random(200) < 0.2 for _ in range(blocks)]
    hard = truth.normal(0, 0.5, blocks)
    scores = [
        np.clip(np.round(rng.normal(0, 1, 200) + (shift + h) * label, 1), -3, 3)
        for label, h in zip(labels, hard, strict=True)
    ]
    return scores, labels


def table(scores: list[Any], labels: list[Any]) -> BlockTable:
    def counts(wanted: bool) -> list[list[int]]:
        ranked = (np.sort(s[y == wanted]) for s, y in zip(scores, labels, strict=True))
        return [(s.size - np.searchsorted(s, GRID - 1e-9)).tolist() for s in ranked]

    return BlockTable(GRID.tolist(), [1] * len(scores), counts(False), counts(True))


def test_metrics_of_all_blocks_are_those_of_the_pixels() -> None:
    scores, labels = scored(1, 10, 1.0)
    found, exact = table(scores, labels), pixel_metrics(np.concatenate(scores), np.concatenate(labels))
    ones = np.ones((1, 10))
    assert found.metric("ap", ones)[0] == pytest.approx(exact.average_precision)
    assert found.metric("auroc", ones)[0] == pytest.approx(exact.auroc)
    assert found.metric("fpr95", ones)[0] == pytest.approx(exact.fpr95)


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_agree_with_scipy(method: Any, paired: bool) -> None:
    a = table(*scored(2, 12, 0.8))
    b = table(*(scored(2, 12, 1.4, noise=1) if paired else scored(3, 15, 1.4)))

    def ap(of: BlockTable, drawn: Any) -> float:
        return float(of.metric("ap", np.bincount(drawn, minlength=len(of.images))[None].astype(float))[0])

    if paired:
        data: Any = (np.arange(12),)
        oracle = stats.bootstrap(
            data, lambda i: ap(b, i) - ap(a, i), vectorized=False, method=method, n_resamples=4000, rng=1
        )
    else:
        oracle = stats.bootstrap(
            (np.arange(12), np.arange(15)),
            lambda i, j: ap(b, j) - ap(a, i),
            vectorized=False,
            method=method,
            n_resamples=4000,
            rng=1,
        )
    found = difference(a, b, "ap", method=method, resamples=8000)
    low, high = oracle.confidence_interval
    assert found.paired == paired
    assert found.low is not None
    assert found.high is not None
    assert found.low == pytest.approx(low, abs=0.06 * (high - low))
    assert found.high == pytest.approx(high, abs=0.06 * (high - low))


@pytest.mark.parametrize("metric", ["ap", "fpr95", "auroc"])
def test_turning_the_difference_around_turns_the_interval(metric: Metric) -> None:
    a, b = table(*scored(4, 20, 0.8)), table(*scored(4, 20, 1.6, noise=1))
    there, back = (difference(*pair, metric, method="percentile") for pair in ((a, b), (b, a)))
    assert there.value == pytest.approx(-back.value)  # type: ignore[operator]
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))  # type: ignore[operator]
    assert there.significant
    assert (there.value > 0) == (metric != "fpr95")  # type: ignore[operator]


def test_a_run_does_not_differ_from_itself_and_a_seed_repeats() -> None:
    a, b = table(*scored(5, 20, 1.0)), table(*scored(5, 20, 1.1, noise=1))
    same = difference(a, a, "ap")
    assert (same.value, same.low, same.high, same.significant) == (0.0, 0.0, 0.0, False)
    assert difference(a, b, "ap", seed=3) == difference(a, b, "ap", seed=3)
    assert difference(a, b, "ap", seed=3) != difference(a, b, "ap", seed=4)


def test_pairing_is_narrower_and_refused_for_other_images() -> None:
    scores, labels = scored(6, 30, 1.0)
    a, b = table(scores, labels), table([np.round(s + 0.1 * y, 1) for s, y in zip(scores, labels, strict=True)], labels)
    paired, unpaired = difference(a, b, "ap"), difference(a, b, "ap", paired=False)
    assert paired.paired
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)  # type: ignore[operator]
    other = table(*scored(7, 30, 1.0))
    assert not difference(a, other, "ap").paired
    with pytest.raises(ValueError, match="not of the same images"):
        difference(a, other, "ap", paired=True)


def test_the_interval_holds_as_often_as_it_says() -> None:
    """95 % intervals of the AP of 300 sets from one population: how many contain the population's AP."""
    everything, held = [], 0
    sets = [scored(1000 + seed, 30, 1.0) for seed in range(300)]
    for scores, labels in sets:
        everything += list(zip(scores, labels, strict=True))
    scores, labels = (np.concatenate(part) for part in zip(*everything, strict=True))
    truth = pixel_metrics(scores, labels).average_precision
    for sample in sets:
        found = interval(table(*sample), "ap", resamples=400)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert 0.89 <= held / 300 <= 0.98


def test_what_has_no_value_or_no_spread_is_none() -> None:
    scores, labels = scored(8, 4, 1.0)
    without = table(scores, [np.zeros(200, bool)] * 4)
    found = difference(table(scores, labels), without, "ap")
    assert (found.value, found.low, found.high, found.significant) == (None, None, None, False)
    one = table(scores[:1], labels[:1])
    assert interval(one, "ap").value is not None
    assert interval(one, "ap").low is None


def test_draws_without_anomaly_are_left_out_and_counted() -> None:
    scores, _ = scored(9, 3, 1.0)
    labels = [np.arange(200) < 40, np.zeros(200, bool), np.zeros(200, bool)]
    found = interval(table(scores, labels), "ap", resamples=3000)
    assert found.resamples / 3000 == pytest.approx(1 - (2 / 3) ** 3, abs=0.03)


def test_miou_of_class_blocks() -> None:
    rng = np.random.default_rng(0)
    truth = [rng.integers(0, 4, (10, 10), np.uint8) for _ in range(25)]

    def run(wrong: float) -> tuple[ClassTable, float]:
        guesses = [np.where(rng.random(y.shape) < wrong, rng.integers(0, 4, y.shape), y) for y in truth]
        matrices = [confusion_matrix(guess, y, 5) for guess, y in zip(guesses, truth, strict=True)]
        blocks = [np.sum(matrices[i : i + 4], axis=0) for i in range(0, 25, 4)]
        rows = [
            [part(m).tolist() for m in blocks] for part in (np.diag, lambda m: m.sum(axis=0), lambda m: m.sum(axis=1))
        ]
        return ClassTable([4, 4, 4, 4, 4, 4, 1], *rows), mean_iou(np.sum(matrices, axis=0))

    (a, miou_a), (b, miou_b) = run(0.5), run(0.2)
    found = difference(a, b, "miou")
    assert found.value == pytest.approx(miou_b - miou_a)
    assert found.paired
    assert found.significant


def test_tables_mirror_the_document() -> None:
    a = table(*scored(1, 3, 1.0))
    blocks = Blocks(
        thresholds=list(a.thresholds),
        images=list(a.images),
        known=[list(row) for row in a.known],
        anomaly=[list(row) for row in a.anomaly],
    )
    assert BlockTable(**blocks.model_dump()) == a
    classes = ClassTable([1], [[1, 2]], [[2, 3]], [[1, 4]])
    document = ClassBlocks.model_validate(
        {"images": [1], "intersection": [[1, 2]], "predicted": [[2, 3]], "truth": [[1, 4]]}
    )
    assert ClassTable(**document.model_dump()) == classes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: difference(a, a, "miou"), "expected one of ap, auroc, fpr95"),
        (lambda a: difference(a, a, "ap", confidence=95), "between 0 and 1"),
        (lambda a: BlockTable([1.0], [1], [[1, 2]], [[1, 2]]), "expected 1 rows of 1"),
        (lambda a: ClassTable([1], [[1]], [[1]], [[1]]).metric("ap", np.ones((1, 1))), "'miou'"),
    ],
)
def test_what_cannot_be_compared_is_said(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(table(*scored(1, 3, 1.0)))
