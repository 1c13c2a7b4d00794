from pathlib import Path

import numpy as np
import pytest
from support.recordings import picture, record, stamp

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.demo.render import joined, render


def answer(path: Path, indices: list[int]) -> Path:
    with BagWriter(path) as bag:
        for index in indices:
            data = image_message(np.full((48, 64), index, np.uint8), "mono8", stamp=stamp(index), frame_id="c")
            bag.write("/hybrid_seg/semantic", IMAGE, stamp(index), data)
    return path


def test_frames_meet_their_own_answer_and_dropped_ones_are_left_out(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", 30)
    answered = [i for i in range(30) if i not in (0, 1, 7, 8, 9, 10, 29)]
    pairs = list(joined(bag, answer(tmp_path / "results", answered), "/camera/image_raw"))
    assert [frame.stamp_ns for frame, _ in pairs] == [stamp(i) for i in answered]
    for index, (frame, result) in zip(answered, pairs, strict=True):
        assert result.labels is not None
        assert result.labels[0, 0] == index
        np.testing.assert_array_equal(frame.image, picture(index))


def test_nothing_to_draw_is_said(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", 2)
    results = answer(tmp_path / "results", [50])
    with pytest.raises(ValueError, match="no result belongs to an image"):
        render(bag, results, "/camera/image_raw", tiny_bundle.manifest, tmp_path, frames=1, fps=15.0, progress=False)
