"""Bringing a lifecycle node up from another process, with answers a person can act on."""

import time
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.node import Node


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
        """Label of the node's state: unconfigured, inactive, active, finalized, or a transition's."""
        return str(self._call(self._get, GetState.Request(), timeout_s).current_state.label)

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
            done = self._call(self._change, request, max(deadline - time.monotonic(), 1.0))
            if not done.success:
                verb = "configure" if state == "unconfigured" else "activate"
                raise LifecycleError(f"{self._target} failed to {verb}; its log says why")

    def _call(self, client: Client, request: object, timeout_s: float) -> Any:  # noqa: ANN401  # any service
        future = client.call_async(request)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=timeout_s)
        if not future.done():
            raise LifecycleError(f"{self._target} did not answer {client.srv_name} within {timeout_s:.0f} s")
        return future.result()
