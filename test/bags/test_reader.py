import os
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from support.recordings import CAMERA, picture, record, stamp

from hybrid_seg_ros.bags import BagError, BagReader, BagWriter
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bags.writer import Distro, Storage
from hybrid_seg_ros.frames.encodings import ImageFormatError


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("distro", ["humble", "jazzy"])
@pytest.mark.parametrize("compressed", [False, True])
def test_images_come_back_as_recorded(tmp_path: Path, storage: Storage, distro: Distro, compressed: bool) -> None:
    path = record(tmp_path / "bag", 4, storage=storage, distro=distro, compressed=compressed)
    with BagReader(path) as bag:
        images = list(bag.images())
        assert [i.stamp_ns for i in images] == [stamp(i) for i in range(4)]
        assert [i.log_time_ns for i in images] == [stamp(i) for i in range(4)]
        for index, image in enumerate(images):
            frame = image.frame()
            np.testing.assert_array_equal(frame.image, picture(index))
            assert (frame.stamp_ns, frame.frame_id, frame.camera) == (stamp(index), "camera", CAMERA)


@pytest.mark.parametrize("mode", [CompressionMode.MESSAGE, CompressionMode.FILE])
def test_zstd_recordings_are_read(tmp_path: Path, mode: CompressionMode) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image", IMAGE, typestore=store)
        writer.write(connection, 5, image_message(picture(0), "bgr8", stamp=5, frame_id="c"))
    with BagReader(tmp_path / "bag") as bag:
        (image,) = bag.images()
        np.testing.assert_array_equal(image.frame().image, picture(0))
        assert image.frame().camera is None


def test_a_single_storage_file_is_a_recording_too(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", 2)
    (file,) = path.glob("*.mcap")
    with BagReader(file) as bag:
        assert len(list(bag.images())) == 2


def test_camera_info_recorded_after_its_first_image_still_serves_it(tmp_path: Path) -> None:
    from hybrid_seg_ros.bags.messages import camera_info_message
    from hybrid_seg_ros.bags.topics import CAMERA_INFO

    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/camera/image", IMAGE, 1, image_message(picture(0), "bgr8", stamp=1, frame_id="c"))
        info = camera_info_message(CAMERA, stamp=1, frame_id="c")
        writer.write("/camera/camera_info", CAMERA_INFO, 2, info)
    with BagReader(tmp_path / "bag") as bag:
        assert next(bag.images()).frame().camera == CAMERA


def test_a_broken_image_is_its_own_error_and_the_next_one_is_read(tmp_path: Path) -> None:
    good = image_message(picture(0), "bgr8", stamp=1, frame_id="c")
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/image", IMAGE, 1, good)
        writer.write("/image", IMAGE, 2, image_message(picture(0), "no_such", stamp=2, frame_id="c"))
        writer.write("/image", IMAGE, 3, good[: len(good) // 2])
        writer.write("/image", IMAGE, 4, good[:6])
        writer.write("/image", IMAGE, 5, good)
    with BagReader(tmp_path / "bag") as bag:
        first, unknown, truncated, stub, last = bag.images()
        assert first.frame().size == last.frame().size == (64, 48)
        with pytest.raises(ImageFormatError, match="no_such"):
            unknown.frame()
        for damaged in (truncated, stub):
            with pytest.raises(BagError, match="damaged sensor_msgs/msg/Image on /image"):
                damaged.frame()


def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.mcap").write_bytes(b"nothing of the kind" * 10)
    (tmp_path / "notes.txt").write_text("notes")
    for path, words in {
        "missing": "no such recording",
        "empty": "metadata.yaml",
        "file.mcap": "file.mcap",
        "notes.txt": "rosbag2",
    }.items():
        with pytest.raises(BagError, match=words):
            BagReader(tmp_path / path)


def test_a_damaged_storage_file_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", 3)
    (file,) = path.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(BagError, match="bag"):
        BagReader(path)


def test_texts_of_a_missing_topic_are_none(tmp_path: Path) -> None:
    with BagReader(record(tmp_path / "bag", 1)) as bag:
        assert list(bag.texts("/nothing")) == []


def test_the_research_clip_is_read_where_it_is(tmp_path: Path) -> None:
    root = os.environ.get("HYBRID_SEG_DATA", "")
    clip = Path(root) / "camvid_bag" if root else record(tmp_path / "camvid_bag", 101, compressed=True)
    with BagReader(clip) as bag:
        image, info = bag.camera()
        assert (image.name, image.count) == ("/camera/image_raw/compressed", 101)
        assert info is not None
        assert info.name == "/camera/camera_info"
        assert bag.duration_s == pytest.approx(100 / 15, abs=1e-3)
