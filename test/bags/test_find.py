from pathlib import Path

import pytest
from support.recordings import record

from hybrid_seg_ros.bags.find import find_recordings
from hybrid_seg_ros.bags.topics import BagError


def drives(root: Path) -> Path:
    """monday/a and tuesday/deep/b are folders, single.mcap and lost/c_0.db3 files without metadata.yaml."""
    record(root / "monday" / "a", 1)
    record(root / "tuesday" / "deep" / "b", 1, storage="sqlite3")
    next(record(root / "scratch", 1).glob("*.mcap")).rename(root / "single.mcap")
    cut = record(root / "lost", 1, storage="sqlite3")
    (cut / "metadata.yaml").unlink()
    next(cut.glob("*.db3")).rename(cut / "c_0.db3")
    for rest in (root / "scratch").iterdir():
        rest.unlink()
    (root / "scratch").rmdir()
    (root / "notes.txt").write_text("no recording")
    return root


def test_a_pattern_over_any_number_of_folders(tmp_path: Path) -> None:
    root = drives(tmp_path / "drives")
    assert find_recordings([f"{root}/**/*.mcap"]) == [root / "monday" / "a", root / "single.mcap"]
    assert find_recordings([f"{root}/**/*.db3"]) == [next((root / "lost").glob("*.db3")), root / "tuesday/deep/b"]


def test_a_folder_stands_for_what_lies_below_it_and_each_recording_counts_once(tmp_path: Path) -> None:
    root = drives(tmp_path / "drives")
    everything = find_recordings([str(root)])
    assert [p.relative_to(root).parts[0] for p in everything] == ["lost", "monday", "single.mcap", "tuesday"]
    # What an unquoted pattern becomes in a shell is the same as what it becomes here, and so are files and folders.
    by_shell = [str(p) for p in root.glob("*")]
    by_shell.remove(str(root / "notes.txt"))
    assert find_recordings([*by_shell, f"{root}/**", *(str(f) for f in root.rglob("*.mcap"))]) == everything


def test_the_parts_of_a_split_recording_are_one(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", 1)
    metadata = bag / "metadata.yaml"
    part = next(bag.glob("*.mcap"))
    (bag / "bag_1.mcap").write_bytes(part.read_bytes())
    (bag / "foreign.mcap").write_bytes(part.read_bytes())
    text = metadata.read_text()
    first_line = next(line for line in text.splitlines() if part.name in line and line.strip().startswith("-"))
    metadata.write_text(text.replace(first_line, f"{first_line}\n{first_line.replace(part.name, 'bag_1.mcap')}", 1))
    assert find_recordings([f"{bag}/*.mcap"]) == [bag, bag / "foreign.mcap"]


@pytest.mark.parametrize("metadata", ["missing", "damaged"])
def test_what_a_killed_recorder_leaves_is_one_recording(tmp_path: Path, metadata: str) -> None:
    bag = record(tmp_path / "bag", 1)
    next(bag.glob("*.mcap")).rename(bag / "bag_0.mcap.zstd")
    (bag / "bag_1.mcap").touch()
    (bag / "foreign.mcap").touch()
    if metadata == "missing":
        (bag / "metadata.yaml").unlink()
        assert find_recordings([str(bag)]) == [bag, bag / "foreign.mcap"]
    else:
        (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [broken")
    assert find_recordings([f"{bag}/*.mcap"]) == [bag, bag / "foreign.mcap"]
    assert find_recordings([str(bag / "bag_0.mcap.zstd")]) == [bag]


def test_results_of_an_earlier_run_are_not_evaluated(tmp_path: Path) -> None:
    bag = record(tmp_path / "drive", 1)
    record(tmp_path / "out" / "results", 1)
    assert find_recordings([f"{tmp_path}/**/*.mcap"], outside=tmp_path / "out") == [bag]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    bag = record(tmp_path / "drive[1]", 1)
    assert find_recordings([str(bag)]) == [bag]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("nowhere", "no such recording"), ("**/*.bag", "no recording; expected"), ("notes.txt", "not a recording")],
)
def test_what_is_no_recording_is_named(tmp_path: Path, pattern: str, message: str) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BagError, match=message) as caught:
        find_recordings([str(tmp_path / pattern)])
    assert pattern in str(caught.value)
