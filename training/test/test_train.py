import json
import math
from pathlib import Path

import pytest
import torch
from tiny import changed, make_data, recipe

from hybrid_seg_train.fit import Effort
from hybrid_seg_train.models import ClosedSetNetwork, OpenSetNetwork
from hybrid_seg_train.networks import load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.fit import Mode
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.stages import Stage, read_stages
from hybrid_seg_train.train import train


def run(
    plan: Recipe, data: Path, folder: Path, stop: int | None = None, mode: Mode = "hybrid"
) -> dict[str, torch.Tensor]:
    """Train to iteration `stop` of the schedule, or to its end; returns the weights."""
    effort = Effort(workers=0, progress=False, stop_after=stop, log_every=1)
    return dict(load_checkpoint(train(plan, mode, data, folder, effort)).network.state_dict())


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("mode", ["closed_set", "hybrid"])
def test_a_stopped_training_goes_on_along_the_same_curve(tmp_path: Path, mode: Mode) -> None:
    data = make_data(tmp_path / "data")
    whole = run(recipe(4), data, tmp_path / "whole", mode=mode)
    run(recipe(4), data, tmp_path / "parts", stop=2, mode=mode)
    resumed = run(recipe(4), data, tmp_path / "parts", mode=mode)
    curve = read_curve(tmp_path / "parts")
    assert [line["iteration"] for line in curve] == [1, 2, 3, 4]
    assert curve == read_curve(tmp_path / "whole")
    assert equal(whole, resumed)
    assert read_stages(tmp_path / "parts") == [Stage(0, recipe(4))]
    assert ("loss/posterior" in curve[0]) == (mode == "hybrid")


def test_a_killed_training_repeats_what_its_last_checkpoint_lacks(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    whole = run(recipe(4), data, tmp_path / "whole")
    run(recipe(4), data, tmp_path / "killed", stop=2)
    curve = tmp_path / "killed" / "curve.jsonl"
    # What a kill between two checkpoints leaves behind: points beyond the last one, and half a line.
    curve.write_text(curve.read_text() + '{"iteration": 3, "loss/total": 9.0}\n{"iterat')
    resumed = run(recipe(4), data, tmp_path / "killed")
    assert read_curve(tmp_path / "killed") == read_curve(tmp_path / "whole")
    assert equal(whole, resumed)


def test_the_same_seed_gives_the_same_weights_another_one_others_and_bf16_trains(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    plan = recipe(2, precision="bf16-mixed")
    one, two = (run(plan, data, tmp_path / name) for name in ("one", "two"))
    assert equal(one, two)
    assert not equal(one, run(plan.model_copy(update={"seed": 6}), data, tmp_path / "three"))
    assert all(math.isfinite(line["loss/total"]) for line in read_curve(tmp_path / "one"))


def test_a_hybrid_training_starts_from_the_closed_set_one(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    closed = run(recipe(2), data, tmp_path / "closed", mode="closed_set")
    assert isinstance(load_checkpoint(tmp_path / "closed" / "last.ckpt").network, ClosedSetNetwork)
    plan = recipe(1).model_copy(update={"start": str(tmp_path / "closed")})
    still = changed(plan, "schedule", lr=1e-30, weight_decay=0.0)
    opened = run(still, data, tmp_path / "open")
    assert isinstance(load_checkpoint(tmp_path / "open" / "last.ckpt").network, OpenSetNetwork)
    assert torch.equal(opened["network.classifier.classifier.weight"], closed["network.classifier.weight"])
    other = recipe(1).model_copy(update={"start": str(tmp_path / "open")})
    with pytest.raises(ValueError, match="is open-set already"):
        run(other, data, tmp_path / "twice")


def test_a_frozen_training_leaves_every_closed_set_weight_and_statistic(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    closed = run(recipe(2), data, tmp_path / "closed", mode="closed_set")
    plan = changed(recipe(3), "network", frozen=True).model_copy(update={"start": str(tmp_path / "closed")})
    opened = run(plan, data, tmp_path / "open")
    for name, weights in closed.items():
        same = name.replace("classifier.", "classifier.classifier.")
        assert torch.equal(opened[same], weights), name
    head = [name for name in opened if ".head." in name]
    first = run(plan, data, tmp_path / "short", stop=1)
    assert any(not torch.equal(opened[name], first[name]) for name in head)


def test_a_network_that_is_alike_in_part_starts_from_what_another_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_data(tmp_path / "data")
    first = run(recipe(2), data, tmp_path / "first")
    plan = changed(changed(recipe(1), "network", detail=8), "schedule", lr=1e-30, weight_decay=0.0)
    finer = run(plan.model_copy(update={"initial": str(tmp_path / "first")}), data, tmp_path / "finer")
    assert "tensors start from there" in capsys.readouterr().out
    same = "network.features.blends.1.0.weight"
    assert torch.equal(finer[same], first[same])
    assert finer["network.classifier.classifier.weight"].shape != first["network.classifier.classifier.weight"].shape


def test_a_held_out_class_is_unknown_to_the_network(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    plan = recipe(1).model_copy(update={"hold_out": ("Bicyclist", "Car")})
    assert run(plan, data, tmp_path / "run")["network.classifier.classifier.weight"].shape[0] == 9


def test_validation_is_logged_and_the_best_checkpoint_kept(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    plan = changed(recipe(2), "schedule", validate_every=1)
    plan = changed(plan, "evaluation", inputs=((96, 64),))
    run(plan, data, tmp_path / "run", mode="closed_set")
    curve = [json.loads(line) for line in (tmp_path / "run" / "validation.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in curve] == [1, 2]
    assert all(0 <= line["val/miou"] <= 1 for line in curve)
    best = torch.load(tmp_path / "run" / "best.ckpt", map_location="cpu", weights_only=True)
    assert best["global_step"] == max(curve, key=lambda line: (line["val/miou"], -line["iteration"]))["iteration"]
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"make one with: hybrid-seg-train closed-set\|hybrid"):
        load_checkpoint(tmp_path / "last.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="entry 'hyper_parameters' is missing"):
        load_checkpoint(tmp_path / "last.ckpt")
