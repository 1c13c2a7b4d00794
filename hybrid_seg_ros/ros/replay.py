"""Online replay: a recording through a running node, over real topics, and what came back."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from tqdm import tqdm

from hybrid_seg_ros.bags.answers import write_answers
from hybrid_seg_ros.bags.memory import MemoryGrowth
from hybrid_seg_ros.bags.node_report import camera_values, stage_times
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.results import MASK, NODE, SCORE, SEMANTIC
from hybrid_seg_ros.bags.summary import RunSummary, spread
from hybrid_seg_ros.bags.topics import Topic
from hybrid_seg_ros.bags.usage import Usage
from hybrid_seg_ros.bags.writer import BagWriter, Distro, Storage
from hybrid_seg_ros.ros.lifecycle_client import LifecycleClient, LifecycleError
from hybrid_seg_ros.ros.replay_player import Player
from hybrid_seg_ros.ros.replay_recorder import Recorder

# After both sides see each other's endpoints Fast DDS still needs a moment to match the writers of the other side.
_SETTLE_S = 0.5
# How long the last answers may take once everything has been sent, s.
_DRAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay and how.

    Attributes:
        bag: the recording.
        image_topic: which camera; None takes the only one.
        node: full name of the node.
        target: rosbag2 folder for its outputs, or None to measure only.
        outputs: image outputs to subscribe to; what nobody subscribes to is not computed.
        timed: the output whose arrival ends the latency.
        rate: speed relative to the recording.
        loops: how often to play it; stamps repeat, as with `ros2 bag play --loop`.
        clock: publish /clock, for a node with use_sim_time.
        bring_up: configure and activate the node first.
        distro: the oldest ROS 2 that must play the recorded outputs.
        storage: "mcap" or "sqlite3".
        memory_of: id of a process of this machine whose resident memory is read, or None.
        memory_from: after how many images it is read first; the second time is the end.
        usage_of: id of a process of this machine whose processor time and largest memory are told, or None.
        answers: CSV file for what became of each frame (see `bags.answers`), or None.
        timeout_s: how long the node may take to appear, to come up and to subscribe.
    """

    bag: Path
    image_topic: str | None = None
    node: str = NODE
    target: Path | None = None
    outputs: Sequence[str] = (SEMANTIC, SCORE, MASK)
    timed: str = MASK
    rate: float = 1.0
    loops: int = 1
    clock: bool = True
    bring_up: bool = False
    distro: Distro = "humble"
    storage: Storage = "mcap"
    memory_of: int | None = None
    memory_from: int = 0
    usage_of: int | None = None
    answers: Path | None = None
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class _Played:
    """How the playing itself went: how late each image went out, ms, how long all took, s, and what the node took."""

    late_ms: list[float]
    wall_s: float
    memory: MemoryGrowth | None
    usage: dict[str, float] | None


def replay(plan: ReplayPlan, *, progress: bool = True) -> RunSummary:
    """Replay a recording through a node that runs in another process; rclpy must be initialised.

    Raises:
        BagError: the recording cannot be read or the target exists.
        LifecycleError: the node is not there, does not come up or does not subscribe.
    """
    with BagReader(plan.bag) as bag, contextlib.ExitStack() as stack:
        image, info = bag.camera(plan.image_topic)
        node = rclpy.create_node(f"replay_{os.getpid()}")
        stack.callback(node.destroy_node)
        lifecycle = LifecycleClient(node, plan.node)
        if progress:
            tqdm.write(f"{'bring up' if plan.bring_up else 'find'} {plan.node}", file=sys.stderr)
        lifecycle.wait(plan.timeout_s)
        if plan.bring_up:
            lifecycle.bring_up(plan.timeout_s)
        writer = None
        if plan.target is not None:
            writer = stack.enter_context(BagWriter(plan.target, distro=plan.distro, storage=plan.storage))
        _wait_for_endpoints(node, image.name, plan)
        player = Player(node, bag, image, info, rate=plan.rate, clock=plan.clock)
        recorder = Recorder(node, plan.node, plan.outputs, plan.timed, writer, start_ns=bag.start_ns)
        with _spinning(node):
            _wait(lambda: player.subscribers > 0, plan.timeout_s, f"{image.name} cannot be connected to {plan.node}")
            time.sleep(_SETTLE_S)
            period_s = bag.duration_s / max(image.count - 1, 1) / plan.rate
            with tqdm(total=image.count * plan.loops, unit="frame", desc="replay", disable=not progress) as bar:
                played = _play(player, recorder, plan, period_s, bar)
            _drain(recorder)
        recorder.finish()
        if plan.answers is not None:
            write_answers(plan.answers, recorder.answers())
        return _summary(plan, bag, image, recorder, played)


def _play(player: Player, recorder: Recorder, plan: ReplayPlan, period_s: float, bar: "tqdm[Any]") -> _Played:
    late: list[float] = []
    sent = 0
    memory = None if plan.memory_of is None else MemoryGrowth(plan.memory_of)
    usage = None if plan.usage_of is None else Usage(plan.usage_of)

    def on_image(stamp_ns: int) -> None:
        nonlocal sent
        if memory is not None and sent == plan.memory_from:
            memory.start()
        if usage is not None:
            usage.start()
        sent += 1
        bar.update()
        recorder.sent(stamp_ns)

    started = time.monotonic()
    for _ in range(plan.loops):
        late += player.play(on_image)
        # Between the last image of a round and the first of the next lies one period, as between any two.
        time.sleep(period_s)
    return _Played(late, time.monotonic() - started, memory, None if usage is None else usage.report())


def _summary(plan: ReplayPlan, bag: BagReader, image: Topic, recorder: Recorder, played: _Played) -> RunSummary:
    frames_in, answered = len(played.late_ms), len(recorder.latencies_ms)
    values = camera_values({name: values for name, (_, _, values) in recorder.diagnostics.items()}, image.name)
    rejected = min(int(values.get("bad", 0)), frames_in - answered)
    late = spread(played.late_ms)
    return RunSummary(
        source=str(plan.bag),
        image_topic=image.name,
        frames_in=frames_in,
        frames_out=answered,
        rejected=rejected,
        first_rejection=values.get("last problem", "") if rejected else "",
        dropped=frames_in - answered - rejected,
        latency_ms=spread(recorder.latencies_ms),
        stages_ms=stage_times(values),
        wall_s=round(played.wall_s, 3),
        rate_hz=round(frames_in / played.wall_s, 2) if played.wall_s > 0 else 0.0,
        extra={
            "received": recorder.received,
            "unmatched": recorder.unmatched,
            "player_late_ms": None if late is None else {"p50": late.p50, "p99": late.p99},
            "recorded_rate_hz": round((image.count - 1) / bag.duration_s, 2) if bag.duration_s else 0.0,
            "speed": plan.rate,
            "node_usage": played.usage,
            "problems": [*bag.problems, *recorder.problems],
            "node_memory_mib": None if played.memory is None else played.memory.report(),
            "diagnostics": {
                name: {"level": level, "message": message, "values": values}
                for name, (level, message, values) in sorted(recorder.diagnostics.items())
            },
        },
    )


def _wait_for_endpoints(node: Node, image: str, plan: ReplayPlan) -> None:
    """Until the node's ends of the topics are in sight: publisher and subscriptions take their QoS from them."""
    outputs = [f"{plan.node}/{output}" for output in plan.outputs]
    _wait(
        lambda: all(node.count_publishers(output) for output in outputs),
        plan.timeout_s,
        f"{plan.node} does not publish all of {', '.join(outputs)}; is it active?",
    )
    _wait(
        lambda: node.count_subscribers(image) > 0,
        plan.timeout_s,
        f"nobody subscribed to {image}; is {plan.node} active, and its image topic remapped to {image}?",
    )


def _wait(ready: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise LifecycleError(f"within {timeout_s:.0f} s: {otherwise}")
        time.sleep(0.02)


def _drain(recorder: Recorder) -> None:
    """Wait for the last answers, then for a diagnostic report that counts them."""
    deadline = time.monotonic() + _DRAIN_S
    while recorder.unanswered() and time.monotonic() < deadline:
        time.sleep(0.02)
    reports, deadline = recorder.reports, time.monotonic() + _DRAIN_S
    while recorder.reports == reports and time.monotonic() < deadline:
        time.sleep(0.02)


@contextlib.contextmanager
def _spinning(node: Node) -> Iterator[None]:
    """Callbacks run in a thread of their own; it is joined before the node goes."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, name="spin")
    thread.start()
    try:
        yield
    finally:
        executor.shutdown()
        thread.join()
        executor.remove_node(node)
