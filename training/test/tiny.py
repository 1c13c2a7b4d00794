"""A tiny data root and recipe that train in seconds."""

from pathlib import Path

import cv2
import numpy as np

from hybrid_seg_train.recipe import Recipe

POLYGON = "0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9"


def make_data(root: Path) -> Path:
    """CamVid-shaped pictures of sky over road, and a YOLO set with negatives, held-out kinds and a person."""
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for folder in ("images", "labels"):
            (root / "camvid" / split / folder).mkdir(parents=True)
        for i in range(3):
            labels = np.zeros((96, 128), np.uint8)
            labels[40 + 5 * i :] = 3
            image = np.where(labels[..., None] == 3, 80, 200) + rng.integers(-20, 20, (96, 128, 3))
            cv2.imwrite(str(root / "camvid" / split / f"images/{i}.png"), image.astype(np.uint8))
            cv2.imwrite(str(root / "camvid" / split / f"labels/{i}.png"), labels)
    for folder in ("images", "labels"):
        (root / "negatives" / folder).mkdir(parents=True)
    for i, kind in enumerate((0, 20, 21, 39, 56)):
        cv2.imwrite(str(root / f"negatives/images/{i}.png"), rng.integers(0, 255, (80, 80, 3)).astype(np.uint8))
        (root / f"negatives/labels/{i}.txt").write_text(f"{kind} {POLYGON}\n")
    for folder in ("images", "labels_masks"):
        (root / "anomaly_val/set" / folder).mkdir(parents=True)
    anomaly = np.zeros((96, 128), np.uint8)
    anomaly[30:60, 40:80], anomaly[:10] = 1, 255
    cv2.imwrite(str(root / "anomaly_val/set/images/a.jpg"), np.where(anomaly[..., None] == 1, 250, 90).repeat(3, 2))
    cv2.imwrite(str(root / "anomaly_val/set/labels_masks/a.png"), anomaly)
    return root


def recipe(iterations: int, *, precision: str = "32-true") -> Recipe:
    """Training of a narrow ladder network on `make_data`."""
    camvid = {"reader": "camvid", "path": "camvid", "weight": 1.0}
    card = {
        "datasets": [{"name": "noise", "use": "everything", "license": "none"}],
        "purpose": "For tests.", "limits": ["Everything."], "closed_set": "Noise",
    }  # fmt: skip
    return Recipe.model_validate(
        {
            "name": "tiny",
            "seed": 5,
            "network": {"width": 16, "pretrained": False},
            "sources": [{**camvid, "split": "train"}],
            "validation": {**camvid, "split": "val"},
            "crop": {"width": 96, "height": 64},
            "negatives": {"path": "negatives", "sides": (10, 50), "known_share": 0.5},
            "schedule": {
                "iterations": iterations, "batch": 2, "warmup": 1, "checkpoint_every": 2, "precision": precision,
            },
            "calibration": {"width": 128, "height": 96},
            "evaluation": {"inputs": [(128, 96)], "anomaly_sets": ["set"], "components": {"set": "anomaly"}},
            "export": {"width": 128, "height": 96, "card": card},
        }
    )  # fmt: skip


def changed(plan: Recipe, section: str, **values: object) -> Recipe:
    """The recipe with entries of one section changed."""
    return plan.model_copy(update={section: getattr(plan, section).model_copy(update=values)})
