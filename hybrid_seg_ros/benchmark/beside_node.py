"""The real node as a process, and another process that does things to it and writes what it saw."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hybrid_seg_ros.bags.domain import private_domain
from hybrid_seg_ros.bags.online import NODE_MODULE, ParameterValue, fastdds_profile
from hybrid_seg_ros.bags.processes import LoggedProcess, ProcessError, ros_environment
from hybrid_seg_ros.benchmark.scenario import NotMeasuredError


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it.

    Attributes:
        summary: what the other process wrote.
        status: the node's exit status after SIGINT.
        log: all that the node said.
    """

    summary: Any
    status: int | None
    log: str


def beside_node(
    module: str,
    arguments: Sequence[str],
    parameters: Mapping[str, ParameterValue | list[str]],
    work_dir: Path,
    timeout_s: float,
) -> Seen:
    """Start the node, active at once, and the module with `--summary FILE` and `--pid` of the node; end both.

    Args:
        module: what `python -m` runs beside the node, in the same ROS domain.
        arguments: its arguments.
        parameters: of the node.
        work_dir: folder for logs and the summary; made.
        timeout_s: how long the module may take.

    Raises:
        NotMeasuredError: ROS 2 is not here.
        ProcessError: the node ended before it was told to, or the module failed or took too long.
    """
    if find_spec("rclpy") is None:
        raise NotMeasuredError("ROS 2 is not here: source it, or pip install 'hybrid_seg_ros[ros-wheels]'")
    work_dir.mkdir(parents=True, exist_ok=True)
    summary = work_dir / "summary.json"
    node_arguments = ["--autostart", "--ros-args"]
    for name, value in parameters.items():
        node_arguments += ["-p", f"{name}:={json.dumps(value)}"]
    with ExitStack() as stack:
        environment = ros_environment(
            stack.enter_context(private_domain()), log_dir=work_dir / "ros", profile=fastdds_profile()
        )
        node = stack.enter_context(
            LoggedProcess(NODE_MODULE, node_arguments, environment=environment, log=work_dir / "node.log")
        )
        other = stack.enter_context(
            LoggedProcess(
                module,
                [*arguments, "--summary", str(summary), "--pid", str(node.pid)],
                environment=environment,
                log=work_dir / "other.log",
            )
        )
        try:
            status = other.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"{module} did not end within {timeout_s:.0f} s\n{other.tail()}") from None
        if (ended := node.returncode()) is not None:
            raise ProcessError(f"the node ended with status {ended}; its log:\n{node.tail()}")
        if status != 0:
            raise ProcessError(f"{module} ended with status {status}: {other.tail()}\nthe node's log:\n{node.tail()}")
        node.stop()
        log = (work_dir / "node.log").read_text(encoding="utf-8", errors="replace")
        return Seen(json.loads(summary.read_text(encoding="utf-8")), node.returncode(), log)
