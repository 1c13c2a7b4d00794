"""A recording through the real node: two processes that talk over DDS, started, watched and ended from here."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_seg_ros.bags.domain import private_domain
from hybrid_seg_ros.bags.processes import LoggedProcess, ProcessError, ros_environment
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.results import MASK, NODE, SCORE, SEMANTIC
from hybrid_seg_ros.bags.topics import BagError

NODE_MODULE = "hybrid_seg_ros.ros.main"
REPLAY_MODULE = "hybrid_seg_ros.ros.replay"

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


def run_online(run: OnlineRun) -> dict[str, Any]:
    """Start the node, replay through it, end it; returns the replay's summary (see `RunSummary`).

    Raises:
        BagError: the recording cannot be read, or the target exists.
        ProcessError: the node or the replay failed; carries the end of their logs.
    """
    with BagReader(run.bag) as bag:
        image, info = bag.camera(run.image_topic)
        seconds = bag.duration_s * run.loops / run.rate
    if run.target is not None and run.target.exists():
        raise BagError(f"{run.target} exists already; remove it or name another folder")
    run.work_dir.mkdir(parents=True, exist_ok=True)
    summary = run.work_dir / "replay.json"
    summary.unlink(missing_ok=True)
    parameters = {
        "use_sim_time": True,
        "image_transport": "compressed" if image.compressed else "raw",
        **run.parameters,
    }
    remaps = {"image": image.base, **({"camera_info": info.name} if info is not None else {})}
    with private_domain() as domain:
        environment = ros_environment(domain, log_dir=run.work_dir / "ros", profile=run.profile or fastdds_profile())
        node = LoggedProcess(
            NODE_MODULE, _ros_arguments(parameters, remaps), environment=environment, log=run.work_dir / "node.log"
        )
        with (
            node,
            LoggedProcess(
                REPLAY_MODULE, _replay_arguments(run, image.name, summary), environment=environment, log=None
            ) as player,
        ):
            _watch(node, player, deadline=time.monotonic() + 2 * run.timeout_s + 3 * seconds + 30)
    found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
    return found


def fastdds_profile() -> Path | None:
    """The Fast DDS profile with a large shared-memory segment: of the source tree, else of the installed package."""
    candidates = [Path(__file__).resolve().parents[2] / "config" / "fastdds.xml", _share() / "config" / "fastdds.xml"]
    return next((path for path in candidates if path.is_file()), None)


def _share() -> Path:
    # <prefix>/lib/pythonX.Y/site-packages/hybrid_seg_ros/bags/online.py -> <prefix>/share/hybrid_seg_ros
    parents = Path(__file__).resolve().parents
    return parents[min(5, len(parents) - 1)] / "share" / "hybrid_seg_ros"


def _ros_arguments(parameters: Mapping[str, ParameterValue], remaps: Mapping[str, str]) -> list[str]:
    """`--ros-args` of a process; values in YAML, as rcl reads them."""
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    for old, new in remaps.items():
        arguments += ["-r", f"{old}:={new}"]
    return arguments


def _replay_arguments(run: OnlineRun, image_topic: str, summary: Path) -> list[str]:
    arguments = [str(run.bag), "--summary", str(summary), "--image-topic", image_topic, "--node", NODE, "--bring-up"]
    arguments += ["--outputs", *run.outputs, "--timed", run.timed]
    arguments += ["--rate", str(run.rate), "--loops", str(run.loops), "--timeout", str(run.timeout_s)]
    if run.target is not None:
        arguments += ["--out", str(run.target)]
    if not run.progress:
        arguments.append("--quiet")
    return arguments


def _watch(node: LoggedProcess, player: LoggedProcess, *, deadline: float) -> None:
    """Until the player ends well; whatever else happens first is an error with the log that explains it."""
    while (status := player.returncode()) is None:
        if (ended := node.returncode()) is not None:
            raise ProcessError(f"the node ended with status {ended} during the replay; its log:\n{node.tail()}")
        if time.monotonic() > deadline:
            raise ProcessError(f"the replay did not end in time; the node's log:\n{node.tail()}")
        time.sleep(0.05)
    if status != 0:
        raise ProcessError(f"the replay ended with status {status}; the node's log:\n{node.tail()}")
