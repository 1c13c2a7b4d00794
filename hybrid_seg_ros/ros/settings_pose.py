"""Parameters of the camera over the ground."""

from dataclasses import dataclass

from hybrid_seg_ros.ros.parameter_spec import parameter

_GROUP = "Camera pose"


@dataclass(frozen=True)
class PoseSettings:
    """Where a camera stands; obstacles in metres need it."""

    pose_source: str = parameter(
        "parameters",
        _GROUP,
        "Where the camera's pose comes from: 'parameters' are camera_x ... camera_yaw; 'tf' is tf2 from the images' "
        "frame_id to base_frame, where tf2_ros is installed; 'horizon' takes pitch and roll from the road in the image "
        "and the rest from the parameters.",
        choices=("parameters", "tf", "horizon"),
        per_camera=True,
    )
    pose_fallback: bool = parameter(
        False,
        _GROUP,
        "Where tf2 does not know the pose: go on with 'horizon', and say so on /diagnostics.",
        per_camera=True,
    )
    base_frame: str = parameter(
        "base_link",
        _GROUP,
        "Frame of everything in metres: x ahead, y left, z up, its x-y plane parallel to the ground.",
    )
    ground_z: float = parameter(
        0.0, _GROUP, "Height of the ground in base_frame, m; negative where base_frame lies above it.", between=(-5, 5)
    )
    camera_x: float = parameter(
        0.0, _GROUP, "Camera ahead of base_frame's origin, m.", between=(-50, 50), per_camera=True
    )
    camera_y: float = parameter(
        0.0, _GROUP, "Camera to the left of base_frame's origin, m.", between=(-50, 50), per_camera=True
    )
    camera_z: float = parameter(
        0.0,
        _GROUP,
        "Camera over the ground, m. 0 is not known: without it there is nothing in metres (but from tf2).",
        between=(0, 50),
        per_camera=True,
    )
    camera_roll: float = parameter(
        0.0, _GROUP, "Roll, rad; positive leans to the right.", between=(-3.15, 3.15), per_camera=True
    )
    camera_pitch: float = parameter(
        0.0, _GROUP, "Pitch, rad; positive looks down.", between=(-1.6, 1.6), per_camera=True
    )
    camera_yaw: float = parameter(
        0.0, _GROUP, "Yaw, rad; positive looks to the left.", between=(-3.15, 3.15), per_camera=True
    )
    pixel_sigma: float = parameter(
        1.0,
        _GROUP,
        "One standard deviation of an obstacle's lower edge in the image, px; with the next two it makes the "
        "uncertainty of every point.",
        between=(0, 100),
        per_camera=True,
    )
    pitch_sigma: float = parameter(
        0.004,
        _GROUP,
        "One standard deviation of the camera's pitch, rad: mounting, suspension, slope of the road. The horizon's "
        "own, where it is greater.",
        between=(0, 0.5),
        per_camera=True,
    )
    height_sigma: float = parameter(
        0.02, _GROUP, "One standard deviation of the camera's height over the ground, m.", between=(0, 5),
        per_camera=True,
    )  # fmt: skip

    def pose_problems(self) -> list[str]:
        """What is wrong between these."""
        if self.camera_z > 0.0:
            return []
        found = []
        if self.pose_source == "horizon":
            found.append("pose_source is 'horizon' and camera_z is 0, expected the camera's height over the ground, m")
        if self.pose_fallback:
            found.append("pose_fallback is true and camera_z is 0, expected the camera's height over the ground, m")
        return found
