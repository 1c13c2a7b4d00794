"""Faults put into the running node one by one: when it says so, what it publishes meanwhile, when it works again."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from hybrid_seg_ros.monitor.reaction import DEFAULTS, Reaction
from hybrid_seg_ros.monitor.states import HealthState, Scope, Timing, detection_time_s
from hybrid_seg_ros.ros.trials.fault_camera import CameraFault
from hybrid_seg_ros.ros.trials.fault_rig import Rig
from hybrid_seg_ros.ros.trials.fault_watch import GRID, IMAGES, OBSTACLES, TOPICS, Beat, Result

NODE = "/hybrid_seg"
CAMERA = ""
_OWNER = {Scope.NODE: "node", Scope.CAMERA: "camera image"}
_PATIENCE_S = 20.0
_LINGER_S = 0.5
_LATEST = 100
_FRESH_S = 0.5
_OLDEST_S = 1.0
"""A result that comes later than this after its image was sent tells the past."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is put in, and what the node must say.

    Attributes:
        state: by which it is told; None: nothing is wrong with the node, and it must say so.
        camera: what the camera does wrong; NONE where something else does.
        clock_s: how far simulated time is set.
        network: whether the network does it, at a run that the node was told.
        strict: whether no single result may come of an image that was sent meanwhile.
        kills_listener: whether somebody who listens is killed.
    """

    state: HealthState | None
    camera: CameraFault = CameraFault.NONE
    clock_s: float = 0.0
    network: bool = False
    strict: bool = False
    kills_listener: bool = False


FAULTS: Mapping[str, Fault] = {
    "NaN network": Fault(HealthState.OUTPUT_NAN, network=True),
    "network raises": Fault(HealthState.NETWORK_FAILED, network=True),
    "network hangs": Fault(HealthState.NETWORK_HUNG, network=True),
    "camera stops": Fault(HealthState.CAMERA_STALE, CameraFault.STOP),
    "camera freezes": Fault(HealthState.CAMERA_FROZEN, CameraFault.FREEZE),
    "image repeated": Fault(HealthState.CAMERA_REJECTED, CameraFault.REPEAT),
    "truncated images": Fault(HealthState.CAMERA_REJECTED, CameraFault.TRUNCATED, strict=True),
    "black images": Fault(HealthState.IMAGE_DARK, CameraFault.BLACK),
    "flood": Fault(HealthState.CAMERA_FLOOD, CameraFault.FLOOD),
    "bag loop": Fault(HealthState.STAMPS_RESTARTED, CameraFault.LOOP),
    "clock back": Fault(HealthState.CLOCK_JUMP, clock_s=-10.0),
    "subscriber killed": Fault(None, kills_listener=True),
}
"""By name, in the order in which the network does its part."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen of one fault; times in s.

    Attributes:
        fault: its name.
        state: expected, "" for none.
        stated_s: the time in which the state is promised.
        measured_s: from the fault to the first beat of the heartbeat with that state.
        reaction: to the state.
        before: faulty images that have results, sent before the state was told.
        unknown: grids of which nothing is known.
        wrong: results that should not have been, in words.
        recovered_s: from the end of the fault to the first result of a sound image.
        longest_beat_s: longest time between two beats meanwhile.
    """

    fault: str
    state: str
    stated_s: float
    measured_s: float
    reaction: str
    before: int
    unknown: int
    wrong: tuple[str, ...]
    recovered_s: float
    longest_beat_s: float


class Trials:
    """One node under test, which is active and listens to `image`; a context manager.

    Args:
        timing: with the parameters of the node.
        hang_s: how long its network hangs when it does.
        domain: ROS domain; None is that of the environment.
        compressed: whether the node takes JPEG.
    """

    def __init__(
        self, timing: Timing, hang_s: float, *, domain: int | None = None, compressed: bool = False, target: str = NODE
    ) -> None:
        self._timing, self._hang_s, self._target = timing, hang_s, target
        self._results: list[Result] = []
        self._beats: list[Beat] = []
        self._rig = Rig(
            target, (CAMERA,), timing.rate_hz, self._results.append, self._beats.append,
            domain=domain, compressed=compressed,
        )  # fmt: skip
        self._camera = self._rig.cameras[CAMERA]

    def __enter__(self) -> "Trials":
        return self

    def __exit__(self, *_: object) -> None:
        self._rig.close()

    def start(self, timeout_s: float = 60.0) -> None:
        """Wait for the node, and send.

        Raises:
            TimeoutError: it is not there.
        """
        self._rig.start(timeout_s)

    def run(self, name: str) -> Outcome:
        """Put a fault in and take it out again.

        Raises:
            TimeoutError: the node did not work before, did not say what it should, or did not work again.
            KeyError: no such fault.
        """
        fault = FAULTS[name]
        self._wait_until_sound(fault.state)
        self._results.clear()
        self._beats.clear()
        with self._rig.listener(self._target) if fault.kills_listener else _nobody() as listener:
            since_s = self._put_in(fault, listener)
            detected_s = since_s
            if fault.state is not None:
                told = fault.state
                self._rig.wait(lambda: self._told_s(told, since_s) > 0.0, _PATIENCE_S, f"{name} is {told.value}")
                detected_s = self._told_s(told, since_s)
            self._rig.spin(_LINGER_S)
            ended_s = since_s
            if fault.camera not in (CameraFault.NONE, CameraFault.LOOP):
                ended_s = self._camera.tell(CameraFault.NONE)
        if fault.network:
            self._wait_for_result(detected_s, name)
            since_s = self._unanswered_s(detected_s)
            ended_s = since_s + (self._hang_s if fault.state is HealthState.NETWORK_HUNG else 0.0)
        recovered_s = self._wait_for_result(ended_s, name)
        before, wrong = self._judge(fault, detected_s)
        beats = [beat.at_s for beat in self._beats]
        return Outcome(
            fault=name,
            state="" if fault.state is None else fault.state.value,
            stated_s=0.0 if fault.state is None else detection_time_s(fault.state, self._timing),
            measured_s=round(detected_s - since_s, 3),
            reaction=Reaction.KEEP.word if fault.state is None else DEFAULTS[fault.state].word,
            before=before,
            unknown=sum(result.topic == GRID and not result.tells for result in self._results),
            wrong=tuple(wrong),
            recovered_s=round(max(0.0, recovered_s - ended_s), 3),
            longest_beat_s=round(max((b - a for a, b in pairwise(beats)), default=0.0), 3),
        )

    def _wait_until_sound(self, state: HealthState | None) -> None:
        def sound() -> bool:
            if not self._beats or not self._results:
                return False
            beat, now = self._beats[-1], time.monotonic()
            if state is not None and state.value in beat.states(_OWNER[state.info.scope]):
                return False
            fresh = {result.topic for result in self._results[-_LATEST:] if now - result.at_s < _FRESH_S}
            return beat.values.get("reaction image") == "keep" and fresh >= TOPICS

        self._rig.wait(sound, _PATIENCE_S, "the node works")

    def _put_in(self, fault: Fault, listener: subprocess.Popen[bytes] | None) -> float:
        if fault.clock_s:
            self._rig.set_clock(fault.clock_s)
        elif fault.camera is not CameraFault.NONE:
            return self._camera.tell(fault.camera)
        elif listener is not None:
            listener.send_signal(signal.SIGKILL)
        return time.monotonic()

    def _told_s(self, state: HealthState, since_s: float) -> float:
        """When the heartbeat first told it, 0 where it has not."""
        owner = _OWNER[state.info.scope]
        found = (beat.at_s for beat in self._beats if beat.at_s >= since_s and state.value in beat.states(owner))
        return next(found, 0.0)

    def _wait_for_result(self, after_s: float, name: str) -> float:
        """When the first result of an image that was sent after `after_s`, and soundly, came."""

        def first() -> float:
            for result in self._results:
                sent = self._camera.sent(result.stamp_ns)
                if (
                    result.topic == OBSTACLES
                    and sent is not None
                    and sent.at_s > after_s
                    and sent.fault is CameraFault.NONE
                ):
                    return result.at_s
            return 0.0

        self._rig.wait(lambda: first() > 0.0, _PATIENCE_S, f"results after: {name}")
        return first()

    def _unanswered_s(self, before_s: float) -> float:
        """When the image was sent at which the network failed: the last one before that has no result.

        Where several in a row have none, the first of them.
        """
        answered = {result.stamp_ns for result in self._results}
        found = 0.0
        for stamp_ns, sent in reversed(self._camera.log()):
            if sent.at_s > before_s:
                continue
            if stamp_ns not in answered:
                found = sent.at_s
            elif found:
                return found
        raise TimeoutError("every image has a result, though the network failed")

    def _judge(self, fault: Fault, detected_s: float) -> tuple[int, list[str]]:
        """How many results of faulty images came before it was told, and what was wrong with any result."""
        reaction = Reaction.KEEP if fault.state is None else DEFAULTS[fault.state]
        wrong = []
        before: set[int] = set()
        last: dict[str, float] = {}
        for result in self._results:
            what = f"{result.topic} of {result.stamp_ns}"
            sent = self._camera.sent(result.stamp_ns)
            if sent is None:
                wrong.append(f"{what}: no such image was sent")
                continue
            if sent.at_s <= last.get(result.topic, 0.0):
                wrong.append(f"{what}: again, or out of order")
            last[result.topic] = sent.at_s
            if result.at_s - sent.at_s > _OLDEST_S:
                wrong.append(f"{what}: {result.at_s - sent.at_s:.2f} s late")
            if sent.fault in (CameraFault.NONE, CameraFault.FLOOD, CameraFault.REPEAT):
                continue
            speaks = result.tells and not (reaction is Reaction.MARK_UNKNOWN and result.topic in IMAGES)
            if fault.strict or (sent.at_s > detected_s and reaction >= Reaction.MARK_UNKNOWN and speaks):
                wrong.append(f"{what}: made of a faulty image ({sent.fault.value})")
            elif sent.at_s <= detected_s:
                before.add(result.stamp_ns)
        return len(before), wrong


@contextmanager
def _nobody() -> Iterator[None]:
    yield None
