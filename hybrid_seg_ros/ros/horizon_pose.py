"""A camera's pitch from the road it sees: the declared fallback where nobody knows the pose."""

from collections.abc import Collection

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.horizon import HorizonEstimate, HorizonEstimator
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.ros.pose_source import Labels


class HorizonPose:
    """Pitch from the road in the image, the rest from parameters: a fallback, and said to be one.

    Args:
        mount: all of it but the pitch is taken, z as the height over the ground.
        drivable: ids of the classes that are road.
        max_age_s: an estimate of an image older than this, by the stamps, is not used, nor is what was seen before a
            gap of this length.
    """

    def __init__(self, mount: CameraPose, drivable: Collection[int], max_age_s: float = 1.0) -> None:
        self.name = "horizon"
        self.why = "no image has been segmented yet"
        self.needs_labels = True
        self.pitch_sigma = 0.0
        self._mount = mount
        self._drivable = tuple(drivable)
        self._max_age_ns = int(max_age_s * 1e9)
        self._camera: CameraModel | None = None
        self._estimator: HorizonEstimator | None = None
        self._estimate: HorizonEstimate | None = None
        self._stamp_ns = 0

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        """Take one image into account; another camera or size starts over, as do stamps that go back or leave a gap.

        A lens that is not known tells nothing, and `why` says so.
        """
        height, width = labels.shape
        seen = camera.resized(width, height)
        gap = not 0 <= stamp_ns - self._stamp_ns <= self._max_age_ns
        self._stamp_ns = stamp_ns
        if self._estimator is None or seen != self._camera or gap:
            self._camera, self._estimator, self._estimate = seen, None, None
            try:
                self._estimator = HorizonEstimator(seen, self._mount.z, roll=self._mount.roll)
            except ValueError as error:
                self.why = str(error)
                return
        self._estimate = self._estimator.update(labels, self._drivable)

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        """The mount with the pitch of the newest estimate."""
        estimate = self._estimate
        if estimate is None:
            if self._estimator is not None:
                self.why = "the road in the image does not tell the camera's pitch (no straight edges, or not yet)"
            return None
        age_ns = abs(stamp_ns - self._stamp_ns)
        if age_ns > self._max_age_ns:
            self.why = f"the newest estimate is {age_ns / 1e9:.2f} s from the image"
            return None
        self.why, self.pitch_sigma = "", estimate.sigma_pitch
        mount = self._mount
        return CameraPose(mount.x, mount.y, mount.z, mount.roll, estimate.pitch, mount.yaw)
