"""What `calibrate`, `evaluate` and `export` do with the run of a training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_seg_train.anomaly_sets import anomaly_sets
from hybrid_seg_train.calibrate import Calibration, calibrate
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.evaluate import evaluate, main_cue
from hybrid_seg_train.layout import CALIBRATION, EVALUATION
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_calibration, read_curve, read_evaluation
from hybrid_seg_train.samples.build import ground_of, known_classes, read_source
from hybrid_seg_train.stages import read_stages
from hybrid_seg_train.unseen import WithUnseenObjects, unseen_objects


def calibration_images(recipe: Recipe, data: Path) -> Sequence[Example]:
    """The validation images with objects of unseen kinds.

    Raises:
        DataError: a set is missing or not as expected.
    """
    known = read_source(recipe.validation, recipe, data)
    return WithUnseenObjects(known, unseen_objects(recipe, data), ground_of(recipe), recipe.calibration.seed)


def calibrate_run(trained: Trained, recipe: Recipe, data: Path) -> Calibration:
    """Operating points, confidence and logit statistics on the recipe's validation set.

    Raises:
        DataError: a set is missing or not as expected.
        ValueError: the network is not open-set.
    """
    part = recipe.calibration
    return calibrate(
        trained.open_set,
        calibration_images(recipe, data),
        (part.width, part.height),
        source=f"{recipe.validation.reader} {recipe.validation.split}, objects of held-out kinds pasted",
        kind="posterior" if main_cue(trained) == "uno" else "hybrid",
    )


def evaluate_run(trained: Trained, recipe: Recipe, run: Path, data: Path) -> dict[str, Any]:
    """Everything the recipe's `evaluation` names; beside it the mIoU of what the training started from, where that
    was evaluated, and where the run was calibrated also the Mahalanobis distance of its logits.

    Raises:
        DataError: a set is missing or not as expected.
    """
    statistics = read_calibration(run).statistics if (run / CALIBRATION).is_file() else None
    if statistics is not None and not any(statistics.pixels):
        statistics = None  # a network that gets no pixel right has none
    found = evaluate(trained, recipe, data, statistics)
    start = trained.recipe.start
    if start is not None and (Path(start) / EVALUATION).is_file():
        found["closed_set_before"] = read_evaluation(Path(start))["closed_set"]
    return found


def evaluation_images(recipe: Recipe, data: Path) -> Mapping[str, tuple[int, tuple[int, int]]]:
    """What `evaluate_run` would run: set -> how many images, and the network input of a typical one.

    Raises:
        DataError: a set is missing or not as expected.
    """
    part = recipe.evaluation
    lazy = recipe.validation.model_copy(update={"split": part.closed_set, "in_memory": False})
    examples = read_source(lazy, recipe, data, progress=False)
    wanted = {f"mIoU at {w}x{h}": (len(examples), (w, h)) for w, h in part.inputs}
    for one in anomaly_sets(recipe, data, progress=False):
        image, _ = next(one.images())
        wanted[one.name] = (one.count, one.choose_size((image.shape[1], image.shape[0])))
    return wanted


def export_run(
    trained: Trained,
    recipe: Recipe,
    run: Path,
    out: Path,
    *,
    interim: bool = False,
    commit: str = "",
    dry_run: bool = False,
) -> str:
    """Write the bundle of a run, and say where; with `dry_run` say what would be written.

    Raises:
        ExportError: an exported file drifts from PyTorch.
        FileNotFoundError: the run was not calibrated or evaluated yet.
        ValueError: the network is not open-set.
    """
    from hybrid_seg_train.export import export_bundle

    calibration, part = read_calibration(run), recipe.export
    if part.card is None:
        raise ValueError(
            f"{recipe.name}: has no export.card, expected data sets and their terms, purpose and limits: nobody else"
            " can say them. Add it to the recipe and give that with --config; recipes/camvid_hybrid_lite0.yaml has one"
        )
    evaluation = None if interim else read_evaluation(run)
    if dry_run:
        size, points = f"{part.width}x{part.height}", ", ".join(calibration.operating_points)
        parameters = sum(p.numel() for p in trained.open_set.parameters()) / 1e6
        return (
            f"would write {out}: {recipe.name}, {parameters:.2f} M parameters, {len(known_classes(recipe))} classes,"
            f" input {size}, operating points {points}; about a minute"
        )
    bundle = export_bundle(
        trained,
        calibration,
        evaluation,
        out,
        classes=known_classes(recipe).classes,
        size=(part.width, part.height),
        operating_point=part.operating_point,
        facts=part.card,
        description=recipe.description,
        commit=commit,
        curve=read_curve(run),
        stages=read_stages(run),
    )
    return str(bundle.path)
