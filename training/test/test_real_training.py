from pathlib import Path

import numpy as np
import pytest

from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.data.scenes import read_scenes
from hybrid_seg_train.evaluate import evaluate_anomaly, evaluate_closed_set, scored
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.infer import input_size
from hybrid_seg_train.networks import load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.train import train
from hybrid_seg_train.unseen import anomaly_labels

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
    anomaly = evaluate_anomaly(scored(trained.network, images, lambda size: input_size(size, 480)))
    assert anomaly["hybrid"].average_precision > 1.5 * share
    assert anomaly["hybrid"].auroc > 0.65
