from pathlib import Path

import h5py
import numpy as np
import pytest
from support.label_sets import ids, picture

from hybrid_seg_ros.datasets import Dataset, DatasetError, open_dataset
from hybrid_seg_ros.datasets.submission import check_submission, submission_path, write_submission

NAMES = ("bear0001", "validation0000")


@pytest.fixture
def everything(tmp_path: Path) -> Dataset:
    for name in NAMES:
        picture(tmp_path / f"set/images/{name}.jpg")
    ids(tmp_path / "set/labels_masks/validation0000_labels_semantic.png", [0] * 6)
    return open_dataset("road-anomaly21", tmp_path / "set", split="all")


def test_what_is_written_is_where_the_benchmark_reads_it(tmp_path: Path, everything: Dataset) -> None:
    out = tmp_path / "out"
    score = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6)
    assert write_submission(out, "Hybrid", everything, ((name, score) for name in NAMES)) == 2
    with h5py.File(out / "anomaly_p/Hybrid/AnomalyTrack-all/bear0001.hdf5") as file:
        np.testing.assert_array_equal(file["value"][:], score.astype(np.float16))
    assert check_submission(out, "Hybrid", everything) == []


def test_what_is_missing_or_wrong_is_named(tmp_path: Path, everything: Dataset) -> None:
    path = submission_path(tmp_path, "Hybrid", "road-anomaly21", "bear0001")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["value"] = np.full((4, 6), np.nan, np.float16)
    problems = check_submission(tmp_path, "Hybrid", everything)
    assert [Path(where).name for where, _ in problems] == ["bear0001.hdf5", "validation0000.hdf5"]
    assert problems[0][1].endswith("24 of 24 scores are NaN")
    assert problems[1][1].endswith("no such file")


@pytest.mark.parametrize(
    ("name", "score", "message"),
    [
        ("cow", np.zeros((4, 6)), "road-anomaly21 has no image 'cow'"),
        ("bear0001", np.zeros((6, 4)), r"scores of shape \(6, 4\), but .*bear0001\.jpg is 6x4 px"),
        ("bear0001", np.full((4, 6), np.nan), "24 of 24 scores are NaN"),
        ("bear0001", np.full((4, 6), 1e6), "24 scores are beyond what float16 holds"),
    ],
)
def test_refused(tmp_path: Path, everything: Dataset, name: str, score: np.ndarray, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        write_submission(tmp_path / "out", "Hybrid", everything, [(name, score)])


def test_names_stay_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"method name '\.\./x': expected letters"):
        submission_path(tmp_path, "../x", "road-anomaly21", "a")
    with pytest.raises(DatasetError, match="image name 'a/b'"):
        submission_path(tmp_path, "x", "road-anomaly21", "a/b")
    with pytest.raises(DatasetError, match="camvid is not submitted to SegmentMeIfYouCan; expected road-anomaly21"):
        submission_path(tmp_path, "x", "camvid", "a")
