"""Every state of health by the name that external monitors match, and what it means."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


class Level(enum.IntEnum):
    """How bad a state is; the numbers are those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


class Scope(enum.Enum):
    """Whose state it is: a camera's states never touch the other cameras."""

    CAMERA = "camera"
    NODE = "node"


class HealthState(enum.Enum):
    """What can be wrong. The values are interface: they are never renamed."""

    OK = "ok"
    CAMERA_WAITING = "camera.waiting"
    CAMERA_MISSING = "camera.missing"
    CAMERA_STALE = "camera.stale"
    CAMERA_FROZEN = "camera.frozen"
    CAMERA_LOOPING = "camera.looping"
    CAMERA_REJECTED = "camera.rejected"
    CAMERA_SOME_REJECTED = "camera.some_rejected"
    CAMERA_FLOOD = "camera.flood"
    STAMPS_FUTURE = "stamps.future"
    STAMPS_OLD = "stamps.old"
    STAMPS_RESTARTED = "stamps.restarted"
    IMAGE_DARK = "image.dark"
    IMAGE_OVER_EXPOSED = "image.over_exposed"
    IMAGE_BLURRED = "image.blurred"
    IMAGE_BLOCKED = "image.blocked"
    SCENE_SUSPECT = "scene.suspect"
    SCENE_OUT_OF_DOMAIN = "scene.out_of_domain"
    GROUND_UNKNOWN = "ground.unknown"
    OUTPUT_NAN = "output.nan"
    OUTPUT_CONSTANT = "output.constant"
    OUTPUTS_UNHEARD = "outputs.unheard"
    NETWORK_FAILED = "network.failed"
    NETWORK_LATE = "network.late"
    NETWORK_HUNG = "network.hung"
    NETWORK_DEGRADED = "network.degraded"
    PARITY_DRIFT = "parity.drift"
    GPU_LOST = "gpu.lost"
    CLOCK_JUMP = "clock.jump"
    NODE_INACTIVE = "node.inactive"

    @property
    def info(self) -> "StateInfo":
        """Level, scope, sentence and detection time."""
        return STATES[self]

    @property
    def level(self) -> Level:
        """How bad it is."""
        return STATES[self].level


@dataclass(frozen=True, slots=True)
class StateInfo:
    """What a state means.

    Attributes:
        level: how bad it is.
        scope: whose state it is.
        sentence: for people.
        detected_after: the longest time from the fault to the state, in the names of `Timing`, each a number with
            " * ", " / " and " + " between them (no brackets); "" where the state is no fault.
    """

    level: Level
    scope: Scope
    sentence: str
    detected_after: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """What detection times are made of: parameters of the node by their names, and its defaults; the rest is fixed.

    Attributes:
        rate_hz: rate of the camera.
        heartbeat_period_s: how often states are looked at when no image comes.
        no_image_warning_s: silence from the start after which a camera is missing.
        stale_after_s: silence after which a camera that worked is stale.
        flood_window_s: window in which the rate of arrival is measured.
        frozen_frames: pictures in a row like the one before that are a frozen camera.
        loop_frames: longest circle of pictures that is found.
        loop_repeats: pictures in a row that came before until that is a circle.
        stamp_frames: stamps in a row that are too old or ahead of the clock.
        quality_after_s: how long a picture must be bad.
        quality_period_s: shortest time between two looks at that.
        covered_after_s: how long a part of it must have lost its structure.
        domain_after_s: how long a scene must be unlike those the bundle knows.
        domain_period_s: shortest time between two looks at that.
        output_frames: constant outputs in a row.
        network_late_s: time on one image after which the network is late.
        network_hung_s: time on one image after which it hangs.
        parity_period_s: time between two runs of the golden image.
        parity_failures: failing runs in a row that are a drift.
    """

    rate_hz: float = 15.0
    heartbeat_period_s: float = 0.1
    no_image_warning_s: float = 5.0
    stale_after_s: float = 1.0
    flood_window_s: float = 5.0
    frozen_frames: int = 10
    loop_frames: int = 30
    loop_repeats: int = 8
    stamp_frames: int = 3
    quality_after_s: float = 1.0
    quality_period_s: float = 0.1
    covered_after_s: float = 3.0
    domain_after_s: float = 5.0
    domain_period_s: float = 0.5
    output_frames: int = 5
    network_late_s: float = 0.5
    network_hung_s: float = 2.0
    parity_period_s: float = 60.0
    parity_failures: int = 2

    def seconds(self, expression: str) -> float:
        """The value of `StateInfo.detected_after`, s.

        Raises:
            AttributeError: a name that is no parameter.
        """
        return sum(self._product(term) for term in expression.split(" + "))

    def _product(self, term: str) -> float:
        first, *rest = term.split(" ")
        value = self._number(first)
        for operator, name in zip(rest[::2], rest[1::2], strict=True):
            value = value * self._number(name) if operator == "*" else value / self._number(name)
        return value

    def _number(self, name: str) -> float:
        return float(name) if name.isdigit() else float(getattr(self, name))


_CHECK = "heartbeat_period_s"
_IMAGE = "1 / rate_hz + heartbeat_period_s"
_QUALITY = "quality_after_s + quality_period_s + 1 / rate_hz + heartbeat_period_s"
_COVERED = "covered_after_s + quality_period_s + 1 / rate_hz + heartbeat_period_s"
_DOMAIN = "domain_after_s + domain_period_s + 1 / rate_hz + heartbeat_period_s"
_STAMPS = "stamp_frames / rate_hz + heartbeat_period_s"


def _camera(level: Level, sentence: str, detected_after: str = "") -> StateInfo:
    return StateInfo(level, Scope.CAMERA, sentence, detected_after)


def _node(level: Level, sentence: str, detected_after: str = "") -> StateInfo:
    return StateInfo(level, Scope.NODE, sentence, detected_after)


_OK, _WARN, _ERROR = Level.OK, Level.WARN, Level.ERROR

STATES: Mapping[HealthState, StateInfo] = MappingProxyType(
    {
        HealthState.OK: _node(_OK, "Nothing is known to be wrong."),
        HealthState.CAMERA_WAITING: _camera(_WARN, "No image has arrived yet.", _CHECK),
        HealthState.CAMERA_MISSING: _camera(
            _ERROR, "No image has ever arrived, for too long.", "no_image_warning_s + heartbeat_period_s"
        ),
        HealthState.CAMERA_STALE: _camera(_ERROR, "Images came and stopped.", "stale_after_s + heartbeat_period_s"),
        HealthState.CAMERA_FROZEN: _camera(
            _ERROR,
            "The same picture comes again and again under new stamps.",
            "1 / rate_hz + frozen_frames / rate_hz + heartbeat_period_s",
        ),
        HealthState.CAMERA_LOOPING: _camera(
            _ERROR,
            "The same few pictures come in a circle under new stamps.",
            "loop_frames / rate_hz + loop_repeats / rate_hz + frozen_frames / rate_hz + heartbeat_period_s",
        ),
        HealthState.CAMERA_REJECTED: _camera(_ERROR, "The last image could not be used.", _IMAGE),
        HealthState.CAMERA_SOME_REJECTED: _camera(_WARN, "Some of the last images could not be used.", _IMAGE),
        HealthState.CAMERA_FLOOD: _camera(
            _WARN, "Images come faster than any camera sends them.", "flood_window_s + heartbeat_period_s"
        ),
        HealthState.STAMPS_FUTURE: _camera(_WARN, "Images are stamped ahead of this node's clock.", _STAMPS),
        HealthState.STAMPS_OLD: _camera(_WARN, "Images are stamped far behind this node's clock.", _STAMPS),
        HealthState.STAMPS_RESTARTED: _camera(
            _WARN, "The stamps of the images went back and began a new timeline.", _STAMPS
        ),
        HealthState.IMAGE_DARK: _camera(_ERROR, "The picture is too dark to be believed.", _QUALITY),
        HealthState.IMAGE_OVER_EXPOSED: _camera(_ERROR, "The picture is white in large parts.", _QUALITY),
        HealthState.IMAGE_BLURRED: _camera(_WARN, "The picture is blurred.", _QUALITY),
        HealthState.IMAGE_BLOCKED: _camera(_ERROR, "Something covers the lens.", _COVERED),
        HealthState.SCENE_SUSPECT: _camera(_WARN, "The scene is unusual for this network.", _DOMAIN),
        HealthState.SCENE_OUT_OF_DOMAIN: _camera(
            _ERROR, "The whole scene is unlike anything this network was made for.", _DOMAIN
        ),
        HealthState.GROUND_UNKNOWN: _camera(
            _WARN, "No camera calibration or pose is known: there are no obstacles in metres.", _IMAGE
        ),
        HealthState.OUTPUT_NAN: _camera(_ERROR, "The network's output is not finite.", _IMAGE),
        HealthState.OUTPUT_CONSTANT: _camera(
            _ERROR,
            "The network's output is one and the same all over the image.",
            "output_frames / rate_hz + heartbeat_period_s",
        ),
        HealthState.OUTPUTS_UNHEARD: _camera(_OK, "Nobody listens to this camera's results.", _CHECK),
        HealthState.NETWORK_FAILED: _camera(_ERROR, "The network failed on the last image.", _IMAGE),
        HealthState.NETWORK_LATE: _node(
            _WARN, "The network takes longer on an image than it should.", "network_late_s + heartbeat_period_s"
        ),
        HealthState.NETWORK_HUNG: _node(
            _ERROR, "The network has not come back from an image.", "network_hung_s + heartbeat_period_s"
        ),
        HealthState.NETWORK_DEGRADED: _node(_WARN, "The network runs, but not on the backend that was asked for."),
        HealthState.PARITY_DRIFT: _node(
            _ERROR,
            "The network no longer gives the bundle's golden results.",
            "parity_failures * parity_period_s + heartbeat_period_s",
        ),
        HealthState.GPU_LOST: _node(_ERROR, "The GPU does not answer any more.", _IMAGE),
        HealthState.CLOCK_JUMP: _node(_WARN, "This node's clock jumped.", _CHECK),
        HealthState.NODE_INACTIVE: _node(_WARN, "The node is not active: it publishes no results.", _CHECK),
    }
)
"""In the order of HealthState, which is that of the documentation."""


def detection_time_s(state: HealthState, timing: Timing) -> float:
    """The stated longest time from the fault to the state, s; 0 for a state that is no fault."""
    expression = STATES[state].detected_after
    return timing.seconds(expression) if expression else 0.0


def worst_first(states: Iterable[HealthState]) -> tuple[HealthState, ...]:
    """The states without OK, the worst level first, then in the order of HealthState."""
    found = set(states) - {HealthState.OK}
    return tuple(sorted((state for state in HealthState if state in found), key=lambda state: -state.level))


def worst_level(states: Iterable[HealthState]) -> Level:
    """The worst level; OK where there are none."""
    return max((state.level for state in states), default=Level.OK)


def headline(states: Iterable[HealthState]) -> str:
    """One line for people and machines: 'name: sentence' of the worst state, and the names of the others."""
    first, *others = worst_first(states) or (HealthState.OK,)
    more = f" (also {', '.join(state.value for state in others)})" if others else ""
    return f"{first.value}: {first.info.sentence}{more}"


def names(states: Iterable[HealthState]) -> str:
    """Their names, the worst first; "ok" where nothing is wrong."""
    return ", ".join(state.value for state in worst_first(states)) or HealthState.OK.value
