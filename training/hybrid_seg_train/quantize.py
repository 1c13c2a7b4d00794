"""Bundle -> the same bundle with 8-bit files, and what they cost in accuracy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from hybrid_seg_ros.bundle import Bundle, CalibrationMethod, Quantization, write_bundle
from hybrid_seg_train.anomaly_sets import AnomalySet, benchmark_folder
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.measure import calibration_images as measured_images
from hybrid_seg_train.quantization.card import tell_on_card
from hybrid_seg_train.quantization.cost import measure_accuracy, score_error
from hybrid_seg_train.quantization.graph import (
    FILES,
    METHODS,
    activation_ranges,
    kept_float,
    prepare,
    write_quantized,
)
from hybrid_seg_train.quantization.images import CalibrationImages, calibration_images
from hybrid_seg_train.recipe import RECIPES, Recipe, RecipeError, load_recipe

IMAGES = 96
"""So many images give the activations' ranges."""


@dataclass(frozen=True)
class QuantizationPlan:
    """All that a quantization reads, opened and checked.

    Attributes:
        bundle: what is quantized.
        images: for the activations' ranges.
        measured: images that accuracy is measured on.
        title: what that set is called.
        others: more sets for AP and FPR95.
        keep: names of the nodes that stay float.
        patterns: those of them that were asked for.
    """

    bundle: Bundle
    images: CalibrationImages
    measured: Sequence[Example]
    title: str
    others: Sequence[AnomalySet]
    keep: Sequence[str]
    patterns: Sequence[str]


def bundle_recipe(bundle: Bundle, config: str | None) -> Recipe:
    """The recipe that says what the bundle was trained and is measured on: `config`, or the one its manifest names.

    Raises:
        RecipeError: no such recipe.
    """
    name = config or bundle.manifest.training.recipe
    if config is None and not (RECIPES / f"{name}.yaml").is_file():
        raise RecipeError(
            f"{bundle.path}: was trained by {name!r}, expected the name of a shipped recipe, which says where the"
            " training images are. To fix: give the recipe with --config RECIPE"
        )
    return load_recipe(name)


def plan_quantization(
    bundle: Bundle,
    recipe: Recipe,
    data: Path,
    *,
    count: int = IMAGES,
    patterns: Sequence[str] = (),
    progress: bool = True,
) -> QuantizationPlan:
    """Open everything.

    Args:
        bundle: what is to be quantized.
        recipe: which data; see `bundle_recipe`.
        data: the data root.
        count: how many training images give the activations' ranges.
        patterns: of names of nodes that stay float beside the heads, as in a shell.
        progress: show progress bars.

    Raises:
        DataError: a set is missing or not as expected.
        ValueError: a pattern matches nothing, or too few images.
    """
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        prepare(bundle.file("model.onnx"), prepared)
        keep = kept_float(onnx.load(prepared), patterns)
    spec, part = bundle.manifest.input, recipe.evaluation
    split = f"{recipe.validation.reader} {recipe.validation.split}"
    return QuantizationPlan(
        bundle,
        calibration_images(recipe, data, count, spec, progress=progress),
        measured_images(recipe, data),
        f"{split} with unseen objects pasted, {spec.width}x{spec.height}",
        [
            benchmark_folder(name, data / part.anomaly_root / name, part.anomaly_max_width)
            for name in part.anomaly_sets
            if (data / part.anomaly_root / name).is_dir()
        ],
        keep,
        tuple(patterns),
    )


def quantize(
    plan: QuantizationPlan,
    out: Path,
    *,
    methods: Sequence[CalibrationMethod] = METHODS,
    wanted: Collection[str] = tuple(FILES.values()),
    progress: bool = True,
) -> Bundle:
    """Write the bundle with its 8-bit files (`FILES`) and their measured accuracy, replacing what is at `out`.

    Args:
        plan: what `plan_quantization` opened.
        out: the bundle directory; may be the one that is quantized.
        methods: ways to choose the activations' ranges; see `make_files`.
        wanted: which of the files go into the bundle.
        progress: show progress bars.

    Raises:
        onnx.checker.ValidationError: a written graph is not valid.
        ValueError: a set without an anomaly or without a known pixel.
    """
    bundle, manifest = plan.bundle, plan.bundle.manifest
    original = bundle.file("model.onnx")
    with TemporaryDirectory() as folder:
        method, made = make_files(plan, Path(folder), methods, progress=progress)
        files = {name: file for name, file in made.items() if name in wanted}
        accuracy = measure_accuracy(
            {original.name: original, **files}, manifest, plan.measured, plan.title, plan.others, progress=progress
        )
        before = accuracy.pop(original.name)
        kept = [name for name in manifest.files if name not in {"golden.npz", *FILES.values()}]
        written = write_bundle(
            out,
            name=manifest.name,
            files={**{name: bundle.file(name) for name in kept}, **files},
            golden=bundle.golden(),
            network_input=manifest.input,
            network_outputs=manifest.outputs,
            classes=manifest.classes,
            score=manifest.score,
            training=manifest.training,
            description=manifest.description,
            quantization=Quantization(
                model=manifest.files[original.name],
                method=method,
                images=len(plan.images),
                source=plan.images.source,
                keep_float=tuple(plan.patterns),
                before=before,
                after=accuracy,
            ),
            domain=manifest.domain,
            overwrite=True,
        )
        return tell_on_card(written)


def make_files(
    plan: QuantizationPlan, folder: Path, methods: Sequence[CalibrationMethod], *, progress: bool = True
) -> tuple[CalibrationMethod, dict[str, Path]]:
    """Write the 8-bit files by every method, and say which is best.

    That is the one whose files' scores are closest to the float network's, by root mean square, on the images that
    the ranges come from: no image that accuracy is measured on takes part in the choice.

    Args:
        plan: what `plan_quantization` opened.
        folder: where the files go, in a folder a method.
        methods: ways to choose the activations' ranges.
        progress: show progress bars.

    Returns:
        The method, and file name -> file.

    Raises:
        onnx.checker.ValidationError: a written graph is not valid.
    """
    original, prepared = plan.bundle.file("model.onnx"), folder / "prepared.onnx"
    prepare(original, prepared)
    made: dict[CalibrationMethod, dict[str, Path]] = {}
    errors: dict[CalibrationMethod, float] = {}
    for method in methods:
        ranges = activation_ranges(prepared, method, plan.images, progress=progress)
        (folder / method).mkdir()
        made[method] = {name: folder / method / name for name in FILES.values()}
        for activations, name in FILES.items():
            write_quantized(prepared, made[method][name], activations, ranges, plan.keep)
        found = score_error({original.name: original, **made[method]}, plan.bundle.manifest, plan.images)
        errors[method] = sum(found.values())
    best = min(methods, key=lambda method: errors[method])
    return best, made[best]
