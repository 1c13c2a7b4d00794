"""Bringing a lifecycle node up from another process, with answers a person can act on."""

import time
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.node import Node

# Seconds until a request counts as lost. A server that has not matched the client's reader yet drops its answer
# without a word, which happens on a busy machine; so every request is asked again, and answers are not relied on.
_PATIENCE_S = 5.0


class LifecycleError(RuntimeError):
    """The node is not there, or refuses a transition."""


class LifecycleClient:
    """Calls the lifecycle services of one node.

    Args:
        node: an own node, not spinning elsewhere: calls spin it themselves.
        target: full name of the lifecycle node, e.g. "/hybrid_seg".
    """

    def __init__(self, node: Node, target: str) -> None:
        self._node = node
        self._target = target
        self._get = node.create_client(GetState, f"{target}/get_state")
        self._change = node.create_client(ChangeState, f"{target}/change_state")

    def wait(self, timeout_s: float) -> None:
        """Until the node answers.

        Raises:
            LifecycleError: it does not within the time.
        """
        deadline = time.monotonic() + timeout_s
        for client in (self._get, self._change):
            if not client.wait_for_service(timeout_sec=max(deadline - time.monotonic(), 0.0)):
                raise LifecycleError(
                    f"no lifecycle node {self._target} within {timeout_s:.0f} s; "
                    "start it (ros2 launch hybrid_seg_ros detector.launch.py) and compare ROS_DOMAIN_ID"
                )

    def state(self, timeout_s: float = 10.0) -> str:
        """Label of the node's state: unconfigured, inactive, active, finalized, or a transition's.

        Raises:
            LifecycleError: the node does not answer within the time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            answer = self._ask(self._get, GetState.Request(), deadline)
            if answer is not None:
                return str(answer.current_state.label)
        raise LifecycleError(f"{self._target} did not answer {self._get.srv_name} within {timeout_s:.0f} s")

    def bring_up(self, timeout_s: float) -> None:
        """Configure and activate as far as still needed.

        Raises:
            LifecycleError: a transition fails or takes too long; the node's own log says why.
        """
        deadline = time.monotonic() + timeout_s
        steps = {"unconfigured": Transition.TRANSITION_CONFIGURE, "inactive": Transition.TRANSITION_ACTIVATE}
        while (state := self.state(max(deadline - time.monotonic(), 1.0))) != "active":
            if state not in steps:
                raise LifecycleError(f"{self._target} is {state}, expected unconfigured, inactive or active")
            request = ChangeState.Request()
            request.transition.id = steps[state]
            answer = self._ask(self._change, request, deadline)
            if answer is not None and not answer.success:
                verb = "configure" if state == "unconfigured" else "activate"
                raise LifecycleError(f"{self._target} failed to {verb}; its log says why")

    def _ask(self, client: Client, request: object, deadline: float) -> Any | None:  # noqa: ANN401  # any service
        """The answer, or None when it does not come in time; the node may have done what was asked all the same."""
        future = client.call_async(request)
        wait_s = max(min(_PATIENCE_S, deadline - time.monotonic()), 0.0)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=wait_s)
        if future.done():
            return future.result()
        client.remove_pending_request(future)
        return None
