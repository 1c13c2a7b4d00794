from pathlib import Path

import numpy as np
import pytest

from hybrid_seg_train.calibrate import anomaly_labels
from hybrid_seg_train.data.scenes import read_scenes
from hybrid_seg_train.evaluate import evaluate_anomaly, evaluate_closed_set
from hybrid_seg_train.infer import input_size, load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.train import train

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
    checkpoint = train(recipe, tmp_path, tmp_path / "run", workers=0, progress=False, log_every=1)
    trained = load_checkpoint(checkpoint)
    losses = [point["loss/total"] for point in read_curve(tmp_path / "run")]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    unseen = read_scenes(recipe.validation.seeds, progress=False)
    closed = evaluate_closed_set(
        trained.network,
        [type(e)(e.image, np.where(e.labels > 10, 255, e.labels)) for e in unseen],
        (480, 352),
        progress=False,
    )
    assert closed.iou["Road"] > 0.75
    images = [(e.image, anomaly_labels(e.labels)) for e in unseen]
    share = np.mean(np.concatenate([labels[labels <= 1] for _, labels in images]))
    anomaly = evaluate_anomaly(trained.network, images, lambda s: input_size(s, 480), progress=False)
    assert anomaly["hybrid"].average_precision > 1.5 * share
    assert anomaly["hybrid"].auroc > 0.65
