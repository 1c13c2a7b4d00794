import shlex
from pathlib import Path
from typing import get_args

import numpy as np
from tiny import recipe

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.evaluation import PixelMetrics
from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.model_card import model_card
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.recipe import Recipe, load_recipe
from hybrid_seg_train.stages import Stage, overrides, read_stages, record_stage


def changed(base: Recipe, **schedule: object) -> Recipe:
    return base.model_copy(update={"schedule": base.schedule.model_copy(update=schedule)})


def test_a_changed_recipe_is_a_new_stage_and_the_same_one_is_not(tmp_path: Path) -> None:
    first, second, third = recipe(4), changed(recipe(4), iterations=8), changed(recipe(4), iterations=9)
    assert read_stages(tmp_path) == []
    record_stage(tmp_path, 0, first)
    record_stage(tmp_path, 2, first)
    record_stage(tmp_path, 4, second)
    assert read_stages(tmp_path) == [Stage(0, first), Stage(4, second)]
    record_stage(tmp_path, 4, third)
    assert read_stages(tmp_path) == [Stage(0, first), Stage(4, third)]
    record_stage(tmp_path, 4, first)
    assert read_stages(tmp_path) == [Stage(0, first)]


def test_overrides_turn_one_recipe_into_the_other() -> None:
    final = load_recipe("camvid_hybrid_lite0")
    first = load_recipe(
        "camvid_hybrid_lite0",
        (
            "schedule.iterations=7",
            "loss.class_weights=null",
            "loss.energy=plain",
            "crop.scales=[0.5, 1.5]",
            "sources=[{reader: camvid, path: camvid, weight: 0.5}, {reader: scenes, weight: 0.5, seeds: [1, 9]}]",
        ),
    )
    changes = overrides(first, final)
    assert len(changes) == 5
    assert load_recipe("camvid_hybrid_lite0", tuple(changes)) == first
    assert overrides(final, final) == []


def test_the_card_gives_the_commands_of_every_stage() -> None:
    final = recipe(6)
    stages = [Stage(0, changed(final, iterations=5, lr=0.001)), Stage(3, final)]
    trained = Trained(network=np.zeros(0), recipe=final, iterations=6, mode="hybrid")  # type: ignore[arg-type]
    cues: tuple[ScoreKind, ...] = get_args(ScoreKind)
    scores = dict.fromkeys(cues, PixelMetrics(0.5, 0.5, 0.5))
    card = model_card(trained, Calibration({}, 1.0, 0.0, 0.0, scores), None, {}, (), stages, facts=final.export.card)
    commands = [line.strip() for line in card.splitlines() if line.startswith("    hybrid-seg-train")]
    assert [shlex.split(line, comments=True)[1] for line in commands] == [
        "hybrid", "hybrid", "calibrate", "evaluate", "export",
    ]  # fmt: skip
    words = shlex.split(commands[0], comments=True)
    assert {"schedule.iterations=5", "schedule.lr=0.001"} <= set(words)
    assert "stopped at iteration 3" in commands[0]
    assert "--set" not in commands[1]
    assert "stopped" not in commands[1]


def test_a_run_that_begins_with_anothers_weights_keeps_its_history(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    first, second = recipe(4), changed(recipe(4), iterations=8)
    record_stage(old, 0, first)
    record_stage(old, 4, second)
    third = changed(recipe(4), iterations=3).model_copy(update={"initial": str(old)})
    record_stage(new, 0, third)
    record_stage(new, 2, third)
    assert read_stages(new) == [Stage(0, first), Stage(4, second), Stage(0, third, 1, (0,))]
    fourth = third.model_copy(update={"seed": 3})
    record_stage(new, 2, fourth)
    assert read_stages(new)[2:] == [Stage(0, third, 1, (0,)), Stage(2, fourth, 1, (0,))]
    assert read_stages(new)[:2] == read_stages(old)


def test_the_card_numbers_the_folders_of_a_chain_and_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    first = changed(recipe(6), iterations=5)
    final = recipe(6).model_copy(update={"initial": str(tmp_path / "run1")})
    trained = Trained(network=np.zeros(0), recipe=final, iterations=6, mode="hybrid")  # type: ignore[arg-type]
    scores = dict.fromkeys(get_args(ScoreKind), PixelMetrics(0.5, 0.5, 0.5))
    stages = [Stage(0, first), Stage(0, final, 1, (0,))]
    card = model_card(trained, Calibration({}, 1.0, 0.0, 0.0, scores), None, {}, (), stages, facts=final.export.card)
    commands = [shlex.split(line, comments=True) for line in card.splitlines() if line.startswith("    hybrid-seg")]
    name = final.name
    assert commands[0][-4:] == ["--run", f"runs/{name}_1", "--set", "schedule.iterations=5"]
    assert commands[1][-4:] == ["--run", f"runs/{name}", "--set", f"initial=runs/{name}_1"]
    assert str(tmp_path) not in card
