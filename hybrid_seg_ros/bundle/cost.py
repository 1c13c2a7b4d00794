"""What an 8-bit file of a bundle costs in accuracy, in words: for logs, and never left unsaid."""

from hybrid_seg_ros.bundle.manifest import Accuracy, Manifest


def cost_text(manifest: Manifest, file: str | None = None) -> str:
    """Accuracy of the 8-bit files beside that of model.onnx, on the same images.

    Args:
        manifest: whose `quantization` counts.
        file: one of its files; None: all of them.

    Returns:
        A line for mIoU, one a set for AP and FPR95, and one for the rates at each threshold, file by file; of
        a bundle or file without measured 8-bit accuracy, a sentence that says so and how to measure it.
    """
    made = manifest.quantization
    names = [] if made is None else [name for name in made.after if file in (None, name)]
    if made is None or not names:
        return (
            f"{manifest.name}: the accuracy of {file or '8-bit files'} was never measured. To fix: hybrid-seg-train"
            " quantize --bundle BUNDLE --data DATA --out BUNDLE"
        )
    later = [point for point in manifest.score.operating_points if point not in made.before.operating_points]
    unmeasured = [f"  at the threshold of {point}: not measured" for point in later]
    return "\n".join(line for name in names for line in [*_lines(name, made.before, made.after[name]), *unmeasured])


def _lines(name: str, before: Accuracy, after: Accuracy) -> list[str]:
    lines = [f"{name} beside model.onnx: mIoU {_change(before.miou, after.miou)}"]
    for title, ranking in before.anomaly.items():
        found = after.anomaly[title]
        lines.append(
            f"  {title}: AP {_change(ranking.average_precision, found.average_precision)},"
            f" FPR95 {_change(ranking.fpr95, found.fpr95)}"
        )
    for point, rates in before.operating_points.items():
        there = after.operating_points[point]
        lines.append(
            f"  at the threshold of {point}: TPR {_change(rates.tpr, there.tpr)}, FPR {_change(rates.fpr, there.fpr)}"
        )
    return lines


def _change(before: float, after: float) -> str:
    return f"{100 * before:.2f} -> {100 * after:.2f} % ({100 * (after - before):+.2f})"
