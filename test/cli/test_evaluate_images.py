"""`hybrid-seg evaluate --dataset` from the command line to what it leaves behind."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from support.bundles import CLASS_NAMES, make_bundle
from support.pictures import write_pairs

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.datasets import open_dataset, write_score_map
from hybrid_seg_ros.report.document import read_evaluation


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


def test_a_set_becomes_a_folder_with_document_page_and_pictures(
    tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = write_pairs(tmp_path / "set"), tmp_path / "out"
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    arguments += ["--backend", "onnxruntime", "--scores", "all", "--track", "obstacle", "--own-width", "160"]
    assert main([*arguments, "--out", str(out), "--json", str(tmp_path / "copy.json")]) == 0
    found = read_evaluation(out / "evaluation.json")
    assert found == read_evaluation(tmp_path / "copy.json")
    assert set(found.scores) == {"hybrid", "energy", "posterior", "msp", "max_logit", "entropy"}
    assert found.network.input_size is None
    assert (out / "report.html").stat().st_size > 10_000
    assert all((out / picture.file).is_file() for picture in found.pictures)
    text = capsys.readouterr().out
    assert "max_logit" in text
    assert str(out / "report.html") in text


def test_labels_with_names_give_the_miou(tmp_path: Path, bundle: Bundle) -> None:
    root, out = write_pairs(tmp_path / "set", 2), tmp_path / "out"
    mask = root / "labels_masks" / "picture_1.png"
    cv2.imwrite(str(mask), np.where(cv2.imread(str(mask), cv2.IMREAD_UNCHANGED) == 1, 8, 3).astype(np.uint8))
    names = ",".join(f"{i}={name}" for i, name in enumerate(CLASS_NAMES))
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    assert main([*arguments, "--class-ids", names, "--anomaly-ids", "8", "--no-pictures", "--out", str(out)]) == 0
    found = read_evaluation(out / "evaluation.json")
    assert found.closed_set is not None
    assert set(found.closed_set.iou) == set(CLASS_NAMES)
    assert found.pictures == []
    assert found.anomaly_pixels == 900


def test_scores_of_another_method_go_the_same_way_and_into_a_submission(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_pairs(tmp_path / "pairs", 2)
    for index in range(2):
        for kind, name in (("images", f"validation_{index}.png"), ("labels_masks", f"validation_{index}.png")):
            target = root / kind / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((tmp_path / "pairs" / kind / f"picture_{index}.png").read_bytes())
    dataset = open_dataset("pairs", root)
    for sample in dataset.samples:
        write_score_map(tmp_path / "theirs" / f"{sample.name}.npy", np.random.default_rng(1).random((120, 160)))
    arguments = ["evaluate", "--dataset", "road-anomaly21", "--root", str(root), "--maps", str(tmp_path / "theirs")]
    arguments += ["--method", "noise", "--submission", str(tmp_path / "submission"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    found = read_evaluation(tmp_path / "out" / "evaluation.json")
    assert found.network.name == "noise"
    assert found.scores["score"].auroc == pytest.approx(0.5, abs=0.1)
    written = sorted((tmp_path / "submission").rglob("*.hdf5"))
    assert [path.stem for path in written] == [sample.name for sample in dataset.samples]
    with h5py.File(written[0]) as file:
        assert file["value"].dtype == np.float16


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected --dataset NAME --root DIR"),
        (["--dataset", "pairs"], "expected --root DIR"),
        (["--dataset", "nonsense", "--root", "."], "no set is named 'nonsense'"),
        (["--dataset", "pairs", "--root", "no_such_folder"], "no_such_folder"),
        (["--dataset", "pairs", "--root", "SET", "--split", "test"], "no option split"),
        (["--dataset", "pairs", "--root", "SET", "--scores", "magic"], "magic"),
        (["--dataset", "pairs", "--root", "SET", "--own-width", "64", "--input-size", "64x64"], "expected one of them"),
        (["--dataset", "pairs", "--root", "SET", "--maps", "no_such_maps"], "no_such_maps"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str], words: str, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_pairs(tmp_path / "set", 1)
    given = [str(root) if argument == "SET" else argument for argument in arguments]
    common = ["--bundle", str(bundle.path), "--backend", "onnxruntime", "--out", str(tmp_path / "out")]
    assert main(["evaluate", *given, *common]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("hybrid-seg evaluate: ")
    assert words in error


def test_an_output_folder_that_cannot_be_is_told_before_anything_runs(
    tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_pairs(tmp_path / "set", 1)
    (tmp_path / "out").write_text("here is no folder")
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path / 'out'}: cannot make this folder" in error
    assert "image/s" not in error


def test_a_submission_that_cannot_be_costs_no_evaluation(
    tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = write_pairs(tmp_path / "set"), tmp_path / "out"
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    assert main([*arguments, "--out", str(out), "--submission", str(tmp_path / "submission")]) == 2
    assert "pairs is not submitted" in capsys.readouterr().err
    assert read_evaluation(out / "evaluation.json").images > 1
    assert (out / "report.html").is_file()


def test_what_cannot_be_written_costs_nothing_else(
    tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = write_pairs(tmp_path / "set"), tmp_path / "out"
    (out / "report.html").mkdir(parents=True)
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    assert main([*arguments, "--out", str(out), "--json", str(root / "images/picture_0.png/copy.json")]) == 2
    told = capsys.readouterr()
    assert "Scores, percent" in told.out
    assert f"not written: {root}/images/picture_0.png/copy.json" in told.err
    assert f"{out}/report.html (Is a directory)" in told.err
    assert read_evaluation(out / "evaluation.json").images > 1
    assert (out / "scores.csv").is_file()


def test_a_set_of_which_nothing_can_be_used_is_status_1_and_says_why(
    tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_pairs(tmp_path / "set", 1)
    (root / "images" / "picture_0.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    arguments = ["evaluate", "--dataset", "pairs", "--root", str(root), "--bundle", str(bundle.path)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "picture_0" in capsys.readouterr().out
    assert read_evaluation(tmp_path / "out" / "evaluation.json").images == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--anomaly-ids", "1,x"],
        ["--void-ids", "256"],
        ["--scores", "a,,b"],
        ["--class-ids", "0:Road"],
        ["--jobs", "-1"],
        ["--own-width", "0"],
        ["--threshold", "nan"],
        ["--threshold", "-inf"],
    ],
)
def test_values_that_are_none_are_refused_before_anything_runs(arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "--dataset", "pairs", "--root", ".", *arguments])
    assert end.value.code == 2


def test_the_sets_are_listed_with_their_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--dataset", "list"]) == 0
    text = capsys.readouterr().out
    assert "fishyscapes-laf: " in text
    assert "labels_masks/" in text
