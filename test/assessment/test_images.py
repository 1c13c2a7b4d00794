"""A set through a network and beside saved scores."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, jaccard_score, roc_auc_score
from support.bundles import CLASS_NAMES, make_bundle
from support.pictures import write_pairs

from hybrid_seg_ros.assessment.images import assess_images
from hybrid_seg_ros.assessment.scores import ScoreMaps
from hybrid_seg_ros.assessment.sources import BundleSource, SavedSource
from hybrid_seg_ros.assessment.tally import Tally, Truth
from hybrid_seg_ros.backends import BackendOptions
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.datasets import Camera, Dataset, Sample, open_dataset, write_score_map
from hybrid_seg_ros.evaluation import component_metrics
from hybrid_seg_ros.report.document import Evaluation, read_evaluation, write_evaluation


class Counting(BundleSource):
    """A bundle that counts how often its network runs."""

    runs = 0

    def maps(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps:
        self.runs += 1
        return super().maps(sample, kinds)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


def source_of(bundle: Bundle) -> Counting:
    return Counting(bundle, "onnxruntime", options=BackendOptions(threads=1))


def pairs(root: Path, **options: object) -> Dataset:
    return open_dataset("pairs", root, **options)


def save_maps(folder: Path, dataset: Dataset, suffix: str = ".npy") -> dict[str, np.ndarray]:
    """Scores of a method that sees the squares, with noise; float16, so that they are the same in every format."""
    rng = np.random.default_rng(5)
    scores = {}
    for sample in dataset.samples:
        anomaly = sample.anomaly()
        assert anomaly is not None
        score = (rng.normal(size=anomaly.shape) + 2.0 * (anomaly == 1)).astype(np.float16)
        write_score_map(folder / f"{sample.name}{suffix}", score)
        scores[sample.name] = score.astype(np.float32)
    return scores


def same_but_for_time(evaluation: Evaluation) -> Evaluation:
    return evaluation.model_copy(update={"date": "", "seconds": 0.0})


def test_saved_scores_get_the_figures_of_scikit_learn(tmp_path: Path) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"))
    scores = save_maps(tmp_path / "theirs", dataset, ".hdf5")
    evaluation = assess_images(dataset, SavedSource(tmp_path / "theirs"), progress=False)
    truth = [sample.anomaly() for sample in dataset.samples]
    valid = [labels <= 1 for labels in truth]
    y = np.concatenate([labels[v] for labels, v in zip(truth, valid, strict=True)])
    x = np.concatenate([scores[s.name][v] for s, v in zip(dataset.samples, valid, strict=True)])
    found = evaluation.scores["score"]
    assert found.ap == pytest.approx(average_precision_score(y, x))
    assert found.auroc == pytest.approx(roc_auc_score(y, x))
    assert found.ap_error == 0
    assert (evaluation.images, evaluation.images_without_anomaly) == (4, 1)
    assert (evaluation.known_pixels, evaluation.anomaly_pixels) == ((y == 0).sum(), (y == 1).sum())
    assert evaluation.void_pixels == sum(int((labels > 1).sum()) for labels in truth)
    assert evaluation.network.name == "theirs"
    assert found.components is not None
    expected = component_metrics(
        [(scores[s.name], labels) for s, labels in zip(dataset.samples, truth, strict=True)],
        found.components.threshold,
    )
    assert found.components.mean_siou == pytest.approx(expected.mean_siou)
    assert found.components.ground_truth == expected.ground_truth == 6


def test_several_scores_come_of_one_run_of_the_network_and_jobs_change_nothing(tmp_path: Path, bundle: Bundle) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"))
    one, two = source_of(bundle), source_of(bundle)
    first = assess_images(dataset, one, kinds=["hybrid", "energy", "msp"], progress=False)
    second = assess_images(dataset, two, kinds=["hybrid", "energy", "msp"], jobs=2, progress=False)
    assert one.runs == two.runs == len(dataset.samples)
    assert list(first.scores) == ["hybrid", "energy", "msp"]
    assert same_but_for_time(first) == same_but_for_time(second)
    # The bundle's thresholds are of its own score.
    assert first.scores["hybrid"].points["fpr_5"].origin == "set"
    assert first.scores["hybrid"].points["bundle_fpr_5"].threshold == 5.0
    assert "bundle_fpr_5" not in first.scores["energy"].points
    assert (first.network.name, first.network.operating_point) == ("tiny", "tpr95")


def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path: Path, bundle: Bundle) -> None:
    root = write_pairs(tmp_path / "set")
    dataset, cache = pairs(root), tmp_path / "cache"
    beginning = replace(dataset, samples=dataset.samples[:2])
    assess_images(beginning, source_of(bundle), cache=cache, progress=False)
    # What a killed process leaves is no map.
    kept = next(cache.rglob("*.npy"))
    kept.with_name(f".{kept.name}.123.456").write_bytes(b"\x93NUMPY")
    resumed = source_of(bundle)
    whole = assess_images(dataset, resumed, cache=cache, progress=False)
    assert resumed.runs == 2
    assert same_but_for_time(whole) == same_but_for_time(assess_images(dataset, source_of(bundle), progress=False))
    again = source_of(bundle)
    assess_images(dataset, again, cache=cache, progress=False)
    assert again.runs == 0
    more = source_of(bundle)
    assess_images(dataset, more, kinds=["hybrid", "entropy"], cache=cache, progress=False)
    assert more.runs == 4
    # Another network, and another image of the same name.
    other = Counting(make_bundle(tmp_path / "other", seed=3), "onnxruntime", options=BackendOptions(threads=1))
    assess_images(dataset, other, cache=cache, progress=False)
    assert other.runs == 4
    image = root / "images" / "picture_1.png"
    os.utime(image, ns=(1, 1))
    changed = source_of(bundle)
    assess_images(dataset, changed, cache=cache, progress=False)
    assert changed.runs == 1


def test_maps_damaged_on_disk_are_made_again(tmp_path: Path, bundle: Bundle) -> None:
    dataset, cache = pairs(write_pairs(tmp_path / "set")), tmp_path / "cache"
    expected = assess_images(dataset, source_of(bundle), cache=cache, progress=False)
    for path in cache.rglob("picture_2*.npy"):
        path.write_bytes(path.read_bytes()[:-100])
    source = source_of(bundle)
    assert same_but_for_time(assess_images(dataset, source, cache=cache, progress=False)) == same_but_for_time(expected)
    assert source.runs == 1


def test_a_cache_that_cannot_be_written_costs_time_and_no_figure(tmp_path: Path, bundle: Bundle) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"))
    blocked = tmp_path / "a_file"
    blocked.write_text("here is no folder")
    expected = assess_images(dataset, source_of(bundle), progress=False)
    found = assess_images(dataset, source_of(bundle), cache=blocked / "cache", progress=False)
    assert found.scores == expected.scores
    assert [problem.where for problem in found.problems] == ["cache"]
    assert str(blocked) in found.problems[0].what


def test_a_full_disk_is_left_to_the_figures_and_what_could_not_be_kept_is_told(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"))
    expected = assess_images(dataset, source_of(bundle), progress=False)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    (tmp_path / "pictures").write_text("here is no folder")
    found = assess_images(
        dataset, source_of(bundle), cache=tmp_path / "cache", pictures=tmp_path / "pictures", progress=False
    )
    assert found.scores == expected.scores
    assert not list(tmp_path.glob("cache/*/*"))
    told = {problem.where: problem.what for problem in found.problems}
    assert "nearly full (1 MiB left); another place is --cache DIR" in told["cache"]
    assert "only 0 pictures" in told[str(tmp_path / "pictures")]


def test_scores_that_are_infinite_have_figures(tmp_path: Path) -> None:
    dataset = pairs(write_pairs(tmp_path / "set", 2))
    for sample in dataset.samples:
        write_score_map(tmp_path / "maps" / f"{sample.name}.npy", np.full((120, 160), np.inf), dtype=np.float32)
    found = assess_images(dataset, SavedSource(tmp_path / "maps"), progress=False)
    score = found.scores["score"]
    assert score.ap == pytest.approx(found.anomaly_pixels / (found.anomaly_pixels + found.known_pixels))
    assert (score.auroc, score.fpr95) == (0.5, 1.0)
    assert score.points["fpr_1"].threshold == np.finfo(np.float32).max
    write_evaluation(tmp_path / "evaluation.json", found)
    assert read_evaluation(tmp_path / "evaluation.json") == found


def test_images_that_cannot_be_used_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "set", 6)
    dataset = pairs(root)
    scores = save_maps(tmp_path / "maps", dataset)
    spoiled = scores["picture_1"].copy()
    spoiled[50, 50:53] = np.nan
    write_score_map(tmp_path / "maps" / "picture_1.npy", spoiled)
    write_score_map(tmp_path / "maps" / "picture_2.npy", scores["picture_2"][:-1])
    (tmp_path / "maps" / "picture_3.npy").unlink()
    (root / "labels_masks" / "picture_4.png").write_bytes(b"not a picture")
    write_score_map(tmp_path / "maps" / "somebody_else.npy", scores["picture_0"])
    void_only = scores["picture_5"].copy()
    void_only[:8] = np.nan
    write_score_map(tmp_path / "maps" / "picture_5.npy", void_only)
    found = assess_images(dataset, SavedSource(tmp_path / "maps"), progress=False)
    problems = {problem.where: problem.what for problem in found.problems}
    assert "3 NaN" in problems["picture_1"]
    assert "160x119" in problems["picture_2"]
    assert "picture_3" in problems["picture_3"]
    assert "picture_4.png" in problems["picture_4"]
    assert any("somebody_else" in where for where in problems)
    assert "picture_5" not in problems
    assert found.images == 2
    left = replace(dataset, samples=[s for s in dataset.samples if s.name in ("picture_0", "picture_5")])
    clean = assess_images(left, SavedSource(tmp_path / "maps"), progress=False)
    assert clean.scores == found.scores


def test_a_set_without_anomaly_has_no_ap_and_says_so(tmp_path: Path, bundle: Bundle) -> None:
    dataset = pairs(write_pairs(tmp_path / "set", 1))
    found = assess_images(dataset, source_of(bundle), pictures=tmp_path / "pictures", progress=False)
    assert found.scores["hybrid"].ap is None
    assert found.scores["hybrid"].components is None
    assert (found.images, found.images_without_anomaly, found.anomaly_pixels) == (1, 1, 0)
    (problem,) = found.problems
    assert problem.where == "ground truth"
    assert "no image has an anomaly: AP, AUROC, FPR95 and F1 are not defined" in problem.what
    write_evaluation(tmp_path / "evaluation.json", found)
    assert read_evaluation(tmp_path / "evaluation.json") == found


def test_masks_of_void_alone_are_told(tmp_path: Path, bundle: Bundle) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"), known_ids=[77], anomaly_ids=[78])
    found = assess_images(dataset, source_of(bundle), progress=False)
    assert found.known_pixels == found.anomaly_pixels == 0
    assert ["all pixels of all masks are void" in problem.what for problem in found.problems] == [True]


def test_averaging_per_image_is_the_mean_of_the_images_that_have_anomalies(tmp_path: Path) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"), averaging="per_image")
    scores = save_maps(tmp_path / "maps", dataset)
    found = assess_images(dataset, SavedSource(tmp_path / "maps"), progress=False)
    ap = []
    for sample in dataset.samples[1:]:
        anomaly = sample.anomaly()
        assert anomaly is not None
        ap.append(average_precision_score(anomaly[anomaly <= 1], scores[sample.name][anomaly <= 1]))
    assert found.averaging == "per_image"
    assert found.scores["score"].ap == pytest.approx(np.mean(ap))
    pooled = assess_images(replace(dataset, averaging="pooled"), SavedSource(tmp_path / "maps"), progress=False)
    assert pooled.scores["score"].ap != pytest.approx(np.mean(ap), abs=1e-6)


def test_labels_give_the_closed_set_beside_the_scores(tmp_path: Path, bundle: Bundle) -> None:
    root = write_pairs(tmp_path / "set")
    source = source_of(bundle)
    predicted = {}
    rng = np.random.default_rng(2)
    truth = {}
    for sample in pairs(root).samples:
        labels = source.maps(sample, ["hybrid"]).labels
        assert labels is not None
        predicted[sample.name] = labels
        # Half of the labels are right, some are void.
        ids = np.where(rng.random(labels.shape) < 0.5, labels, rng.integers(0, 11, labels.shape)).astype(np.uint8)
        truth[sample.name] = np.where(rng.random(labels.shape) < 0.1, 255, ids).astype(np.uint8)
        cv2.imwrite(str(root / "labels_masks" / f"{sample.name}.png"), truth[sample.name])
    dataset = pairs(root, classes=CLASS_NAMES, anomaly_ids=(), class_ids=dict(enumerate(CLASS_NAMES)))
    found = assess_images(dataset, source, progress=False)
    assert found.closed_set is not None
    y = np.concatenate([truth[name][truth[name] < 255] for name in truth])
    x = np.concatenate([predicted[name][truth[name] < 255] for name in truth])
    expected = jaccard_score(y, x, labels=np.arange(11), average=None, zero_division=0)
    assert list(found.closed_set.iou) == list(CLASS_NAMES)
    np.testing.assert_allclose([v or 0 for v in found.closed_set.iou.values()], expected)
    assert found.closed_set.pixels == y.size
    assert found.closed_set.blocks is not None
    assert np.sum(found.closed_set.blocks.truth) == y.size
    assert found.closed_set.blocks.images == [1] * 4


def test_the_worst_places_become_strips_beside_the_document(tmp_path: Path) -> None:
    dataset = pairs(write_pairs(tmp_path / "set", size=(640, 480)), track="obstacle")
    for sample in dataset.samples:
        anomaly = sample.anomaly()
        assert anomaly is not None
        score = np.where(anomaly == 1, 1.0, 0.0).astype(np.float32)
        score[60:100, 10:50] = 0  # whatever is there is missed
        if sample.name == "picture_2":
            score[300:320, 500:540] = 3.0
        write_score_map(tmp_path / "maps" / f"{sample.name}.npy", score)
    found = assess_images(dataset, SavedSource(tmp_path / "maps"), pictures=tmp_path / "pictures", progress=False)
    alarms = [picture for picture in found.pictures if picture.kind == "false_alarm"]
    assert [(picture.frame, picture.pixels) for picture in alarms] == [("picture_2", 800)]
    for picture in found.pictures:
        shown = cv2.imread(str(tmp_path / picture.file))
        assert shown.shape[1] > 5 * 300


def test_a_score_that_is_not_there_is_an_error_that_says_what_is(tmp_path: Path, bundle: Bundle) -> None:
    dataset = pairs(write_pairs(tmp_path / "set", 1))
    with pytest.raises(ValueError, match=r"magic.*expected any of hybrid, energy"):
        assess_images(dataset, source_of(bundle), kinds=["magic"], progress=False)
    with pytest.raises(ValueError, match=r"nowhere.*expected one of tpr95"):
        BundleSource(bundle, threshold="nowhere")


def test_a_set_with_stereo_is_told_by_distance(tmp_path: Path) -> None:
    dataset = pairs(write_pairs(tmp_path / "set"))
    scores = save_maps(tmp_path / "maps", dataset)
    disparity = np.full((120, 160), 10.0, np.float32)  # 20 m
    disparity[60:] = 50.0  # 4 m
    disparity[:30] = 0.0  # unknown
    camera = Camera(baseline_m=0.2, focal_px=1000.0)
    stereo = [replace(sample, disparity_reader=lambda: disparity, camera=camera) for sample in dataset.samples]
    found = assess_images(replace(dataset, samples=stereo), SavedSource(tmp_path / "maps"), progress=False)
    bins = found.distance["score"]
    assert [(part.low_m, part.high_m) for part in bins] == [(5.0 * i, 5.0 * i + 5) for i in range(5)]
    assert [part.known > 0 for part in bins] == [True, False, False, False, True]
    x, y = [], []
    for sample in dataset.samples:
        anomaly = sample.anomaly()
        assert anomaly is not None
        x.append(scores[sample.name][30:60].ravel())
        y.append(anomaly[30:60].ravel())
    assert bins[4].ap == pytest.approx(average_precision_score(np.concatenate(y), np.concatenate(x)))


def test_folds_and_labels_give_the_open_set_and_the_confidence_its_calibration(tmp_path: Path, bundle: Bundle) -> None:
    root = write_pairs(tmp_path / "set", 4)
    rng = np.random.default_rng(4)
    for path in (root / "labels_masks").iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(mask == 1, 20, rng.integers(0, 11, mask.shape)).astype(np.uint8))
    dataset = pairs(root, classes=CLASS_NAMES, anomaly_ids=(20,), class_ids=dict(enumerate(CLASS_NAMES)))
    folds = [replace(sample, fold=index % 2) for index, sample in enumerate(dataset.samples)]
    found = assess_images(replace(dataset, samples=folds), source_of(bundle), progress=False)
    assert found.open_set is not None
    assert found.open_set.open_miou is not None
    assert found.open_set.closed_miou is not None
    assert found.open_set.gap == pytest.approx(found.open_set.closed_miou - found.open_set.open_miou)
    assert len(found.open_set.thresholds) == 2
    assert found.calibration is not None
    assert found.closed_set is not None
    assert sum(part.pixels for part in found.calibration.bins) == found.closed_set.pixels
    # Labels drawn by chance are right in one of eleven pixels, whatever the network is sure of.
    right = sum((part.accuracy or 0) * part.pixels for part in found.calibration.bins) / found.closed_set.pixels
    assert right == pytest.approx(1 / 11, abs=0.01)
    assert assess_images(dataset, source_of(bundle), progress=False).open_set is None


def test_blocks_of_many_images_are_joined_alike_for_scores_and_classes(tmp_path: Path) -> None:
    kinds, classes = ["score"], 2
    tally = Tally(kinds, classes, per_image=False)
    rng = np.random.default_rng(0)
    with ThreadPoolExecutor(1) as workers:
        for _ in range(450):
            labels = rng.integers(0, 2, (4, 5), dtype=np.uint8)
            score = rng.normal(size=(4, 5)).astype(np.float32)
            tally.add(ScoreMaps({"score": score}, labels), Truth(labels, labels), workers)
    blocks, scores = tally.class_blocks(), tally.blocks["score"].table()
    assert blocks is not None
    assert blocks.images == scores.images
    assert sum(blocks.images) == 450
    assert len(blocks.images) <= 200
    assert np.sum(blocks.intersection, axis=0).tolist() == np.diag(tally.confusion).tolist()
    assert np.sum(blocks.truth) == np.sum(blocks.predicted) == 450 * 20
