"""Everything a configured node holds: one detector, its worker, and the cameras that share them."""

import threading
from collections.abc import Callable
from dataclasses import replace

from rclpy.node import Node

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Detector, open_detector
from hybrid_seg_ros.detector.restarts import RestartPolicy
from hybrid_seg_ros.ros.camera import Arrival, CameraChannel
from hybrid_seg_ros.ros.labels import LabelPublisher
from hybrid_seg_ros.ros.outputs import CameraOutputs
from hybrid_seg_ros.ros.parameter_spec import ParameterError, closest
from hybrid_seg_ros.ros.pipeline import Camera, CameraStatistics, Pipeline
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.worker import LatestOnlyWorker

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
        ParameterError: the bundle does not have the operating point of the settings.
    """

    def __init__(self, node: Node, settings: Callable[[], Settings], detector: Detector) -> None:
        start = settings()
        self._node = node
        self.detector = detector
        self.bundle = self.detector.bundle
        self.worker: LatestOnlyWorker[Arrival] = LatestOnlyWorker(start.cameras, self._process, self._failed)
        self.cameras = {
            name: Camera(
                CameraChannel(node, name, settings, self.worker.offer),
                CameraOutputs(node, name, start, self.bundle.classes),
                CameraStatistics(),
            )
            for name in start.cameras
        }
        self.pipeline = Pipeline(node, self.detector, self.cameras, settings, self.worker.committing)
        self._labels = LabelPublisher(node, self.bundle)
        self.accept(start)
        self.worker.start()

    def accept(self, settings: Settings) -> None:
        """Refuse settings the bundle cannot serve; tell listeners of the threshold they make.

        Raises:
            ParameterError: no such operating point.
        """
        self._labels.publish(settings, threshold_of(self.bundle, settings))

    def open(self) -> None:
        """Listen to the cameras."""
        self.worker.resume()
        for camera in self.cameras.values():
            camera.channel.open()

    def close(self) -> None:
        """Listen no more; what was taken before is never published."""
        for camera in self.cameras.values():
            camera.channel.close()
        self.worker.pause()

    def release(self) -> None:
        """Give everything back.

        Raises:
            RuntimeError: the network hangs and its thread cannot be joined.
        """
        self.close()
        if not self.worker.stop(JOIN_TIMEOUT_S):
            raise RuntimeError(
                f"the network has run for {self.worker.busy_for():.1f} s and does not return; restart the process"
            )
        for camera in self.cameras.values():
            camera.outputs.close()
        self._labels.close()
        self.detector.close()

    def _process(self, name: str, arrival: Arrival, epoch: int) -> Callable[[], None] | None:
        return self.pipeline.process(name, arrival, epoch)

    def _failed(self, name: str, error: Exception) -> None:
        self.pipeline.failed(name, error)
