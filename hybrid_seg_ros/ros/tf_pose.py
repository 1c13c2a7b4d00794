"""A camera's pose from tf2, where tf2_ros is installed; the package is never required."""

import re
from types import ModuleType
from typing import Any

import numpy as np
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.ros.bridge import stamp_to_ns
from hybrid_seg_ros.ros.pose_source import Labels

LOOKS_UP = 0.7
"""Sine of the elevation above which a camera sees no ground worth a pose: a body frame taken for an optical one
looks straight up."""
FRAMES_NAMED = 12


def tf2_module() -> ModuleType:
    """tf2_ros, imported now.

    Raises:
        ValueError: it is not installed; says what to do.
    """
    try:
        import tf2_ros
    except ImportError as error:
        raise ValueError(
            f"poses from tf2 need the Python package tf2_ros ({error}): install it "
            "(sudo apt install ros-$ROS_DISTRO-tf2-ros-py) or give the camera's pose as parameters"
        ) from error
    module: ModuleType = tf2_ros
    return module


class Transforms:
    """All transforms a node hears, for all its cameras.

    Filled by the executor's thread, read by any. What moves is forgotten when simulated time jumps back (a bag that
    starts again): tf2 would ignore all transforms until they are as late as the last ones.

    Args:
        node: subscribes to /tf and /tf_static.

    Raises:
        ValueError: tf2_ros is not installed.
    """

    def __init__(self, node: Node) -> None:
        self.module: Any = tf2_module()
        # Without the node: given one, the buffer adds a service to it that answers with all frames. Its own watch over
        # jumps looks at the system's clock then, and Humble's has none.
        self.buffer: Any = self.module.Buffer()
        self._listener: Any = self.module.TransformListener(self.buffer, node)
        back = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True)
        self._jumps = node.get_clock().create_jump_callback(back, post_callback=lambda jump: self.clear())

    def clear(self) -> None:
        """Forget what moves; static transforms stay."""
        self.buffer.clear()

    def close(self) -> None:
        """Unsubscribe."""
        self._jumps.unregister()
        self._listener.unregister()

    def frames(self) -> list[str]:
        """Names of all frames heard of, sorted."""
        text = self.buffer.all_frames_as_string()
        pairs = re.findall(r"^Frame (\S+) exists with parent (\S+)\.$", text, re.MULTILINE)
        return sorted({frame for pair in pairs for frame in pair} - {"NO_PARENT"})


class TfPose:
    """The transform from the image's frame to the base frame at the image's stamp.

    Where transforms move and those for the stamp have not arrived, the newest one serves if it is no farther from
    the stamp than `tolerance_s`: waiting would delay every image.

    Args:
        transforms: shared by all cameras.
        ground_z: height of the ground in the base frame, m.
        tolerance_s: how old a moving transform may be at the stamp, s.
    """

    def __init__(self, transforms: Transforms, ground_z: float = 0.0, tolerance_s: float = 0.1) -> None:
        self.name = "tf"
        self.why = "no image has asked yet"
        self.needs_labels = False
        self.pitch_sigma = 0.0
        self._transforms = transforms
        self._ground_z = ground_z
        self._tolerance_ns = int(tolerance_s * 1e9)

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        """Nothing can be learnt."""

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        """Of the optical frame in the base frame, over the ground."""
        try:
            found = self._find(frame_id, stamp_ns, base_frame)
        except _Unknown as error:
            self.why = str(error)
            return None
        self.why = ""
        return found

    def _find(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose:
        if not frame_id:
            raise _Unknown("the images carry no frame_id, expected the camera's optical frame")
        if stamp_ns < 0:
            raise _Unknown(f"the image's stamp is {stamp_ns / 1e9:g} s, and tf2 knows no time before 0")
        message = self._look_up(frame_id, stamp_ns, base_frame)
        age_ns = stamp_ns - stamp_to_ns(message.header)
        if stamp_to_ns(message.header) and abs(age_ns) > self._tolerance_ns:
            raise _Unknown(
                f"the newest transform from {frame_id!r} to {base_frame!r} is {age_ns / 1e9:.3f} s from the image, "
                f"expected at most {self._tolerance_ns / 1e9:g} s"
            )
        position, rotation = message.transform.translation, message.transform.rotation
        try:
            pose = CameraPose.from_quaternion(
                (rotation.x, rotation.y, rotation.z, rotation.w),
                np.array([position.x, position.y, position.z - self._ground_z]),
            )
        except ValueError as error:
            raise _Unknown(f"the transform from {frame_id!r} to {base_frame!r} is no camera's: {error}") from None
        if pose.rotation[2, 2] > LOOKS_UP:
            raise _Unknown(
                f"frame {frame_id!r} looks up in {base_frame!r} as a body frame does: an image's frame_id must name "
                "an optical frame (x right, y down, z ahead; REP 103), usually '..._optical_frame'"
            )
        return pose

    def _look_up(self, frame_id: str, stamp_ns: int, base_frame: str) -> Any:  # noqa: ANN401  # geometry_msgs' own
        tf2, buffer = self._transforms.module, self._transforms.buffer
        try:
            try:
                return buffer.lookup_transform(base_frame, frame_id, Time(nanoseconds=stamp_ns))
            except tf2.ExtrapolationException:
                return buffer.lookup_transform(base_frame, frame_id, Time())  # 0: the newest there is
        except tf2.TransformException as error:
            frames = self._transforms.frames()
            known = ", ".join(frames[:FRAMES_NAMED]) + (", ..." if len(frames) > FRAMES_NAMED else "")
            raise _Unknown(
                f"no transform from {frame_id!r} to {base_frame!r}: {str(error).strip()} (frames known: "
                f"{known or 'none, nobody publishes on /tf or /tf_static'})"
            ) from None


class _Unknown(Exception):  # noqa: N818  # an answer, not an error
    """There is no pose; the text says why."""
