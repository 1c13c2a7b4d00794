from pathlib import Path

import cv2
import numpy as np
import pytest
from support.recordings import picture

from hybrid_seg_ros.cli.sources import SourceError, open_source


def test_a_folder_gives_its_images_in_order_of_name(tmp_path: Path) -> None:
    for index in (2, 0, 1):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(index))
    (tmp_path / "notes.txt").write_text("no image")
    source = open_source(str(tmp_path))
    assert (source.kind, source.count) == ("images", 3)
    for index, (name, frame) in enumerate(source.frames()):
        assert name == str(index)
        np.testing.assert_array_equal(frame.image, picture(index))


def test_images_of_one_stem_keep_their_suffix(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "b.png"):
        cv2.imwrite(str(tmp_path / name), picture(0))
    assert [name for name, _ in open_source(str(tmp_path)).frames()] == ["a.bmp", "a.png", "b"]


def test_a_single_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.PNG"), picture(0))
    ((name, frame),) = open_source(str(tmp_path / "one.PNG")).frames()
    assert name == "one"
    assert frame.size == (64, 48)


def test_a_video_keeps_its_rate_in_the_stamps(tmp_path: Path) -> None:
    path = str(tmp_path / "drive.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for index in range(4):
        writer.write(picture(index))
    writer.release()
    source = open_source(path)
    assert (source.kind, source.fps, source.count) == ("video", 10.0, 4)
    assert [frame.stamp_ns for _, frame in source.frames()] == [0, 100_000_000, 200_000_000, 300_000_000]


def test_what_is_no_picture_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"not a png")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(SourceError, match="no images; expected files ending in"):
        open_source(str(tmp_path / "empty"))
    with pytest.raises(SourceError, match=r"broken\.png: not an image"):
        list(open_source(str(tmp_path / "broken.png")).frames())
    with pytest.raises(SourceError, match=r"text\.mp4: not a video"):
        open_source(str(tmp_path / "text.mp4"))
    with pytest.raises(SourceError, match="no such image, folder or video, and no camera index"):
        open_source(str(tmp_path / "nothing"))
    with pytest.raises(SourceError, match="camera 99 cannot be opened"):
        open_source("99")
