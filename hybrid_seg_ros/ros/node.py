"""The lifecycle node: transitions, parameters, diagnostics; the work is done in `perception`."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.bundle import cost_text
from hybrid_seg_ros.detector import Detector
from hybrid_seg_ros.monitor.input_state import InputState
from hybrid_seg_ros.monitor.states import names
from hybrid_seg_ros.monitor.throttle import Throttle
from hybrid_seg_ros.ros.diagnostics import camera_status, node_status
from hybrid_seg_ros.ros.health import HealthReport
from hybrid_seg_ros.ros.lifecycle_guard import refuse_wrong_transitions, said
from hybrid_seg_ros.ros.parameter_spec import ParameterError
from hybrid_seg_ros.ros.parameters import NodeParameters
from hybrid_seg_ros.ros.perception import Perception, load_detector
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.settled_heap import settle_heap
from hybrid_seg_ros.ros.silence import why_silent

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class HybridSegNode(LifecycleNode):
    """Camera images in; semantic labels, anomaly score and obstacle mask out.

    Topics and parameters: docs/topics.md, docs/parameters.md. /diagnostics is published in every state.

    Two nodes of one full name would mix their results on the same topics. That is an ERROR on the log and on
    /diagnostics as long as it lasts, but no reason to refuse: for some seconds after a crash the dead node is
    still in the graph, and its successor must start.
    """

    def __init__(self, **node_options: Any) -> None:  # noqa: ANN401  # rclpy.node.Node's own
        super().__init__("hybrid_seg", **node_options)
        refuse_wrong_transitions(self)
        self._perception: Perception | None = None
        self._failure = ""
        self._state = "unconfigured"
        self._declared = NodeParameters(self, self._accept)
        self._progress = ""
        self._cancel = threading.Event()
        self._silence = Throttle(self.settings.log_throttle_s)
        self._namesakes = 0
        self._told_s = time.monotonic()
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # steady: health must be told also while simulated time stands still
        self._timer = self.create_timer(
            self.settings.diagnostics_period_s, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    @property
    def settings(self) -> Settings:
        """The parameters now."""
        return self._declared.settings

    @said
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the parameters, load the bundle, start the network."""
        self._state, self._failure = "configuring", ""
        self._tell_namesakes()
        self._publish_diagnostics()
        problems = [*self._declared.problems.values(), *self.settings.problems()]
        try:
            if problems:
                raise ParameterError("; ".join(problems))
            self.get_logger().info(f"loading bundle {self.settings.bundle!r}, backend {self.settings.backend!r}")
            detector = self._load()
            try:
                self._perception = Perception(self, lambda: self.settings, detector)
            except BaseException:
                detector.close()
                raise
        except (ValueError, BackendError) as error:  # BundleError and ParameterError are ValueErrors
            self.fail(f"configure failed: {error}")
            return FAILURE
        about = self._perception.detector.info
        self.get_logger().info(
            f"bundle {self._perception.bundle.manifest.name} on {about.name} ({about.device}, {about.precision})"
        )
        if about.precision == "int8":
            self.get_logger().warning(cost_text(self._perception.bundle.manifest))
        settle_heap()
        self._state = "inactive"
        return SUCCESS

    @said
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen to the cameras."""
        perception = self._configured()
        self._failure = ""
        perception.open()
        for camera in perception.cameras.values():
            self.get_logger().info(f"listening to {camera.channel.topic} and {camera.channel.info_topic}")
        self._state = "active"
        return SUCCESS

    @said
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen no more; images taken before are never published."""
        self._configured().close()
        self._state = "inactive"
        return SUCCESS

    @said
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give the network back."""
        self.release()
        self._state = "unconfigured"
        return SUCCESS

    @said
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give everything back for good; the process ends with a signal."""
        self.release()
        self._state = "finalized"
        return SUCCESS

    @said
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition raised: back to unconfigured, so that it can be tried again."""
        self.release()
        self._state = "unconfigured"
        return SUCCESS

    def fail(self, why: str) -> None:
        """Say why a transition failed, on the log now and on /diagnostics until the next one."""
        self._state, self._failure = "unconfigured", why
        self.get_logger().error(why)
        self._publish_diagnostics()

    def release(self) -> None:
        """Stop the worker and free the network; may be called in every state."""
        perception, self._perception = self._perception, None
        if perception is not None:
            perception.release()

    def cancel(self) -> None:
        """End a transition that takes long because an engine is being built; for any thread."""
        self._cancel.set()

    def _load(self) -> Detector:
        """The detector, with signs of life while it takes its time: this thread is the executor's."""
        self._cancel.clear()
        with ThreadPoolExecutor(1, thread_name_prefix="hybrid_seg_load") as pool:
            loading = pool.submit(load_detector, self.settings, self._tell_progress, self._cancel)
            try:
                while not wait([loading], self.settings.diagnostics_period_s).done:
                    self._publish_diagnostics()
            finally:
                self._progress = ""
            return loading.result()

    def _tell_progress(self, text: str) -> None:
        self._progress = text
        self.get_logger().info(text)

    def _configured(self) -> Perception:
        if self._perception is None:
            raise RuntimeError("the node is not configured")
        return self._perception

    def _accept(self, settings: Settings) -> None:
        if self._perception is not None:
            self._perception.accept(settings)

    def _on_timer(self) -> None:
        self._obey_health()
        self._tell_namesakes()
        self._tell_silence()
        self._publish_diagnostics()

    def _obey_health(self) -> None:
        """Deactivate what its health forbids to go on, in the executor's thread as every transition."""
        perception = self._perception
        if perception is None or self._state != "active":
            return
        report = perception.health.report()
        if perception.close_deactivated(report):
            because = names(set().union(*report.decision.because.values()))
            why = f"deactivated, as parameter 'reactions' says of {because}"
            self.get_logger().error(why)
            self.trigger_deactivate()
            self._failure = why

    def _tell_namesakes(self) -> None:
        own = (self.get_name(), self.get_namespace())
        named = self.get_node_names_and_namespaces().count(own)
        # The name of a node that ended may stay in the graph; its publishers do not.
        namesakes = max(0, min(named, self.count_publishers("~/transition_event")) - 1)
        if namesakes > self._namesakes:
            self.get_logger().error(
                f"{namesakes} other node(s) are called {self.get_fully_qualified_name()} and publish on the same "
                "topics; give one another name (--ros-args -r __node:=...) or namespace (-r __ns:=/...)"
            )
        self._namesakes = namesakes

    def _tell_silence(self) -> None:
        if self._perception is None or self._state != "active":
            return
        settings = self.settings
        self._silence.period_s = max(settings.log_throttle_s, settings.no_image_warning_s)
        for name, camera in self._perception.cameras.items():
            report = camera.channel.report()
            silent = camera.channel.listening and report.state in (InputState.WAITING, InputState.STALE)
            if silent and report.silent_s > settings.no_image_warning_s and self._silence.ready(name, time.monotonic()):
                why = why_silent(self, camera.channel.base_topic, settings.image_transport, settings.input_reliability)
                self.get_logger().warning(f"no image for {report.silent_s:.0f} s: {why}")

    def _publish_diagnostics(self) -> None:
        settings, perception, name = self.settings, self._perception, self.get_fully_qualified_name().lstrip("/")
        since_s, self._told_s = self._told_s, time.monotonic()
        report = HealthReport(frozenset()) if perception is None else perception.health.told(since_s)
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        message.status = [
            node_status(
                f"{name}: node",
                self._state,
                self._failure,
                self._progress,
                self._namesakes,
                settings,
                perception,
                report.node,
            )
        ]
        if perception is not None and self._state == "active":
            now = time.monotonic()
            message.status += [
                camera_status(
                    f"{name}: camera {key or 'image'}",
                    perception.cameras[key],
                    perception.worker.dropped(key),
                    settings.of(key),
                    perception.cameras[key].statistics.rate.rate(now),
                    verdict,
                    report.decision.cameras[key],
                    report.decision.because[key],
                )
                for key, verdict in report.cameras.items()
            ]
        self._diagnostics.publish(message)
