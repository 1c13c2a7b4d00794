from pathlib import Path

import numpy as np
from support.recordings import picture, record

from hybrid_seg_ros.bags import BagReader, BagWriter, read_results, run_offline
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Outputs, open_detector


def test_every_image_is_answered_with_its_own_stamp_and_the_detectors_own_result(
    tmp_path: Path, tiny_bundle: Bundle
) -> None:
    bag = record(tmp_path / "bag", 3, compressed=True)
    with open_detector(tiny_bundle, "onnxruntime", threshold="best_f1") as detector:
        summary = run_offline(bag, tmp_path / "out", detector, tiny_bundle.manifest, progress=False)
        with BagReader(bag) as reader:
            expected = {image.stamp_ns: detector(image.frame()) for image in reader.images()}
    results = list(read_results(tmp_path / "out"))
    assert [r.stamp_ns for r in results] == sorted(expected)
    for result in results:
        for name in ("labels", "score", "mask", "confidence"):
            np.testing.assert_array_equal(getattr(result, name), getattr(expected[result.stamp_ns], name))
        assert result.threshold == 2.0
    assert (summary.frames_in, summary.frames_out, summary.dropped, summary.rejected) == (3, 3, 0, 0)
    assert set(summary.stages_ms) == {"preprocess", "network", "postprocess"}
    with BagReader(tmp_path / "out") as reader:
        counts = {t.name: t.count for t in reader.topics}
    assert counts["/hybrid_seg/camera_info"] == 3


def test_a_broken_image_is_counted_and_named_and_the_run_goes_on(tmp_path: Path, tiny_bundle: Bundle) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index, encoding in enumerate(["bgr8", "not_an_encoding", "bgr8"]):
            bag.write("/image", IMAGE, index, image_message(picture(0), encoding, stamp=index, frame_id="c"))
    with open_detector(tiny_bundle, "fake") as detector:
        summary = run_offline(
            tmp_path / "bag",
            tmp_path / "out",
            detector,
            tiny_bundle.manifest,
            outputs=Outputs.MASK,
            storage="sqlite3",
            progress=False,
        )
    assert (summary.frames_in, summary.frames_out, summary.rejected) == (3, 2, 1)
    assert "not_an_encoding" in summary.first_rejection
    assert [(r.stamp_ns, r.labels) for r in read_results(tmp_path / "out")] == [(0, None), (2, None)]
