"""Random faults of several cameras, one after the other, for as long as one likes, and what came of them."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hybrid_seg_ros.monitor.reaction import DEFAULTS, Reaction
from hybrid_seg_ros.monitor.states import HealthState, Timing, detection_time_s
from hybrid_seg_ros.ros.trials.fault_camera import CameraFault
from hybrid_seg_ros.ros.trials.fault_rig import Rig
from hybrid_seg_ros.ros.trials.fault_trials import NODE
from hybrid_seg_ros.ros.trials.fault_watch import IMAGES, OBSTACLES, Beat, Result

STATES = {
    CameraFault.STOP: HealthState.CAMERA_STALE,
    CameraFault.FREEZE: HealthState.CAMERA_FROZEN,
    CameraFault.REPEAT: HealthState.CAMERA_REJECTED,
    CameraFault.TRUNCATED: HealthState.CAMERA_REJECTED,
    CameraFault.BLACK: HealthState.IMAGE_DARK,
    CameraFault.LOOP: HealthState.STAMPS_RESTARTED,
}
CLOCK, LISTENER = "clock back", "subscriber killed"
_FLOOD_S = 0.5
_GAP_S, _LASTS_S = (0.5, 3.0), (0.5, 4.0)
_MARGIN_S = 0.5
_SETTLE_S = 3.0
_FATES = ("frames out", "dropped", "bad", "failed", "idle", "discarded", "silenced")
_NETWORK = {HealthState.NETWORK_HUNG.value, HealthState.NETWORK_LATE.value}


@dataclass
class Counts:
    """What was seen.

    Attributes:
        faults: put in, by name.
        due: faults that lasted longer than the state may take, while the network did not hang.
        told: of those, the ones that were told.
        results: messages of the results.
        wrong: those that should not have been, in words.
        others_sent: images that sound cameras sent while another one had a fault and the network did not hang.
        others_answered: of those, the ones with a result.
        oldest_s: longest time from an image to its result.
        states: beats that told a state, of the node or any camera.
        memory_mib: (s, MiB) resident memory of the node.
        longest_beat_s: longest time between two beats.
    """

    faults: dict[str, int] = field(default_factory=dict)
    due: int = 0
    told: int = 0
    results: int = 0
    wrong: list[str] = field(default_factory=list)
    others_sent: int = 0
    others_answered: int = 0
    oldest_s: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    memory_mib: list[tuple[float, float]] = field(default_factory=list)
    longest_beat_s: float = 0.0


class Soak:
    """Cameras that fail at random beside a node that is active.

    Args:
        cameras: their names.
        rate_hz: of each.
        seed: of everything random.
        pid: of the node.
        timing: with the parameters of the node.
        target: full name of the node.
    """

    def __init__(
        self, cameras: tuple[str, ...], rate_hz: float, seed: int, pid: int, timing: Timing, target: str = NODE
    ) -> None:
        self._names, self._pid, self._timing, self._target = cameras, pid, timing, target
        self._random = random.Random(seed)  # noqa: S311  # faults, not secrets
        self._rig = Rig(target, cameras, rate_hz, self._on_result, self._on_beat, seed=seed)
        self._last_sent_s: dict[tuple[str, str], float] = {}
        self._answered: dict[str, set[int]] = {name: set() for name in cameras}
        self._told: dict[str, tuple[CameraFault, float]] = {}
        self._present: tuple[str, CameraFault] | None = None
        self._hung_s = 0.0
        self._beat_s = 0.0
        self.counts = Counts()

    def run(self, seconds: float, progress: Callable[[float], None]) -> None:
        """Let faults happen for a time.

        Raises:
            TimeoutError: the node is not there.
            ProcessLookupError: it is gone.
        """
        self._rig.start(60.0)
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            os.kill(self._pid, 0)
            self.counts.memory_mib.append((round(passed, 1), resident_mib(self._pid)))
            progress(passed)
            self._rig.spin(self._random.uniform(*_GAP_S))
            self._one()

    def account(self) -> dict[str, dict[str, int]]:
        """What became of every image of each camera, when no more come: the node's own counts, and what is missing."""
        for camera in self._rig.cameras.values():
            camera.stop()
        self._rig.spin(_SETTLE_S)
        asked_s = time.monotonic()
        found = {}
        for name, camera in self._rig.cameras.items():
            key = f"camera {name}"

            def fresh(key: str = key) -> bool:
                return self._rig.watch.diagnostics.get(key, (0.0, {}))[0] > asked_s

            self._rig.wait(fresh, 10.0, f"/diagnostics of {key}")
            values = self._rig.watch.diagnostics[key][1]
            fates = {fate: int(values[fate]) for fate in _FATES}
            received = int(values["frames in"])
            found[name] = {
                "sent": camera.messages,
                "frames in": received,
                **fates,
                "missing": received - sum(fates.values()),
            }
        return found

    def close(self) -> None:
        """End the cameras and the listener."""
        self._rig.close()

    def _one(self) -> None:
        """One fault from its beginning to its end."""
        kinds: list[CameraFault | str] = [*STATES, CameraFault.FLOOD, CLOCK, LISTENER]
        kind = self._random.choice(kinds)
        name = self._random.choice(self._names)
        lasts_s = self._random.uniform(*_LASTS_S)
        label = kind.value if isinstance(kind, CameraFault) else kind
        self.counts.faults[label] = self.counts.faults.get(label, 0) + 1
        if kind is CLOCK:
            self._rig.set_clock(-10.0)
            self._rig.spin(_MARGIN_S)
        elif kind is LISTENER:
            self._kill_a_listener(name, lasts_s)
        elif isinstance(kind, CameraFault):
            self._camera_fault(name, kind, min(lasts_s, _FLOOD_S) if kind is CameraFault.FLOOD else lasts_s)

    def _camera_fault(self, name: str, kind: CameraFault, lasts_s: float) -> None:
        camera = self._rig.cameras[name]
        self._told.pop(name, None)
        since_s = camera.tell(kind)
        self._present = name, kind
        self._rig.spin(lasts_s)
        ended_s = camera.tell(CameraFault.NONE)
        self._rig.spin(self._timing.heartbeat_period_s)
        told = self._told.get(name)
        self._present = None
        if self._hung_s >= since_s:
            return  # what the network holds up is not looked at in time
        if kind in STATES and lasts_s > detection_time_s(STATES[kind], self._timing) + _MARGIN_S:
            self.counts.due += 1
            self.counts.told += told is not None and told[0] is kind
        self._count_others(name, since_s, ended_s - _MARGIN_S)

    def _count_others(self, name: str, since_s: float, until_s: float) -> None:
        for other, camera in self._rig.cameras.items():
            answered = self._answered[other]
            sent = [stamp for stamp, sent in camera.log()[-1000:] if since_s < sent.at_s < until_s]
            if other != name:
                self.counts.others_sent += len(sent)
                self.counts.others_answered += sum(stamp in answered for stamp in sent)
            answered.clear()

    def _kill_a_listener(self, name: str, lasts_s: float) -> None:
        with self._rig.listener(f"{self._target}/{name}") as process:
            self._rig.spin(lasts_s)
            process.send_signal(signal.SIGKILL)
            self._rig.spin(_MARGIN_S)

    def _on_result(self, result: Result) -> None:
        self.counts.results += 1
        sent = self._rig.cameras[result.camera].sent(result.stamp_ns)
        what = f"{result.camera}/{result.topic} of {result.stamp_ns}"
        if sent is None:
            self.counts.wrong.append(f"{what}: no such image was sent")
            return
        if sent.at_s <= self._last_sent_s.get((result.camera, result.topic), 0.0):
            self.counts.wrong.append(f"{what}: again, or out of order")
        self.counts.oldest_s = max(self.counts.oldest_s, round(result.at_s - sent.at_s, 3))
        self._last_sent_s[result.camera, result.topic] = sent.at_s
        if result.topic == OBSTACLES:
            self._answered[result.camera].add(result.stamp_ns)
        fault, told_s = self._told.get(result.camera, (CameraFault.NONE, 0.0))
        if sent.fault is CameraFault.TRUNCATED:
            self.counts.wrong.append(f"{what}: made of a truncated image")
        elif fault is not CameraFault.NONE and sent.fault is fault and sent.at_s > told_s:
            reaction = DEFAULTS[STATES[fault]]
            hushed = reaction is Reaction.SILENT or (
                reaction is Reaction.MARK_UNKNOWN and result.topic not in IMAGES and result.tells
            )
            if hushed:
                self.counts.wrong.append(f"{what}: made of a faulty image ({fault.value})")

    def _on_beat(self, beat: Beat) -> None:
        if self._beat_s:
            self.counts.longest_beat_s = max(self.counts.longest_beat_s, beat.at_s - self._beat_s)
        self._beat_s = beat.at_s
        of_node = beat.states("node")
        if of_node & _NETWORK:
            self._hung_s = beat.at_s
        states = set(of_node).union(*(beat.states(f"camera {name}") for name in self._names))
        for state in states:
            self.counts.states[state] = self.counts.states.get(state, 0) + 1
        if self._present is not None:
            name, kind = self._present
            if kind in STATES and name not in self._told and STATES[kind].value in beat.states(f"camera {name}"):
                self._told[name] = kind, beat.at_s


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB.

    Raises:
        ProcessLookupError: it is gone.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    if line is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return round(int(line.split()[1]) / 1024, 2)
