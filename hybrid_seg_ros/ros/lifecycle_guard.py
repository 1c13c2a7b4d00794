"""Makes rclpy's lifecycle services survive what would end the process, and say what went wrong."""

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn


class Teller(Protocol):
    """A node that can say why a transition failed."""

    def fail(self, why: str) -> None:
        """Say it."""
        ...


TellerT = TypeVar("TellerT", bound=Teller)
Transition = Callable[[TellerT, LifecycleState], TransitionCallbackReturn]


def said(transition: Transition[TellerT]) -> Transition[TellerT]:
    """Tell an exception of a transition callback, which rclpy swallows, and answer ERROR."""

    @functools.wraps(transition)
    def wrapped(node: TellerT, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.fail(f"{transition.__name__} failed: {type(error).__name__}: {error}")
            return TransitionCallbackReturn.ERROR

    return wrapped


def refuse_wrong_transitions(node: LifecycleNode) -> None:
    """Answer a request for a transition that the present state does not have with success = false.

    rclpy raises RCLError out of the service's callback instead, which ends the executor and the process:
    a second `ros2 lifecycle set ... activate` must not kill a node that drives.
    """
    service = node._service_change_state
    change = service.callback

    def guarded(request: Any, response: Any) -> Any:  # noqa: ANN401  # generated message classes
        try:
            return change(request, response)
        except Exception as error:
            asked = request.transition.label or str(request.transition.id)
            state = node._state_machine.current_state[1]
            reason = str(error).split(", at ")[0]
            node.get_logger().error(f"transition {asked!r} refused in state {state!r}: {reason}")
            response.success = False
            return response

    service.callback = guarded
