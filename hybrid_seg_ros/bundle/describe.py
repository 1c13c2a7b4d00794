"""A bundle as text for people: what `hybrid-seg inspect` prints."""

from hybrid_seg_ros.bundle.cost import cost_text
from hybrid_seg_ros.bundle.guarantee_text import guarantee_text
from hybrid_seg_ros.bundle.manifest import Manifest
from hybrid_seg_ros.bundle.store import Bundle


def describe(bundle: Bundle) -> str:
    """Everything a user needs to know of a bundle, as plain text of at most 120 columns a line where names allow."""
    manifest = bundle.manifest
    lines = [
        f"{manifest.name}  ({bundle.path})",
        *([manifest.description] if manifest.description else []),
        "",
        *_network(manifest),
        "",
        *_classes(manifest),
        "",
        *_score(manifest),
        "",
        *_training(manifest),
        "",
        *_domain(manifest),
        *_quantization(manifest),
        *_files(bundle),
    ]
    return "\n".join(lines) + "\n"


def _network(manifest: Manifest) -> list[str]:
    spec, outputs = manifest.input, manifest.outputs
    sizes = f"any multiple of {spec.multiple_of}" if spec.dynamic else "this size only"
    return [
        "network",
        f"  input      {spec.name}: float32[1, 3, {spec.height}, {spec.width}], {spec.color_order}, {sizes}",
        f"  resize     {spec.resize}",
        f"  mean, std  {_numbers(spec.mean)}, {_numbers(spec.std)}",
        f"  outputs    {outputs.logits}[{len(manifest.classes)}], {outputs.posterior}[2] at stride {outputs.stride}",
    ]


def _classes(manifest: Manifest) -> list[str]:
    width = max(len(known.name) for known in manifest.classes)
    lines = [f"classes ({len(manifest.classes)})"]
    for known in manifest.classes:
        roles = [role for role in ("drivable", "obstacle") if getattr(known, role)]
        red, green, blue = known.color
        lines.append(
            f"  {known.id:3d}  {known.name:<{width}}  #{red:02x}{green:02x}{blue:02x}  {' '.join(roles)}".rstrip()
        )
    return lines


def _score(manifest: Manifest) -> list[str]:
    score = manifest.score
    table = "" if score.confidence_table is None else f", then a table of {len(score.confidence_table)} knots"
    lines = [
        f"anomaly score: {score.kind}, higher = more anomalous",
        f"  confidence  temperature {score.temperature:g}{table}",
    ]
    if score.statistics is not None:
        seen = sum(pixels > 0 for pixels in score.statistics.pixels)
        lines.append(f"  statistics  logits of {seen} classes, on {score.statistics.source}")
    width = max(len(name) for name in score.operating_points)
    for name, point in score.operating_points.items():
        rates = [
            f"{label} {100 * rate:.2f} %"
            for label, rate in (("TPR", point.tpr), ("FPR", point.fpr))
            if rate is not None
        ]
        mark = "*" if name == score.default else " "
        lines.append(
            f"  {mark} {name:<{width}}  > {point.threshold:<10.5g} {', '.join([*rates, 'on ' + point.source])}"
        )
        if point.guarantee is not None:
            lines.append(f"    {'':<{width}}  {guarantee_text(point.guarantee)}")
    return lines


def _training(manifest: Manifest) -> list[str]:
    training = manifest.training
    commit = f", commit {training.commit}" if training.commit else ""
    lines = ["training", f"  recipe    {training.recipe}, seed {training.seed}{commit}"]
    for title, entries in (("data", training.datasets), ("licences", training.licenses)):
        lines += [
            f"  {label:<8}  {entry}" for label, entry in zip([title, *[""] * len(entries)], entries, strict=False)
        ]
    if training.metrics:
        width = max(len(name) for name in training.metrics)
        lines += ["  metrics"] + [f"    {name:<{width}}  {value:.5g}" for name, value in training.metrics.items()]
    return lines


def _domain(manifest: Manifest) -> list[str]:
    known = manifest.domain
    if known is None:
        return []
    return [
        "known scenes",
        f"  score     median pixel {known.typical:.5g}, in the top percent of images from {known.high:.5g};"
        f" {known.images} images: {known.source}",
        "",
    ]


def _quantization(manifest: Manifest) -> list[str]:
    made = manifest.quantization
    if made is None:
        return []
    origin = f"  ranges    {made.method} of {made.images} images: {made.source}"
    kept = [f"  float32   the heads, {', '.join(made.keep_float)}"] if made.keep_float else []
    return ["8-bit files", origin, *kept, *(f"  {line}" for line in cost_text(manifest).splitlines()), ""]


def _files(bundle: Bundle) -> list[str]:
    width = max(len(name) for name in bundle.manifest.files)
    return ["files (all hashes verified)"] + [
        f"  {name:<{width}}  {bundle.file(name).stat().st_size:>10,d} B  sha256 {digest[:16]}"
        for name, digest in bundle.manifest.files.items()
    ]


def _numbers(values: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in values) + "]"
