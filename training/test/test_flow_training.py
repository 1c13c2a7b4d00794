"""Pre-training of a flow: crops, resume, pictures, loading."""

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hybrid_seg_train.data.sources import ByteImage, DataError
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.flows import PRESETS, load_flow
from hybrid_seg_train.flows.crops import RandomCrops
from hybrid_seg_train.flows.pictures import sample_grid
from hybrid_seg_train.flows.train import train_flow
from hybrid_seg_train.run import read_curve

TINY = PRESETS["tiny"]


def scenes() -> list[ByteImage]:
    """Sky over road, with texture."""
    rng = np.random.default_rng(0)
    rows = np.linspace(200, 60, 24)[:, None, None]
    return [(rows + rng.normal(0, 6, (24, 40, 3)) + 5 * i).clip(0, 255).astype(np.uint8) for i in range(3)]


def run(folder: Path, iterations: int, stop_after: int | None = None) -> Path:
    return train_flow(
        TINY, scenes(), folder, iterations=iterations, batch=4, crop=(16, 16), lr=5e-3, seed=3,
        checkpoint_every=2, sample_every=4, effort=Effort(0, progress=False, stop_after=stop_after, log_every=1),
    )  # fmt: skip


def test_crops_are_windows_of_the_images_in_rgb_and_depend_on_seed_and_index_alone() -> None:
    images = scenes()
    crops = RandomCrops(images, (16, 24), 5)
    windows = {
        image[t : t + 16, x : x + 24, ::-1].transpose(2, 0, 1).tobytes()
        for image in images for t in range(9) for x in range(17)
    }  # fmt: skip
    drawn = [crops[i] for i in range(20)]
    assert all(crop.dtype == torch.uint8 and crop.shape == (3, 16, 24) for crop in drawn)
    assert all(crop.numpy().tobytes() in windows for crop in drawn)
    again = RandomCrops(images, (16, 24), 5)
    assert all(torch.equal(again[i], drawn[i]) for i in reversed(range(20)))
    assert any(not torch.equal(RandomCrops(images, (16, 24), 6)[i], drawn[i]) for i in range(20))
    with pytest.raises(DataError, match="is 40x24, smaller than crops of 24x32"):
        RandomCrops(images, (32, 24), 5)[0]


def test_a_stopped_training_goes_on_along_the_same_curve(tmp_path: Path) -> None:
    whole = load_flow(run(tmp_path / "whole", 4))
    run(tmp_path / "parts", 4, stop_after=2)
    resumed = load_flow(run(tmp_path / "parts", 4))
    curve = read_curve(tmp_path / "whole")
    assert [line["iteration"] for line in curve] == [1, 2, 3, 4]
    assert curve[-1]["loss/bits_per_dim"] < curve[0]["loss/bits_per_dim"]
    assert read_curve(tmp_path / "parts") == curve
    for one, two in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    picture = cv2.imread(str(tmp_path / "whole/samples/0000004.png"))
    assert picture is not None
    assert picture.shape == (4 * 18 + 2, 4 * 18 + 2, 3)
    assert np.array_equal(picture, cv2.imread(str(tmp_path / "parts/samples/0000004.png")))


def records(data: bytes) -> Iterator[bytes]:
    """The records of a TensorBoard file: length, its checksum, content, its checksum."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + length]
        data = data[16 + length :]


def test_curve_and_pictures_go_to_tensorboard(tmp_path: Path) -> None:
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2", reason="TensorBoard is optional")
    run(tmp_path, 4)
    (file,) = tmp_path.glob("**/events.*")
    found = [
        (event.step, value.tag, value.WhichOneof("value"))
        for event in map(event_pb2.Event.FromString, records(file.read_bytes()))
        for value in event.summary.value
    ]
    assert (4, "samples", "image") in found
    assert sum(tag == "loss/bits_per_dim" and kind == "simple_value" for _, tag, kind in found) == 4


def test_no_images_and_strange_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images"):
        train_flow(TINY, [], tmp_path, iterations=1)
    with pytest.raises(FileNotFoundError, match="make one with: hybrid-seg-train flow"):
        load_flow(tmp_path / "last.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="entry 'hyper_parameters' is missing"):
        load_flow(tmp_path / "last.ckpt")


def test_the_grid_shows_every_sample_in_order() -> None:
    samples = torch.stack([torch.full((3, 4, 6), float(10 * i)) for i in range(5)])
    picture = sample_grid(samples)
    assert picture.shape == (2 * 6 + 2, 3 * 8 + 2, 3)
    assert [picture[4 + 6 * (i // 3), 5 + 8 * (i % 3), 0] for i in range(5)] == [0, 10, 20, 30, 40]
    assert picture[0, 0, 0] == picture[-3, -3, 0] == 255
