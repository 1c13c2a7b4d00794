"""From mask to obstacles: what counts, what is measured of it, what became of every pixel; and a generated drive."""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstacles.silhouettes import CAMERA, Mask, animal, ground, project, silhouette

from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract, paint
from hybrid_seg_ros.obstacles.gate import REASONS, Gate, GateOptions
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.scenes.classes import CLASS_NAMES, ROAD
from hybrid_seg_ros.scenes.drive import Drive
from hybrid_seg_ros.scenes.truth import ObstacleTruth

DRIVABLE = np.array([name == "Road" for name in CLASS_NAMES])
SIZE = (CAMERA.width, CAMERA.height)


def obstacles_of(mask: Mask, **given_: Any) -> Obstacles:
    """Without gates, scores, labels and metres, unless told otherwise; `ExtractOptions` by their names."""
    inputs = {"score": None, "labels": None, "gate": None, "drivable": None, "ground": None, "reasons": None}
    inputs |= {name: given_.pop(name) for name in tuple(given_) if name in inputs}
    score, labels = inputs.pop("score"), inputs.pop("labels")
    return extract(mask, score, labels, options=ExtractOptions(**given_), stamp_ns=7, **inputs)


def blank() -> Mask:
    return np.zeros((CAMERA.height, CAMERA.width), np.uint8)


def flat_road() -> Mask:
    """Road in the middle third of the lower half, building elsewhere."""
    labels = np.ones_like(blank())
    labels[270:, 320:640] = ROAD
    return labels


def test_what_is_said_of_an_obstacle() -> None:
    mask, score, labels = blank(), np.full((CAMERA.height, CAMERA.width), -9.0, np.float32), flat_road()
    mask[300:320, 400:430] = 255
    mask[320:330, 400:405] = 255
    mask[290:295, 500:510] = 255
    score[mask > 0] = 1.0
    score[305, 417] = 4.0
    found = obstacles_of(mask, score=score, labels=labels)
    second, first = found.obstacles[1], found.obstacles[0]
    assert (found.stamp_ns, found.size, len(found.obstacles)) == (7, SIZE, 2)
    assert first.bbox == (500, 290, 510, 295)
    assert second.bbox == (400, 300, 430, 330)
    assert second.pixels == 650
    assert second.score_max == 4.0
    assert second.score_mean == pytest.approx((649 + 4.0) / 650)
    assert second.label == ROAD
    assert (second.id, second.age, second.confirmed) == (0, 0, False)
    assert all(map(math.isnan, (second.distance_m, second.width_m, second.height_m, *second.position)))
    mine = found.contacts.obstacle == 1
    assert found.contacts.column[mine].tolist() == list(range(400, 430))
    assert found.contacts.row[mine].tolist() == [329.5] * 5 + [319.5] * 25
    assert found.contacts.score[mine].tolist() == [1.0] * 17 + [4.0] + [1.0] * 12
    assert found.removed == {"too_small": 0}


def test_without_scores_and_labels_they_are_not_known() -> None:
    mask = blank()
    mask[300:320, 400:430] = 255
    found = obstacles_of(mask)
    assert math.isnan(found.obstacles[0].score_max)
    assert math.isnan(found.obstacles[0].score_mean)
    assert found.obstacles[0].label == -1
    assert np.isnan(found.contacts.score).all()


def test_a_clear_mask_has_no_obstacles() -> None:
    gate = Gate(GateOptions(), SIZE, ground().horizon_rows())
    found = obstacles_of(
        blank(), score=blank().astype(np.float32), labels=flat_road(), gate=gate, drivable=DRIVABLE, ground=ground()
    )
    assert found.obstacles == ()
    assert found.contacts.column.size == found.runs.row.size == 0
    assert found.contacts.xy.shape == found.contacts.sigma.shape == (0, 2)
    assert found.removed == {"horizon": 0, "drivable": 0, "too_small": 0}


def test_an_obstacle_counts_where_it_stands_however_high_and_wide_it_is() -> None:
    gate = Gate(GateOptions(), SIZE, ground().horizon_rows())
    mask = blank()
    mask[100:420, 600:700] = 255  # from the road far above the horizon, and over the road's edge
    mask[300:340, 100:140] = 255  # on the pavement
    mask[20:60, 450:500] = 255  # in the sky
    labels = flat_road()
    labels[mask > 0] = 1  # its own pixels look like a building
    labels[300:305, 350:355] = 1
    mask[295:310, 345:360] = 255  # inside the road
    found = obstacles_of(mask, labels=labels, gate=gate, drivable=DRIVABLE, ground=ground())
    assert [o.bbox for o in found.obstacles] == [(600, 100, 700, 420), (345, 295, 360, 310)]
    assert found.removed == {"horizon": 50 * 40, "drivable": 40 * 40, "too_small": 0}
    # Contacts only above drivable ground, to within the margin of 1 % of the width.
    tall = found.contacts.column[found.contacts.obstacle == 0]
    assert tall.min() == 600
    assert 640 <= tall.max() <= 640 + 0.01 * CAMERA.width + 2 * (CAMERA.width // 256)


def test_without_labels_or_a_table_the_drivable_gate_is_off() -> None:
    gate = Gate(GateOptions(), SIZE)
    mask = blank()
    mask[300:340, 100:140] = 255
    for inputs in ({"labels": flat_road()}, {"drivable": DRIVABLE}):
        found = obstacles_of(mask, gate=gate, **inputs)
        assert len(found.obstacles) == 1
        assert "drivable" not in found.removed


def test_sizes_in_metres_are_those_of_the_thing() -> None:
    found = obstacles_of(silhouette([((12.0, 12.3), (-1.0, 0.5), (0.0, 0.8))]), ground=ground())
    (seen,) = found.obstacles
    assert seen.width_m == pytest.approx(1.5, rel=0.05)
    assert seen.height_m == pytest.approx(0.8, rel=0.05)
    assert seen.distance_m == pytest.approx(12.0, rel=0.02)
    assert seen.position == pytest.approx((12.0, -0.25), abs=0.15)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"min_width_m": 1.6}, "too_small"),
        ({"min_height_m": 0.9}, "too_small"),
        ({"min_area_m2": 1.4}, "too_small"),
        ({"min_pixels": 10_000}, "too_small"),
        ({"max_distance_m": 11.0}, "too_far"),
        ({"min_width_m": 1.4, "min_height_m": 0.7, "min_area_m2": 1.0, "max_distance_m": 13.0}, None),
    ],
)
def test_what_is_too_small_or_too_far_is_removed(options: dict[str, float], reason: str | None) -> None:
    mask = silhouette([((12.0, 12.3), (-1.0, 0.5), (0.0, 0.8))])
    found = obstacles_of(mask, ground=ground(), **options)
    assert len(found.obstacles) == (reason is None)
    assert found.removed.get(reason or "too_small") == (np.count_nonzero(mask) if reason else 0)
    if "min_pixels" not in options:
        assert len(obstacles_of(mask, **options).obstacles) == 1  # metres that nobody knows remove nothing


def test_of_too_many_the_largest_stay_in_their_order() -> None:
    mask = blank()
    for k, side in enumerate((5, 9, 6, 12)):
        mask[100 : 100 + side, 100 * k : 100 * k + side] = 255
    found = obstacles_of(mask, max_obstacles=2)
    assert [o.pixels for o in found.obstacles] == [81, 144]
    assert found.removed == {"too_small": 0, "too_many": 25 + 36}


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_every_pixel_is_an_obstacles_or_has_a_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = blank()
    for _ in range(40):
        centre = (int(rng.integers(CAMERA.width)), int(rng.integers(CAMERA.height)))
        cv2.ellipse(mask, centre, (int(rng.integers(1, 40)), int(rng.integers(1, 30))), 0, 0, 360, 255, -1)
    mask[rng.random(mask.shape) < 0.02] ^= 255
    region, hood = ((0.1, 0.0), (1.0, 0.0), (1.0, 1.0), (0.1, 1.0)), ((0.2, 1.0), (0.5, 0.85), (0.8, 1.0))
    gate = Gate(GateOptions(region=region, hood=hood), SIZE, ground().horizon_rows())
    reasons = blank()
    found = obstacles_of(
        mask, labels=flat_road(), gate=gate, drivable=DRIVABLE, ground=ground(), reasons=reasons, min_width_m=0.3,
        max_distance_m=30.0, max_obstacles=5,
    )  # fmt: skip
    kept = paint(found)
    assert np.array_equal(kept > 0, (mask > 0) & (reasons == 0))
    assert not reasons[mask == 0].any()
    assert sum(o.pixels for o in found.obstacles) == np.count_nonzero(kept)
    assert set(found.removed) - {"too_many", "too_far"} == {"horizon", "region", "hood", "drivable", "too_small"}
    assert {name: np.count_nonzero(reasons == REASONS[name]) for name in found.removed} == found.removed
    for index, obstacle in enumerate(found.obstacles):
        alone = paint(found, keep=[index])
        x0, y0, x1, y1 = obstacle.bbox
        assert np.count_nonzero(alone) == np.count_nonzero(alone[y0:y1, x0:x1]) == obstacle.pixels
    assert not paint(found, keep=()).any()


def test_arrays_of_another_size_are_refused() -> None:
    small = np.zeros((4, 8), np.uint8)
    with pytest.raises(ValueError, match=r"labels has shape \[4, 8\], expected the mask's, \[540, 960\]"):
        obstacles_of(blank(), labels=small)
    with pytest.raises(ValueError, match=r"the gate is for 8x4 px, found a mask of 960x540 px"):
        obstacles_of(blank(), gate=Gate(GateOptions(), (8, 4)))
    with pytest.raises(IndexError):
        paint(obstacles_of(blank()), keep=[0])


@pytest.mark.parametrize("name", ["min_pixels", "max_obstacles", "max_distance_m"])
def test_limits_that_let_nothing_through_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0, expected"):
        ExtractOptions(**{name: 0})


@pytest.mark.parametrize("name", ["min_width_m", "min_height_m", "min_area_m2", "clearance_m", "pixel_sigma"])
def test_negative_sizes_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is -1.0, expected >= 0"):
        ExtractOptions(**{name: -1.0})


def test_noise_all_over_the_image_stays_bounded() -> None:
    noise = (np.random.default_rng(1).random((CAMERA.height, CAMERA.width)) < 0.3).astype(np.uint8) * 255
    found = obstacles_of(noise, ground=ground(), min_pixels=2)
    assert len(found.obstacles) == 256
    assert found.removed["too_many"] + found.removed["too_small"] == np.count_nonzero(noise) - sum(
        o.pixels for o in found.obstacles
    )


def test_an_animal_cut_from_noise_is_where_it_stands() -> None:
    mask = silhouette(animal(10.0, -0.6))
    ragged = mask.copy()
    edge = cv2.dilate(mask, np.ones((3, 3), np.uint8)) != cv2.erode(mask, np.ones((3, 3), np.uint8))
    ragged[edge & (np.random.default_rng(2).random(mask.shape) < 0.5)] ^= 255
    found = obstacles_of(ragged, ground=ground())
    assert max(found.obstacles, key=lambda o: o.pixels).distance_m == pytest.approx(10.0, rel=0.03)


@pytest.fixture(scope="module")
def sightings() -> list[tuple[ObstacleTruth, float, float]]:
    """Unknown obstacles of a drive, wholly in sight: truth, measured distance and farthest contact, m."""
    found = []
    for seed in (1, 2):
        drive = Drive(seed=seed, size=(640, 360), n_frames=60, obstacle_gap=12.0)
        for index in (0, 30):
            scene, view = drive[index], drive.view(index)
            ahead = view.rotation[2, :2] / np.hypot(*view.rotation[2, :2])
            level = np.array([[ahead[0], ahead[1], 0.0], [-ahead[1], ahead[0], 0.0], [0.0, 0.0, 1.0]])
            pose = CameraPose.from_rotation(level @ view.rotation.T, np.array([0.0, 0.0, view.position[2]]))
            plane = GroundProjection(drive.camera, pose)
            for truth in scene.obstacles:
                mask = (scene.instances == truth.id).astype(np.uint8) * 255
                u, v = truth.contact_pixel
                shown = 0 <= u < 639 and 0 <= v < 359 and mask[max(int(v) - 6, 0) : int(v) + 3].any()
                if not truth.known and shown and 5.0 <= truth.distance <= 40.0 and truth.visible_pixels > 60:
                    seen = obstacles_of(mask, ground=plane)
                    away = np.hypot(seen.contacts.xy[:, 0], seen.contacts.xy[:, 1])
                    found.append((truth, min(o.distance_m for o in seen.obstacles), float(np.nanmax(away))))
    return found


def test_distances_on_a_generated_drive(sightings: list[tuple[ObstacleTruth, float, float]]) -> None:
    errors: npt.NDArray[np.float64] = np.array([abs(d - truth.distance) / truth.distance for truth, d, _ in sightings])
    assert errors.size >= 8
    assert np.median(errors) <= 0.02
    assert np.percentile(errors, 90) <= 0.05


def test_no_contact_lies_far_behind_its_obstacle(sightings: list[tuple[ObstacleTruth, float, float]]) -> None:
    for truth, _, farthest in sightings:
        depth = float(np.hypot(*truth.extent[:2]))
        row = truth.distance**2 / (1.35 * 530.0)  # what a pixel's row is worth there, m
        assert farthest <= truth.distance + depth + 4.0 * row, truth.kind


def test_the_image_of_a_contact_is_its_pixel() -> None:
    found = obstacles_of(silhouette([((9.0, 10.0), (-0.5, 0.5), (0.0, 1.0))]), ground=ground())
    c = found.contacts
    pixels = project(np.column_stack([c.xy, np.zeros(c.column.size)]).astype(np.float64))
    assert np.allclose(pixels, np.column_stack([c.column, c.row]), atol=0.01)
