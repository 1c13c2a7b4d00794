"""Components by runs, against OpenCV's, and the runs painted back."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from hybrid_seg_ros.obstacles.edges import lower_edges
from hybrid_seg_ros.obstacles.runs import fill, find_components

Mask = npt.NDArray[np.uint8]

masks = nps.arrays(
    np.uint8,
    nps.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20),
    elements=st.sampled_from([0, 0, 255]),
    fill=st.nothing(),
)


def as_sets(mask: Mask) -> list[frozenset[tuple[int, int]]]:
    """OpenCV's components in the order of their topmost, then leftmost pixel."""
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    found = [[(int(y), int(x)) for y, x in np.argwhere(labels == k)] for k in range(1, count)]
    return [frozenset(pixels) for pixels in sorted(found, key=min)]


def of_runs(mask: Mask, codes: Mask | None = None) -> list[frozenset[tuple[int, int]]]:
    c = find_components(mask, codes)
    found: list[set[tuple[int, int]]] = [set() for _ in c.pixels]
    for y, a, b, k in zip(c.row, c.start, c.stop, c.component, strict=True):
        found[k] |= {(int(y), x) for x in range(a, b)}
    return [frozenset(pixels) for pixels in found]


@settings(deadline=None, max_examples=200)
@given(masks)
def test_components_are_opencvs(mask: Mask) -> None:
    assert of_runs(mask) == as_sets(mask)


@settings(deadline=None)
@given(masks, st.integers(0, 2**32 - 1))
def test_gated_pixels_are_no_part_and_are_counted_by_their_code(mask: Mask, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 4, mask.shape).astype(np.uint8)
    assert of_runs(mask, codes) == as_sets(np.where(codes == 0, mask, 0).astype(np.uint8))
    removed = find_components(mask, codes).removed
    assert [removed[k] for k in (1, 2, 3)] == [np.count_nonzero((mask > 0) & (codes == k)) for k in (1, 2, 3)]


@settings(deadline=None)
@given(masks)
def test_bounds_and_pixels_are_opencvs(mask: Mask) -> None:
    c = find_components(mask)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    mine = zip(c.x0, c.y0, c.x1 - c.x0, c.y1 - c.y0, c.pixels, strict=True)
    assert sorted(tuple(map(int, row)) for row in mine) == sorted(tuple(map(int, row)) for row in stats[1:])


@settings(deadline=None)
@given(masks, st.integers(0, 2**32 - 1))
def test_lower_edges_are_the_lowest_pixels_and_greatest_scores_of_each_column(mask: Mask, seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=mask.shape).astype(np.float32)
    components = find_components(mask)
    kept = rng.random(components.pixels.size) < 0.7
    edges = lower_edges(components, kept, score)
    expected = []
    for k, pixels in enumerate(as_sets(mask)):
        if kept[k]:
            for x in sorted({x for _, x in pixels}):
                rows = [y for y, at in pixels if at == x]
                expected.append((k, x, max(rows), max(score[y, x] for y in rows)))
    found = zip(edges.number[edges.owner], edges.column, edges.bottom, edges.score, strict=True)
    assert [(int(a), int(b), int(c), d) for a, b, c, d in found] == expected
    means = [np.mean([score[p] for p in pixels]) for pixels, keep in zip(as_sets(mask), kept, strict=True) if keep]
    assert np.allclose(edges.score_mean, means, atol=1e-5)


@settings(deadline=None)
@given(masks)
def test_runs_paint_the_mask_back(mask: Mask) -> None:
    c = find_components(mask)
    image = np.zeros_like(mask)
    fill(c.row, c.start, c.stop, np.full(c.row.size, 255, np.uint8), image)
    assert np.array_equal(image, mask)


@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
def test_large_masks_and_cut_outs_of_them(density: float) -> None:
    mask = (np.random.default_rng(3).random((257, 640)) < density).astype(np.uint8) * 255
    for part in (mask, mask[3:, 5:], mask[:, ::-1]):
        assert find_components(part).pixels.size == cv2.connectedComponents(part.copy(), connectivity=8)[0] - 1


@pytest.mark.parametrize(
    ("mask", "codes", "message"),
    [
        (np.zeros((2, 3, 1), np.uint8), None, r"uint8\[2, 3, 1\], expected uint8\[H, W\]"),
        (np.zeros((2, 3), np.bool_), None, r"bool\[2, 3\], expected uint8"),
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), r"the gate is uint8\[3, 2\], expected uint8\[2, 3\]"),
    ],
)
def test_other_arrays_are_refused(mask: Mask, codes: Mask | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_components(mask, codes)
