"""MODEL_CARD.md: what a bundle was trained on, what it scores, where it fails."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.data.label_space import KnownClass
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.parity import Parity
from hybrid_seg_train.recipe.measure import CardPart
from hybrid_seg_train.stages import Stage, overrides

_CUES = {
    "msp": "max softmax",
    "max_logit": "max logit",
    "entropy": "entropy",
    "energy": "energy (s_G)",
    "posterior": "posterior (s_D)",
    "hybrid": "**hybrid (s_H)**",
    "uno": "UNO",
    "mahalanobis": "Mahalanobis distance of the logits",
}


def model_card(
    trained: Trained,
    calibration: Calibration,
    evaluation: Mapping[str, Any] | None,
    parities: Mapping[str, Parity],
    curve: Sequence[Mapping[str, float]] = (),
    stages: Sequence[Stage] = (),
    *,
    classes: Sequence[KnownClass] = CAMVID11,
    facts: CardPart,
) -> str:
    """The card as Markdown.

    Args:
        trained: the network and its recipe.
        calibration: thresholds and temperature.
        evaluation: see `evaluate.evaluate`; None for an interim bundle.
        parities: file name -> agreement with PyTorch.
        curve: the training curve, see `run.read_curve`.
        stages: the recipes that were followed one after the other; none: the checkpoint's from the start.
        classes: the known classes, in the order of the logits.
        facts: data sets, terms and limits.
    """
    sections = [
        f"# {trained.recipe.name}",
        _purpose(trained, classes, facts),
        _training(trained, stages),
        *([_curve(curve)] if curve else []),
        _data(facts),
        _closed_set(evaluation, classes, facts),
        _anomaly(evaluation, calibration),
        *([_components(evaluation["components"])] if evaluation and evaluation.get("components") else []),
        _thresholds(calibration),
        _confidence(calibration),
        _limits(facts),
        _export(parities),
    ]
    return "\n\n".join(sections) + "\n"


def _purpose(trained: Trained, classes: Sequence[KnownClass], facts: CardPart) -> str:
    part = trained.recipe.network
    name = f"ladder network on {part.backbone}, {part.width} channels" if part.family == "ladder" else part.family
    head = "dataset posterior (hybrid)" if part.head == "hybrid" else "one further logit (UNO)"
    return (
        f"Open-set road segmentation: {len(classes)} known classes, and a score that is high where the picture shows"
        f" something that training did not. Network: {name}; open-set head: {head}"
        f"{', closed-set network frozen' if part.frozen else ''}.\n\n{facts.purpose}"
    )


def _training(trained: Trained, stages: Sequence[Stage]) -> str:
    part = trained.recipe.schedule
    return (
        "## Training\n\n"
        f"{_mean(stages)}Recipe `{trained.recipe.name}` (seed {trained.recipe.seed}), {trained.iterations} iterations"
        f" of {part.batch} crops of {trained.recipe.crop.width} x {trained.recipe.crop.height} px, {part.optimizer},"
        f" {part.precision}. {_joint(trained)}\n\n"
        f"Loss: cross-entropy + {trained.recipe.loss.beta:g} LSE on negatives ({trained.recipe.loss.energy}) + "
        f"{trained.recipe.loss.posterior_weight or 10 * trained.recipe.loss.beta:g} dataset posterior; void pixels"
        f" {'count as inliers' if trained.recipe.loss.void_as_inlier else 'are left out'}.\n\n"
        f"Made by\n\n{_commands(trained, stages)}"
    )


def _mean(stages: Sequence[Stage]) -> str:
    if not stages or not stages[-1].shares:
        return ""
    return f"The weights are the mean of those of {len(stages[-1].shares)} runs, of which this is the first: "


def _joint(trained: Trained) -> str:
    if trained.recipe.start is None:
        return (
            "The network is open-set from its first iteration, so there is no closed-set network to compare its mIoU"
            " with; the head itself changes no closed-set logit."
        )
    return f"It began as the closed-set network of the run `{Path(trained.recipe.start).name}`."


def _commands(trained: Trained, stages: Sequence[Stage]) -> str:
    """What was run, one command a stage; the folders of a history's runs are numbered, the last one has the name."""
    name = trained.recipe.name
    stages = stages or (Stage(0, trained.recipe),)
    last = stages[-1].run
    folders = [f"runs/{name}_{number}" for number in range(1, last + 1)] + [f"runs/{name}"]
    shipped = trained.recipe.model_copy(update={"initial": None})
    lines = []
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        before = [folders[run] for run in stage.after]
        if stage.shares:
            shares = f" --shares {' '.join(f'{s:g}' for s in stage.shares)}" if len(set(stage.shares)) > 1 else ""
            lines.append(f"average --run {folders[stage.run]} --of {' '.join(before)}{shares}")
            continue
        end = stage.recipe.schedule.iterations
        if following is None:
            end = trained.iterations
        elif following.run == stage.run:
            end = following.start
        recipe = stage.recipe.model_copy(update={"initial": before[0] if before else None})
        changes = "".join(f" --set {shlex.quote(change)}" for change in overrides(recipe, shipped))
        stopped = f"  # stopped at iteration {end}" if end != stage.recipe.schedule.iterations else ""
        mode = trained.mode.replace("_", "-")
        lines.append(f"{mode} --config {name} --run {folders[stage.run]}{changes}{stopped}")
    run = f"--run {folders[-1]}"
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


def _data(facts: CardPart) -> str:
    rows = "\n".join(f"| {d.name} | {d.use} | {d.license} |" for d in facts.datasets)
    return f"## Data\n\n| set | use | terms |\n|---|---|---|\n{rows}"


def _closed_set(evaluation: Mapping[str, Any] | None, classes: Sequence[KnownClass], facts: CardPart) -> str:
    if evaluation is None:
        return "## Closed set\n\nInterim export: not measured."
    results = evaluation["closed_set"]
    before = {name: r["miou"] for name, r in evaluation.get("closed_set_before", {}).items()}
    lines = [f"| class | {' | '.join(results)} |", "|---" * (len(results) + 1) + "|"]
    lines += [
        f"| {c.name} | " + " | ".join(f"{r['iou'][c.name]:.1%}" for r in results.values()) + " |" for c in classes
    ]
    lines.append("| **mean** | " + " | ".join(f"**{r['miou']:.1%}**" for r in results.values()) + " |")
    if before:
        cells = [f"{before[name]:.1%}" if name in before else "-" for name in results]
        lines.append("| mean before it became open-set | " + " | ".join(cells) + " |")
    return f"## Closed set: IoU\n\n{facts.closed_set}, void removed; columns: network input.\n\n" + "\n".join(lines)


def _anomaly(evaluation: Mapping[str, Any] | None, calibration: Calibration) -> str:
    sets: dict[str, dict[str, tuple[float, float, float]]] = {
        "calibration set": {kind: (m.average_precision, m.fpr95, m.auroc) for kind, m in calibration.scores.items()}
    }
    for name, kinds in (evaluation or {}).get("anomaly", {}).items():
        sets[name] = {k: (v["average_precision"], v["fpr95"], v["auroc"]) for k, v in kinds.items()}
    lines = ["| score | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    for kind, label in _CUES.items():
        found = [values.get(kind) for values in sets.values()]
        if not any(found):
            continue
        cells = ["-" if f is None else f"{f[0]:.1%} / {f[1]:.1%} / {f[2]:.1%}" for f in found]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return (
        "## Open set: AP / FPR95 / AUROC of every score\n\n"
        "Pixels of a set pooled, void removed, logits upsampled to the image before scoring. Thresholds come from the"
        f" calibration set ({calibration.source}); nothing was chosen on the others.\n\n" + "\n".join(lines)
    )


def _components(components: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| set | track | sIoU | PPV | F1 |", "|---" * 5 + "|"]
    for name, figures in components.items():
        cells = [f"{figures[key]:.1%}" for key in ("mean_siou", "mean_ppv", "mean_f1")]
        lines.append(f"| {name} | {figures.get('track', '-')} | {' | '.join(cells)} |")
    return (
        "## Objects: component metrics of SegmentMeIfYouCan\n\n"
        "Means over the components of a set, at the threshold of its best pixel F1, as the benchmark does it.\n\n"
        + "\n".join(lines)
    )


def _thresholds(calibration: Calibration) -> str:
    lines = ["| operating point | threshold | TPR | FPR |", "|---|---|---|---|"]
    for name, p in calibration.operating_points.items():
        rates = ["-" if rate is None else f"{rate:.2%}" for rate in (p.tpr, p.fpr)]
        lines.append(f"| {name} | {p.threshold:.3f} | {' | '.join(rates)} |")
    source = next((p.source for p in calibration.operating_points.values()), calibration.source)
    return (
        f"## Operating points\n\nOn the {calibration.kind} score; pixel rates on: {source}. Other cameras and places"
        " move them: calibrate on your own pictures before you rely on a rate.\n\n" + "\n".join(lines)
    )


def _confidence(calibration: Calibration) -> str:
    table = f", then a table of {len(calibration.confidence_table)} knots" if calibration.confidence_table else ""
    text = f"## Confidence\n\nMax softmax at temperature {calibration.temperature:.3f}{table}. "
    if not calibration.reliability:
        return (
            f"{text}Expected calibration error on the calibration set: {calibration.ece_before:.2%} before,"
            f" {calibration.ece_after:.2%} after."
        )
    lines = ["| method | ECE | adaptive ECE | NLL | Brier |", "|---" * 5 + "|"]
    for method, r in calibration.reliability.items():
        mark = "**" if method == calibration.method else ""
        lines.append(f"| {mark}{method}{mark} | {r.ece:.2%} | {r.adaptive_ece:.2%} | {r.nll:.4f} | {r.brier:.4f} |")
    bins = ["| confidence | pixels | mean confidence | right |", "|---" * 4 + "|"]
    bins += [
        f"| {b.low:.2f} - {b.high:.2f} | {b.count} | {b.confidence:.1%} | {b.accuracy:.1%} |"
        for b in calibration.reliability[calibration.method].equal_width
    ]
    return (
        f"{text}Of the predicted class, fitted on one half of the calibration images and measured on the other; the"
        " method with the smallest ECE ships, fitted on all of them.\n\n"
        + "\n".join(lines)
        + "\n\nReliability diagram of what ships:\n\n"
        + "\n".join(bins)
    )


def _limits(facts: CardPart) -> str:
    return "## Where it fails\n\n" + "\n".join(f"* {limit}" for limit in facts.limits)


def _export(parities: Mapping[str, Parity]) -> str:
    lines = [
        "| file | labels equal to PyTorch | largest score difference | AP, PyTorch's | FPR95, PyTorch's |",
        "|---" * 5 + "|",
    ]
    for file, p in parities.items():
        pairs = [
            f"{found:.2%}, {expected:.2%}"
            for found, expected in (
                (p.found.average_precision, p.expected.average_precision),
                (p.found.fpr95, p.expected.fpr95),
            )
        ]
        lines.append(f"| {file} | {p.label_agreement:.3%} | {p.score_error:.2g} | {' | '.join(pairs)} |")
    return (
        "## Export\n\nONNX Runtime on the CPU against PyTorch, generated scenes with unknown objects.\n\n"
        + "\n".join(lines)
    )
