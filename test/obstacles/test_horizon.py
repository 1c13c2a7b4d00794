import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.horizon import HorizonEstimate, HorizonEstimator
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.scenes.classes import ROAD, SKY
from hybrid_seg_ros.scenes.drive import Drive

PLAIN = CameraModel(320, 180, 266.0, 266.0, 159.5, 89.5)
BENT = CameraModel(320, 180, 220.0, 222.0, 158.0, 91.0, (-0.25, 0.06, 0.001, -0.001, 0.0))


def road(camera: CameraModel, pose: CameraPose, half_width: float, bend: float = 0.0, slope: float = 0.0) -> np.ndarray:
    """Labels of a road whose centre line is y = slope x + bend x^2, every pixel through the plane."""
    v, u = np.mgrid[: camera.height, : camera.width]
    xy, valid = GroundProjection(camera, pose).to_ground(u.ravel(), v.ravel())
    across = (xy[:, 1] - slope * xy[:, 0] - bend * xy[:, 0] ** 2) * math.cos(math.atan(slope))
    on = valid & (np.abs(across) <= half_width)
    return np.where(on, ROAD, SKY).astype(np.uint8).reshape(v.shape)


def estimate(camera: CameraModel, pose: CameraPose, labels: np.ndarray, frames: int = 5) -> HorizonEstimate | None:
    estimator = HorizonEstimator(camera, pose.z, roll=pose.roll, min_frames=frames)
    for _ in range(frames - 1):
        assert estimator.update(labels, (ROAD,)) is None
    return estimator.update(labels, (ROAD,))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([PLAIN, BENT]), st.floats(-0.04, 0.2), st.floats(-0.05, 0.05), st.floats(1.0, 2.0),
    st.floats(2.0, 3.5), st.floats(-1.0, 1.0), st.floats(-0.1, 0.1),
)  # fmt: skip
def test_a_straight_road_tells_the_pitch(
    camera: CameraModel, pitch: float, roll: float, height: float, half_width: float, aside: float, slope: float
) -> None:
    pose = CameraPose(0.0, aside, height, roll, pitch)
    got = estimate(camera, pose, road(camera, pose, half_width, slope=slope))
    assert got is not None
    assert got.frames == 5
    assert got.roll == roll
    assert abs(got.pitch - pitch) < math.radians(0.15)
    assert abs(got.pitch - pitch) < 3 * got.sigma_pitch


@pytest.mark.parametrize("bend", [0.001, 0.003, -0.004])
def test_a_bent_road_tells_it_too(bend: float) -> None:
    pose = CameraPose(0.0, 0.3, 1.35, 0.0, 0.06)
    got = estimate(PLAIN, pose, road(PLAIN, pose, 3.4, bend))
    assert got is not None
    assert abs(got.pitch - 0.06) < min(3 * got.sigma_pitch, math.radians(0.3))


def test_what_hides_an_edge_in_some_rows_changes_little() -> None:
    pose = CameraPose(0.0, 0.0, 1.35, 0.0, 0.05)
    labels = road(PLAIN, pose, 3.0)
    hidden = labels.copy()
    hidden[92:100, 165:] = SKY  # a car on the right, from 20 to 40 m
    hidden[110:130, 150:170] = SKY  # a box in the middle
    whole, part = estimate(PLAIN, pose, labels), estimate(PLAIN, pose, hidden)
    assert whole is not None
    assert part is not None
    assert abs(part.pitch - whole.pitch) < math.radians(0.15)


def _half(labels: np.ndarray) -> np.ndarray:
    """Only one edge in view."""
    v, u = np.nonzero(labels == ROAD)
    result = np.full_like(labels, SKY)
    result[v, np.minimum(u + 120, 319)] = ROAD
    return result


def _parallel() -> np.ndarray:
    labels = np.full((180, 320), SKY, np.uint8)
    labels[90:, 100:220] = ROAD
    return labels


def _widening() -> np.ndarray:
    return road(PLAIN, CameraPose(0, 0, 1.35, 0, 0.05), 3.0)[::-1]


@pytest.mark.parametrize(
    "labels",
    [
        np.full((180, 320), SKY, np.uint8),
        np.full((180, 320), ROAD, np.uint8),
        _parallel(),
        _widening(),
        np.random.default_rng(0).integers(0, 11, (180, 320), np.uint8),
        _half(road(PLAIN, CameraPose(0, 0, 1.35, 0, 0.05), 12.0)),
        road(PLAIN, CameraPose(0, 0, 1.35, 0, 0.05), 0.7),  # a footpath
    ],
    ids=["no road", "all road", "no perspective", "upside down", "noise", "one edge", "too narrow"],
)
def test_what_is_no_road_tells_nothing(labels: np.ndarray) -> None:
    estimator = HorizonEstimator(PLAIN, 1.35)
    assert all(estimator.update(labels, (ROAD,)) is None for _ in range(8))


def test_it_stops_knowing_when_the_road_is_gone_and_knows_again_when_it_is_back() -> None:
    pose = CameraPose(0.0, 0.0, 1.35, 0.0, 0.05)
    there, gone = road(PLAIN, pose, 3.0), np.full((180, 320), SKY, np.uint8)
    estimator = HorizonEstimator(PLAIN, 1.35, window=8, min_frames=4)
    known = [estimator.update(one, (ROAD,)) is not None for one in [there] * 8 + [gone] * 8 + [there] * 8]
    # Known while 4 of the last 8 images tell.
    assert known == [False] * 3 + [True] * 9 + [False] * 7 + [True] * 5


def test_a_pitching_camera_has_a_wide_sigma() -> None:
    estimator = HorizonEstimator(PLAIN, 1.35)
    for pitch in [0.04, 0.06] * 6:
        got = estimator.update(road(PLAIN, CameraPose(0, 0, 1.35, 0, pitch), 3.0), (ROAD,))
    assert got is not None
    assert 0.04 <= got.pitch <= 0.06
    assert got.sigma_pitch >= 0.01


@pytest.fixture(scope="module")
def errors_and_sigmas() -> np.ndarray:
    """Of every estimate on four drives, straight and bent, float[N, 2], rad."""
    found = []
    for seed, curvature, pitch in [(31, 0.0, 3.0), (33, 1.0, 0.5), (35, 1.0, 3.0), (36, 0.0, 6.0)]:
        drive = Drive(seed=seed, size=(320, 180), n_frames=60, curvature=curvature, pitch_deg=pitch)
        estimator = HorizonEstimator(drive.camera, drive.config.mount_height, min_frames=4)
        for index in range(0, 60, 5):
            got = estimator.update(drive[index].labels, (ROAD,))
            if got is not None:
                view = drive.view(index)
                true = CameraPose.from_rotation(view.rotation.T, view.position).pitch
                found.append((abs(got.pitch - true), got.sigma_pitch))
    return np.array(found)


def test_on_drives_the_true_pitch_is_within_three_sigma_of_nearly_all_estimates(
    errors_and_sigmas: np.ndarray,
) -> None:
    errors, sigmas = errors_and_sigmas.T
    assert len(errors) >= 20
    assert np.mean(errors <= 3 * sigmas) >= 0.95


def test_on_drives_the_pitch_is_known_to_a_fraction_of_a_degree(errors_and_sigmas: np.ndarray) -> None:
    # A sigma that claims nothing would make the test above pass.
    errors, sigmas = np.median(errors_and_sigmas, axis=0)
    assert errors < math.radians(0.15)
    assert sigmas < math.radians(0.3)


def test_labels_of_another_size_and_windows_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels are \(90, 160\), expected the camera's \(180, 320\)"):
        HorizonEstimator(PLAIN, 1.35).update(np.zeros((90, 160), np.uint8), (ROAD,))
    with pytest.raises(ValueError, match="height over the ground is 0 m"):
        HorizonEstimator(PLAIN, 0.0)
    with pytest.raises(ValueError, match="min_frames is 9 of a window of 8"):
        HorizonEstimator(PLAIN, 1.35, window=8, min_frames=9)
