from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.labelled_sets import write_pairs

from hybrid_seg_ros.assessment.sources import BundleSource, SavedSource
from hybrid_seg_ros.assessment.threshold import find_threshold
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.datasets import Dataset, open_dataset
from hybrid_seg_ros.datasets.score_maps import write_score_map
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.evaluation import operating_points
from hybrid_seg_ros.evaluation.conformal import TooFewImagesError
from hybrid_seg_ros.evaluation.targets import parse_target
from hybrid_seg_ros.frames import Frame

IMAGES = 40


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset("pairs", write_pairs(tmp_path_factory.mktemp("sets") / "pairs", IMAGES))


@pytest.fixture(scope="module")
def network(tiny_bundle: Bundle) -> Iterator[BundleSource]:
    source = BundleSource(tiny_bundle, "onnxruntime")
    yield source
    source.close()


@pytest.fixture(scope="module")
def scored(pairs: Dataset, tiny_bundle: Bundle) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]]:
    """What the detector itself says of every image."""
    found = []
    with open_detector(tiny_bundle, "onnxruntime") as detector:
        for sample in pairs.samples:
            score, anomaly = detector(Frame(sample.read_image()), Outputs.SCORE).score, sample.anomaly()
            assert score is not None
            assert anomaly is not None
            found.append((score, anomaly))
    return found


def test_it_is_the_operating_point_of_the_detectors_own_scores(
    pairs: Dataset, network: BundleSource, scored: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]]
) -> None:
    score = np.concatenate([s[a <= 1] for s, a in scored])
    anomaly = np.concatenate([a[a <= 1] for _, a in scored]) == 1
    expected = operating_points(score, anomaly)
    for text, name in (("fpr=0.01", "fpr_1"), ("fpr=0.05", "fpr_5"), ("tpr=0.95", "tpr95"), ("miss=0.05", "tpr95")):
        found = find_threshold(pairs, network, parse_target(text), origin="pairs", progress=False)
        # Counts are on bins of float32 with 17 mantissa bits.
        assert found.point.threshold == pytest.approx(expected[name].threshold, rel=2e-4, abs=1e-4)
        assert found.point.tpr == pytest.approx(((score > found.point.threshold) & anomaly).sum() / anomaly.sum())
        assert found.point.fpr == pytest.approx(((score > found.point.threshold) & ~anomaly).sum() / (~anomaly).sum())
        assert found.point.fpr <= 0.01 or text != "fpr=0.01"
        assert (found.point.source, found.images) == (f"pairs, {IMAGES} images", IMAGES)
        assert (found.point.guarantee, found.mean_risk) == (None, None)


@pytest.mark.parametrize("confidence", [None, 0.8])
def test_a_guarantee_says_what_it_rests_on(
    pairs: Dataset,
    network: BundleSource,
    scored: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]],
    confidence: float | None,
) -> None:
    target = parse_target("tpr=0.9")
    found = find_threshold(
        pairs, network, target, origin="pairs", guarantee=True, confidence=confidence, progress=False
    )
    bound = found.point.guarantee
    assert bound is not None
    assert (bound.risk, bound.level, bound.confidence) == ("miss", 0.1, confidence)
    assert (bound.images, bound.set) == (IMAGES, "pairs")
    assert bound.method == ("conformal_risk_control" if confidence is None else "hoeffding_bentkus")
    missed = np.mean([float((s[a == 1] <= found.point.threshold).mean()) for s, a in scored])
    assert found.mean_risk == pytest.approx(missed)
    assert found.mean_risk < 0.1
    plain = find_threshold(pairs, network, target, origin="pairs", progress=False)
    assert found.point.threshold < plain.point.threshold, "a bound costs"


def test_a_set_without_anomaly_serves_for_false_alarms_only(tmp_path: Path, network: BundleSource) -> None:
    quiet = open_dataset("pairs", write_pairs(tmp_path / "quiet", 30, anomaly=False))
    found = find_threshold(quiet, network, parse_target("fpr=0.05"), origin="quiet", guarantee=True, progress=False)
    assert found.point.tpr is None
    assert found.point.fpr is not None
    assert found.point.fpr <= 0.05
    with pytest.raises(ValueError, match="has no anomaly pixels"):
        find_threshold(quiet, network, parse_target("tpr=0.9"), origin="quiet", progress=False)
    with pytest.raises(TooFewImagesError, match="0 images with anomaly pixels"):
        find_threshold(quiet, network, parse_target("tpr=0.9"), origin="quiet", guarantee=True, progress=False)


def test_saved_scores_serve_and_what_cannot_be_used_is_named(
    tmp_path: Path, scored: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]]
) -> None:
    root = write_pairs(tmp_path / "pairs", IMAGES)
    for index, (score, _) in enumerate(scored):
        write_score_map(tmp_path / "maps" / f"{index:03d}.npy", score, dtype=np.float32)
    np.save(tmp_path / "maps" / "003.npy", np.full((48, 64), np.nan, np.float32))
    np.save(tmp_path / "maps" / "004.npy", np.zeros((24, 32), np.float32))
    (tmp_path / "maps" / "005.npy").unlink()
    (root / "labels_masks" / "006.png").unlink()
    (root / "images" / "007.png").write_bytes(b"no picture")
    source = SavedSource(tmp_path / "maps")
    found = find_threshold(open_dataset("pairs", root), source, parse_target("fpr=0.05"), origin="x", progress=False)
    said = "\n".join(f"{problem.where}: {problem.what}" for problem in found.problems)
    for part in ("003: score holds", "004: ", "005: ", "006.png: no mask", "007"):
        assert part in said
    assert found.images == IMAGES - 5


def test_no_image_at_all_says_the_first_reason(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "pairs", 2)
    for index in range(2):
        write_score_map(tmp_path / "maps" / f"{index:03d}.npy", np.zeros((2, 2), np.float32))
    with pytest.raises(
        ValueError, match=r"none of its 2 images could be used; the first: 000: .*expected equal shapes"
    ):
        find_threshold(
            open_dataset("pairs", root),
            SavedSource(tmp_path / "maps"),
            parse_target("fpr=0.05"),
            origin="x",
            progress=False,
        )


def test_a_confidence_without_guarantee_is_a_mistake(pairs: Dataset, network: BundleSource) -> None:
    with pytest.raises(ValueError, match="add --guarantee"):
        find_threshold(pairs, network, parse_target("fpr=0.05"), origin="x", confidence=0.9, progress=False)
