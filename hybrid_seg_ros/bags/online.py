"""A recording through the real node: two processes that talk over DDS, started, watched and ended from here."""

import contextlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_seg_ros.bags.domain import private_domain
from hybrid_seg_ros.bags.processes import LoggedProcess, ProcessError, profile_variables, ros_environment
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.results import MASK, NODE, SCORE, SEMANTIC
from hybrid_seg_ros.bags.topics import BagError
from hybrid_seg_ros.bags.writer import Distro, Storage

PACKAGE = "hybrid_seg_ros"
NODE_MODULE = "hybrid_seg_ros.ros.main"
REPLAY_MODULE = "hybrid_seg_ros.ros.replay_main"

ParameterValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class OnlineRun:
    """A recording and the node to send it through.

    Attributes:
        bag: the recording.
        work_dir: folder for logs and the summary; made.
        target: rosbag2 folder for the node's outputs, or None to measure only.
        parameters: the node's parameters, e.g. {"bundle": ...}.
        image_topic: which camera; None takes the only one.
        outputs: image outputs to listen to.
        timed: the output whose arrival ends the latency.
        rate: speed relative to the recording.
        loops: how often the recording is played.
        timeout_s: how long the node may take to come up.
        profile: Fast DDS profile for both processes; None takes the package's own.
        progress: show the replay's progress bar on stderr.
        running_node: full name of a node that is running and active already, in this process's own ROS domain;
            then no node is started and `parameters` do not apply. None starts one, in a domain of its own.
        memory_from: after how many images the node's resident memory is read first (and at the end again); 0: not.
            Not with a running node.
        answers: CSV file for what became of each frame (see `answers`), or None.
        distro: the oldest ROS 2 that must play the result.
        storage: "mcap" or "sqlite3".
    """

    bag: Path
    work_dir: Path
    target: Path | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    image_topic: str | None = None
    outputs: Sequence[str] = (SEMANTIC, SCORE, MASK)
    timed: str = MASK
    rate: float = 1.0
    loops: int = 1
    timeout_s: float = 120.0
    profile: Path | None = None
    progress: bool = True
    running_node: str | None = None
    memory_from: int = 0
    answers: Path | None = None
    distro: Distro = "humble"
    storage: Storage = "mcap"


def run_online(run: OnlineRun) -> dict[str, Any]:
    """Start the node, replay through it, end it; returns the replay's summary (see `RunSummary`).

    Raises:
        BagError: the recording cannot be read, or the target exists.
        ProcessError: ROS is not installed, or the node or the replay failed; carries the end of the node's log.
    """
    if importlib.util.find_spec("rclpy") is None:
        raise ProcessError(
            "ROS 2 is not here: source it (source /opt/ros/<distro>/setup.bash), or "
            "pip install 'hybrid_seg_ros[ros-wheels]'"
        )
    with BagReader(run.bag) as bag:
        image, info = bag.camera(run.image_topic)
        seconds = bag.duration_s * run.loops / run.rate
    if run.target is not None and run.target.exists():
        raise BagError(f"{run.target} exists already; remove it or name another folder")
    run.work_dir.mkdir(parents=True, exist_ok=True)
    summary = run.work_dir / "replay.json"
    summary.unlink(missing_ok=True)
    profile = run.profile or fastdds_profile()
    patience = 2 * run.timeout_s + 3 * seconds + 30
    arguments = _replay_arguments(run, image.name, summary)
    with contextlib.ExitStack() as stack:
        node: LoggedProcess | None = None
        if run.running_node is None:
            domain = stack.enter_context(private_domain())
            environment = ros_environment(domain, log_dir=run.work_dir / "ros", profile=profile)
            remaps = {"image": image.base, **({"camera_info": info.name} if info is not None else {})}
            transport = "compressed" if image.compressed else "raw"
            parameters = {**_defaults(run), "image_transport": transport, **run.parameters}
            log = run.work_dir / "node.log"
            node = stack.enter_context(
                LoggedProcess(NODE_MODULE, _ros_arguments(parameters, remaps), environment=environment, log=log)
            )
        else:
            environment = dict(os.environ) | {
                k: v for k, v in profile_variables(profile).items() if k not in os.environ
            }
        if node is not None and run.memory_from:
            arguments += ["--memory-of", str(node.pid), "--memory-from", str(run.memory_from)]
        if node is not None:
            arguments += ["--usage-of", str(node.pid)]
        player = stack.enter_context(LoggedProcess(REPLAY_MODULE, arguments, environment=environment, log=None))
        _watch(node, player, deadline=time.monotonic() + patience)
    found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
    return found


def _defaults(run: OnlineRun) -> dict[str, ParameterValue]:
    """Parameters of the node unless the run sets them: the network's own mask, as offline, is what is recorded."""
    defaults: dict[str, ParameterValue] = {"use_sim_time": True, "mask_output": "threshold"}
    if run.loops > 1:  # a recording that is played again is no camera that shows the past
        defaults |= {"frozen_frames": 0}
    return defaults


def fastdds_profile() -> Path | None:
    """The Fast DDS profile with a large shared-memory segment: of the source tree, else of the installed package."""
    places = [Path(__file__).resolve().parents[2], *_shares()]
    return next((path for place in places if (path := place / "config" / "fastdds.xml").is_file()), None)


def _shares() -> list[Path]:
    """Where an install puts the package's files: by colcon, by pip."""
    by_pip = Path(sys.prefix) / "share" / PACKAGE
    try:
        from ament_index_python.packages import get_package_share_directory

        return [Path(get_package_share_directory(PACKAGE)), by_pip]
    except (ImportError, LookupError, OSError):  # no ROS, not a colcon install, or no AMENT_PREFIX_PATH
        return [by_pip]


def _ros_arguments(parameters: Mapping[str, ParameterValue], remaps: Mapping[str, str]) -> list[str]:
    """`--ros-args` of a process; values in YAML, as rcl reads them."""
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    for old, new in remaps.items():
        arguments += ["-r", f"{old}:={new}"]
    return arguments


def _replay_arguments(run: OnlineRun, image_topic: str, summary: Path) -> list[str]:
    arguments = [str(run.bag), "--summary", str(summary), "--image-topic", image_topic]
    arguments += ["--node", NODE, "--bring-up"] if run.running_node is None else ["--node", run.running_node]
    arguments += ["--outputs", *run.outputs, "--timed", run.timed]
    arguments += ["--rate", str(run.rate), "--loops", str(run.loops), "--timeout-s", str(run.timeout_s)]
    if run.target is not None:
        arguments += ["--target", str(run.target), "--distro", run.distro, "--storage", run.storage]
    if run.answers is not None:
        arguments += ["--answers", str(run.answers)]
    if not run.progress:
        arguments.append("--quiet")
    return arguments


def _watch(node: LoggedProcess | None, player: LoggedProcess, *, deadline: float) -> None:
    """Until the player ends well; whatever else happens first is an error with the log that explains it."""
    while (status := player.returncode()) is None:
        if node is not None and (ended := node.returncode()) is not None:
            raise ProcessError(f"the node ended with status {ended} during the replay; its log:\n{node.tail()}")
        if time.monotonic() > deadline:
            raise ProcessError("the replay did not end in time" + _log_of(node))
        time.sleep(0.05)
    if status != 0:
        raise ProcessError(f"the replay ended with status {status}" + _log_of(node))


def _log_of(node: LoggedProcess | None) -> str:
    return "" if node is None else f"; the node's log:\n{node.tail()}"
