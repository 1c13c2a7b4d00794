from pathlib import Path

import numpy as np

from hybrid_seg_ros.bags import BagReader
from hybrid_seg_ros.bags.truth import read_truth
from hybrid_seg_ros.demo.drive import record_drive
from hybrid_seg_ros.scenes import Drive, DriveConfig

CONFIG = DriveConfig(seed=3, size=(160, 96), fps=10.0, n_frames=3)


def test_a_recorded_drive_is_the_generated_one_whoever_rendered_it(tmp_path: Path) -> None:
    record_drive(CONFIG, tmp_path / "drive", tmp_path / "truth", workers=2, progress=False)
    scenes = list(Drive(CONFIG))
    with BagReader(tmp_path / "drive") as bag:
        frames = [image.frame() for image in bag.images()]
    for frame, truth, scene in zip(frames, read_truth(tmp_path / "truth"), scenes, strict=True):
        np.testing.assert_array_equal(frame.image, scene.frame.image)
        assert frame.camera == scene.frame.camera
        assert frame.stamp_ns == truth.stamp_ns == scene.frame.stamp_ns
        np.testing.assert_array_equal(truth.labels, scene.labels)
        assert [o["id"] for o in truth.obstacles] == [o.id for o in scene.obstacles if not o.known]
