"""Which reaction wins, whom it touches, and when deactivation acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.reaction import DEFAULTS, Reaction, ReactionPolicy, Reactions, parse_reactions
from hybrid_seg_ros.monitor.states import HealthState, Level

S = HealthState
POLICIES = st.dictionaries(st.sampled_from(list(S)), st.sampled_from(list(Reaction))).map(ReactionPolicy)
STOPPING = ReactionPolicy({S.GPU_LOST: Reaction.DEACTIVATE})
STATES = st.frozensets(st.sampled_from(list(S)), max_size=5)


def test_every_state_has_a_default_and_what_is_ok_changes_nothing() -> None:
    assert list(DEFAULTS) == list(S)
    assert {DEFAULTS[state] for state in S if state.level is Level.OK} == {Reaction.KEEP}


def test_nothing_deactivates_unless_asked_to() -> None:
    assert Reaction.DEACTIVATE not in DEFAULTS.values(), "recovery without restart"


def test_reactions_are_ordered_by_strength() -> None:
    assert Reaction.KEEP < Reaction.MARK_UNKNOWN < Reaction.SILENT < Reaction.DEACTIVATE


def test_a_parameter_is_read() -> None:
    policy = parse_reactions(["", "image.dark=silent", " scene.out_of_domain = deactivate "])
    assert policy.reaction(S.IMAGE_DARK) is Reaction.SILENT
    assert policy.reaction(S.SCENE_OUT_OF_DOMAIN) is Reaction.DEACTIVATE
    assert policy.reaction(S.CAMERA_STALE) is DEFAULTS[S.CAMERA_STALE]
    assert parse_reactions([""]).overrides == {}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["image.dark"], "'image.dark': expected state=reaction, such as image.dark=silent"),
        (["image.drak=silent"], "found 'image.drak'; did you mean 'image.dark'?"),
        (["image.dark=quiet"], "expected a reaction of keep, mark_unknown, silent, deactivate, found 'quiet'"),
        (["ok=silent"], "expected a state of camera.waiting, "),
        (["image.dark=keep", "image.dark=silent"], "expected each state once, found 'image.dark' again"),
    ],
)
def test_a_wrong_entry_says_what_is_allowed(entries: list[str], message: str) -> None:
    with pytest.raises(ValueError, match="reaction ") as caught:
        parse_reactions(entries)
    assert message in str(caught.value)


@given(st.dictionaries(st.sampled_from([state for state in S if state is not S.OK]), st.sampled_from(list(Reaction))))
def test_what_is_written_is_read_back(overrides: dict[HealthState, Reaction]) -> None:
    entries = [f"{state.value}={reaction.word}" for state, reaction in overrides.items()]
    assert parse_reactions(entries).overrides == overrides


@given(POLICIES, STATES, STATES)
def test_more_states_never_weaken_a_reaction(policy: ReactionPolicy, some: set[S], more: set[S]) -> None:
    assert policy.strongest(some | more) == max(policy.strongest(some), policy.strongest(more))


@given(POLICIES, STATES, STATES, STATES)
def test_a_camera_never_touches_another(policy: ReactionPolicy, node: set[S], left: set[S], right: set[S]) -> None:
    alone = Reactions(policy, 0.0).decide(node, {"left": left}, 0.0)
    both = Reactions(policy, 0.0).decide(node, {"left": left, "right": right}, 0.0)
    assert both.cameras["left"] == alone.cameras["left"]
    assert both.because["left"] == alone.because["left"]


@given(POLICIES, STATES, STATES)
def test_the_strongest_of_node_and_camera_wins_and_is_explained(
    policy: ReactionPolicy, node: set[S], camera: set[S]
) -> None:
    decision = Reactions(policy, 0.0).decide(node, {"front": camera}, 0.0)
    reaction = decision.cameras["front"]
    assert reaction == policy.strongest(node | camera)
    assert set(decision.because["front"]) == {
        state for state in node | camera if policy.reaction(state) == reaction > Reaction.KEEP
    }


def test_deactivation_waits_and_is_silence_until_then() -> None:
    reactions = Reactions(STOPPING, deactivate_after_s=2.0)
    steps = [reactions.decide({S.GPU_LOST}, {"front": set()}, now) for now in (10.0, 11.9, 12.0)]
    assert [step.node for step in steps] == [Reaction.SILENT, Reaction.SILENT, Reaction.DEACTIVATE]
    assert steps[-1].because["front"] == (S.GPU_LOST,)


def test_a_state_that_clears_starts_anew() -> None:
    reactions = Reactions(STOPPING, deactivate_after_s=2.0)
    for now, states in ((10.0, {S.GPU_LOST}), (11.0, set()), (11.5, {S.GPU_LOST})):
        reactions.decide(states, {}, now)
    assert reactions.decide({S.GPU_LOST}, {}, 13.0).node is Reaction.SILENT
    assert reactions.decide({S.GPU_LOST}, {}, 13.5).node is Reaction.DEACTIVATE


def test_what_was_deactivated_stays_so_until_somebody_activates_it() -> None:
    policy = ReactionPolicy({S.IMAGE_BLOCKED: Reaction.DEACTIVATE})
    reactions = Reactions(policy, deactivate_after_s=1.0)
    for now in (0.0, 1.0):
        reactions.decide(set(), {"left": {S.IMAGE_BLOCKED}, "right": set()}, now)
    after = reactions.decide(set(), {"left": set(), "right": {S.IMAGE_DARK}}, 2.0)
    assert after.cameras == {"left": Reaction.DEACTIVATE, "right": Reaction.MARK_UNKNOWN}
    assert after.because["left"] == (S.IMAGE_BLOCKED,)
    assert after.node is Reaction.KEEP, "one camera of two does not stop the node"
    reactions.reset()
    assert reactions.decide(set(), {"left": set(), "right": set()}, 3.0).cameras["left"] is Reaction.KEEP


def test_a_node_whose_every_camera_is_stopped_stops() -> None:
    reactions = Reactions(ReactionPolicy({S.IMAGE_BLOCKED: Reaction.DEACTIVATE}), deactivate_after_s=0.0)
    both = {"left": {S.IMAGE_BLOCKED}, "right": {S.IMAGE_BLOCKED}}
    assert reactions.decide(set(), both, 0.0).node is Reaction.DEACTIVATE
