from pathlib import Path

import numpy as np

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.truth import Truth, TruthWriter, read_truth


def test_the_truth_comes_back_lossless(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    written = [
        Truth(
            stamp_ns=1_700_000_000_000_000_001 + index,
            labels=rng.integers(0, 12, (24, 32), np.uint8),
            anomaly=rng.choice(np.array([0, 1, 255], np.uint8), (24, 32)),
            instances=rng.integers(0, 65_535, (24, 32), np.uint16),
            obstacles=[{"id": index, "kind": "sofa", "distance": 12.5}],
        )
        for index in range(3)
    ]
    with BagWriter(tmp_path / "truth") as bag:
        writer = TruthWriter(bag)
        for truth in written:
            writer.write(truth)
    for found, expected in zip(read_truth(tmp_path / "truth"), written, strict=True):
        assert (found.stamp_ns, found.obstacles) == (expected.stamp_ns, expected.obstacles)
        for name in ("labels", "anomaly", "instances"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            assert getattr(found, name).dtype == getattr(expected, name).dtype
