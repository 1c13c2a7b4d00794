from pathlib import Path

import cv2
import numpy as np
import pytest
from support.recordings import picture

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.frames import Frame


def test_pictures_of_a_folder_in_every_form(
    tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / f"p{index}.png"), picture(index))
    out = tmp_path / "out"
    options = ["--bundle", str(tiny_bundle.path), "--threshold", "best_f1", "--out", str(out)]
    everything = ["panel", "overlay", "labels", "heat", "mask", "npz"]
    assert main(["run", str(folder), *options, "--save", *everything]) == 0
    assert ["frames", "2"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    with open_detector(tiny_bundle, threshold="best_f1") as detector:
        expected = detector(Frame(picture(1)))
    arrays = np.load(out / "p1.npz")
    assert float(arrays["threshold"]) == 2.0
    for name in ("labels", "score", "mask"):
        np.testing.assert_array_equal(arrays[name], getattr(expected, name))
    for kind in ("labels", "mask"):
        png = cv2.imread(str(out / f"p1_{kind}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(png, arrays[kind])
    for kind in ("panel", "overlay", "heat"):
        assert cv2.imread(str(out / f"p0_{kind}.png")) is not None


def test_a_video_gives_a_video_of_as_many_frames_as_asked(tmp_path: Path, tiny_bundle: Bundle) -> None:
    import av

    source = str(tmp_path / "drive.avi")
    writer = cv2.VideoWriter(source, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for index in range(5):
        writer.write(picture(index))
    writer.release()
    options = ["--bundle", str(tiny_bundle.path), "--out", str(tmp_path / "out"), "--save", "overlay", "mask"]
    assert main(["run", source, *options, "--frames", "3"]) == 0
    for kind in ("overlay", "mask"):
        with av.open(str(tmp_path / "out" / f"drive_{kind}.mp4")) as video:
            times = [frame.time for frame in video.decode(video=0)]
        assert times == pytest.approx([0.0, 0.1, 0.2], abs=1e-3)
