"""Figures of many drives from hand-made findings, and the scenarios at their smallest."""

from pathlib import Path

import pytest
import yaml

from hybrid_seg_ros.assessment.contact_error import ContactError
from hybrid_seg_ros.assessment.drive_judge import DriveFindings, FoundObstacle
from hybrid_seg_ros.benchmark import obstacles, planner_outputs
from hybrid_seg_ros.benchmark.obstacle_figures import (
    alarm_figures,
    detection_figures,
    poisson_interval,
    position_figures,
)
from hybrid_seg_ros.benchmark.obstacle_settings import QUIET, choices
from hybrid_seg_ros.benchmark.scenario import Context
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.evaluation.tracking import ObjectTracking, TrackingReport
from hybrid_seg_ros.ros.settings_obstacles import ObstacleSettings


def findings(*found: FoundObstacle, false_tracks: int = 0, seconds: float = 60.0) -> DriveFindings:
    objects = (ObjectTracking(1, 9, 9, 7, 1, 2, 1, 1),)
    return DriveFindings(found, TrackingReport(objects, seconds, 900, 5, false_tracks, 9), (), ())


def obstacle(confirmed_m: float | None, *, on_road: bool = True, size: float = 0.5, ahead: int = 9) -> FoundObstacle:
    return FoundObstacle("box", size, on_road, ahead, confirmed_m, confirmed_m, 10, 5)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)])
def test_poisson_intervals_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3, abs=1e-9)


def test_alarms_are_counted_per_ten_minutes() -> None:
    figures = alarm_figures([findings(false_tracks=1, seconds=120.0), findings(false_tracks=2, seconds=180.0)])
    assert (figures["false_alarms"], figures["minutes"], figures["per_10_minutes"]) == (3, 5.0, 6.0)
    assert figures["share_of_frames_with_false"] == pytest.approx(18 / 1800)
    low, high = figures["per_10_minutes_95"]
    assert low == pytest.approx(2 * 0.6187, rel=1e-3)
    assert high == pytest.approx(2 * 8.767, rel=1e-3)


def test_only_obstacles_that_had_to_be_found_count() -> None:
    figures = detection_figures(
        [
            findings(obstacle(30.0), obstacle(24.9), obstacle(None)),
            findings(obstacle(25.0), obstacle(None, on_road=False), obstacle(None, size=0.2), obstacle(None, ahead=2)),
        ]
    )
    assert (figures["obstacles"], figures["confirmed_before_25_m"], figures["share"]) == (4, 2, 0.5)
    assert (figures["never_confirmed"], figures["late_kinds"]) == (1, {"box": 2})
    assert figures["share_of_frames_confirmed_nearer"] == 0.5
    assert (figures["id_switches"], figures["fragmentations"], figures["longest_wait_frames"]) == (2, 4, 1)
    assert detection_figures([findings()])["share"] is None


def test_positions_are_shares_of_the_distance_in_bins() -> None:
    errors = [
        ContactError("box", 10.0, 0.1, 0.2),
        ContactError("box", 12.0, 0.6, 0.2),
        ContactError("box", 39.0, 3.9, 2),
    ]
    figures = position_figures(errors)
    assert (figures["points"], figures["median"]) == (3, pytest.approx(0.05))
    assert figures["within_2_sigma"] == pytest.approx(2 / 3)
    by_low = {item["from_m"]: item for item in figures["bins"]}
    assert by_low[10.0]["points"] == 2
    assert by_low[10.0]["median"] == pytest.approx(0.03)
    assert by_low[35.0]["median"] == pytest.approx(0.1)
    assert (by_low[20.0]["points"], by_low[20.0]["median"]) == (0, None)


@pytest.mark.parametrize("planner", ["nav2", "autoware"])
def test_the_first_choice_is_what_planners_are_given(planner: str) -> None:
    file = Path(__file__).resolve().parents[2] / "config" / f"{planner}.yaml"
    given = yaml.safe_load(file.read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    settings, found = ObstacleSettings(), choices()
    assert next(iter(found)) == QUIET
    assert found[QUIET].threshold == given["threshold"]
    options = found[QUIET].options
    filter_ = options.filter
    assert (filter_.confirm_hits, filter_.confirm_window) == (given["filter_hits"], given["filter_window"])
    assert filter_.hysteresis == given["filter_hysteresis"]
    assert options.extract.min_area_m2 == given["obstacle_min_area_m2"]
    assert options.filter.drop_after == settings.filter_drop_after
    assert options.extract.max_distance_m == settings.obstacle_max_distance_m
    assert options.gate.drivable_margin == settings.gate_drivable_margin


def test_the_scenarios_measure_at_their_smallest(tmp_path: Path, tiny_bundle: Bundle) -> None:
    context = Context(tiny_bundle, tmp_path, effort=0.001, progress=False)
    alarms = obstacles.measure_alarms(context)
    assert set(alarms.values["clean"]) == set(choices())
    assert alarms.values["clean"][QUIET]["minutes"] == pytest.approx(9 / 15 / 60)
    assert alarms.values["drives"][0]["weather"] == "overcast"
    positions = obstacles.measure_positions(context)
    assert positions.values["1280x720"]["one at a time"]["median"] <= 0.02
    outputs = planner_outputs.measure(context)
    assert outputs.values["ms"]["sparse"]["p50"] > 0.0
    assert outputs.values["components"][1] >= outputs.values["obstacles_at_most"] > 0
