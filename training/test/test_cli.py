from pathlib import Path

import pytest
from tiny import make_data, recipe

from hybrid_seg_train.cli import main
from hybrid_seg_train.estimate import in_words
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.run import read_calibration, read_evaluation
from hybrid_seg_train.train import train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    text = recipe(1).model_dump_json()  # JSON is YAML
    path.write_text(text)
    return str(path)


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_from_a_closed_set_network_to_measured_open_set_ones(
    data: Path, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed, opened = tmp_path / "closed", tmp_path / "open"
    places = ("--config", config, "--data", data, "--workers", 0)
    assert run("closed-set", *places, "--run", closed) == 0
    assert run("evaluate", "--run", closed, "--data", data) == 0
    assert run("hybrid", *places, "--run", opened, "--set", f"start={closed}") == 0
    assert run("evaluate", "--run", opened, "--data", data) == 0
    before, after = read_evaluation(closed), read_evaluation(opened)
    assert set(before["anomaly"]["set"]) == {"msp", "max_logit", "entropy", "energy"}
    assert {"posterior", "hybrid"} <= set(after["anomaly"]["set"])
    assert after["closed_set_before"] == before["closed_set"]
    assert set(after["anomaly"]) == {"set", "camvid_test_pasted"}
    assert after["components"]["set"]["track"] == "anomaly"
    assert (after["mode"], after["iterations"]) == ("hybrid", 1)
    capsys.readouterr()
    assert run("calibrate", "--run", closed, "--data", data) == 1
    assert "make it one with: hybrid-seg-train hybrid --config RECIPE --set start=RUN" in capsys.readouterr().err


def test_a_flow_and_a_training_with_its_samples(data: Path, config: str, tmp_path: Path) -> None:
    flow = "flow={model: tiny, iterations: 2, batch: 2, crop: 16, picture_every: 1}"
    places = ("--config", config, "--data", data, "--workers", 0)
    assert run("flow", *places, "--run", tmp_path / "flow", "--set", flow) == 0
    assert len(list((tmp_path / "flow" / "samples").glob("*.png"))) == 2
    sets = ("--set", "negatives.sets=[]", "--set", "negatives.known_share=0")
    drawn = ("--set", f"negatives.flow={{start: {tmp_path / 'flow'}, sizes: [16, 32]}}")
    assert run("hybrid", *places, "--run", tmp_path / "open", *sets, *drawn) == 0
    assert (tmp_path / "open" / "last.ckpt").is_file()


@pytest.mark.parametrize("command", ["closed-set", "hybrid", "flow"])
def test_a_dry_run_checks_times_and_keeps_nothing(
    command: str, data: Path, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = "flow={model: tiny, iterations: 1000, batch: 2, crop: 16}"
    words = ("--config", config, "--data", data, "--set", flow, "--set", "schedule.iterations=1000")
    assert run(command, *words, "--run", tmp_path / "run", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "camvid train: 3 images of 128x96; 3 of them decoded and found as expected" in said
    assert "1000 iterations, 0 of them done" in said
    assert "to go" in said
    assert not (tmp_path / "run").exists()


def test_dry_runs_of_measurements_say_what_and_how_long(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(recipe(1), "hybrid", data, tmp_path, Effort(workers=0, progress=False))
    assert run("evaluate", "--run", tmp_path, "--data", data, "--dry-run") == 0
    assert run("calibrate", "--run", tmp_path, "--data", data, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "set: 1 images at 128x96" in said
    assert "calibration: 3 images at 128x96" in said
    assert said.count("in all") == 2
    assert not (tmp_path / "evaluation.json").exists()
    assert run("calibrate", "--run", tmp_path, "--data", data) == 0
    assert run("evaluate", "--run", tmp_path, "--data", data) == 0
    right = any(read_calibration(tmp_path).statistics.pixels)  # type: ignore[union-attr]
    assert ("mahalanobis" in read_evaluation(tmp_path)["anomaly"]["set"]) == right
    assert run("export", "--run", tmp_path, "--out", tmp_path / "b", "--interim", "--dry-run") == 0
    assert "would write" in capsys.readouterr().out
    assert not (tmp_path / "b").exists()
    bare = ("--set", "export.card=null")
    assert run("export", "--run", tmp_path, "--out", tmp_path / "b", "--interim", *bare) == 1
    assert "has no export.card" in capsys.readouterr().err


def test_a_missing_set_is_named_before_anything_is_trained(
    data: Path, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ("--set", "sources=[{reader: camvid, path: nowhere}]")
    assert run("closed-set", "--config", config, "--data", data, "--run", tmp_path / "r", *wrong) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"), [(12, "12 s"), (89, "89 s"), (600, "10 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")]
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
