import json
from pathlib import Path

import numpy as np
import pytest
from support.recordings import CAMERA, picture

from hybrid_seg_ros.bags import BagError, BagReader, BagWriter, ResultWriter, read_results
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bundle import Bundle, label_table
from hybrid_seg_ros.detector.types import Segmentation, Timings
from hybrid_seg_ros.frames import Frame


def segmentation(index: int) -> Segmentation:
    rng = np.random.default_rng(index)
    return Segmentation(
        size=(64, 48),
        labels=rng.integers(0, 11, (48, 64), np.uint8),
        score=rng.normal(size=(48, 64)).astype(np.float32),
        mask=np.where(rng.random((48, 64)) > 0.5, np.uint8(255), np.uint8(0)),
        confidence=None,
        threshold=0.5,
        timings=Timings(1, 2, 3),
    )


def test_results_come_back_bit_for_bit(tmp_path: Path, tiny_bundle: Bundle) -> None:
    table = json.dumps(label_table(tiny_bundle.manifest, 0.5))
    with BagWriter(tmp_path / "bag") as bag:
        writer = ResultWriter(bag)
        writer.write_labels(1, table)
        for index in (1, 2, 3):
            writer.write(Frame(picture(index), stamp_ns=index, frame_id="c", camera=CAMERA), segmentation(index), index)
    results = list(read_results(tmp_path / "bag"))
    assert [r.stamp_ns for r in results] == [1, 2, 3]
    for result in results:
        expected = segmentation(result.stamp_ns)
        for name in ("labels", "score", "mask"):
            np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
        assert result.confidence is None
        assert result.threshold == 0.5
    with BagReader(tmp_path / "bag") as reader:
        assert [text for _, text in reader.texts("/hybrid_seg/label_info_json")] == [table]
        counts = {t.name: t.count for t in reader.topics}
    assert counts["/hybrid_seg/camera_info"] == 3
    assert counts["/hybrid_seg/confidence"] == 0


def test_a_score_of_16_bits_is_decoded_by_the_recorded_table(tmp_path: Path, tiny_bundle: Bundle) -> None:
    coded = np.array([[0, 65535], [13107, 52428]], np.uint16)
    data = image_message(coded, "mono16", stamp=1, frame_id="c")
    with BagWriter(tmp_path / "bag") as bag:
        writer = ResultWriter(bag)
        writer.write_labels(1, json.dumps(label_table(tiny_bundle.manifest, 0.5, mono16=(-10.0, 40.0))))
        bag.write("/hybrid_seg/anomaly_score", IMAGE, 1, data)
    (result,) = read_results(tmp_path / "bag")
    assert result.score is not None
    np.testing.assert_allclose(result.score, [[-10, 40], [0, 30]], atol=1e-5)
    with BagWriter(tmp_path / "bare") as bag:
        bag.write("/hybrid_seg/anomaly_score", IMAGE, 1, data)
    (result,) = read_results(tmp_path / "bare")
    assert np.isnan(result.score).all()


def test_a_frame_that_lost_an_output_is_not_mixed_with_the_next(tmp_path: Path) -> None:
    labels = np.full((4, 4), 7, np.uint8)
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(1, 8):
            data = image_message(labels + np.uint8(index), "mono8", stamp=index, frame_id="c")
            bag.write("/hybrid_seg/semantic", IMAGE, index, data)
            if index != 3:
                bag.write("/hybrid_seg/obstacle_mask", IMAGE, index, data)
    results = {r.stamp_ns: r for r in read_results(tmp_path / "bag")}
    assert sorted(results) == list(range(1, 8))
    assert results[3].mask is None
    for stamp, result in results.items():
        assert result.labels is not None
        assert result.labels[0, 0] == 7 + stamp


def test_an_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r"cannot write a recording there.*exists"):
        BagWriter(tmp_path)
