import math

import numpy as np
import pytest

from hybrid_seg_ros.scenes import UNKNOWN_KINDS, VOID, WEATHERS, Drive, DriveConfig, SceneFrame

SIZE = (240, 136)


def small(**changes: object) -> Drive:
    return Drive(DriveConfig(seed=4, size=SIZE, n_frames=60), **changes)


@pytest.fixture(scope="module")
def drive() -> Drive:
    return small()


@pytest.fixture(scope="module")
def scenes(drive: Drive) -> list[SceneFrame]:
    return [drive[i] for i in range(0, 60, 10)]


def test_frames_do_not_depend_on_the_order_they_are_asked_for(drive: Drive) -> None:
    backwards = small()
    for i in (57, 23, 0):
        one, other = drive.frame(i), backwards.frame(i)
        assert one.frame.image.tobytes() == other.frame.image.tobytes()
        assert one.labels.tobytes() == other.labels.tobytes()
        assert one.obstacles == other.obstacles


def test_another_seed_is_another_drive(drive: Drive) -> None:
    assert drive.frame(0).frame.image.tobytes() != small(seed=5).frame(0).frame.image.tobytes()


def test_frames_carry_stamp_camera_and_frame_id(drive: Drive) -> None:
    assert len(drive) == 60
    frame = drive.frame(3).frame
    assert frame.size == SIZE
    assert frame.camera == drive.camera
    assert frame.frame_id == "camera_optical_frame"
    assert frame.stamp_ns == drive.config.start_stamp_ns + round(3e9 / 15.0)


def test_masks_labels_and_obstacles_agree(scenes: list[SceneFrame]) -> None:
    seen_unknown = False
    for scene in scenes:
        known_ids = {o.id for o in scene.obstacles}
        assert set(np.unique(scene.instances).tolist()) - {0} == known_ids
        for obstacle in scene.obstacles:
            mask = scene.instances == obstacle.id
            rows, columns = np.nonzero(mask)
            assert obstacle.visible_pixels == len(rows)
            assert obstacle.bbox == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert (scene.labels[mask] == obstacle.label).all()
            assert (scene.anomaly[mask] == (0 if obstacle.known else 1)).all()
            assert (obstacle.label == VOID) == (not obstacle.known) == (obstacle.kind in UNKNOWN_KINDS)
            seen_unknown |= not obstacle.known
        unknown_ids = [o.id for o in scene.obstacles if not o.known]
        assert ((scene.anomaly == 1) == np.isin(scene.instances, unknown_ids)).all()
        assert (scene.labels <= VOID).all()
    assert seen_unknown


def test_contacts_project_to_their_pixels_and_lie_at_their_distance(drive: Drive, scenes: list[SceneFrame]) -> None:
    checked = 0
    for index, scene in zip(range(0, 60, 10), scenes, strict=True):
        view = drive.view(index)
        yaw = math.atan2(view.rotation[2, 1], view.rotation[2, 0])
        for o in scene.obstacles:
            x, y = o.contact
            world = view.position + np.array(
                [x * math.cos(yaw) - y * math.sin(yaw), x * math.sin(yaw) + y * math.cos(yaw), 0]
            )
            pixel, _ = view.project((world[0], world[1], 0.0))
            np.testing.assert_allclose(pixel, o.contact_pixel, atol=1e-6)
            assert o.distance == pytest.approx(math.hypot(x, y))
            reach = math.hypot(*o.extent[:2])
            assert abs(o.distance - math.hypot(*o.position)) < reach
            checked += 1
    assert checked > 20


def test_what_stands_free_touches_its_contact_row(scenes: list[SceneFrame]) -> None:
    """The lowest visible row of an unoccluded obstacle is the row where it touches the ground."""
    checked = 0
    for scene in scenes:
        for o in scene.obstacles:
            u, v = o.contact_pixel
            below = scene.labels[min(o.bbox[3] + 1, SIZE[1] - 1), (o.bbox[0] + o.bbox[2]) // 2]
            inside = 3 < u < SIZE[0] - 4 and v < SIZE[1] - 6
            if inside and below in (3, 4) and 5.0 < o.distance < 40.0 and o.kind in ("car", "pedestrian"):
                assert o.bbox[3] - 1 == pytest.approx(v, abs=2.5)
                checked += 1
    assert checked > 3


def test_what_does_not_move_stays_where_it_is_while_the_car_drives_by(drive: Drive) -> None:
    places: dict[int, list[np.ndarray]] = {}
    for index in range(0, 60, 6):
        view = drive.view(index)
        yaw = math.atan2(view.rotation[2, 1], view.rotation[2, 0])
        turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
        for o in drive.frame(index).obstacles:
            if not o.known:
                places.setdefault(o.id, []).append(view.position[:2] + turn @ np.array(o.position))
    followed = [np.stack(p) for p in places.values() if len(p) > 2]
    assert followed
    for track in followed:
        np.testing.assert_allclose(track, np.broadcast_to(track[0], track.shape), atol=1e-6)


def test_the_car_gets_past_every_unknown_obstacle_on_the_road() -> None:
    drive = small(n_frames=150, seed=8)
    for index in range(0, 150, 15):
        for o in drive.frame(index).obstacles:
            assert o.known or o.distance > 0.5


@pytest.mark.parametrize("weather", WEATHERS)
def test_weather_changes_the_picture_and_not_the_truth(weather: str, drive: Drive, scenes: list[SceneFrame]) -> None:
    scene = small(weather=weather).frame(10)
    assert np.mean(scene.labels == scenes[1].labels) > 0.999
    if weather != drive.config.weather:
        assert scene.frame.image.tobytes() != scenes[1].frame.image.tobytes()


def test_night_is_dark_rain_is_flat_and_blur_is_soft() -> None:
    def picture(weather: str) -> np.ndarray:
        return small(weather=weather).frame(10).frame.image.astype(np.float32)

    day, night, rain, blurred = (picture(w) for w in ("overcast", "night", "rain", "blur"))
    assert night.mean() < 0.6 * day.mean()
    far = np.s_[55:75]
    assert rain[far].std() < day[far].std()
    sharpness = [np.abs(np.diff(p, axis=1)).mean() for p in (day, blurred)]
    assert sharpness[1] < 0.9 * sharpness[0]


def test_the_bonnet_is_void_and_no_anomaly() -> None:
    scene = small(bonnet=True).frame(0)
    assert (scene.labels[-1] == VOID).mean() > 0.5
    assert (scene.anomaly[-1][scene.labels[-1] == VOID] == 255).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", -1), ("n_frames", -1), ("fps", 0.0), ("side", 0), ("mount_height", 0.1), ("speed", -1.0)],
)
def test_impossible_configurations_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field} must .* found"):
        DriveConfig(**{field: value})  # type: ignore[arg-type]


def test_unknown_weather_and_frames_out_of_range_are_refused(drive: Drive) -> None:
    with pytest.raises(ValueError, match=r"weather must be one of clear, .* found 'hail'"):
        DriveConfig(weather="hail")
    for index in (-1, 60):
        with pytest.raises(IndexError, match=r"within \[0, 60\)"):
            drive.frame(index)
