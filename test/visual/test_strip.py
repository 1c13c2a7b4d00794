"""One place of an image in a row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.visual.strip import TRUTH, close_up, strip


@given(st.data())
def test_a_close_up_lies_in_the_image_holds_its_box_and_has_the_images_shape(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 4000)), data.draw(st.integers(1, 4000))
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = (left, top, data.draw(st.integers(1, width - left)), data.draw(st.integers(1, height - top)))
    x, y, w, h = close_up(box, (width, height))
    assert 0 <= x <= left
    assert 0 <= y <= top
    assert left + box[2] <= x + w <= width
    assert top + box[3] <= y + h <= height
    # Both sides are the same share of the image's, to the pixel.
    assert abs(w / width - h / height) <= 0.5 / width + 0.5 / height + 1e-9 or min(w, h) == 1


def test_a_strip_shows_image_score_mask_and_truth_of_the_place() -> None:
    image = np.full((400, 600, 3), 100, np.uint8)
    score = np.full((400, 600), -5.0, np.float32)
    score[100:140, 200:260] = 5.0
    truth = np.zeros((400, 600), np.uint8)
    truth[100:140, 200:260] = 1
    truth[:100] = 255
    seen = strip(image, score, truth, (200, 100, 60, 40), threshold=0.0, limits=(-10.0, 10.0))
    tiles = np.split(seen[:, : (seen.shape[1] + 4) // 5 * 5], range(324, 5 * 324, 324), axis=1)
    assert len(tiles) == 5
    camera, close, heat, mask, true = (tile[22:, :320] for tile in tiles)
    assert (camera == 255).all(axis=2).any(), "the frame of the close-up"
    assert (close == 100).all()
    middle = heat.shape[0] // 2, heat.shape[1] // 2
    assert heat[middle].sum() > heat[5, 5].sum()
    assert mask[middle][2] > mask[middle][1] < 100, "magenta over the image"
    assert (mask[5, 5] == 100).all()
    assert tuple(true[middle]) == TRUTH
    assert (true[5, 5] == 96).all(), "void"
    assert (true[-5, 5] == 50).all(), "known"
