from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scored_pixels import Image, images

from hybrid_seg_ros.evaluation import pixel_metrics
from hybrid_seg_ros.evaluation.block_tables import BlockTable
from hybrid_seg_ros.evaluation.blocks import MAX_BLOCKS, BlockCounts, Blocks


def counted(sample: list[Image]) -> BlockCounts:
    blocks = BlockCounts()
    for score, anomaly in sample:
        blocks.add(score, anomaly)
    return blocks


def drive(frames: int, seed: int = 0, pixels: int = 60) -> list[Image]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(frames):
        anomaly = rng.choice([0, 1, 255], pixels, p=[0.8, 0.15, 0.05]).astype(np.uint8)
        found.append((rng.normal(1.5 * (anomaly == 1)).astype(np.float32), anomaly))
    return found


def check_counts(table: Blocks, sample: list[Image]) -> None:
    """Every number, by comparing every pixel of the block's images with every threshold."""
    start = 0
    for images_of, known, anomaly in zip(table.images, table.known, table.anomaly, strict=True):
        own = sample[start : start + images_of]
        start += images_of
        score = np.concatenate([image.ravel() for image, _ in own])
        labels = np.concatenate([labels.ravel() for _, labels in own])
        for place, threshold in enumerate(table.thresholds[:-1]):
            assert known[place] == ((score >= threshold) & (labels == 0)).sum()
            assert anomaly[place] == ((score >= threshold) & (labels == 1)).sum()
        assert (known[-1], anomaly[-1]) == ((labels == 0).sum(), (labels == 1).sum())
    assert start == len(sample)


@settings(deadline=None, max_examples=40)
@given(images(np.float32), st.integers(8, 60))
def test_every_count_is_exact_at_its_threshold(sample: list[Image], count: int) -> None:
    sample = [(np.clip(score, -1e30, 1e30), anomaly) for score, anomaly in sample]
    table = counted(sample).table(count)
    assert len(table.thresholds) <= count
    assert (np.diff(table.thresholds) < 0).all()
    check_counts(table, sample)


@pytest.mark.parametrize(("frames", "size"), [(1, 1), (200, 1), (201, 2), (401, 4), (900, 8)])
def test_a_set_of_any_length_gives_at_most_200_blocks_of_consecutive_images(frames: int, size: int) -> None:
    sample = drive(frames, pixels=10)
    table = counted(sample).table(16)
    assert len(table.images) <= MAX_BLOCKS
    assert set(table.images[:-1]) <= {size}
    check_counts(table, sample)


def test_thresholds_show_the_whole_curve() -> None:
    sample = drive(150, seed=3, pixels=2000)
    table = counted(sample).table()
    score = np.concatenate([score for score, _ in sample])
    labels = np.concatenate([labels for _, labels in sample])
    exact = pixel_metrics(score[labels <= 1], labels[labels <= 1] == 1)
    curve = BlockTable(table.thresholds, table.images, table.known, table.anomaly)
    once = np.ones((1, len(table.images)))
    assert curve.metric("auroc", once)[0] == pytest.approx(exact.auroc, abs=2e-3)
    assert curve.metric("ap", once)[0] == pytest.approx(exact.average_precision, abs=1e-2)
    assert curve.metric("fpr95", once)[0] == pytest.approx(exact.fpr95, abs=2e-2)


def test_recordings_follow_each_other_and_come_back_from_files(tmp_path: Path) -> None:
    one, other = drive(70, seed=1), drive(90, seed=2)
    both, second = counted(one), counted(other)
    second.save(tmp_path / "second.npz")
    both.merge(BlockCounts.load(tmp_path / "second.npz"))
    assert both.images == 160
    assert both.table() == counted(one + other).table()
    both.merge(second)
    assert len(both.table().images) <= MAX_BLOCKS
    check_counts(both.table(), one + other + other)


def test_thresholds_may_be_given_so_that_two_sets_have_the_same() -> None:
    one, other = drive(5, seed=1), drive(5, seed=2)
    asked = [0.1, -0.7, 1.9]
    first, second = counted(one).table(thresholds=asked), counted(other).table(thresholds=asked)
    assert first.thresholds == second.thresholds
    np.testing.assert_allclose(first.thresholds[:-1], sorted(asked, reverse=True), rtol=0.004)
    check_counts(first, one)


def test_images_without_pixels_and_no_images_at_all(tmp_path: Path) -> None:
    void = counted([(np.ones(4, np.float32), np.full(4, 255, np.uint8))]).table()
    assert (void.images, void.known, void.anomaly) == ([1], [[0]], [[0]])
    BlockCounts().save(tmp_path / "none.npz")
    assert BlockCounts.load(tmp_path / "none.npz").table().images == []
    with pytest.raises(ValueError, match="count is 3, expected 8 or more"):
        BlockCounts().table(3)
    (tmp_path / "bad.npz").write_bytes(b"no file of numpy")
    with pytest.raises(ValueError, match=r"bad\.npz: no saved counts"):
        BlockCounts.load(tmp_path / "bad.npz")
