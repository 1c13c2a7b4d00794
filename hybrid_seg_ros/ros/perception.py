"""Everything a configured node holds: one detector, its worker, and the cameras that share them."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from rclpy.node import Node

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Detector, open_detector
from hybrid_seg_ros.detector.restarts import RestartPolicy
from hybrid_seg_ros.monitor.domain_reference import DomainReference, reference_of
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.monitor.states import names
from hybrid_seg_ros.obstacles.merge import MergeOptions
from hybrid_seg_ros.ros.camera import Arrival, CameraChannel
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.camera_obstacles import CameraObstacles
from hybrid_seg_ros.ros.health import HealthReport, NodeHealth, WatchedCamera
from hybrid_seg_ros.ros.labels import LabelPublisher
from hybrid_seg_ros.ros.liveliness import watched
from hybrid_seg_ros.ros.merged_output import MergedOutput
from hybrid_seg_ros.ros.obstacle_labels import ObstacleLabelPublisher
from hybrid_seg_ros.ros.outputs import CameraOutputs
from hybrid_seg_ros.ros.parameter_spec import ParameterError, closest
from hybrid_seg_ros.ros.pipeline import Camera, CameraStatistics, Pipeline
from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.tf_pose import Transforms
from hybrid_seg_ros.ros.worker import LatestOnlyWorker


def _transforms(node: Node) -> Transforms:
    try:
        return Transforms(node)
    except ValueError as error:
        raise ParameterError(f"pose_source is 'tf': {error}") from error


JOIN_TIMEOUT_S = 4.0
"""Less than the 5 s that launch leaves between SIGINT and SIGTERM, so that the reason still reaches the log."""


def threshold_of(bundle: Bundle, settings: Settings) -> float:
    """The threshold that the settings choose.

    Raises:
        ParameterError: the bundle has no operating point of that name.
    """
    choice = settings.threshold_choice
    points = bundle.manifest.score.operating_points
    if isinstance(choice, float):
        return choice
    name = choice or bundle.manifest.score.default
    if name not in points:
        raise ParameterError(
            f"parameter 'operating_point' is {name!r}, expected one of {', '.join(points)} "
            f"(bundle {bundle.manifest.name}){closest(name, list(points))}"
        )
    return points[name].threshold


def load_detector(settings: Settings, on_progress: Callable[[str], None], cancel: threading.Event) -> Detector:
    """The detector that the settings describe; may take minutes where an engine has to be built first.

    Args:
        settings: bundle, backend, sizes, threshold.
        on_progress: told every few seconds what takes so long, from whichever thread.
        cancel: set to end it early.

    Raises:
        BundleError, BackendError, ValueError: the bundle, the backend or a parameter does not do.
    """
    return open_detector(
        settings.bundle,
        backend=settings.backend,
        input_size=settings.input_size,
        output_size=settings.output_size,
        threshold=settings.threshold_choice,
        threads=settings.threads or None,
        options=replace(settings.backend_options, on_progress=on_progress, cancel=cancel),
        borrow=True,  # a result is published before the second one after it is begun
        restart=RestartPolicy(attempts=settings.gpu_restarts),
        fall_back=settings.cpu_fallback,
    )


class Perception:
    """Made by configure, opened by activate, closed by deactivate, released by cleanup.

    Args:
        node: publishes, subscribes, logs.
        settings: gives the settings of this moment.
        detector: taken over; see `load_detector`.

    Raises:
        ParameterError: the bundle does not have the operating point of the settings, or a camera's pose cannot come
            from where they say.
    """

    def __init__(self, node: Node, settings: Callable[[], Settings], detector: Detector) -> None:
        start = settings()
        self._node = node
        self._settings = settings
        self.detector = detector
        self.bundle = self.detector.bundle
        self._check(start)  # before there is anything that would have to be given back
        needs_tf = any(start.of(name).pose_source == "tf" for name in start.cameras)
        self._transforms = _transforms(node) if needs_tf else None
        self.worker: LatestOnlyWorker[Arrival] = LatestOnlyWorker(start.cameras, self._process, self._failed)
        reference = reference_of(self.bundle.manifest)
        self.cameras = {name: self._camera(name, start.of(name), reference) for name in start.cameras}
        qos = watched(keep_last(start.planner_reliability, 1), start.planner_deadline_s, start.planner_lease_s)
        self.merged = MergedOutput(
            node, start.cameras, MergeOptions(start.merge_window_s, start.merge_patience_s), qos, start.base_frame
        )
        self._labels = LabelPublisher(node, self.bundle)
        self._obstacle_labels = ObstacleLabelPublisher(node)
        self.accept(start)
        self.health = NodeHealth(
            node, settings, {name: WatchedCamera(c.channel, c.monitors) for name, c in self.cameras.items()},
            self.worker.busy_for, lambda: self.detector.info, self._beat,
        )  # fmt: skip
        self.pipeline = Pipeline(
            node, self.detector, self.cameras, settings, self.worker.committing, self.health, self.merged
        )
        self.worker.start()

    def _camera(self, name: str, settings: Settings, reference: DomainReference | None) -> Camera:
        return Camera(
            CameraChannel(self._node, name, self._settings, self._arrived),
            CameraOutputs(self._node, name, settings, self.bundle.classes),
            CameraObstacles(self._node, name, settings, self.bundle.classes, self._transforms),
            CameraMonitors(settings, reference),
            CameraStatistics(),
        )

    def accept(self, settings: Settings) -> None:
        """Refuse settings the bundle cannot serve; tell listeners of the threshold they make.

        Raises:
            ParameterError: no such operating point.
        """
        self._check(settings)
        self._labels.publish(settings, threshold_of(self.bundle, settings))

    def _check(self, settings: Settings) -> None:
        for name in settings.cameras:
            threshold_of(self.bundle, settings.of(name))

    def open(self) -> None:
        """Listen to the cameras."""
        for camera in self.cameras.values():
            camera.channel.open()
        self.health.open()  # after the cameras: one that was stale when it was closed waits now
        self.worker.resume()

    def close(self) -> None:
        """Listen no more; what was taken before is never published."""
        for camera in self.cameras.values():
            camera.channel.close()
        self.worker.pause()
        for name in self.cameras:
            self.merged.forget(name)
        self.health.close()

    def close_deactivated(self, report: HealthReport) -> bool:
        """Listen no more to cameras whose health forbids it; whether the whole node is to be deactivated."""
        for name, reaction in report.decision.cameras.items():
            channel = self.cameras[name].channel
            if reaction is Reaction.DEACTIVATE and channel.listening:
                channel.close()
                self.merged.forget(name)
                self._node.get_logger().error(
                    f"{channel.topic} is listened to no more, as parameter 'reactions' says of "
                    f"{names(report.decision.because[name])}; activate the node anew"
                )
        return report.decision.node is Reaction.DEACTIVATE

    def release(self) -> None:
        """Give everything back.

        Raises:
            RuntimeError: the network hangs and its thread cannot be joined.
        """
        self.close()
        self.health.release()  # also where the network hangs: what is left then must not tell of itself any more
        stopped = self.worker.stop(JOIN_TIMEOUT_S)
        for camera in self.cameras.values():
            camera.outputs.close()
            camera.obstacles.outputs.close()
        self.merged.close()
        self._labels.close()
        self._obstacle_labels.close()
        if self._transforms is not None:
            self._transforms.close()
        if not stopped:  # what is left of it may end some day, and finds nothing to publish on
            raise RuntimeError(
                f"the network has run for {self.worker.busy_for():.1f} s and does not return; restart the process"
            )
        self.detector.close()

    def _beat(self, report: HealthReport) -> None:
        """In the watchdog's thread, in the rhythm of the heartbeat."""
        if self._settings().planner_lease_s > 0.0:
            believed = [name for name, reaction in report.decision.cameras.items() if reaction is Reaction.KEEP]
            for name in believed:
                self.cameras[name].obstacles.outputs.assert_alive()
            if believed:
                self.merged.assert_alive()
        self.merged.poll(time.monotonic())

    def _arrived(self, name: str, arrival: Arrival) -> None:
        """In the executor's thread."""
        sighting = self.cameras[name].monitors.arrived(arrival.message, self._node.get_clock().now().nanoseconds)
        self.worker.offer(name, replace(arrival, sighting=sighting))

    def _process(self, name: str, arrival: Arrival, epoch: int) -> Callable[[], None] | None:
        return self.pipeline.process(name, arrival, epoch)

    def _failed(self, name: str, error: Exception) -> None:
        self.pipeline.failed(name, error)
