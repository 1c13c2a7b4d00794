"""What the worker does with one image: decode, segment, publish; and what it counted on the way."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from hybrid_seg_ros.detector import Detector, Pending, Segmentation
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ImageFormatError
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.monitor.stage_times import RateMeter, StageTimes
from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.monitor.throttle import Throttle
from hybrid_seg_ros.ros.bridge import stamp_to_ns
from hybrid_seg_ros.ros.camera import Arrival, CameraChannel
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.camera_obstacles import CameraObstacles, ObstacleResult
from hybrid_seg_ros.ros.health import NodeHealth
from hybrid_seg_ros.ros.merged_output import MergedOutput
from hybrid_seg_ros.ros.outputs import CameraOutputs
from hybrid_seg_ros.ros.parity_check import ParityCheck
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
        silenced: results that were not published because the node's health forbade it.
        removed: px of the last mask that gates and minimum sizes removed, by which; see `Obstacles.removed`.
        found: obstacles of the last image, all and confirmed ones.
        stages: stage times, ms; "stamp_to_published" by the node's clock, the others by the monotonic one.
        rate: rate of results.
    """

    published: int = 0
    idle: int = 0
    failed: int = 0
    discarded: int = 0
    silenced: int = 0
    removed: Mapping[str, int] = field(default_factory=dict)
    found: tuple[int, int] = (0, 0)
    stages: StageTimes = field(default_factory=StageTimes)
    rate: RateMeter = field(default_factory=RateMeter)


@dataclass(frozen=True, slots=True)
class Camera:
    """Everything about one camera."""

    channel: CameraChannel
    outputs: CameraOutputs
    obstacles: CameraObstacles
    monitors: CameraMonitors
    statistics: CameraStatistics

    @property
    def heard(self) -> bool:
        """Whether somebody listens to this camera's own topics."""
        return bool(self.outputs.wanted() or self.obstacles.outputs.wanted())


@dataclass(frozen=True, slots=True)
class Job:
    """One image on its way.

    Attributes:
        name: of its camera.
        camera: itself.
        arrival: the message.
        epoch: see LatestOnlyWorker.
        frame: the image.
        info: its CameraInfo, or None.
        with_obstacles: whether somebody wants its obstacles.
    """

    name: str
    camera: Camera
    arrival: Arrival
    epoch: int
    frame: Frame
    info: CameraInfo | None
    with_obstacles: bool


class Once:
    """Work that is done the first time it is asked for, and never again."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    def __call__(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()


class Pipeline:
    """Takes images through the detector; called by the worker's thread only.

    Args:
        node: for its clock and log.
        detector: one for all cameras.
        cameras: by name.
        settings: gives the settings of this moment; a frame sees one and the same throughout.
        committing: see LatestOnlyWorker.committing.
        health: says whether results may be published.
        merged: the cloud of all cameras.

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
        health: NodeHealth,
        merged: MergedOutput,
    ) -> None:
        self._node = node
        self._detector = detector
        self._cameras = cameras
        self._settings = settings
        self._committing = committing
        self._health = health
        self._merged = merged
        self._parity = ParityCheck(detector)
        self._under_way: tuple[str, Once] | None = None
        self._idle_check = Throttle(IDLE_CHECK_S)
        self._throttle = Throttle(settings().log_throttle_s)
        self._applied: float | str | None = settings().threshold_choice
        if detector.info.name != "fake":  # whose failures are told by the number of the run
            self._parity()
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.failure = ""

    def process(self, name: str, arrival: Arrival, epoch: int) -> Callable[[], None] | None:
        """One image from message to publication; a bad image is refused, a failing network raises.

        Returns:
            What is left to do, where a device works on the image: waiting for it and publishing.
        """
        camera, settings = self._cameras[name], self._settings().of(name)
        message, statistics = arrival.message, camera.statistics
        started = time.monotonic()
        statistics.stages.add("wait", (started - arrival.at_s) * 1e3)
        wanted = camera.outputs.wanted()
        obstacles = camera.obstacles.wanted(camera.outputs.shows_obstacles(), self._merged.heard())
        wanted |= obstacles
        if not wanted:
            camera.monitors.unheard()
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
        camera.monitors.image(frame, arrival.sighting, started)
        if not wanted:  # now and then an image is decoded only to know that it could be
            statistics.idle += 1
            return None
        statistics.stages.add("decode", (time.monotonic() - started) * 1e3)
        if settings.threshold_choice != self._applied:
            self._detector.set_threshold(settings.threshold_choice)
            self._applied = settings.threshold_choice
        self._check_parity(started)
        job = Job(name, camera, arrival, epoch, frame, info, bool(obstacles))
        waiting = self._detector.begin(frame, wanted | camera.monitors.wanted(started))
        if self._detector.depth == 1:
            self._publish(job, waiting)
            return None
        finish = Once(lambda: self._publish(job, waiting))
        self._under_way = (name, finish)
        return finish

    def _check_parity(self, now_s: float) -> None:
        """Run the golden image where it is due; a frame under way is finished first, whose buffers it would take."""
        parity = self._health.parity
        if not parity.due(now_s):
            return
        if self._under_way is not None:
            name, finish = self._under_way
            try:
                finish()
            except Exception as error:  # of that frame, and not of the one that waits behind the golden image
                self.failed(name, error)
        problem = self._parity()
        if not problem:
            parity.passed()
            return
        parity.failed(problem)
        self._node.get_logger().error(f"{HealthState.PARITY_DRIFT.value}: {problem}")

    def failed(self, name: str, error: Exception) -> None:
        """The network failed on an image of camera `name`: nothing is published, the failure is told."""
        kind = type(error).__name__
        self._cameras[name].statistics.failed += 1
        self._cameras[name].monitors.failed(error)
        with self._lock:
            self._failures[kind] += 1
        self.failure = f"{kind}: {error}"
        self._throttle.period_s = self._settings().log_throttle_s
        if self._throttle.ready((name, kind), time.monotonic()):
            self._node.get_logger().error(
                f"no result for the image of {self._cameras[name].channel.topic}: {self.failure}"
            )

    def _publish(self, job: Job, waiting: Pending) -> None:
        camera, frame, statistics = job.camera, job.frame, job.camera.statistics
        result = waiting.result()
        self.failure = ""
        found: ObstacleResult | None = None
        extracting = time.monotonic()
        if job.with_obstacles:
            found = camera.obstacles.process(frame, result, explain=camera.outputs.explains())
            statistics.removed = found.obstacles.removed
            statistics.found = found.counts
        publishing = time.monotonic()
        in_metres = camera.obstacles.outputs.heard_in_metres() or self._merged.heard()
        camera.monitors.result(result, in_metres and found is not None and found.ground is None, publishing)
        with self._committing(job.epoch) as valid:
            if not valid:
                statistics.discarded += 1
                return
            reaction = self._health.reaction(job.name)
            if reaction >= Reaction.SILENT:
                statistics.silenced += 1
                self._merged.forget(job.name)
                return
            self._send(job, result, found, reaction)
        done = time.monotonic()
        statistics.published += 1
        statistics.rate.tick(done)
        for stage, milliseconds in (
            ("preprocess", result.timings.preprocess_ms),
            ("network", result.timings.network_ms),
            ("postprocess", result.timings.postprocess_ms),
            *((("obstacles", (publishing - extracting) * 1e3),) if job.with_obstacles else ()),
            ("publish", (done - publishing) * 1e3),
            ("arrival_to_published", (done - job.arrival.at_s) * 1e3),
            ("stamp_to_published", self._age_ms(frame.stamp_ns)),
        ):
            statistics.stages.add(stage, milliseconds)

    def _send(self, job: Job, result: Segmentation, found: ObstacleResult | None, reaction: Reaction) -> None:
        """To planners first, then the images."""
        camera, frame, header = job.camera, job.frame, job.arrival.message.header
        if found is not None:
            camera.obstacles.publish(found, result, header, reaction)
            if reaction is Reaction.MARK_UNKNOWN:
                self._merged.forget(job.name)
            elif found.ground is not None and self._merged.heard():
                self._merged.add(job.name, frame.stamp_ns, camera.obstacles.points(found), time.monotonic())
        camera.outputs.publish(frame, result, found, header, job.info, lambda: self._age_ms(frame.stamp_ns))

    def failures(self) -> dict[str, int]:
        """How often the network failed, by kind; for any thread."""
        with self._lock:
            return dict(self._failures)

    def _age_ms(self, stamp: int) -> float:
        return float(self._node.get_clock().now().nanoseconds - stamp) / 1e6
