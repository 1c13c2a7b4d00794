"""The resize rule as weights per axis, against the resize that the node, training and evaluation share."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.cuda.taps import RUN, STAGE_ERROR, column_runs, resize_taps, stages
from hybrid_seg_ros.frames.geometry import AxisTable, axis_table
from hybrid_seg_ros.frames.resize import resize_image

lengths = st.integers(1, 400)


def apply(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Image through the taps of both axes, in float64."""
    columns, rows = resize_taps(image.shape[1], size[0]), resize_taps(image.shape[0], size[1])
    taps = np.arange(rows.weights.shape[1])
    tall = (image[rows.first[:, None] + taps].astype(np.float64) * rows.weights[..., None, None]).sum(axis=1)
    taps = np.arange(columns.weights.shape[1])
    return (tall[:, columns.first[:, None] + taps] * columns.weights[..., None]).sum(axis=2)


@settings(deadline=None, max_examples=200)
@given(st.tuples(lengths, lengths), st.tuples(lengths, lengths), st.integers(0, 2**16))
def test_it_is_the_shared_resize_but_for_its_rounding(
    source: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (source[1], source[0], 3), np.uint8)
    if seed % 3 == 0:
        image = np.where(image > 127, np.uint8(255), np.uint8(0))  # the strongest contrast
    steps = max(len(stages(a, b)) - 1 for a, b in zip(source, size, strict=True))
    difference = np.abs(apply(image, size) - resize_image(image, size)).max()
    assert difference <= steps * STAGE_ERROR


@settings(deadline=None)
@given(lengths, lengths)
def test_taps_stay_inside_and_sum_to_one(source: int, size: int) -> None:
    taps = resize_taps(source, size)
    assert taps.first.shape == (size,)
    assert taps.first.min() >= 0
    assert taps.first.max() + taps.weights.shape[1] <= source
    np.testing.assert_allclose(taps.weights.sum(axis=1), 1, atol=1e-6)
    assert (taps.weights >= 0).all()
    assert (taps.weights > 0).any(axis=0).all() or taps.weights.shape[1] == 1


@pytest.mark.parametrize(("source", "size", "taps"), [(1920, 1920, 1), (1920, 2048, 2), (1920, 960, 2), (1920, 910, 4)])
def test_as_few_taps_as_the_rule_needs(source: int, size: int, taps: int) -> None:
    assert resize_taps(source, size).weights.shape == (size, taps)


def test_no_pixels_are_an_error() -> None:
    with pytest.raises(ValueError, match="0 -> 5"):
        resize_taps(0, 5)


@settings(deadline=None)
@given(outputs=st.integers(1, 500), cells=st.integers(1, 60), share=st.floats(0.1, 1))
def test_runs_cut_the_row_into_pieces_between_the_same_cells(outputs: int, cells: int, share: float) -> None:
    content = max(1, int(4 * cells * share))
    table = axis_table(outputs=outputs, content=content, pad=(4 * cells - content) // 2, stride=4, cells=cells)
    starts = column_runs(table)
    assert starts[0] == 0
    assert starts[-1] == outputs
    for begin, end in pairwise(starts):
        assert 1 <= end - begin <= RUN
        assert len(set(table.low[begin:end])) == len(set(table.high[begin:end])) == 1
    pieces = np.unique(np.stack([table.low, table.high]), axis=1, return_counts=True)[1]
    assert starts.size - 1 == np.ceil(pieces / RUN).sum()


def test_a_run_ends_where_only_the_upper_cell_changes() -> None:
    table = AxisTable(np.zeros(3, np.int32), np.array([0, 1, 1], np.int32), np.zeros(3, np.float32), 2)
    np.testing.assert_array_equal(column_runs(table), [0, 1, 3])
