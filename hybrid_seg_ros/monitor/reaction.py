"""What the node does about a state of health."""

import difflib
import enum
import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from hybrid_seg_ros.monitor.states import HealthState

_Known = TypeVar("_Known")


class Reaction(enum.IntEnum):
    """What becomes of the obstacle outputs, in order of strength."""

    KEEP = 0
    """Results are published as ever."""
    MARK_UNKNOWN = 1
    """The occupancy grid says unknown everywhere; clouds and scans, which cannot say so, are not published."""
    SILENT = 2
    """Nothing is published: consumers see a source that has stopped."""
    DEACTIVATE = 3
    """The node, or the camera whose state it is, stops until somebody activates it again."""

    @property
    def word(self) -> str:
        """As parameters and documents write it."""
        return self.name.lower()


DEFAULTS: Mapping[HealthState, Reaction] = MappingProxyType(
    {
        HealthState.OK: Reaction.KEEP,
        HealthState.CAMERA_WAITING: Reaction.KEEP,
        HealthState.CAMERA_MISSING: Reaction.KEEP,
        HealthState.CAMERA_STALE: Reaction.SILENT,
        HealthState.CAMERA_FROZEN: Reaction.SILENT,
        HealthState.CAMERA_LOOPING: Reaction.SILENT,
        HealthState.CAMERA_REJECTED: Reaction.KEEP,
        HealthState.CAMERA_SOME_REJECTED: Reaction.KEEP,
        HealthState.CAMERA_FLOOD: Reaction.KEEP,
        HealthState.STAMPS_FUTURE: Reaction.KEEP,
        HealthState.STAMPS_OLD: Reaction.KEEP,
        HealthState.STAMPS_RESTARTED: Reaction.KEEP,
        HealthState.IMAGE_DARK: Reaction.MARK_UNKNOWN,
        HealthState.IMAGE_OVER_EXPOSED: Reaction.MARK_UNKNOWN,
        HealthState.IMAGE_BLURRED: Reaction.MARK_UNKNOWN,
        HealthState.IMAGE_BLOCKED: Reaction.SILENT,
        HealthState.SCENE_SUSPECT: Reaction.KEEP,
        HealthState.SCENE_OUT_OF_DOMAIN: Reaction.MARK_UNKNOWN,
        HealthState.GROUND_UNKNOWN: Reaction.KEEP,
        HealthState.OUTPUT_NAN: Reaction.SILENT,
        HealthState.OUTPUT_CONSTANT: Reaction.SILENT,
        HealthState.OUTPUTS_UNHEARD: Reaction.KEEP,
        HealthState.NETWORK_FAILED: Reaction.SILENT,
        HealthState.NETWORK_LATE: Reaction.KEEP,
        HealthState.NETWORK_HUNG: Reaction.SILENT,
        HealthState.NETWORK_DEGRADED: Reaction.KEEP,
        HealthState.PARITY_DRIFT: Reaction.SILENT,
        HealthState.GPU_LOST: Reaction.SILENT,
        HealthState.CLOCK_JUMP: Reaction.KEEP,
        HealthState.NODE_INACTIVE: Reaction.KEEP,
    }
)
"""Where there is nothing to publish anyway (no image has come, this one could not be used, the node is inactive) the
reaction is keep, so that the first good image counts at once. Nothing deactivates unless asked to: a lost GPU is
started anew, which a node that deactivated itself could not do."""


@dataclass(frozen=True, slots=True)
class ReactionPolicy:
    """Which reaction each state calls for.

    Attributes:
        overrides: reactions other than `DEFAULTS`.
    """

    overrides: Mapping[HealthState, Reaction] = field(default_factory=dict)

    def reaction(self, state: HealthState) -> Reaction:
        """The reaction to one state."""
        return self.overrides.get(state, DEFAULTS[state])

    def strongest(self, states: Iterable[HealthState]) -> Reaction:
        """The strongest reaction to any of the states; KEEP to none."""
        return max(map(self.reaction, states), default=Reaction.KEEP)


def parse_reactions(entries: Sequence[str]) -> ReactionPolicy:
    """The policy of a string-array parameter such as ["image.dark=silent", "scene.out_of_domain=mark_unknown"].

    Empty strings are skipped: a ROS parameter has no empty string array to be the default.

    Raises:
        ValueError: an entry that is no state=reaction, names an unknown one, or says the same state again.
    """
    overrides: dict[HealthState, Reaction] = {}
    for entry in entries:
        if not entry.strip():
            continue
        name, equals, word = (part.strip() for part in entry.partition("="))
        if not equals:
            raise ValueError(f"reaction {entry!r}: expected state=reaction, such as image.dark=silent")
        state = _named(
            name, {state.value: state for state in HealthState if state is not HealthState.OK}, entry, "state"
        )
        if state in overrides:
            raise ValueError(f"reaction {entry!r}: expected each state once, found {name!r} again")
        overrides[state] = _named(word, {reaction.word: reaction for reaction in Reaction}, entry, "reaction")
    return ReactionPolicy(MappingProxyType(overrides))


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done now.

    Attributes:
        node: DEACTIVATE when the whole node is to stop; else the strongest reaction to the node's own states.
        cameras: by camera, the strongest reaction to its own and the node's states; DEACTIVATE lasts until `reset`.
        because: by camera, the states that call for that reaction; empty where it is KEEP.
    """

    node: Reaction
    cameras: Mapping[str, Reaction]
    because: Mapping[str, tuple[HealthState, ...]]


class Reactions:
    """Decides over time: a state that calls for deactivation only silences until it has lasted.

    Any thread may ask.

    Args:
        policy: which reaction each state calls for.
        deactivate_after_s: how long a state must last before it deactivates.
    """

    def __init__(self, policy: ReactionPolicy, deactivate_after_s: float) -> None:
        self._policy = policy
        self._after_s = deactivate_after_s
        self._since: dict[tuple[str | None, HealthState], float] = {}
        self._stopped: dict[str | None, tuple[HealthState, ...]] = {}
        self._lock = threading.Lock()

    def decide(self, node: Set[HealthState], cameras: Mapping[str, Set[HealthState]], now_s: float) -> Decision:
        """The decision at `now_s` (monotonic seconds), given the node's states and those of *every* camera by name.

        A state that is left out has ended: whoever asks for one camera only resets what the others' have lasted.
        """
        everything: dict[str | None, Set[HealthState]] = {None: node}
        everything.update(cameras.items())
        present = {(owner, state) for owner, states in everything.items() for state in states}
        with self._lock:
            self._since = {key: self._since.get(key, now_s) for key in present}
            own = {owner: self._own(owner, states, now_s) for owner, states in everything.items()}
        of_node, node_because = own[None]
        reactions: dict[str, Reaction] = {}
        because: dict[str, tuple[HealthState, ...]] = {}
        for name in cameras:
            of_camera, camera_because = own[name]
            reactions[name] = max(of_camera, of_node)
            because[name] = (camera_because if of_camera >= of_node else ()) + (
                node_because if of_node >= of_camera else ()
            )
        if reactions and all(reaction is Reaction.DEACTIVATE for reaction in reactions.values()):
            of_node = Reaction.DEACTIVATE
        return Decision(of_node, reactions, because)

    def reset(self) -> None:
        """Forget what was deactivated and how long states have lasted: somebody activated the node."""
        with self._lock:
            self._since.clear()
            self._stopped.clear()

    def _own(
        self, owner: str | None, states: Set[HealthState], now_s: float
    ) -> tuple[Reaction, tuple[HealthState, ...]]:
        """The reaction to an owner's own states (None: the node) and which of them call for it."""
        if owner in self._stopped:
            return Reaction.DEACTIVATE, self._stopped[owner]
        acting = {state: self._acting(owner, state, now_s) for state in HealthState if state in states}
        strongest = max(acting.values(), default=Reaction.KEEP)
        if strongest is Reaction.KEEP:
            return strongest, ()
        because = tuple(state for state, reaction in acting.items() if reaction is strongest)
        if strongest is Reaction.DEACTIVATE:
            self._stopped[owner] = because
        return strongest, because

    def _acting(self, owner: str | None, state: HealthState, now_s: float) -> Reaction:
        reaction = self._policy.reaction(state)
        if reaction is Reaction.DEACTIVATE and now_s - self._since[owner, state] < self._after_s:
            return Reaction.SILENT
        return reaction


def _named(name: str, known: Mapping[str, _Known], entry: str, kind: str) -> _Known:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"reaction {entry!r}: expected a {kind} of {', '.join(known)}, found {name!r}{hint}")
    return known[name]
