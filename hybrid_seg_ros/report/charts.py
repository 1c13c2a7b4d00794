"""The drawings of figures that any set has: rankings, histograms, calibration, components, distance."""

from itertools import pairwise

from hybrid_seg_ros.report.axis import Axis, shares, span
from hybrid_seg_ros.report.document import Calibration, DistanceBin, Evaluation, Histogram
from hybrid_seg_ros.report.listing import ordered_scores
from hybrid_seg_ros.report.svg import Figure, Plot
from hybrid_seg_ros.report.words import fine_percent, number, percent, whole

ANOMALY, KNOWN = 1, 0
"""Slots of anomaly and known pixels."""


def precision_recall(evaluation: Evaluation) -> Figure:
    """Precision over recall of every score, with the main one's operating points."""
    plot = Plot("Precision and recall", shares("recall = TPR, %"), shares("precision, %"))
    legend = []
    for slot, (name, score) in enumerate(ordered_scores(evaluation)):
        if score.curve is None:
            continue
        plot.line(score.curve.tpr, score.curve.precision, slot, step=True)
        plot.readings(name, slot, score.curve.tpr, score.curve.precision, _rates(evaluation, name))
        legend.append((f"{name} {percent(score.ap)}", slot))
        if slot == 0:
            rated = [(p.tpr, p.precision) for p in score.points.values()]
            dots = [(tpr, precision) for tpr, precision in rated if tpr is not None and precision is not None]
            plot.dots([tpr for tpr, _ in dots], [precision for _, precision in dots], slot)
    total = evaluation.known_pixels + evaluation.anomaly_pixels
    note = f"By chance: {fine_percent(evaluation.anomaly_pixels / total)} %. " if total else ""
    return Figure("Precision and recall, with AP", plot.markup(), tuple(legend), note + "Dots: operating points.")


def receiver_operating(evaluation: Evaluation) -> Figure:
    """TPR over FPR of every score, with the main one's operating points."""
    plot = Plot("ROC", shares("FPR: known pixels marked, %"), shares("TPR: anomaly pixels found, %"))
    plot.segment((0, 0), (1, 1), "rule")
    plot.segment((0, 0.95), (1, 0.95), "rule")
    plot.word(1, 0.95, "TPR 95 %", dx=-4, dy=13, anchor="end")
    legend = []
    for slot, (name, score) in enumerate(ordered_scores(evaluation)):
        if score.curve is None:
            continue
        plot.line([0.0, *score.curve.fpr], [0.0, *score.curve.tpr], slot)
        plot.readings(name, slot, score.curve.fpr, score.curve.tpr, _rates(evaluation, name))
        legend.append((f"{name} {percent(score.auroc)}", slot))
        if slot == 0:
            dots = [(p.fpr, p.tpr) for p in score.points.values() if p.tpr is not None]
            plot.dots([fpr for fpr, _ in dots], [tpr for _, tpr in dots], slot)
    note = "FPR95 is where a curve crosses TPR 95 %. Diagonal: chance."
    return Figure("ROC, with AUROC", plot.markup(), tuple(legend), note)


def score_histogram(name: str, histogram: Histogram) -> Figure:
    """Pixels per bin of a score, those known and those of anomalies, on a logarithmic scale."""
    edges, most = histogram.edges, max([*histogram.known, *histogram.anomaly, 10])
    x, y = Axis(f"score: {name}", edges[0], edges[-1]), Axis("pixels", 0.8, most * 1.6, log=True)
    plot = Plot(f"Histogram of {name}", x, y)
    bins = list(pairwise(edges))
    middles = [(low + high) / 2 for low, high in bins]
    for label, slot, counts in (("known", KNOWN, histogram.known), ("anomaly", ANOMALY, histogram.anomaly)):
        plot.area(edges, [max(count, 0.8) for count in counts], slot)
        texts = [
            f"{label}: {whole(count)} pixels with {number(low, 3)} ≤ score < {number(high, 3)}"
            for count, (low, high) in zip(counts, bins, strict=True)
        ]
        plot.readings(label, slot, middles, [max(count, 0.8) for count in counts], texts)
    return Figure(f"Pixels by their score, {name}", plot.markup(), (("known", KNOWN), ("anomaly", ANOMALY)))


def reliability(calibration: Calibration) -> Figure:
    """Accuracy over confidence: on the diagonal, 80 % sure means 80 % right."""
    plot = Plot("Reliability", shares("mean confidence, %"), shares("accuracy, %"), height=340)
    plot.segment((0, 0), (1, 1), "rule")
    bins = [b for b in calibration.bins if b.confidence is not None and b.accuracy is not None]
    confidence, accuracy = [b.confidence or 0.0 for b in bins], [b.accuracy or 0.0 for b in bins]
    for x, y in zip(confidence, accuracy, strict=True):
        plot.segment((x, x), (x, y), "gap s1")
    plot.line(confidence, accuracy, 0)
    plot.dots(confidence, accuracy, 0)
    texts = [f"{percent(b.confidence)} % sure, {percent(b.accuracy)} % right, {whole(b.pixels)} pixels" for b in bins]
    plot.readings("pixels", 0, confidence, accuracy, texts)
    return Figure("Reliability", plot.markup(), note="Below the diagonal the network is surer than it is right.")


def component_f1(evaluation: Evaluation) -> Figure:
    """F1 of components over the sIoU that counts as found."""
    plot = Plot("F1 of components", Axis("sIoU that counts as found, %", 0.25, 0.75, percent=True), shares("F1, %"))
    legend = []
    for slot, (name, score) in enumerate(ordered_scores(evaluation)):
        if score.components is None:
            continue
        drawn = [
            (t, f1)
            for t, f1 in zip(score.components.siou_thresholds, score.components.f1_by_threshold, strict=True)
            if f1 is not None
        ]
        xs, ys = [t for t, _ in drawn], [f1 for _, f1 in drawn]
        plot.line(xs, ys, slot)
        plot.dots(xs, ys, slot)
        plot.readings(name, slot, xs, ys, [f"{name}: F1 {percent(f1)} % at sIoU {percent(t)} %" for t, f1 in drawn])
        legend.append((f"{name} {percent(score.components.mean_f1)}", slot))
    return Figure("F1 of components, with the mean", plot.markup(), tuple(legend))


def by_distance(name: str, bins: list[DistanceBin]) -> Figure:
    """AP and FPR95 over distance; a range without anomaly has no dot."""
    far = max(b.high_m for b in bins)
    plot = Plot(f"{name} by distance", span("distance, m", [0.0, far]), shares("AP and FPR95, %"))
    for label, slot, figures in (("AP", 0, [b.ap for b in bins]), ("FPR95", 1, [b.fpr95 for b in bins])):
        drawn = [((b.low_m + b.high_m) / 2, v, b) for b, v in zip(bins, figures, strict=True) if v is not None]
        xs, ys = [x for x, _, _ in drawn], [y for _, y, _ in drawn]
        plot.line(xs, ys, slot)
        plot.dots(xs, ys, slot)
        texts = [f"{label} {percent(v)} % from {b.low_m:g} to {b.high_m:g} m" for _, v, b in drawn]
        plot.readings(label, slot, xs, ys, texts)
    return Figure(f"By distance, {name}", plot.markup(), (("AP", 0), ("FPR95", 1)))


def _rates(evaluation: Evaluation, name: str) -> list[str]:
    curve = evaluation.scores[name].curve
    if curve is None:
        return []
    return [
        f"{name} ≥ {number(t)}: TPR {fine_percent(tpr)}, FPR {fine_percent(fpr)}, precision {fine_percent(precision)} %"
        for t, tpr, fpr, precision in zip(curve.thresholds, curve.tpr, curve.fpr, curve.precision, strict=True)
    ]
