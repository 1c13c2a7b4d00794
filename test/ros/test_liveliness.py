"""Who asks for a deadline or a lease is told when the beats stop, by a process that lives, hangs or is gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import LivelinessPolicy, QoSProfile, ReliabilityPolicy
from support.ros_graph import REPOSITORY, Peer

from hybrid_seg_ros.ros.liveliness import MISSED_BEATS, Heartbeat, watched
from hybrid_seg_ros.ros.qos import keep_last

PERIOD_S = 0.2
PROMISE_S = MISSED_BEATS * PERIOD_S


@dataclass
class Watcher:
    """What a subscriber that asks for everything the heartbeat promises gets to know."""

    beats: list[DiagnosticStatus] = field(default_factory=list)
    deadlines: list[Any] = field(default_factory=list)
    alive: list[int] = field(default_factory=list)


@pytest.fixture
def peer(domain: int) -> Iterator[Peer]:
    made = Peer(domain)
    yield made
    made.close()


@pytest.fixture
def watcher(peer: Peer) -> Watcher:
    made = Watcher()
    qos = QoSProfile(
        depth=10,
        reliability=ReliabilityPolicy.RELIABLE,
        deadline=Duration(seconds=PROMISE_S),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
        liveliness_lease_duration=Duration(seconds=PROMISE_S),
    )

    def on_liveliness(event: Any) -> None:
        made.alive.append(event.alive_count)

    events = SubscriptionEventCallbacks(deadline=made.deadlines.append, liveliness=on_liveliness)
    peer.node.create_subscription(
        DiagnosticStatus, "/hybrid_seg/heartbeat", made.beats.append, qos, event_callbacks=events
    )
    return made


@pytest.fixture
def beating(domain: int) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "support.heartbeat_process", str(PERIOD_S)],
        env={
            **os.environ,
            "ROS_DOMAIN_ID": str(domain),
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "test")]),
        },
        stdin=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def tell_to_hang(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(tell_to_hang, id="its thread hangs"),
        pytest.param(lambda process: process.send_signal(signal.SIGSTOP), id="the process hangs"),
        pytest.param(lambda process: process.kill(), id="the process is gone"),
    ],
)
def test_a_subscriber_is_told_that_the_beats_stopped(
    peer: Peer, watcher: Watcher, beating: "subprocess.Popen[str]", stop: Callable[["subprocess.Popen[str]"], None]
) -> None:
    peer.wait(lambda: len(watcher.beats) >= 5, "beats")
    counts = [int(beat.values[0].value) for beat in watcher.beats]
    assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert (watcher.beats[0].level, watcher.beats[0].message) == (DiagnosticStatus.WARN, "front: image.dark")
    assert watcher.beats[0].name == "hybrid_seg: heartbeat"
    assert [(pair.key, pair.value) for pair in watcher.beats[0].values[1:]] == [("front", "image.dark")]
    assert watcher.alive[-1] == 1
    watcher.deadlines.clear()
    stop(beating)
    stopped = time.monotonic()
    peer.wait(lambda: watcher.deadlines, "a missed deadline")
    peer.wait(lambda: watcher.alive[-1] == 0, "the lease to end")
    # discovery's own lease is 20 s: the promises are what tells
    assert time.monotonic() - stopped < 10.0


def test_who_asks_for_nothing_still_gets_the_beats(peer: Peer) -> None:
    heartbeat = Heartbeat(peer.node, PERIOD_S)
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    beats = peer.collect(DiagnosticStatus, "/peer/heartbeat", best_effort)
    while not beats.messages:
        heartbeat.beat(DiagnosticStatus.OK, "ok", {})
        peer.spin_for(0.05)
    assert beats.messages[0].message == "ok"
    heartbeat.close()
    heartbeat.beat(DiagnosticStatus.OK, "the watchdog's last tick comes after the end", {})
    heartbeat.close()
    assert peer.node.count_publishers("/peer/heartbeat") == 0


def test_promises_are_optional() -> None:
    plain, profile = keep_last("reliable", 1), watched(keep_last("reliable", 1))
    assert (profile.deadline, profile.liveliness) == (plain.deadline, plain.liveliness)
    profile = watched(keep_last("reliable", 1), deadline_s=0.5)
    assert (profile.deadline, profile.liveliness) == (Duration(seconds=0.5), plain.liveliness)
    profile = watched(keep_last("best_effort", 1), lease_s=2.0)
    assert profile.liveliness is LivelinessPolicy.MANUAL_BY_TOPIC
    assert profile.liveliness_lease_duration == Duration(seconds=2.0)


def test_times_that_are_none_are_refused(peer: Peer) -> None:
    with pytest.raises(ValueError, match=r"lease -1 s, expected 0 or more"):
        watched(keep_last("reliable", 1), lease_s=-1.0)
    with pytest.raises(ValueError, match=r"period is 0 s, expected > 0"):
        Heartbeat(peer.node, 0.0)
