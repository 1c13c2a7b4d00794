"""What every recipe promises, and the sizes, shapes and places of each."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_train.data.labels import OUTLIER, PAVEMENT, ROAD, SKY, VOID
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.negatives.cutout import Cutout, Joined
from hybrid_seg_train.negatives.light import match_light
from hybrid_seg_train.negatives.paste import ObjectsPaster, PasteRecipe, standing_place
from hybrid_seg_train.negatives.paster import Paster
from hybrid_seg_train.negatives.patches import NEVER, LabelledImage
from hybrid_seg_train.negatives.published import PublishedPaster, SegmentsPaster

FORBIDDEN = (0, 0, 255)
"""Colour of all that must never be pasted."""


def scene(width: int, height: int) -> Example:
    labels = np.full((height, width), SKY, np.uint8)
    labels[height // 3 :] = ROAD
    labels[:, : width // 5] = VOID
    return Example(np.full((height, width, 3), 100, np.uint8), labels)


def labelled(width: int = 200, height: int = 150) -> LabelledImage:
    """Four quarters: two classes, one forbidden, one with two more; every label in its own colour."""
    labels = np.zeros((height, width), np.int64)
    labels[: height // 2, width // 2 :] = 1
    labels[height // 2 :, : width // 2] = NEVER
    labels[height // 2 :, width // 2 :] = 2
    labels[height * 3 // 4 :, width * 3 // 4 :] = 3
    image = np.array([(0, 200, 0), (0, 201, 0), (0, 202, 0), (0, 203, 0), FORBIDDEN], np.uint8)[labels]
    return LabelledImage(image, labels)


def ball(side: int = 40, color: tuple[int, int, int] = (0, 200, 0)) -> Cutout:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    alpha = np.where(x**2 + y**2 < (side / 2) ** 2, 255, 0).astype(np.uint8)
    return Cutout(np.full((side, side, 3), color, np.uint8), alpha, "ball")


PASTERS: dict[str, Paster] = {
    "objects": ObjectsPaster([ball()], PasteRecipe(ground=(ROAD, PAVEMENT), blend_share=0.0)),
    "objects in perspective and matched light": ObjectsPaster(
        [ball()], PasteRecipe(ground=(ROAD,), blend_share=0.0, perspective=0.7, match_light=0.7)
    ),
    "published": PublishedPaster([labelled()], side=64),
    "segments": SegmentsPaster([labelled()]),
}


@pytest.mark.parametrize("name", PASTERS)
@settings(deadline=None, max_examples=25)
@given(st.integers(40, 260), st.integers(40, 200), st.integers(0, 2**32))
def test_exactly_the_labelled_pixels_change_and_the_same_generator_pastes_the_same(
    name: str, width: int, height: int, seed: int
) -> None:
    before = scene(width, height)
    image, labels = before.image.copy(), before.labels.copy()
    after = PASTERS[name](before, np.random.default_rng(seed))
    pasted = after.labels == OUTLIER
    if name != "objects in perspective and matched light":  # whose colours may come to equal the scene's
        np.testing.assert_array_equal((after.image != before.image).any(axis=2), pasted)
    np.testing.assert_array_equal(after.image[~pasted], before.image[~pasted])
    np.testing.assert_array_equal(after.labels[~pasted], before.labels[~pasted])
    assert not (after.image == FORBIDDEN).all(axis=2).any()
    np.testing.assert_array_equal(before.image, image)
    np.testing.assert_array_equal(before.labels, labels)
    again = PASTERS[name](before, np.random.default_rng(seed))
    np.testing.assert_array_equal(after.image, again.image)
    np.testing.assert_array_equal(after.labels, again.labels)


def test_when_each_pastes() -> None:
    assert {name: paster.when for name, paster in PASTERS.items()} == {
        "objects": "after",
        "objects in perspective and matched light": "after",
        "published": "after",
        "segments": "before",
    }


def boxes(paster: Paster, example: Example, count: int) -> list[tuple[int, int, int, int]]:
    pasted = [paster(example, np.random.default_rng(seed)).labels == OUTLIER for seed in range(count)]
    return [tuple(cv2.boundingRect(p.astype(np.uint8))) for p in pasted]


def test_published_rectangles_have_the_published_sides_and_lie_anywhere() -> None:
    whole = LabelledImage(np.full((300, 400, 3), 9, np.uint8), np.zeros((300, 400), np.int64))
    found = boxes(PublishedPaster([whole], side=64, rectangle_share=1.0), scene(512, 512), 400)
    assert {b[2] for b in found} == {b[3] for b in found} == set(range(16, 65, 8))
    counts = np.bincount([b[2] // 8 - 2 for b in found])
    assert counts.min() > 400 / 7 * 0.6  # uniform
    # The patch lies uniformly within the scene, the rectangle within the patch.
    centers = np.array([(x + w / 2, y + h / 2) for x, y, w, h in found])
    np.testing.assert_allclose(centers.mean(axis=0), 256, atol=25)
    assert centers.min() < 40
    assert centers.max() > 472


def test_published_unions_are_two_labels_of_one_patch() -> None:
    paster = PublishedPaster([labelled()], side=150, rectangle_share=0.0)
    seen = set()
    for seed in range(60):
        after = paster(scene(300, 300), np.random.default_rng(seed))
        present = frozenset(np.unique(after.image[after.labels == OUTLIER][:, 1]).tolist())
        assert 1 <= len(present) <= 2
        assert np.abs(np.array(boxes(paster, scene(300, 300), 1))[0, 2:]).max() <= 150
        seen.add(present)
    assert {frozenset(p) for p in ((200, 201), (200, 202), (201, 202), (202, 203))} <= seen


def test_half_of_the_published_shapes_are_rectangles() -> None:
    """In an image of fine stripes a full rectangle can only come from the first kind."""
    labels = np.tile(np.arange(40), (200, 5)).astype(np.int64)
    paster = PublishedPaster([LabelledImage(np.full((200, 200, 3), 9, np.uint8), labels)], side=96)
    full = 0
    for seed in range(200):
        pasted = paster(scene(256, 256), np.random.default_rng(seed)).labels == OUTLIER
        x, y, w, h = cv2.boundingRect(pasted.astype(np.uint8))
        full += bool(pasted[y : y + h, x : x + w].all())
    assert 75 <= full <= 125


def test_images_with_nothing_to_paste_leave_the_scene_as_it_is() -> None:
    empty = LabelledImage(np.zeros((50, 50, 3), np.uint8), np.full((50, 50), NEVER, np.int64))
    for paster in (PublishedPaster([empty]), SegmentsPaster([empty])):
        after = paster(scene(100, 100), np.random.default_rng(0))
        assert OUTLIER not in after.labels
    half = PublishedPaster([empty, labelled()])
    assert all(OUTLIER in half(scene(300, 300), np.random.default_rng(s)).labels for s in range(20))


def test_segments_are_of_one_image_each_at_its_own_place_and_of_many_sizes() -> None:
    images = [labelled(), LabelledImage(np.full((90, 120, 3), 50, np.uint8), np.zeros((90, 120), np.int64))]
    big = scene(1200, 1200)
    paster = SegmentsPaster(images)
    widths, kinds = [], set()
    for seed in range(150):
        after = paster(big, np.random.default_rng(seed))
        colors = after.image[after.labels == OUTLIER]
        green, grey = colors[:, 0] == 0, colors[:, 0] == 50
        assert green.all() or grey.all()
        kinds.add(bool(green.all()))
        if grey.all():
            w, h = cv2.boundingRect((after.labels == OUTLIER).astype(np.uint8))[2:]
            widths.append(w)
            assert h == pytest.approx(w * 0.75, abs=1)
        else:
            # Resizing mixes colours along borders only.
            shares = np.bincount(colors[:, 1], minlength=256)[200:204] / len(colors)
            assert 2 <= (shares > 0.02).sum() <= 3
    assert kinds == {True, False}
    assert 96 <= min(widths) < 150
    assert 450 < max(widths) <= 500
    assert np.mean(widths) == pytest.approx(298, abs=45)


def test_segments_are_placed_independently_of_where_they_lay() -> None:
    labels = np.repeat([[0, 1]], 50, axis=1).repeat(80, axis=0)
    image = np.where(labels[..., None] == 0, 200, 240).astype(np.uint8).repeat(3, axis=2)
    paster = SegmentsPaster([LabelledImage(image, labels)], count=2, longer_side=(100, 100))
    apart = set()
    for seed in range(30):
        after = paster(scene(400, 400), np.random.default_rng(seed))
        lefts = [np.nonzero((after.image[..., 1] == c).any(axis=0))[0] for c in (200, 240)]
        if all(c.size for c in lefts):
            apart.add(int(lefts[1][0] - lefts[0][0]))
    assert len(apart) > 20


def test_objects_in_perspective_grow_with_the_row_of_their_foot() -> None:
    recipe = PasteRecipe(
        (1, 1), sides=(6, 300), ground_share=1.0, blend_share=0.0, ground=(ROAD,), perspective=1.0, heights=(0.5, 0.5)
    )
    height = 300
    sizes, drops = [], []
    for x, y, w, h in boxes(ObjectsPaster([ball(100)], recipe), scene(900, height), 120):
        if x > 0 and x + w < 900:
            sizes.append(max(w, h))
            drops.append(y + h - 1 - height // 3)
    assert len(sizes) > 60
    np.testing.assert_allclose(np.array(sizes), 0.5 * np.array(drops), atol=3)
    # Distances are log-uniform: half of the drops, from 12 to 199 px, lie below their geometric mean.
    assert np.median(drops) == pytest.approx(np.sqrt(12 * 199), rel=0.25)


def test_without_a_horizon_there_is_no_place_to_stand_in_perspective() -> None:
    rng = np.random.default_rng(0)
    road = np.full((50, 60), ROAD, np.uint8)
    assert standing_place(road, (ROAD,), 4, rng) is None
    assert standing_place(np.full((50, 60), SKY, np.uint8), (ROAD,), 4, rng) is None
    road[:45] = SKY
    assert standing_place(road, (ROAD,), 10, rng) is None
    found = standing_place(road, (ROAD,), 2, rng)
    assert found is not None
    column, row, drop = found
    assert road[row, column] == ROAD
    assert drop == row - 45 >= 2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_perspective_keeps_the_share_of_objects_on_the_ground(share: float) -> None:
    recipe = PasteRecipe(
        (1, 1), (8, 9), ground_share=share, blend_share=0.0, ground=(ROAD,), perspective=0.5, heights=(0.5, 0.5)
    )
    labels = np.full((200, 200), SKY, np.uint8)
    labels[180:, :100] = ROAD
    found = boxes(ObjectsPaster([ball()], recipe), Example(np.full((200, 200, 3), 100, np.uint8), labels), 200)
    standing = np.mean([y + h >= 180 and x < 100 for x, y, w, h in found])
    assert standing == pytest.approx(share, abs=0.1 + 0.1 * (1 - share))


def test_no_object_is_enlarged_more_than_allowed() -> None:
    recipe = PasteRecipe((1, 1), sides=(100, 101), blend_share=0.0, enlarge=2.0)
    found = boxes(ObjectsPaster([ball(20)], recipe), scene(300, 300), 30)
    assert max(max(w, h) for _, _, w, h in found) <= 42


def test_known_objects_keep_their_class_in_their_share_of_the_scenes() -> None:
    recipe = PasteRecipe((1, 1), sides=(20, 40))
    paster = ObjectsPaster([ball()], recipe, labels=[8], share=0.3)
    after = [paster(scene(120, 90), np.random.default_rng(seed)).labels for seed in range(200)]
    assert not any(OUTLIER in labels for labels in after)
    assert np.mean([8 in labels for labels in after]) == pytest.approx(0.3, abs=0.1)


def lightness(image: ByteImage) -> float:
    return float(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[..., 0].mean())


def test_matched_light_goes_as_far_as_its_strength_towards_the_surroundings() -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(20, 50, (200, 200, 3)).astype(np.uint8)
    patch = rng.integers(180, 210, (30, 30, 3)).astype(np.uint8)
    alpha = np.full((30, 30), 255, np.uint8)
    np.testing.assert_allclose(match_light(patch, alpha, dark, (80, 90), 0.0), patch, atol=1)
    ours, theirs = lightness(patch), lightness(dark)
    for strength in (0.5, 1.0):
        moved = lightness(match_light(patch, alpha, dark, (80, 90), strength))
        assert moved == pytest.approx(ours + strength * (theirs - ours), abs=2)
    outside = match_light(patch, alpha, dark, (1000, 1000), 1.0)
    np.testing.assert_array_equal(outside, patch)


def test_matched_light_keeps_an_object_s_own_colour() -> None:
    grey = np.full((100, 100, 3), 90, np.uint8)
    red = np.full((20, 20, 3), (20, 20, 200), np.uint8)
    moved = match_light(red, np.full((20, 20), 255, np.uint8), grey, (40, 40), 0.9)
    assert moved[..., 2].min() > moved[..., :2].max() + 40


def test_joined_sequences_are_one() -> None:
    joined = Joined([[1, 2], [], [3], [4, 5, 6]])
    assert list(joined) == [1, 2, 3, 4, 5, 6]
    assert joined[-1] == 6
    assert joined[1:4] == [2, 3, 4]
    assert len(Joined([])) == 0
    with pytest.raises(IndexError):
        joined[6]
