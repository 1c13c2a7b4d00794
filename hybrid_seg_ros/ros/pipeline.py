"""What the worker does with one image: decode, segment, publish; and what it counted on the way."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from hybrid_seg_ros.detector import Detector, Pending
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ImageFormatError
from hybrid_seg_ros.monitor.stage_times import RateMeter, StageTimes
from hybrid_seg_ros.monitor.throttle import Throttle
from hybrid_seg_ros.ros.bridge import stamp_to_ns
from hybrid_seg_ros.ros.camera import Arrival, CameraChannel
from hybrid_seg_ros.ros.outputs import CameraOutputs
from hybrid_seg_ros.ros.schema import Settings

IDLE_CHECK_S = 1.0


@dataclass
class CameraStatistics:
    """What became of one camera's images.

    Attributes:
        published: results published.
        idle: images not processed because nobody listened.
        failed: images the detector failed on.
        discarded: results that were ready after the node was deactivated.
        stages: stage times, ms; "stamp_to_published" by the node's clock, the others by the monotonic one.
        rate: rate of results.
    """

    published: int = 0
    idle: int = 0
    failed: int = 0
    discarded: int = 0
    stages: StageTimes = field(default_factory=StageTimes)
    rate: RateMeter = field(default_factory=RateMeter)


@dataclass(frozen=True, slots=True)
class Camera:
    """Everything about one camera."""

    channel: CameraChannel
    outputs: CameraOutputs
    statistics: CameraStatistics


class Pipeline:
    """Takes images through the detector; called by the worker's thread only.

    Args:
        node: for its clock and log.
        detector: one for all cameras.
        cameras: by name.
        settings: gives the settings of this moment; a frame sees one and the same throughout.
        committing: see LatestOnlyWorker.committing.

    Attributes:
        failure: why the last image got no result, "" when it got one.
    """

    def __init__(
        self,
        node: Node,
        detector: Detector,
        cameras: Mapping[str, Camera],
        settings: Callable[[], Settings],
        committing: Callable[[int], AbstractContextManager[bool]],
    ) -> None:
        self._node = node
        self._detector = detector
        self._cameras = cameras
        self._settings = settings
        self._committing = committing
        self._idle_check = Throttle(IDLE_CHECK_S)
        self._throttle = Throttle(settings().log_throttle_s)
        self._applied: float | str | None = settings().threshold_choice
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.failure = ""

    def process(self, name: str, arrival: Arrival, epoch: int) -> Callable[[], None] | None:
        """One image from message to publication; a bad image is refused, a failing network raises.

        Returns:
            What is left to do, where a device works on the image: waiting for it and publishing.
        """
        camera, settings = self._cameras[name], self._settings()
        message, statistics = arrival.message, camera.statistics
        started = time.monotonic()
        statistics.stages.add("wait", (started - arrival.at_s) * 1e3)
        wanted = camera.outputs.wanted()
        if not wanted and not self._idle_check.ready(name, started):
            statistics.idle += 1
            return None
        age_s = self._age_ms(stamp_to_ns(message.header)) / 1e3
        if 0.0 < settings.max_age_s < age_s:
            camera.channel.refuse(
                "too_old",
                f"the image is {age_s:.3f} s old, max_age_s is {settings.max_age_s:g} (a bag without use_sim_time?)",
            )
            return None
        try:
            frame, info = camera.channel.frame(message, self._detector.raw_encodings)
        except ImageFormatError as error:
            camera.channel.refuse("bad_image", str(error))
            return None
        if not wanted:  # now and then an image is decoded only to know that it could be
            statistics.idle += 1
            return None
        statistics.stages.add("decode", (time.monotonic() - started) * 1e3)
        if settings.threshold_choice != self._applied:
            self._detector.set_threshold(settings.threshold_choice)
            self._applied = settings.threshold_choice
        waiting = self._detector.begin(frame, wanted)
        if self._detector.depth == 1:
            self._publish(camera, arrival, epoch, frame, info, waiting)
            return None
        return lambda: self._publish(camera, arrival, epoch, frame, info, waiting)

    def failed(self, name: str, error: Exception) -> None:
        """The network failed on an image of camera `name`: nothing is published, the failure is told."""
        kind = type(error).__name__
        self._cameras[name].statistics.failed += 1
        with self._lock:
            self._failures[kind] += 1
        self.failure = f"{kind}: {error}"
        self._throttle.period_s = self._settings().log_throttle_s
        if self._throttle.ready((name, kind), time.monotonic()):
            self._node.get_logger().error(
                f"no result for the image of {self._cameras[name].channel.topic}: {self.failure}"
            )

    def _publish(
        self,
        camera: Camera,
        arrival: Arrival,
        epoch: int,
        frame: Frame,
        info: CameraInfo | None,
        waiting: Pending,
    ) -> None:
        result, statistics = waiting.result(), camera.statistics
        self.failure = ""
        publishing = time.monotonic()
        with self._committing(epoch) as valid:
            if not valid:
                statistics.discarded += 1
                return
            header = arrival.message.header
            camera.outputs.publish(frame, result, header, info, lambda: self._age_ms(frame.stamp_ns))
        done = time.monotonic()
        statistics.published += 1
        statistics.rate.tick(done)
        for stage, milliseconds in (
            ("preprocess", result.timings.preprocess_ms),
            ("network", result.timings.network_ms),
            ("postprocess", result.timings.postprocess_ms),
            ("publish", (done - publishing) * 1e3),
            ("arrival_to_published", (done - arrival.at_s) * 1e3),
            ("stamp_to_published", self._age_ms(frame.stamp_ns)),
        ):
            statistics.stages.add(stage, milliseconds)

    def failures(self) -> dict[str, int]:
        """How often the network failed, by kind; for any thread."""
        with self._lock:
            return dict(self._failures)

    def _age_ms(self, stamp: int) -> float:
        return float(self._node.get_clock().now().nanoseconds - stamp) / 1e6
