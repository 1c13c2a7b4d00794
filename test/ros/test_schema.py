"""The schema refuses what the node cannot use, and says what was given and what is allowed."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from hybrid_seg_ros.ros.parameter_spec import ParameterError
from hybrid_seg_ros.ros.schema import SCHEMA, Settings, check_overrides
from hybrid_seg_ros.ros.schema_files import generated_files, main, render_markdown, render_yaml


def test_files_in_the_repository_are_what_the_schema_makes() -> None:
    for path, text in generated_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run make generate"


def test_yaml_gives_every_parameter_its_default() -> None:
    given = yaml.safe_load(render_yaml())["/**"]["ros__parameters"]
    assert list(given) == list(SCHEMA)
    values, problems = check_overrides(given)
    assert not problems
    for name, spec in SCHEMA.items():
        default = spec.default
        value = getattr(values, name)
        assert value == default or (isinstance(default, float) and math.isnan(default)), name
        assert type(value) is spec.type


def test_every_parameter_is_described_in_both_files() -> None:
    for name, spec in SCHEMA.items():
        assert f"| `{name}` |" in render_markdown()
        assert f"    {name}: " in render_yaml()
        assert spec.description.endswith(".")


def test_defaults_are_allowed_and_agree_with_each_other() -> None:
    assert Settings().problems() == []
    for spec in SCHEMA.values():
        spec.check(spec.default)
        assert spec.default in spec.choices or not spec.choices


def test_check_finds_a_file_that_is_not_current(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert "--write" in capsys.readouterr().out
    assert main(["--write", "--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0
    (tmp_path / "config" / "detector.yaml").write_text("threshold: 1\n", encoding="utf-8")
    assert main(["--check", "--root", str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("backend", "cuda", ["'backend'", "'cuda'", "auto, onnxruntime, tensorrt, fake"]),
        ("backend", "onxruntime", ["did you mean 'onnxruntime'?"]),
        ("input_depth", 0, ["0", "integer in [1, 100]"]),
        ("input_depth", 1.5, ["1.5", "float", "integer"]),
        ("input_depth", True, ["True", "bool"]),
        ("stale_after_s", -1.0, ["-1.0", "[0.01, 3600]"]),
        ("stale_after_s", math.nan, ["nan", "[0.01, 3600]"]),
        ("stale_after_s", "1.0", ["'1.0'", "str", "double"]),
        ("bundle", 2024, ["2024", "int", "string"]),
        ("cameras", "front", ["'front'", "string array"]),
        ("cameras", [1, 2], ["[1, 2]", "string array"]),
        ("bundel", "x", ["'bundel'", "unknown", "did you mean 'bundle'?"]),
        ("zzz", "x", ["'zzz'", "unknown", "known are bundle"]),
    ],
)
def test_problems_say_what_was_given_and_what_is_allowed(name: str, value: object, parts: list[str]) -> None:
    values, problems = check_overrides({name: value})
    assert list(problems) == [name]
    for part in parts:
        assert part in problems[name]
    if name in SCHEMA:
        assert getattr(values, name) == SCHEMA[name].default


def test_an_integer_serves_as_a_double() -> None:
    values, problems = check_overrides({"threshold": 3})
    assert not problems
    assert values.threshold == 3.0
    assert isinstance(values.threshold, float)


def test_parameters_of_rclpy_and_empty_lists_are_left_alone() -> None:
    foreign = {"use_sim_time": True, "qos_overrides./parameter_events.publisher.depth": 1, "cameras": None}
    assert check_overrides(foreign)[1] == {}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"input_width": 640}, "both set or both 0"),
        ({"score_mono16_min": 1.0, "score_mono16_max": 1.0}, "min < max"),
        ({"threshold": math.inf}, "finite"),
        ({"cameras": ("front", "front")}, "every name once"),
        ({"cameras": ("", "left")}, "begin with a letter"),
        ({"cameras": ("a/b",)}, "begin with a letter"),
        ({"pose_source": "horizon"}, "camera's height"),
        ({"pose_fallback": True}, "camera's height"),
        ({"filter_hits": 4, "filter_window": 3}, "hits <= window"),
        ({"gate_region": "0.1,0.2 0.3"}, "corners 'x,y x,y x,y'"),
        ({"gate_hood": "0,0 1,0"}, "at least three"),
        ({"gate_hood": "0,0 1,0 2,1"}, "shares of its width"),
        ({"gate_region": "0.5,0.5 0.5,0.5 0.5,0.5"}, "on one line"),
        ({"gate_hood_image": "/nowhere/hood.png"}, "is not there"),
        ({"gate_hood_image": __file__}, "no image"),
        ({"gate_hood": "0,0 1,0 1,1 0,1"}, "gate_hood leaves 0.0% of the image for obstacles, expected the polygon of"),
        ({"gate_hood": "0,0.03 1,0.03 1,1 0,1"}, "gate_hood leaves 2.9% of the image"),
        ({"gate_region": "0.5,0.5 0.55,0.5 0.55,0.52"}, "gate_region holds 0.06% of the image, expected at least 0.5%"),
        # crosses itself: of its hull, which is the whole image, two slivers count
        ({"gate_region": "0,0 1,1 1,0.996 0,0.004"}, "gate_region holds 0.3"),
        (
            {"gate_region": "0,0.9 1,0.9 1,1 0,1", "gate_hood": "0,0.9 1,0.9 1,1 0,1"},
            "together leave 0.00% of the image",
        ),
        ({"cloud_z_min": 1.0}, "cloud_z_min < cloud_z_max"),
        ({"scan_angle_min": -4.0, "scan_angle_max": 4.0}, "more than a turn"),
        ({"grid_resolution": 0.01, "grid_length_m": 500.0, "grid_width_m": 500.0}, "50000 x 50000 cells"),
        ({"planner_lease_s": 0.05}, "outlasts the beats"),
        ({"reactions": ("image.dark=panic",)}, "panic"),
    ],
)
def test_problems_between_parameters(changes: dict[str, Any], part: str) -> None:
    problems = dataclasses.replace(Settings(), **changes).problems()
    assert len(problems) == 1
    assert part in problems[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"gate_hood": "0,0.4 1,0.4 1,1 0,1"},
        {"gate_hood": "0,0 1,1 1,0 0,1"},
        {"gate_region": "0.45,0.45 0.55,0.45 0.55,0.55 0.45,0.55"},
        {"gate_region": "0,0.5 1,0.5 1,1 0,1", "gate_hood": "0,0.85 1,0.85 1,1 0,1"},
    ],
)
def test_gates_of_real_cars_and_far_lanes_are_allowed(changes: dict[str, Any]) -> None:
    assert dataclasses.replace(Settings(), **changes).problems() == []


def test_a_hood_image_the_wrong_way_round_is_refused_also_for_one_camera(tmp_path: Path) -> None:
    """Nothing would ever be reported, and all would seem clear."""
    hood = np.zeros((30, 40), np.uint8)
    hood[29:] = 255
    for name, picture in (("right", hood), ("wrong", 255 - hood)):
        assert cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    right, wrong = str(tmp_path / "right.png"), str(tmp_path / "wrong.png")
    two = {"cameras": ["front", "left"], "gate_hood_image": right}
    settings, problems = check_overrides(two)
    assert not problems
    assert settings.problems() == []
    settings, problems = check_overrides({**two, "left.gate_hood_image": wrong})
    assert not problems
    (found,) = settings.problems()
    assert found.startswith(
        "camera left: gate_hood_image leaves 3.3% of the image for obstacles, expected an image that is"
    )


def test_threshold_goes_before_operating_point() -> None:
    assert Settings().threshold_choice is None
    assert Settings(operating_point="tpr95").threshold_choice == "tpr95"
    assert Settings(operating_point="tpr95", threshold=2.0).threshold_choice == 2.0


def test_check_raises_for_a_bad_value() -> None:
    with pytest.raises(ParameterError, match="score_encoding"):
        SCHEMA["score_encoding"].check("mono8")


def test_a_camera_may_have_values_of_its_own() -> None:
    settings, problems = check_overrides({"cameras": ["front", "left"], "threshold": 1.0, "left.threshold": 2})
    assert not problems
    assert (settings.of("front").threshold, settings.of("left").threshold) == (1.0, 2.0)
    changed = settings.changed({"left.threshold": 3.0, "threshold": 0.5})
    assert (changed.of("front").threshold, changed.of("left").threshold) == (0.5, 3.0)


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("left.threshold", "x", ["'left.threshold'", "'x'", "double"]),
        ("left.bundle", "x", ["all cameras share 'bundle'", "threshold"]),
        ("rear.threshold", 1.0, ["cameras has front, left", "'rear'"]),
        ("left.thresold", 1.0, ["unknown"]),
    ],
)
def test_a_wrong_value_of_one_camera_is_refused(name: str, value: object, parts: list[str]) -> None:
    settings, problems = check_overrides({"cameras": ["front", "left"], name: value})
    assert list(problems) == [name]
    assert all(part in problems[name] for part in parts)
    assert not settings.own.get("left")


def test_problems_name_the_camera_that_has_them() -> None:
    settings, _ = check_overrides({"cameras": ["front", "left"], "left.threshold": math.inf})
    assert settings.problems() == ["camera left: threshold is inf, expected a finite number or .nan"]


def test_what_each_camera_has_of_its_own_need_not_be_said_for_all() -> None:
    given = {"cameras": ["front", "left"], "pose_source": "horizon", "front.camera_z": 1.4}
    settings, _ = check_overrides({**given, "left.camera_z": 1.0})
    assert settings.problems() == []
    settings, _ = check_overrides(given)
    (problem,) = settings.problems()
    assert problem.startswith("camera left: pose_source is 'horizon' and camera_z is 0")
    settings, _ = check_overrides({"cameras": ["front", "left"], "pose_source": "horizon"})
    (problem,) = settings.problems()
    assert problem.startswith("pose_source is 'horizon'"), "once, and not for each camera"
