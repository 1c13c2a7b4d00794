"""Recordings that a robot leaves behind when its power goes: what is whole comes back, what is lost is said."""

import re
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from support.recordings import picture, record, stamp

from hybrid_seg_ros.bags import BagError, BagReader, BagWriter
from hybrid_seg_ros.bags.messages import STRING, image_message, string_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bags.writer import Storage

FRAMES = 8
# One picture of this size fills most of a chunk, so a recording has several.
WIDTH, HEIGHT = 640, 400


def long_record(path: Path, mode: CompressionMode, plugin: StoragePlugin) -> Path:
    writer = Writer(path, version=9, storage_plugin=plugin)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image", IMAGE, typestore=get_typestore(Stores.ROS2_HUMBLE))
        for index in range(FRAMES):
            data = image_message(big(index), "bgr8", stamp=stamp(index), frame_id="c")
            writer.write(connection, stamp(index), data)
    return path


def big(index: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), 20 * index, np.uint8)


def storage_file(path: Path) -> Path:
    return next(p for p in path.iterdir() if ".mcap" in p.suffixes or ".db3" in p.suffixes)


def stamps_read(path: Path) -> tuple[list[int], list[str]]:
    with BagReader(path) as bag:
        images = list(bag.images())
        for index, image in enumerate(images):
            np.testing.assert_array_equal(image.frame().image, big(index))
        return [image.stamp_ns for image in images], bag.problems


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("whole")
    return {
        "plain": long_record(root / "plain", CompressionMode.NONE, StoragePlugin.MCAP),
        "zstd": long_record(root / "zstd", CompressionMode.STORAGE, StoragePlugin.MCAP),
    }


@pytest.mark.parametrize("kind", ["plain", "zstd"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0, exclude_max=True))
@example(share=0.9999)
@example(share=0.5)
def test_an_mcap_cut_anywhere_gives_its_first_messages(
    whole: dict[str, Path], tmp_path: Path, kind: str, share: float
) -> None:
    data = storage_file(whole[kind]).read_bytes()
    cut = int(share * len(data))
    bag = tmp_path / "cut"
    shutil.rmtree(bag, ignore_errors=True)
    shutil.copytree(whole[kind], bag)
    storage_file(bag).write_bytes(data[:cut])
    first_message_ends = len(data) if kind == "zstd" else WIDTH * HEIGHT * 3 + 4000
    try:
        found, problems = stamps_read(bag)
    except BagError:
        assert cut < first_message_ends
        with pytest.raises(BagError, match=re.escape(str(bag))):
            stamps_read(bag)
        return
    assert found == [stamp(i) for i in range(len(found))]
    assert problems
    if len(found) < FRAMES:
        assert f"{FRAMES - len(found)} of {FRAMES} messages are lost" in problems
    if kind == "plain":  # not more is lost than one message and what describes it
        assert len(found) >= int(cut / (len(data) / FRAMES)) - 1


def test_a_last_page_of_zeros_is_no_message(whole: dict[str, Path], tmp_path: Path) -> None:
    data = storage_file(whole["plain"]).read_bytes()
    file = tmp_path / "zeros.mcap"
    file.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    found, problems = stamps_read(file)
    assert found == [stamp(i) for i in range(len(found))]
    assert 3 <= len(found) < FRAMES
    assert any("zeros.mcap" in problem for problem in problems)


def test_a_damaged_chunk_in_the_middle_costs_its_messages_only(whole: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(storage_file(whole["zstd"]).read_bytes())
    second = data.index(b"zstd", data.index(b"zstd") + 4)
    data[second + 20 : second + 40] = bytes(20)
    file = tmp_path / "damaged.mcap"
    file.write_bytes(bytes(data[:-3]))  # its end is gone, too, so that nothing says that the chunk should be fine
    with BagReader(file) as bag:
        found = [image.stamp_ns for image in bag.images()]
        assert any("a chunk of" in problem for problem in bag.problems)
    assert 0 < len(found) < FRAMES
    assert found == sorted(found)
    assert found[-1] == stamp(FRAMES - 1)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_missing_metadata_loses_nothing(tmp_path: Path, storage: Storage) -> None:
    bag = record(tmp_path / "bag", 4, storage=storage)
    (bag / "metadata.yaml").unlink()
    with BagReader(bag) as reader:
        assert [i.stamp_ns for i in reader.images()] == [stamp(i) for i in range(4)]
        assert reader.problems == ["not whole (metadata.yaml is missing); read file by file"]


@pytest.mark.parametrize("content", ["", "{", "rosbag2_bagfile_information: 3"])
def test_unreadable_metadata_loses_nothing(tmp_path: Path, content: str) -> None:
    bag = record(tmp_path / "bag", 3)
    (bag / "metadata.yaml").write_text(content)
    with BagReader(bag) as reader:
        assert len(list(reader.images())) == 3
        assert len(reader.problems) == 1


def test_a_missing_file_of_several_is_named_by_its_messages(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", 3)
    text = (bag / "metadata.yaml").read_text()
    text = text.replace("relative_file_paths:\n  - bag.mcap", "relative_file_paths:\n  - bag.mcap\n  - bag_1.mcap")
    (bag / "metadata.yaml").write_text(text.replace("message_count: 6\n  rel", "message_count: 10\n  rel"))
    assert "bag_1.mcap" in (bag / "metadata.yaml").read_text()
    with BagReader(bag) as reader:
        assert len(list(reader.images())) == 3
        assert "bag_1.mcap" in reader.problems[0]
        assert reader.problems[1] == "4 of 10 messages are lost"


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_recordings_without_metadata(tmp_path: Path, mode: CompressionMode) -> None:
    bag = long_record(tmp_path / "bag", mode, StoragePlugin.SQLITE3)
    (bag / "metadata.yaml").unlink()
    found, _ = stamps_read(bag)
    assert found == [stamp(i) for i in range(FRAMES)]


def test_a_compressed_file_cut_off(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image", IMAGE, typestore=get_typestore(Stores.ROS2_HUMBLE))
        for index in range(FRAMES):
            noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            writer.write(connection, index, image_message(noise, "bgr8", stamp=index, frame_id="c"))
    file = storage_file(tmp_path / "bag")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    with BagReader(tmp_path / "bag") as reader:
        found = [image.stamp_ns for image in reader.images()]
        assert any("breaks off" in problem for problem in reader.problems)
    assert found == list(range(len(found)))
    assert 3 <= len(found) < FRAMES


def test_a_sqlite_file_cut_off(tmp_path: Path) -> None:
    bag = long_record(tmp_path / "bag", CompressionMode.NONE, StoragePlugin.SQLITE3)
    file = storage_file(bag)
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    found, problems = stamps_read(bag)
    assert found == [stamp(i) for i in range(len(found))]
    assert 4 <= len(found) < FRAMES
    assert f"{FRAMES - len(found)} of {FRAMES} messages are lost" in problems


def test_a_sqlite_file_whose_last_rows_are_still_in_its_journal(tmp_path: Path) -> None:
    """As rosbag2 leaves it with its resilient preset (journal_mode=WAL) when it is killed."""
    bag = long_record(tmp_path / "bag", CompressionMode.NONE, StoragePlugin.SQLITE3)
    file = storage_file(bag)
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    late = image_message(big(FRAMES), "bgr8", stamp=stamp(FRAMES), frame_id="c")
    database.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES(1, ?, ?)", (stamp(FRAMES), late))
    database.commit()
    killed = tmp_path / "killed"
    shutil.copytree(bag, killed)  # the writer has not closed: its journal lies beside the file
    database.close()
    before = {p.name: p.read_bytes() for p in killed.iterdir()}
    assert any(name.endswith("-wal") for name in before)
    found, problems = stamps_read(killed)
    assert found == [stamp(i) for i in range(FRAMES + 1)]
    assert any("journal" in problem for problem in problems)
    assert {p.name: p.read_bytes() for p in killed.iterdir()} == before, "the recording itself stays as it is"


def test_a_hot_rollback_journal_takes_the_unfinished_transaction_back(tmp_path: Path) -> None:
    bag = long_record(tmp_path / "bag", CompressionMode.NONE, StoragePlugin.SQLITE3)
    file = storage_file(bag)
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=DELETE")
    database.execute("PRAGMA cache_size=1")  # what is not committed goes to the file all the same
    database.execute("BEGIN")
    database.execute("UPDATE messages SET data = zeroblob(1000)")
    killed = tmp_path / "killed"
    shutil.copytree(bag, killed)
    database.rollback()
    database.close()
    assert (killed / f"{file.name}-journal").stat().st_size > 0
    found, _ = stamps_read(killed)
    assert found == [stamp(i) for i in range(FRAMES)]


def test_an_unknown_type_does_not_hide_the_camera(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        image = writer.add_connection("/image", IMAGE, typestore=get_typestore(Stores.ROS2_HUMBLE))
        odd = writer.add_connection(
            "/odd", "maker_msgs/msg/Odd", msgdef="int32 !!! nothing that parses", rihs01="RIHS01_00"
        )
        writer.write(image, 5, image_message(picture(0), "bgr8", stamp=5, frame_id="c"))
        writer.write(odd, 6, b"\x00\x01\x00\x00\x01\x02\x03\x04")
    with BagReader(bag) as reader:
        (image_read,) = reader.images()
        np.testing.assert_array_equal(image_read.frame().image, picture(0))
        assert any("/odd" in problem and "maker_msgs/msg/Odd" in problem for problem in reader.problems)
        (odd_topic,) = [t for t in reader.topics if t.name == "/odd"]
        (raw,) = reader.raw(odd_topic)
        with pytest.raises(BagError, match="maker_msgs/msg/Odd on /odd"):
            reader.message(raw)


def test_topics_that_are_not_cdr_are_left_out(tmp_path: Path) -> None:
    data = storage_file(record(tmp_path / "bag", 3)).read_bytes()
    # A channel of JSON messages, as Foxglove writes them, with a schema encoding that rosbags does not know.
    assert data.count(b"ros2msg") >= 2
    index = data.index(b"sensor_msgs/msg/CameraInfo")
    schema = data.index(b"ros2msg", index)
    file = tmp_path / "mixed.mcap"
    changed = bytearray(data)
    changed[schema : schema + 7] = b"json123"
    summary = data.rindex(b"sensor_msgs/msg/CameraInfo")
    schema = data.index(b"ros2msg", summary) if summary != index else schema
    changed[schema : schema + 7] = b"json123"
    file.write_bytes(bytes(changed))
    with BagReader(file) as reader:
        assert len(list(reader.images())) == 3
        assert [t.name for t in reader.topics] == ["/camera/image_raw"]
        assert any("/camera/camera_info" in problem for problem in reader.problems)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_an_empty_recording_says_that_it_is_empty(tmp_path: Path, storage: Storage) -> None:
    with BagWriter(tmp_path / "bag", storage=storage) as writer:
        writer.add_topic("/camera/image", IMAGE)
    with BagReader(tmp_path / "bag") as reader:
        assert (reader.start_ns, reader.duration_s) == (0, 0.0)
        with pytest.raises(BagError, match=r"no image topic with messages.*\n  /camera/image .*, 0 messages"):
            reader.camera()


def test_log_times_out_of_order_are_sorted(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        for at in (5, 3, 9, 1):
            writer.write("/text", STRING, at, string_message(str(at)))
    with BagReader(tmp_path / "bag") as reader:
        assert list(reader.texts("/text")) == [(at, str(at)) for at in (1, 3, 5, 9)]
