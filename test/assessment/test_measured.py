"""The committed figures and their page."""

from pathlib import Path

import pytest
from support.bundles import CLASS_NAMES

from hybrid_seg_ros.assessment.measured import lean, main, page
from hybrid_seg_ros.bundle import find_bundle, load_bundle
from hybrid_seg_ros.report.document import (
    Blocks,
    ClosedSet,
    Curve,
    Evaluation,
    Network,
    Picture,
    Point,
    Score,
    read_evaluation,
    write_evaluation,
)

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = Blocks(thresholds=[0.0], images=[1], known=[[1]], anomaly=[[1]])
CURVE = Curve(thresholds=[0.0], tpr=[1.0], fpr=[1.0], precision=[0.5])
SCORE = Score(
    ap=0.5,
    auroc=0.75,
    fpr95=0.25,
    points={"fpr_1": Point(threshold=1.0, tpr=0.5, fpr=0.012, precision=0.5, f1=0.5, origin="bundle")},
    curve=CURVE,
    blocks=BLOCKS,
)
MADE = Evaluation(
    kind="images",
    name="somewhere",
    network=Network(name="net", score="hybrid", max_width=1280),
    images=3,
    anomaly_pixels=1,
    scores={"energy": SCORE, "hybrid": SCORE},
    closed_set=ClosedSet(miou=0.4, iou={"Road": 0.8, "Car": None}, pixels=9),
    pictures=[Picture(kind="miss", frame="a", file="pictures/miss_1.jpg", pixels=3)],
)


def test_a_lean_document_keeps_every_figure_and_no_picture() -> None:
    kept = lean(MADE)
    assert kept.pictures == []
    assert kept.scores["hybrid"] == SCORE
    assert kept.scores["energy"] == SCORE.model_copy(update={"curve": None, "blocks": None})


def test_the_page_tells_sets_inputs_scores_and_points() -> None:
    text = page({"first": MADE})
    assert "| [somewhere](evaluation/first.json) | 3 | own, at most 1280 | 50.0 | 25.0 | 75.0 |" in text
    assert "| somewhere | own, at most 1280 | 50.0 / 25.0 | 50.0 / 25.0 |" in text
    assert "| fpr_1 (1) |" in text
    assert "| 50.0 / 1.20 |" in text
    assert "| 40.0 | – | 80.0 | – |" in text


def test_a_set_without_anomaly_has_its_false_alarms_on_the_page() -> None:
    point = Point(threshold=1.0, tpr=None, fpr=0.012, precision=None, f1=None, origin="bundle")
    score = Score(ap=None, auroc=None, fpr95=None, points={"fpr_1": point})
    text = page({"drive": MADE.model_copy(update={"anomaly_pixels": 0, "scores": {"hybrid": score}})})
    assert "| somewhere | own, at most 1280 | – / 1.20 |" in text
    assert "evaluation/drive.json) | 3 | own, at most 1280 | –" not in text, "it is in no table of rankings"


def test_folders_are_added_and_recordings_left_out(tmp_path: Path) -> None:
    results = tmp_path / "evaluation"
    write_evaluation(tmp_path / "mine" / "evaluation.json", MADE)
    write_evaluation(results / "drive.json", MADE.model_copy(update={"kind": "recording", "name": "a drive"}))
    assert main([str(results), str(tmp_path / "page.md"), str(tmp_path / "mine")]) == 0
    assert read_evaluation(results / "mine.json") == lean(MADE)
    text = (tmp_path / "page.md").read_text()
    assert "somewhere" in text
    assert "a drive" not in text


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("road_anomaly21", "RoadAnomaly21"),
        ("fishyscapes_static", "fs_static"),
        ("fishyscapes_laf_30", "FS_LostFound_30"),
    ],
)
def test_the_committed_figures_are_those_of_the_model_card(document: str, name: str) -> None:
    """Measured apart: there by the training package in PyTorch, here by the node's own path."""
    bundle = load_bundle(find_bundle("camvid_hybrid_lite0"))
    found, told = read_evaluation(DOCS / "evaluation" / f"{document}.json"), bundle.manifest.training.metrics
    for kind in ("hybrid", "energy", "posterior", "msp", "max_logit", "entropy"):
        assert found.scores[kind].ap == pytest.approx(told[f"{name}_{kind}_ap"], abs=5e-4)
        assert found.scores[kind].fpr95 == pytest.approx(told[f"{name}_{kind}_fpr95"], abs=5e-4)
        assert found.scores[kind].auroc == pytest.approx(told[f"{name}_{kind}_auroc"], abs=5e-4)
    components = found.scores["hybrid"].components
    if f"{name}_component_mean_f1" in told:
        assert components is not None
        assert components.mean_f1 == pytest.approx(told[f"{name}_component_mean_f1"], abs=5e-3)
        assert components.mean_siou == pytest.approx(told[f"{name}_component_mean_siou"], abs=5e-3)


def test_the_committed_closed_set_is_that_of_the_model_card() -> None:
    told = load_bundle(find_bundle("camvid_hybrid_lite0")).manifest.training.metrics
    found = read_evaluation(DOCS / "evaluation" / "camvid_test.json")
    assert found.closed_set is not None
    assert set(found.closed_set.iou) == set(CLASS_NAMES)
    assert found.closed_set.miou == pytest.approx(told["camvid_test_480x352_miou"], abs=5e-4)


def test_the_committed_page_is_that_of_the_committed_documents() -> None:
    images = {path.stem: read_evaluation(path) for path in sorted((DOCS / "evaluation").glob("*.json"))}
    images = {name: one for name, one in images.items() if one.kind == "images"}
    assert (DOCS / "evaluation.md").read_text(encoding="utf-8") == page(images)
    for one in images.values():
        assert one.pictures == []
