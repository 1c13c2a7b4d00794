import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from tiny import make_data

from hybrid_seg_ros.frames.geometry import own_input_size
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.data.scenes import read_scenes
from hybrid_seg_train.evaluate import evaluate_anomaly, evaluate_closed_set, scored
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.networks import load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.stages import read_stages
from hybrid_seg_train.train import train
from hybrid_seg_train.unseen import anomaly_labels

COMMAND = [sys.executable, "-m", "hybrid_seg_train"]

PLAN = {
    "name": "generated",
    "network": {"width": 48},
    "sources": [{"reader": "scenes", "weight": 1.0, "seeds": (0, 16)}],
    "validation": {"reader": "scenes", "weight": 1.0, "seeds": (50, 54)},
    "crop": {"width": 256, "height": 192},
    "negatives": {"path": ""},
    "schedule": {"iterations": 150, "batch": 6, "lr": 1e-3, "backbone_lr_factor": 0.5, "warmup": 5},
}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_short_training_learns_road_scenes_and_what_does_not_belong_there(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(PLAN)
    checkpoint = train(recipe, "hybrid", tmp_path, tmp_path / "run", Effort(workers=0, progress=False, log_every=1))
    trained = load_checkpoint(checkpoint)
    losses = [point["loss/total"] for point in read_curve(tmp_path / "run")]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    unseen = read_scenes(recipe.validation.seeds, progress=False)
    names = tuple(known.name for known in CAMVID11)
    closed = evaluate_closed_set(trained.network, unseen, names, (480, 352), progress=False)
    assert closed.iou["Road"] > 0.75
    images = [(e.image, anomaly_labels(e.labels)) for e in unseen]
    share = np.mean(np.concatenate([labels[labels <= 1] for _, labels in images]))
    anomaly = evaluate_anomaly(scored(trained.network, images, lambda size: own_input_size(size, 480)))
    assert anomaly["hybrid"].average_precision > 1.5 * share
    assert anomaly["hybrid"].auroc > 0.65


@pytest.mark.slow
@pytest.mark.parametrize("joint", [False, True])
def test_two_processes_share_every_batch(tmp_path: Path, joint: bool) -> None:
    data, config, run = make_data(tmp_path / "data"), tmp_path / "tiny.yaml", tmp_path / "run"
    config.write_text(tiny.recipe(2).model_dump_json())
    places = ["--config", str(config), "--data", str(data), "--workers", "0", "--set", "schedule.batch=4"]
    if joint:
        model = "flow={model: tiny, iterations: 1, batch: 2, crop: 16}"
        subprocess.run([*COMMAND, "flow", *places, "--run", str(tmp_path / "flow"), "--set", model], check=True)
        drawn = f"negatives.flow={{start: {tmp_path / 'flow'}, share: 0.5, sizes: [16, 32]}}"
        places += ["--set", drawn]
    subprocess.run([*COMMAND, "hybrid", *places, "--run", str(run), "--processes", "2"], check=True, timeout=300)
    assert load_checkpoint(run / "last.ckpt").iterations == 2
    assert len(read_stages(run)) == 1
