import numpy as np
import pytest

from hybrid_seg_train.data.labels import OUTLIER, ROAD
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.paste import PasteRecipe, paste_negatives, paste_objects


def scene() -> Example:
    image = np.full((90, 140, 3), 100, np.uint8)
    labels = np.zeros((90, 140), np.uint8)
    labels[60:] = ROAD
    return Example(image, labels)


def ball(side: int = 40, color: int = 250) -> Cutout:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    alpha = np.where(x**2 + y**2 < (side / 2) ** 2, 255, 0).astype(np.uint8)
    return Cutout(np.full((side, side, 3), color, np.uint8), alpha, 32)


@pytest.mark.parametrize("seed", range(20))
def test_hard_pasting_changes_exactly_the_pixels_it_labels(seed: int) -> None:
    before = scene()
    recipe = PasteRecipe(count=(1, 3), sides=(8, 60), ground=(ROAD,), blend_share=0.0)
    after = paste_negatives(before, [ball()], recipe, np.random.default_rng(seed))
    changed = (after.image != before.image).any(axis=2)
    np.testing.assert_array_equal(changed, after.labels == OUTLIER)
    np.testing.assert_array_equal(after.labels[~changed], before.labels[~changed])


def test_the_scene_itself_is_left_alone() -> None:
    before = scene()
    image, labels = before.image.copy(), before.labels.copy()
    paste_negatives(before, [ball()], PasteRecipe(count=(3, 3)), np.random.default_rng(0))
    np.testing.assert_array_equal(before.image, image)
    np.testing.assert_array_equal(before.labels, labels)


def test_softened_edges_are_labelled_where_the_object_outweighs_the_scene() -> None:
    before = scene()
    recipe = PasteRecipe(count=(1, 1), sides=(30, 31), ground=(ROAD,), ground_share=1.0, blend_share=1.0)
    after = paste_negatives(before, [ball(color=255)], recipe, np.random.default_rng(3))
    pasted = after.labels == OUTLIER
    changed = (after.image != before.image).any(axis=2)
    assert pasted.sum() > 100
    assert changed.sum() > pasted.sum()  # the fringe outside
    weight = (after.image[..., 0].astype(float) - 100) / (after.image[..., 0].max() - 100.0)
    assert weight[pasted].min() > 0.4
    assert weight[~pasted].max() < 0.6


def test_objects_stand_on_the_ground_when_they_must() -> None:
    recipe = PasteRecipe(count=(1, 1), sides=(10, 20), ground=(ROAD,), ground_share=1.0, blend_share=0.0)
    for seed in range(30):
        rows = np.nonzero(paste_negatives(scene(), [ball()], recipe, np.random.default_rng(seed)).labels == OUTLIER)[0]
        assert rows.max() >= 57  # turned objects may end a few pixels above their box's foot


def test_sizes_are_log_uniform_within_their_range() -> None:
    recipe = PasteRecipe(count=(1, 1), sides=(8, 32), blend_share=0.0)
    big = Example(np.zeros((300, 300, 3), np.uint8), np.zeros((300, 300), np.uint8))
    sides = []
    for seed in range(300):
        columns = np.nonzero(
            (paste_negatives(big, [ball()], recipe, np.random.default_rng(seed)).labels == OUTLIER).any(0)
        )[0]
        if columns.size and columns[0] > 0 and columns[-1] < 299:
            sides.append(columns[-1] - columns[0] + 1)
    assert min(sides) >= 6
    assert max(sides) <= 34
    assert np.median(sides) == pytest.approx(16, abs=2)


def test_known_objects_keep_their_class_and_the_same_seed_pastes_the_same() -> None:
    recipe = PasteRecipe(count=(2, 2), sides=(10, 30))
    one, two = (paste_objects(scene(), [ball()], [8], recipe, np.random.default_rng(5)) for _ in range(2))
    assert 8 in one.labels
    assert OUTLIER not in one.labels
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.labels, two.labels)
