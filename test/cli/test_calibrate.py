import shutil
from pathlib import Path

import numpy as np
import pytest
from support.labelled_sets import write_pairs

from hybrid_seg_ros.bundle import Bundle, load_bundle
from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.datasets import open_dataset
from hybrid_seg_ros.datasets.score_maps import write_score_map
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.frames import Frame


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("sets") / "yard", 40)


def arguments(bundle: Bundle, root: Path, out: Path, *more: str) -> list[str]:
    given = {"--dataset": "pairs", "--root": root, "--bundle": bundle.path, "--name": "mine", "--out": out}
    return ["calibrate", *(str(part) for pair in given.items() for part in pair), "--backend", "onnxruntime", *more]


def test_a_bundle_with_the_point_that_the_detector_takes(
    tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tiny_bundle, pairs, tmp_path / "calm", "--target", "fpr=0.05")) == 0
    copied = load_bundle(tmp_path / "calm")
    assert (copied.name, copied.manifest.score.default) == ("calm", "tpr95")
    assert copied.manifest.files == tiny_bundle.manifest.files
    point = copied.manifest.score.operating_points["mine"]
    assert point.source == "pairs yard, network input 128x96, 40 images"
    assert point.fpr is not None
    assert 0.04 < point.fpr <= 0.05
    with open_detector(copied, "onnxruntime", threshold="mine") as detector:
        seen = detector(Frame(np.zeros((48, 64, 3), np.uint8)), Outputs.MASK)
    assert seen.threshold == point.threshold
    said = capsys.readouterr().out
    assert f"mine: score > {point.threshold:.6g}, for fpr=0.05" in said
    assert "ros2 param set /hybrid_seg operating_point mine" in said
    assert "guarantee" not in said


def test_a_guarantee_is_stated_with_set_size_and_confidence(
    tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--target", "tpr=0.9", "--guarantee", "--confidence", "0.8", "--default", "--set-name", "pairs of the yard")
    assert main(arguments(tiny_bundle, pairs, tmp_path / "safe", *more)) == 0
    copied = load_bundle(tmp_path / "safe")
    assert copied.manifest.score.default == "mine"
    bound = copied.manifest.score.operating_points["mine"].guarantee
    assert bound is not None
    assert bound.model_dump() == {
        "risk": "miss",
        "level": 0.1,
        "confidence": 0.8,
        "method": "hoeffding_bentkus",
        "images": 40,
        "set": "pairs of the yard, network input 128x96",
    }
    sentence = "mean missed share of the anomaly of an image <= 10 % with 80 % confidence"
    assert sentence in capsys.readouterr().out
    assert main(["inspect", str(copied.path)]) == 0
    assert sentence in capsys.readouterr().out


def test_saved_scores_give_the_same_threshold(tiny_bundle: Bundle, pairs: Path, tmp_path: Path) -> None:
    assert main(arguments(tiny_bundle, pairs, tmp_path / "run", "--target", "tpr=0.9")) == 0
    with open_detector(tiny_bundle, "onnxruntime") as detector:
        for sample in open_dataset("pairs", pairs).samples:
            score = detector(Frame(sample.read_image()), Outputs.SCORE).score
            assert score is not None
            write_score_map(tmp_path / "maps" / f"{sample.name}.npy", score, dtype=np.float32)
    more = ("--target", "tpr=0.9", "--maps", str(tmp_path / "maps"))
    assert main(arguments(tiny_bundle, pairs, tmp_path / "saved", *more)) == 0
    run, saved = (load_bundle(tmp_path / name).manifest.score.operating_points["mine"] for name in ("run", "saved"))
    assert saved.threshold == run.threshold
    assert saved.source == "pairs yard, saved scores maps, 40 images"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--target", "fpr=0.001", "--guarantee"], "expected at least 999: give more images, or a higher level"),
        (["--target", "fpr=0.05", "--confidence", "0.9"], "add --guarantee"),
        (["--target", "fpr=0.05", "--guarantee", "--confidence", "95"], "confidence is 95"),
        (["--target", "fpr=0.05", "--anomaly-ids", "7"], "known"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    more: list[str], words: str, tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--anomaly-ids" in more:  # with all of the masks void, too
        more = [*more, "--void-ids", "0,1,255"]
    assert main(arguments(tiny_bundle, pairs, tmp_path / "out", *more)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("hybrid-seg calibrate: ")
    assert words in said.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_what_is_there_stays_unless_told(
    bundle_copy: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    given = ("--target", "fpr=0.05")
    assert main(arguments(bundle_copy, pairs, tmp_path / "out", *given)) == 2
    assert "it is there already" in capsys.readouterr().err
    assert main(arguments(bundle_copy, pairs, bundle_copy.path, *given, "--overwrite")) == 2
    assert "it is the bundle itself" in capsys.readouterr().err
    assert main(arguments(bundle_copy, pairs, tmp_path / "out", *given, "--overwrite")) == 0
    assert load_bundle(tmp_path / "out").name == "out"


def test_images_that_are_left_out_are_named(
    tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "pairs"
    shutil.copytree(pairs, root)
    (root / "images" / "007.png").write_bytes(b"no picture")
    assert main(arguments(tiny_bundle, root, tmp_path / "out", "--target", "fpr=0.05")) == 0
    said = capsys.readouterr()
    assert "007" in said.err
    assert "39 images" in said.out


@pytest.mark.parametrize("text", ["auc=0.5", "fpr=5", "fpr"])
def test_a_target_that_is_none_shows_what_one_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", "--dataset", "x", "--root", "x", "--name", "x", "--out", "x", "--target", text])
    assert "such as fpr=0.01" in capsys.readouterr().err
