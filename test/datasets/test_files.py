from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.label_sets import ids, picture

from hybrid_seg_ros.datasets import DatasetError
from hybrid_seg_ros.datasets.files import image_size, list_files, natural_key, read_bgr, read_ids


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_gives_its_indices_not_its_colours(tmp_path: Path, bits: int) -> None:
    indices = (np.arange(5 * 13) % 2**bits).reshape(5, 13).astype(np.uint8)
    image = Image.fromarray(indices, "L").copy()
    image = Image.frombytes("P", (13, 5), indices.tobytes())
    image.putpalette([value for i in range(256) for value in (i * 37 % 256, i * 91 % 256, i * 13 % 256)])
    image.save(tmp_path / "a.png", bits=bits)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), indices)
    np.testing.assert_array_equal(read_ids(tmp_path / "a.png"), indices)


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 2, 255]], np.uint8)
    image = Image.frombytes("P", (4, 1), indices.tobytes())
    image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "a.png", transparency=1)
    assert read_ids(tmp_path / "a.png").tolist() == indices.tolist()


def test_a_bilevel_mask_is_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(np.array([[False, True, True]])).save(tmp_path / "a.png")
    assert read_ids(tmp_path / "a.png").tolist() == [[0, 1, 1]]


def test_ids_of_16_bits_stay(tmp_path: Path) -> None:
    assert read_ids(ids(tmp_path / "a.png", [[0, 300, 65535]], np.uint16)).tolist() == [[0, 300, 65535]]


def test_equal_channels_are_one_and_colours_are_none(tmp_path: Path) -> None:
    mask = ids(tmp_path / "a.png", np.dstack([[[1, 2]], [[1, 2]], [[1, 2]]]))
    assert read_ids(mask).tolist() == [[1, 2]]
    with_alpha = ids(tmp_path / "b.png", np.dstack([[[1, 2]], [[1, 2]], [[1, 2]], [[255, 255]]]))
    assert read_ids(with_alpha).tolist() == [[1, 2]]
    with pytest.raises(DatasetError, match=r"c\.png: a coloured picture, expected a mask with one id per pixel"):
        read_ids(ids(tmp_path / "c.png", np.dstack([[[1, 2]], [[1, 3]], [[1, 2]]])))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp"])
def test_damaged_images_are_named(tmp_path: Path, name: str) -> None:
    path = picture(tmp_path / name, shape=(40, 50))
    assert image_size(path) == (40, 50)
    assert read_bgr(path).shape == (40, 50, 3)
    path.write_bytes(path.read_bytes()[:24])
    for read in (read_bgr, image_size):
        with pytest.raises(DatasetError, match=f"{name}: "):
            read(path)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=f"{name}: "):
        read_bgr(path)
    path.unlink()
    with pytest.raises(DatasetError, match=f"{name}: no such file"):
        read_bgr(path)


def test_a_truncated_mask_is_an_error_not_half_a_mask(tmp_path: Path) -> None:
    path = ids(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (50, 50)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DatasetError, match=r"a\.png: png is truncated"):
        read_ids(path)


def test_an_exif_rotation_is_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # rotate by 90 degrees to show it
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_bgr(tmp_path / "a.jpg").shape == (20, 30, 3)


def test_channels_are_bgr(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[255, 0, 0]]], np.uint8)).save(tmp_path / "a.png")
    assert read_bgr(tmp_path / "a.png").tolist() == [[[0, 0, 255]]]


def test_hidden_files_and_others_are_skipped(tmp_path: Path) -> None:
    for name in ("a.png", "._a.png", "Thumbs.db", "b.PNG"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in list_files(tmp_path, (".png",), layout="")] == ["a.png", "b.PNG"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), unique=True), st.sampled_from(["", "frame_", "t5/"]))
def test_numbers_sort_as_numbers(numbers: list[int], prefix: str) -> None:
    names = [f"{prefix}{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"{prefix}{number}.png" for number in sorted(numbers)]


def test_opencv_would_show_the_colours_of_a_palette(tmp_path: Path) -> None:
    # The reason for reading palettes otherwise; when OpenCV gives indices, it can go.
    image = Image.frombytes("P", (2, 1), bytes([0, 1]))
    image.putpalette([9, 8, 7, 6, 5, 4])
    image.save(tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).ndim == 3
