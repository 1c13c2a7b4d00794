"""All that is known about one camera, as one set of states and one word."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from hybrid_seg_ros.monitor.input_state import InputReport, InputState
from hybrid_seg_ros.monitor.states import HealthState, Level, headline, worst_level


class CameraPhase(enum.Enum):
    """What a camera is doing, in one word; the values are interface."""

    WAITING = "waiting"  # nothing has arrived yet
    ACTIVE = "active"  # pictures come; whether they are good is another question
    STALE = "stale"  # they came and stopped
    FROZEN = "frozen"  # they come, and show the past
    REJECTED = "rejected"  # they come, and the last one could not be used


@dataclass(frozen=True, slots=True)
class CameraVerdict:
    """One camera at one moment.

    Attributes:
        phase: see CameraPhase.
        states: what is wrong; empty when nothing is. OK is never among them.
        headline: one line for people and machines, see `states.headline`.
    """

    phase: CameraPhase
    states: frozenset[HealthState]
    headline: str

    @property
    def level(self) -> Level:
        """The worst level of the states."""
        return worst_level(self.states)


@dataclass(frozen=True, slots=True)
class CameraHealthOptions:
    """Limits.

    Attributes:
        no_image_warning_s: silence from the start after which a camera is missing.
        flood_hz: rate of arrival that no camera has; 0 allows any.
        recent_s: how long an image that was rejected, or a new timeline, is a state.
    """

    no_image_warning_s: float = 5.0
    flood_hz: float = 200.0
    recent_s: float = 5.0

    def __post_init__(self) -> None:
        """Raises ValueError for a negative limit."""
        for name in ("no_image_warning_s", "flood_hz", "recent_s"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} is {getattr(self, name):g}, expected >= 0")


class CameraHealth:
    """Puts the state of a camera's input and what the other monitors found together."""

    def __init__(self) -> None:
        self._restarts = 0
        self._restarted_at: float | None = None

    def update(
        self, report: InputReport, found: Iterable[HealthState | str], options: CameraHealthOptions, now_s: float
    ) -> CameraVerdict:
        """The verdict at `now_s`.

        A camera that has sent nothing, or has stopped, has only that state: what its last pictures were says nothing
        about now.

        Args:
            report: of its input, made at `now_s`.
            found: states, or their names, by the monitors of its pictures, results and stamps; OK is left out.
            options: limits.
            now_s: monotonic seconds.

        Raises:
            ValueError: a name that is no state.
        """
        if report.restarts != self._restarts:
            self._restarts, self._restarted_at = report.restarts, now_s
        if report.state is InputState.WAITING:
            missing = report.silent_s > options.no_image_warning_s
            return _verdict(
                CameraPhase.WAITING, {HealthState.CAMERA_MISSING if missing else HealthState.CAMERA_WAITING}
            )
        if report.state is InputState.STALE:
            return _verdict(CameraPhase.STALE, {HealthState.CAMERA_STALE})
        states = {HealthState(name) for name in found} - {HealthState.OK}
        if report.state is InputState.BAD:
            states.add(HealthState.CAMERA_REJECTED)
        elif report.problem_age_s < options.recent_s:
            states.add(HealthState.CAMERA_SOME_REJECTED)
        if 0.0 < options.flood_hz < report.rate_hz:
            states.add(HealthState.CAMERA_FLOOD)
        if self._restarted_at is not None and now_s - self._restarted_at < options.recent_s:
            states.add(HealthState.STAMPS_RESTARTED)
        return _verdict(_phase(states), states)


def _phase(states: set[HealthState]) -> CameraPhase:
    if HealthState.CAMERA_REJECTED in states:
        return CameraPhase.REJECTED
    if states & {HealthState.CAMERA_FROZEN, HealthState.CAMERA_LOOPING}:
        return CameraPhase.FROZEN
    return CameraPhase.ACTIVE


def _verdict(phase: CameraPhase, states: set[HealthState]) -> CameraVerdict:
    return CameraVerdict(phase, frozenset(states), headline(states))
