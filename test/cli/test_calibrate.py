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
from hybrid_seg_ros.monitor.domain_reference import MeasuredReference, reference_of


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("sets") / "yard", 40)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("sets") / "calm", 24, anomaly=False)


def arguments(bundle: Bundle, root: Path, out: Path, *more: str) -> list[str]:
    given: dict[str, object] = {"--dataset": "pairs", "--root": root, "--bundle": bundle.path, "--out": out}
    if "--target" in more:
        given["--name"] = "mine"
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


@pytest.mark.parametrize("more", [(), ("--target", "fpr=0.05")])
def test_known_scenes_alone_and_beside_a_threshold(
    more: tuple[str, ...], tiny_bundle: Bundle, calm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tiny_bundle, calm, tmp_path / "out", "--domain", *more)) == 0
    copied = load_bundle(tmp_path / "out")
    with open_detector(tiny_bundle, "onnxruntime") as detector:
        scores = [detector(Frame(s.read_image()), Outputs.SCORE).score for s in open_dataset("pairs", calm).samples]
    medians = [float(np.median(score)) for score in scores if score is not None]
    domain = copied.manifest.domain
    assert domain is not None
    assert (domain.images, domain.source) == (24, "pairs calm, network input 128x96")
    # Of 64x48 px every pixel is on the grid of the statistic.
    assert domain.typical == pytest.approx(np.median(medians))
    assert domain.high == pytest.approx(np.quantile(medians, 0.99))
    assert ("mine" in copied.manifest.score.operating_points) == bool(more)
    reference = reference_of(copied.manifest)
    assert isinstance(reference, MeasuredReference)
    assert sum(reference.measure(score) > 1 for score in scores if score is not None) == 1
    said = capsys.readouterr().out
    assert f"in the top percent of images from {domain.high:.5g}; 24 images" in said
    assert ("ros2 param set" in said) == bool(more)


def test_images_full_of_anomalies_are_no_known_scenes(
    tiny_bundle: Bundle, calm: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(calm, mixed)
    for folder in ("images", "labels_masks"):  # boxes of 7.8 % of the image
        for index in range(2):
            shutil.copyfile(pairs / folder / f"{index:03d}.png", mixed / folder / f"9{index:02d}.png")
    assert main(arguments(tiny_bundle, mixed, tmp_path / "mix", "--domain")) == 0
    assert main(arguments(tiny_bundle, calm, tmp_path / "calm", "--domain")) == 0
    mix, alone = (load_bundle(tmp_path / name).manifest.domain for name in ("mix", "calm"))
    assert mix is not None
    assert alone is not None
    assert (mix.images, mix.typical, mix.high) == (24, alone.typical, alone.high)
    capsys.readouterr()
    assert main(arguments(tiny_bundle, pairs, tmp_path / "none", "--domain", "--target", "fpr=0.05")) == 2
    said = capsys.readouterr().err
    assert "expected at least 20 images of known scenes for a domain, found 0" in said
    assert "40 hold more than 5 % of anomaly pixels" in said
    assert not (tmp_path / "none").exists()


def test_a_set_too_small_for_known_scenes_is_refused_before_the_run(
    tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_pairs(tmp_path / "few", 19, anomaly=False)
    (few / "images" / "000.png").write_bytes(b"no picture")  # a run would name it
    assert main(arguments(tiny_bundle, few, tmp_path / "out", "--domain")) == 2
    said = capsys.readouterr().err
    assert "pairs few, network input 128x96: expected at least 20 images of known scenes" in said
    assert "found 19" in said
    assert "000" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "give --target and --name for a threshold, --domain for known scenes"),
        (["--domain", "--name", "mine"], "--name is about a threshold: add --target"),
        (["--domain", "--default"], "--default is about a threshold: add --target"),
        (["--domain", "--guarantee"], "--guarantee is about a threshold: add --target"),
    ],
)
def test_options_that_make_no_whole_are_refused(
    more: list[str], words: str, tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tiny_bundle, pairs, tmp_path / "out", *more)) == 2
    assert words in capsys.readouterr().err


def test_a_point_needs_a_name(
    tiny_bundle: Bundle, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(tiny_bundle, pairs, tmp_path / "out", "--target", "fpr=0.05")
    where = given.index("--name")
    assert main(given[:where] + given[where + 2 :]) == 2
    assert "--target fpr=0.05: its operating point needs a --name" in capsys.readouterr().err


def test_known_scenes_that_cannot_be_read_are_named_before_they_are_missed(
    tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_pairs(tmp_path / "pairs", 20, anomaly=False)
    (root / "images" / "007.png").write_bytes(b"no picture")
    assert main(arguments(tiny_bundle, root, tmp_path / "out", "--domain")) == 2
    first, *_, last = capsys.readouterr().err.strip().splitlines()
    assert "007" in first
    assert "found 19" in last


@pytest.mark.parametrize("text", ["auc=0.5", "fpr=5", "fpr"])
def test_a_target_that_is_none_shows_what_one_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", "--dataset", "x", "--root", "x", "--name", "x", "--out", "x", "--target", text])
    assert "such as fpr=0.01" in capsys.readouterr().err
