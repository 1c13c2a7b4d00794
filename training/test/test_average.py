import json
import shlex
from pathlib import Path

import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_train.average import average_runs
from hybrid_seg_train.cli import main
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.layout import CHECKPOINT, STAGES
from hybrid_seg_train.model_card import model_card
from hybrid_seg_train.networks import load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_calibration
from hybrid_seg_train.stages import Stage, read_stages
from hybrid_seg_train.train import train


def with_rate(lr: float, parent: Path) -> Recipe:
    plan = recipe(2)
    schedule = plan.schedule.model_copy(update={"lr": lr})
    return plan.model_copy(update={"schedule": schedule, "initial": str(parent)})


def run(plan: Recipe, data: Path, folder: Path) -> Path:
    train(plan, "hybrid", data, folder, Effort(workers=0, progress=False))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def family(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run, and two that began with its weights."""
    place = tmp_path_factory.mktemp("runs")
    parent = run(recipe(2), data, place / "parent")
    return [parent, *(run(with_rate(lr, parent), data, place / f"child{lr}") for lr in (1e-3, 2e-3))]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder / CHECKPOINT).network.state_dict())


def test_every_weight_is_the_mean_by_the_shares_and_the_mean_is_a_run_to_calibrate(
    family: list[Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mean"
    assert main(["average", "--run", str(out), "--of", str(family[1]), str(family[2]), "--shares", "3", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(out / CHECKPOINT)
    one, two, mean = weights(family[1]), weights(family[2]), weights(out)
    changed_weights = 0
    for name, tensor in mean.items():
        if not tensor.is_floating_point():
            assert torch.equal(tensor, one[name])
            continue
        # PyTorch's own averaging as the oracle.
        torch.testing.assert_close(tensor, torch.lerp(one[name], two[name], 0.25), rtol=1e-5, atol=1e-7)
        changed_weights += not torch.equal(tensor, one[name])
    assert changed_weights > 10
    assert main(["calibrate", "--run", str(out), "--data", str(data)]) == 0
    assert read_calibration(out).operating_points


def test_the_mean_of_a_run_with_itself_is_that_run(family: list[Path], tmp_path: Path) -> None:
    average_runs([family[0], family[0], family[0]], tmp_path)
    expected = weights(family[0])
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path).items())


def test_what_members_have_in_common_is_told_once_and_the_card_repeats_it_all(
    family: list[Path], data: Path, tmp_path: Path
) -> None:
    parent, one, two = family
    average_runs([one, two], tmp_path)
    base, first, second = (load_checkpoint(folder / CHECKPOINT).recipe for folder in family)
    stages = read_stages(tmp_path)
    assert stages == [
        Stage(0, base),
        Stage(0, first, 1, (0,)),
        Stage(0, second, 2, (0,)),
        Stage(0, first, 3, (1, 2), (0.5, 0.5)),
    ]
    assert main(["calibrate", "--run", str(tmp_path), "--data", str(data)]) == 0
    trained = load_checkpoint(tmp_path / CHECKPOINT)
    card = model_card(trained, read_calibration(tmp_path), None, {}, (), stages, facts=base.export.card)
    commands = [shlex.split(line)[1:] for line in card.splitlines() if line.startswith("    hybrid-seg-train")]
    assert [words[0] for words in commands] == [
        "hybrid", "hybrid", "hybrid", "average", "calibrate", "evaluate", "export",
    ]  # fmt: skip
    assert commands[3] == ["average", "--run", "runs/tiny", "--of", "runs/tiny_2", "runs/tiny_3"]
    assert "initial=runs/tiny_1" in commands[1]
    assert "initial=runs/tiny_1" in commands[2]
    assert "schedule.lr=0.002" in commands[2]
    assert str(parent) not in card
    assert "mean of those of 2 runs" in card


def test_runs_of_different_histories_keep_both(family: list[Path], data: Path, tmp_path: Path) -> None:
    other = run(recipe(2).model_copy(update={"seed": 9}), data, tmp_path / "other")
    average_runs([family[1], other], tmp_path / "mean", [1, 2])
    stages = read_stages(tmp_path / "mean")
    assert [(stage.run, stage.after) for stage in stages] == [(0, ()), (1, (0,)), (2, ()), (3, (1, 2))]
    assert stages[-1].shares == pytest.approx((1 / 3, 2 / 3))


def test_a_training_begins_with_a_mean_but_does_not_go_on_from_it(
    family: list[Path], data: Path, tmp_path: Path
) -> None:
    average_runs(family[1:], tmp_path / "mean")
    with pytest.raises(ValueError, match="--run NEW_RUN --set initial="):
        run(recipe(4), data, tmp_path / "mean")
    begun = run(recipe(1).model_copy(update={"initial": str(tmp_path / "mean")}), data, tmp_path / "next")
    assert [(s.run, s.after, s.shares) for s in read_stages(begun)][-2:] == [(3, (1, 2), (0.5, 0.5)), (4, (3,), ())]


def test_histories_of_before_runs_could_fork_are_read(family: list[Path], tmp_path: Path) -> None:
    content = json.loads((family[1] / STAGES).read_text())
    for stage in content:
        del stage["after"]
    (tmp_path / STAGES).write_text(json.dumps(content))
    assert read_stages(tmp_path) == read_stages(family[1])


@pytest.mark.parametrize(
    ("shares", "message"),
    [([1.0], "a share for each of the 2 runs, found 1"), ([1.0, 0.0], "above 0"), ([1.0, float("nan")], "above 0")],
)
def test_shares_that_make_no_mean(family: list[Path], tmp_path: Path, shares: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        average_runs(family[:2], tmp_path, shares)


def test_what_cannot_be_averaged_is_said(
    family: list[Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="at least two"):
        average_runs(family[:1], tmp_path)
    with pytest.raises(FileExistsError, match="give the folder of a new one"):
        average_runs(family[:2], family[2])
    wide = recipe(1).model_copy(update={"network": recipe(1).network.model_copy(update={"width": 24})})
    other = run(wide, data, tmp_path / "wide")
    assert main(["average", "--run", str(tmp_path / "out"), "--of", str(family[0]), str(other)]) == 1
    error = capsys.readouterr().err
    assert "not the network of" in error
    assert "expected (" in error
    held = run(recipe(1).model_copy(update={"hold_out": ("Pole",)}), data, tmp_path / "held")
    with pytest.raises(ValueError, match=r"classes .* expected .*Pole"):
        average_runs([family[0], held], tmp_path / "out")
    train(recipe(1), "closed_set", data, tmp_path / "closed", Effort(workers=0, progress=False))
    with pytest.raises(ValueError, match="training closed_set, expected hybrid"):
        average_runs([family[0], tmp_path / "closed"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
