"""Evaluations as a run would write them: generated scenes, scores with a seed, every figure of the real metrics."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation import (
    RankingCurve,
    component_metrics,
    confusion_matrix,
    iou_per_class,
    mean_iou,
    operating_points,
    pixel_metrics,
    ranking_curve,
)
from hybrid_seg_ros.evaluation.components import SIOU_THRESHOLDS
from hybrid_seg_ros.report.document import (
    Agreement,
    Blocks,
    Calibration,
    ClassBlocks,
    ClosedSet,
    Components,
    Curve,
    DistanceBin,
    Evaluation,
    FrameRow,
    Histogram,
    Machine,
    Network,
    Node,
    Obstacle,
    OpenSet,
    Picture,
    Point,
    Problem,
    Rate,
    ReliabilityBin,
    Score,
    Times,
    Video,
)
from hybrid_seg_ros.scenes import CLASS_NAMES, VOID, Drive, SceneFrame
from hybrid_seg_ros.visual import heat_map

MACHINE = Machine(
    cpu="A processor of the test, 2.6 GHz",
    cores=2,
    memory_gib=7.8,
    system="Linux x86_64",
    versions={"hybrid_seg_ros": "0.1.0", "numpy": "2.4.6", "onnxruntime": "1.32.0"},
)
_FPS = 10.0


@dataclass(frozen=True)
class Scored:
    """One generated frame with the scores and labels that a network could have given."""

    frame: SceneFrame
    scores: dict[str, npt.NDArray[np.float32]]
    labels: npt.NDArray[np.uint8]


def scored_frames(count: int, size: tuple[int, int], seed: int = 0, skill: float = 4.0) -> list[Scored]:
    """Frames of one generated drive; the better the skill, the higher the anomalies' scores."""
    drive = Drive(seed=seed, n_frames=count, size=size, fps=2.0, obstacle_gap=10.0)
    rng = np.random.default_rng(seed)
    return [_scored(frame, rng, skill) for frame in drive]


def _scored(frame: SceneFrame, rng: np.random.Generator, skill: float) -> Scored:
    shape = frame.anomaly.shape
    noise = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 3) * 9
    edges = cv2.GaussianBlur(cv2.Laplacian(frame.labels.astype(np.float32), cv2.CV_32F) ** 2, (0, 0), 2)
    foreign = cv2.GaussianBlur((frame.anomaly == 1).astype(np.float32), (0, 0), 1.5)
    hybrid = np.float32(-6) + 2 * noise + np.minimum(edges, 12) * 0.35 + foreign * np.float32(skill * 2.2)
    energy = np.float32(-9) + 3 * noise + np.minimum(edges, 12) * 0.8 + foreign * np.float32(skill * 1.6)
    msp = 1 / (1 + np.exp(-(0.7 * noise + np.minimum(edges, 12) * 0.5 + foreign * np.float32(skill * 0.7) - 3)))
    labels = frame.labels.copy()
    labels[labels == VOID] = 0
    wrong = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 4) > 0.1
    labels[wrong] = rng.integers(0, len(CLASS_NAMES), dtype=np.uint8)
    return Scored(frame, {"hybrid": hybrid, "energy": energy, "msp": np.asarray(msp, np.float32)}, labels)


def curve_part(curve: RankingCurve, points: int = 400) -> Curve:
    """The exact rates at some of the curve's thresholds, even in TPR and in the logarithm of FPR."""
    tpr, fpr = curve.tpr, curve.fpr
    even = np.searchsorted(tpr, np.linspace(0, 1, points // 2))
    low = np.searchsorted(fpr, np.geomspace(1e-5, 1, points // 2))
    index = np.unique(np.minimum(np.concatenate([[0], even, low]), tpr.size - 1))
    return Curve(
        thresholds=[float(v) for v in curve.thresholds[index]],
        tpr=tpr[index].tolist(),
        fpr=fpr[index].tolist(),
        precision=curve.precision[index].tolist(),
    )


def score_part(frames: list[Scored], name: str, shipped: float | None = None) -> Score:
    """Everything that the document says about one score."""
    pooled, positive = _pooled(frames, name)
    curve = ranking_curve(pooled, positive)
    figures = pixel_metrics(pooled, positive)
    rated = operating_points(pooled, positive)
    points = {key: _point(pooled, positive, value.threshold, "set") for key, value in rated.items()}
    if shipped is not None:
        points["camvid_tpr95"] = _point(pooled, positive, shipped, "bundle")
    tau = rated["best_f1"].threshold
    found = component_metrics([(f.scores[name], f.frame.anomaly) for f in frames], tau, "obstacle")
    return Score(
        ap=figures.average_precision,
        auroc=figures.auroc,
        fpr95=figures.fpr95,
        ap_error=2e-5 if name == "energy" else 0.0,
        best_f1=points["best_f1"].f1,
        points=points,
        curve=curve_part(curve),
        histogram=_histogram(pooled, positive),
        blocks=blocks_part(frames, name, np.quantile(pooled, np.linspace(1, 0, 200))),
        components=Components(
            track="obstacle",
            threshold=tau,
            mean_siou=found.mean_siou,
            mean_ppv=found.mean_ppv,
            mean_f1=found.mean_f1,
            siou_thresholds=list(SIOU_THRESHOLDS),
            f1_by_threshold=list(found.f1_by_threshold),
            ground_truth=found.ground_truth,
            predicted=found.predicted,
        ),
    )


def blocks_part(frames: list[Scored], name: str, thresholds: npt.NDArray[np.floating]) -> Blocks:
    """A block an image; the last threshold lies below every score."""
    descending = np.append(np.unique(thresholds)[::-1][:-1], -1e6)
    known: list[list[int]] = []
    anomaly: list[list[int]] = []
    for f in frames:
        for rows, value in ((known, 0), (anomaly, 1)):
            scores = np.sort(f.scores[name][f.frame.anomaly == value])
            rows.append((scores.size - np.searchsorted(scores, descending)).tolist())
    return Blocks(thresholds=descending.tolist(), images=[1] * len(frames), known=known, anomaly=anomaly)


def evaluation_of_images(
    folder: Path | None = None, *, count: int = 8, size: tuple[int, int] = (320, 180), seed: int = 0, skill: float = 4.0
) -> Evaluation:
    """A set of images, three scores, all parts that a set can have; pictures are written to the folder, if given."""
    frames = scored_frames(count, size, seed, skill)
    hybrid, positive = _pooled(frames, "hybrid")
    shipped = float(np.quantile(hybrid[positive], 0.1))
    matrix = sum(confusion_matrix(f.labels, f.frame.labels, len(CLASS_NAMES), void=VOID) for f in frames)
    iou = iou_per_class(np.asarray(matrix))
    pixels = np.stack([f.frame.anomaly for f in frames])
    return Evaluation(
        kind="images",
        name="generated-streets",
        network=Network(
            name="camvid_hybrid_lite0",
            sha256="5b0c" * 16,
            backend="onnxruntime",
            precision="fp32",
            input_size=size,
            score="hybrid",
            threshold=shipped,
            operating_point="camvid_tpr95",
        ),
        machine=MACHINE,
        date="2026-05-04T12:00:00Z",
        seconds=72.5,
        images=count,
        images_without_anomaly=sum(not (f.frame.anomaly == 1).any() for f in frames),
        known_pixels=int((pixels == 0).sum()),
        anomaly_pixels=int((pixels == 1).sum()),
        void_pixels=int((pixels > 1).sum()),
        truth="masks/*.png",
        problems=[
            Problem(where="images/0017.png", what="score holds 12 NaN of 57,600 pixels; the image is left out"),
            Problem(where="masks/0031.png", what="is 640x360, its image 320x180; the image is left out"),
        ],
        scores={name: score_part(frames, name, shipped if name == "hybrid" else None) for name in frames[0].scores},
        closed_set=ClosedSet(
            miou=mean_iou(np.asarray(matrix)),
            iou={name: None if np.isnan(v) else float(v) for name, v in zip(CLASS_NAMES, iou, strict=True)},
            pixels=int(np.asarray(matrix).sum()),
            blocks=_class_blocks(frames),
        ),
        open_set=OpenSet(open_miou=0.583, closed_miou=0.671, gap=0.088, thresholds=[1.25, 1.41]),
        calibration=_calibration(seed),
        distance={"hybrid": _distance(seed)},
        pictures=[] if folder is None else _pictures(frames, folder, shipped),
    )


def evaluation_of_recording(
    folder: Path | None = None, *, frames: int = 300, count: int = 8, size: tuple[int, int] = (320, 180), seed: int = 1
) -> Evaluation:
    """A drive through the real node: everything that a set of images has, and times, rates, obstacles."""
    base = evaluation_of_images(folder, count=count, size=size, seed=seed)
    rng = np.random.default_rng(seed)
    latency = 38 + rng.gamma(2.0, 4.0, frames) + 45 * (rng.random(frames) < 0.01)
    share = np.clip(
        0.004 + 0.02 * np.maximum(0, np.sin(np.arange(frames) / 17)) ** 6 + rng.normal(0, 6e-4, frames), 0, 1
    )
    states = rng.choice(["answered", "dropped", "rejected"], frames, p=[0.96, 0.03, 0.01])
    rows = [
        FrameRow(
            index=i,
            stamp_s=i / _FPS,
            state=state,
            latency_ms=float(latency[i]) if state == "answered" else None,
            anomaly_rate=float(share[i]) if state == "answered" else None,
        )
        for i, state in enumerate(states.tolist())
    ]
    answered = states == "answered"
    times = times_part(latency[answered])
    return base.model_copy(
        update={
            "kind": "recording",
            "name": "drive_2026_05_04",
            "truth": "topics /truth/labels, /truth/anomaly, /truth/instances",
            "images": frames,
            "problems": [Problem(where="drive_2026_05_04_0.mcap", what="cut off: no footer; 300 images were read")],
            "frames": rows,
            "video": Video(
                label_consistency=0.812,
                mask_flicker=0.241,
                delayed_miou=0.617,
                delayed_ap=0.702,
                mean_delay_s=0.071,
                obstacles=_obstacles(rng),
            ),
            "node": Node(
                mode="online",
                frames_in=frames,
                answered=int(answered.sum()),
                dropped=int((states == "dropped").sum()),
                rejected=int((states == "rejected").sum()),
                latency_ms=times,
                stages_ms={
                    "decode": times_part(rng.gamma(4, 0.6, 200)),
                    "preprocess": times_part(rng.gamma(4, 0.5, 200)),
                    "network": times_part(30 + rng.gamma(2, 2.0, 200)),
                    "postprocess": times_part(rng.gamma(4, 0.8, 200)),
                },
                rates=[_rate(hz, kind, times) for hz, kind in ((10.0, "fixed"), (30.0, "fixed"), (21.5, "peak"))],
                peak_hz=21.5,
            ),
            "agreement": Agreement(
                other="the same drive, offline", frames=frames, labels=0.9991, mask_iou=0.987, score_correlation=0.99997
            ),
        }
    )


def times_part(values: npt.NDArray[np.floating]) -> Times:
    """The distribution of some milliseconds."""
    p50, p90, p99 = np.percentile(values, [50, 90, 99])
    return Times(
        count=values.size,
        mean=float(values.mean()),
        p50=float(p50),
        p90=float(p90),
        p99=float(p99),
        max=float(values.max()),
        jitter=float(values.std()),
    )


def _class_blocks(frames: list[Scored]) -> ClassBlocks:
    matrices = [confusion_matrix(f.labels, f.frame.labels, len(CLASS_NAMES), void=VOID) for f in frames]
    return ClassBlocks(
        images=[1] * len(frames),
        intersection=[np.diag(m).tolist() for m in matrices],
        predicted=[m.sum(axis=0).tolist() for m in matrices],
        truth=[m.sum(axis=1).tolist() for m in matrices],
    )


def _pooled(frames: list[Scored], name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    valid = [f.frame.anomaly <= 1 for f in frames]
    scores = np.concatenate([f.scores[name][v] for f, v in zip(frames, valid, strict=True)])
    return scores, np.concatenate([f.frame.anomaly[v] == 1 for f, v in zip(frames, valid, strict=True)])


def _point(score: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_], threshold: float, origin: str) -> Point:
    above = score > np.float32(threshold)
    hits, found = int((above & positive).sum()), int(above.sum())
    total = int(positive.sum())
    return Point(
        threshold=threshold,
        tpr=hits / total,
        fpr=(found - hits) / (positive.size - total),
        precision=hits / found if found else None,
        f1=2 * hits / (found + total),
        origin="bundle" if origin == "bundle" else "set",
    )


def _histogram(score: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]) -> Histogram:
    edges = np.linspace(float(score.min()), float(score.max()), 61)
    return Histogram(
        edges=edges.tolist(),
        known=np.histogram(score[~positive], edges)[0].tolist(),
        anomaly=np.histogram(score[positive], edges)[0].tolist(),
    )


def _calibration(seed: int) -> Calibration:
    rng = np.random.default_rng(seed)
    edges = np.linspace(0, 1, 16)
    bins = []
    for low, high in pairwise(edges.tolist()):
        pixels = int(2000 * np.exp(6 * low)) if high > 0.12 else 0
        confidence = float((low + high) / 2)
        accuracy = float(np.clip(confidence**1.25 + rng.normal(0, 0.01), 0, 1))
        bins.append(
            ReliabilityBin(
                low=float(low),
                high=float(high),
                confidence=confidence if pixels else None,
                accuracy=accuracy if pixels else None,
                pixels=pixels,
            )
        )
    total = sum(b.pixels for b in bins)
    gaps = [b.pixels * abs((b.confidence or 0) - (b.accuracy or 0)) for b in bins]
    return Calibration(ece=sum(gaps) / total, bins=bins)


def _distance(seed: int) -> list[DistanceBin]:
    rng = np.random.default_rng(seed)
    bins = []
    for i in range(12):
        anomaly = 0 if i == 10 else int(40_000 / (i + 1) ** 2)
        bins.append(
            DistanceBin(
                low_m=5.0 * i,
                high_m=5.0 * (i + 1),
                ap=float(np.clip(0.95 * np.exp(-i / 9) + rng.normal(0, 0.02), 0, 1)) if anomaly else None,
                fpr95=float(np.clip(0.01 * np.exp(i / 3), 0, 1)) if anomaly else None,
                known=int(3_000_000 / (i + 1)),
                anomaly=anomaly,
            )
        )
    return bins


def _obstacles(rng: np.random.Generator) -> list[Obstacle]:
    found = []
    for i, kind in enumerate(("cardboard box", "ball", "dog", "tyre", "chair", "pallet", "suitcase")):
        seen, missed = float(rng.uniform(22, 40)), i == 4
        first, wait = 2.0 + 3.5 * i, float(rng.gamma(2, 0.25))
        found.append(
            Obstacle(
                id=100 + i,
                kind=kind,
                frames_in_view=40,
                frames_detected=0 if missed else int(rng.integers(20, 39)),
                first_in_view_s=first,
                first_detected_s=None if missed else first + wait,
                time_to_detection_s=None if missed else wait,
                first_in_view_m=seen,
                first_detected_m=None if missed else seen - 9 * wait,
            )
        )
    return found


def _rate(hz: float, kind: str, times: Times) -> Rate:
    out = min(hz, 21.6)
    return Rate(
        input_hz=hz,
        output_hz=out,
        frames_sent=300,
        frames_answered=int(300 * out / hz),
        drops=1 - out / hz,
        latency_ms=times,
        arrival_jitter_ms=3.2,
        cpu_percent=91.0 * out / 10,
        memory_mib=412.0,
        kind="peak" if kind == "peak" else "fixed",
    )


def _pictures(frames: list[Scored], folder: Path, threshold: float) -> list[Picture]:
    """Strips of picture, score, mask and truth, most telling first."""
    pictures = []
    for kind in ("false_alarm", "miss"):
        wanted = 0 if kind == "false_alarm" else 1

        def wrong(f: Scored, value: int = wanted) -> int:
            above = f.scores["hybrid"] > threshold
            return int(((f.frame.anomaly == value) & (above if value == 0 else ~above)).sum())

        for index, f in sorted(enumerate(frames), key=lambda item: wrong(item[1]), reverse=True)[:3]:
            file = Path("pictures") / f"{kind}_{index:03}.jpg"
            (folder / "pictures").mkdir(parents=True, exist_ok=True)
            mask = (f.scores["hybrid"] > threshold).astype(np.uint8) * 255
            truth = np.where(f.frame.anomaly == 1, 255, np.where(f.frame.anomaly == 0, 0, 90)).astype(np.uint8)
            heat = heat_map(f.scores["hybrid"].copy(), threshold - 10, threshold + 10)
            grey = [cv2.cvtColor(plane, cv2.COLOR_GRAY2BGR) for plane in (mask, truth)]
            cv2.imwrite(str(folder / file), np.hstack([f.frame.frame.image, heat, *grey]))
            pictures.append(
                Picture(
                    kind="false_alarm" if wanted == 0 else "miss",
                    frame=f"images/{index:04}.png",
                    file=file.as_posix(),
                    pixels=wrong(f),
                    text="image, score, mask, truth",
                    stamp_s=index / 2.0,
                )
            )
    return pictures
