from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hybrid_seg_ros.datasets import DatasetError, open_score_maps, read_score_map, write_score_map

SCORE = np.array([[0.0, -1.5, 3.25], [np.inf, 65504.0, 1e-4]], np.float16)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5", ".hdf5"])
@settings(max_examples=20, deadline=None)
@given(score=hnp.arrays(np.float16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(width=16)))
def test_half_precision_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, score: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("maps") / f"a{suffix}"
    if score.shape[0] == 1 or score.shape[1] == 1:
        score = np.tile(score, (2, 2))
    write_score_map(path, score)
    read = read_score_map(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, score.astype(np.float32))
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing temporary is left


def test_float32_keeps_what_float16_would_round(tmp_path: Path) -> None:
    score = np.full((2, 3), 0.1, np.float32)
    write_score_map(tmp_path / "a.npy", score, dtype=np.float32)
    np.testing.assert_array_equal(read_score_map(tmp_path / "a.npy"), score)
    write_score_map(tmp_path / "b.npy", score)
    assert (read_score_map(tmp_path / "b.npy") != score).all()


def test_hdf5_is_the_benchmarks(tmp_path: Path) -> None:
    write_score_map(tmp_path / "a.hdf5", SCORE)
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert list(file) == ["value"]
        assert file["value"].dtype == np.float16
        assert (file["value"].compression, file["value"].compression_opts) == ("gzip", 9)


def test_arrays_of_others_with_other_keys_and_shapes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["anomaly"] = SCORE[None, :, :, None]
        file.create_group("meta")
    np.testing.assert_array_equal(read_score_map(tmp_path / "a.h5"), SCORE)
    np.savez(tmp_path / "b.npz", known=-SCORE, anomaly=SCORE)
    np.testing.assert_array_equal(read_score_map(tmp_path / "b.npz", key="anomaly"), SCORE)
    with pytest.raises(DatasetError, match=r"b\.npz: no array 'value', found known, anomaly; name one by its key"):
        read_score_map(tmp_path / "b.npz")


def test_png_has_a_scale(tmp_path: Path) -> None:
    score = np.array([[0, 0.25], [1, 65535 / 65536]], np.float32) * 2 - 1
    write_score_map(tmp_path / "a.png", score, scale=2 / 65535, offset=-1)
    stored = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    assert stored[0, 0] == 0
    assert stored[1, 0] == 65535
    read = read_score_map(tmp_path / "a.png", scale=2 / 65535, offset=-1)
    np.testing.assert_allclose(read, score, atol=1 / 65535 + 1e-7)
    with pytest.raises(DatasetError, match=r"a\.png: 2 scores are beyond the 16 bits .* expected -1 to 1"):
        write_score_map(tmp_path / "a.png", score * 2 + 1, scale=2 / 65535, offset=-1)
    np.testing.assert_array_equal(read_score_map(tmp_path / "a.png"), stored)  # the old file is still there


def test_scores_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.npy: 2 scores are beyond what float16 holds; expected float32"):
        write_score_map(tmp_path / "a.npy", np.array([[1e5, -1e5, np.inf, 1]], np.float32))
    with pytest.raises(DatasetError, match=r"a\.npy: shape \(3,\), expected one score per pixel"):
        write_score_map(tmp_path / "a.npy", np.zeros(3, np.float32))
    with pytest.raises(DatasetError, match=r"a\.tar: cannot write \.tar, expected \.npy"):
        write_score_map(tmp_path / "a.tar", np.zeros((2, 2), np.float32))
    with pytest.raises(DatasetError, match="dtype int32, expected float16"):
        write_score_map(tmp_path / "a.npy", np.zeros((2, 2), np.float32), dtype=np.int32)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5", ".png"])
def test_damaged_files_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame{suffix}"
    write_score_map(path, np.zeros((64, 64), np.float32))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DatasetError, match=rf"frame\{suffix}: "):
        read_score_map(path)
    path.unlink()
    with pytest.raises(DatasetError, match=rf"frame\{suffix}: no such file"):
        read_score_map(path)


def test_a_link_to_nowhere(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["value"] = h5py.ExternalLink("gone.h5", "/value")
    with pytest.raises(DatasetError, match=r"a\.h5: not an HDF5 file that can be read"):
        read_score_map(tmp_path / "a.h5")


def test_no_pickle_is_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"a\.npy: not a npy file of numbers"):
        read_score_map(tmp_path / "a.npy")


@pytest.mark.parametrize(("array", "what"), [(np.zeros((2, 2, 3)), "shape"), (np.array([["a"]]), "elements are")])
def test_arrays_that_are_no_score_map(tmp_path: Path, array: np.ndarray, what: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DatasetError, match=rf"a\.npy: {what}"):
        read_score_map(tmp_path / "a.npy")
    with pytest.raises(DatasetError, match="expected a score map ending in"):
        read_score_map(tmp_path / "a.txt")


def test_a_folder_matches_by_name(tmp_path: Path) -> None:
    files = ("a.npy", "t5/300.h5", "t6_300.npz", "b_anomaly.npy", "deep/er/c.npy", "e_leftImg8bit.npy")
    for number, name in enumerate(files):
        write_score_map(tmp_path / name, np.full((2, 2), number, np.float32))
    maps = open_score_maps(tmp_path)
    names = ("a", "t5/300", "t6/300", "b", "deep/er/c", "e")
    assert [maps.read(name)[0, 0] for name in names] == [0, 1, 2, 3, 4, 5]
    assert maps.unused(["a", "t5/300", "t6/300", "b", "e", "nothing"]) == [tmp_path / "deep/er/c.npy"]
    for name in ("d", "c", "300", "t7/300"):
        with pytest.raises(DatasetError, match=f"none for '{name}', expected one score map: one file per image"):
            maps.read(name)


def test_two_that_may_be_meant_are_refused(tmp_path: Path) -> None:
    for name in ("a.npy", "a_score.npy"):
        write_score_map(tmp_path / name, SCORE)
    with pytest.raises(DatasetError, match=r"a\.npy and .*a_score\.npy for 'a', expected one score map"):
        open_score_maps(tmp_path).path("a")


def test_two_files_for_one_image_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no file ending in"):
        open_score_maps(tmp_path)
    for name in ("a.npy", "a.h5"):
        write_score_map(tmp_path / name, SCORE)
    with pytest.raises(DatasetError, match=r"a\.h5 and .*a\.npy: two score maps of 'a'"):
        open_score_maps(tmp_path)


def test_doubles_that_float32_would_rank_as_equal_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1e300, 2e300], [np.inf, 1.0]]))
    with pytest.raises(DatasetError, match=r"a\.npy: 2 scores are beyond float32"):
        read_score_map(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array([[np.inf, 1.0], [-np.inf, 1.0]]))
    assert read_score_map(tmp_path / "b.npy").tolist() == [[np.inf, 1.0], [-np.inf, 1.0]]
