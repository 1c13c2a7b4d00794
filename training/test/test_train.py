import itertools
import math
import shutil
from pathlib import Path

import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_train.infer import load_checkpoint
from hybrid_seg_train.module import learning_rate_factor
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.stages import Stage, read_stages
from hybrid_seg_train.train import train


def run(
    data: Path, folder: Path, iterations: int, horizon: int | None = None, **options: str
) -> dict[str, torch.Tensor]:
    """Train to `iterations` of a schedule that ends at `horizon`; returns the weights."""
    plan = recipe(horizon or iterations, **options)
    checkpoint = train(plan, data, folder, workers=0, progress=False, stop_after=iterations, log_every=1)
    return dict(load_checkpoint(checkpoint).network.state_dict())


def test_a_stopped_training_goes_on_along_the_same_read_curve(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    whole = run(data, tmp_path / "whole", 4)
    run(data, tmp_path / "parts", 2, horizon=4)
    resumed = run(data, tmp_path / "parts", 4)
    assert [line["iteration"] for line in read_curve(tmp_path / "parts")] == [1, 2, 3, 4]
    assert read_curve(tmp_path / "parts") == read_curve(tmp_path / "whole")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert read_stages(tmp_path / "parts") == [Stage(0, recipe(4))]


def test_the_same_seed_gives_the_same_weights_and_bf16_trains(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    one = run(data, tmp_path / "one", 2, precision="bf16-mixed")
    two = run(data, tmp_path / "two", 2, precision="bf16-mixed")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert all(math.isfinite(line["loss/total"]) for line in read_curve(tmp_path / "one"))
    shutil.rmtree(tmp_path / "two")


def test_learning_rate_warms_up_and_ends_at_zero() -> None:
    factors = [learning_rate_factor(i, iterations=100, warmup=10) for i in range(101)]
    assert factors[0] == pytest.approx(1 / 11)
    assert max(factors) == factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0.0)
    assert all(a < b for a, b in itertools.pairwise(factors[:11]))
    assert all(a > b for a, b in itertools.pairwise(factors[10:]))


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make one with: hybrid-seg-train train"):
        load_checkpoint(tmp_path / "last.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="entry 'hyper_parameters' is missing"):
        load_checkpoint(tmp_path / "last.ckpt")
