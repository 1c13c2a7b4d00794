"""Transitions, signals and failing networks: the node ends cleanly or stays alive, and never tells a stale result."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from support.ros_graph import TIMEOUT_S, NodeProcess, Peer, image_message, running_node

from hybrid_seg_ros.bundle import Bundle

S = 10**9


@contextmanager
def node_and_peer(
    domain: int, log_dir: Path, bundle: Bundle, *, autostart: bool = True, **parameters: object
) -> Iterator[tuple[NodeProcess, Peer]]:
    """A node with the fake backend that tells its state often."""
    given = {
        "bundle": bundle.path,
        "backend": "fake",
        "diagnostics_period_s": 0.05,
        "log_throttle_s": 0.0,
        **parameters,
    }
    arguments = [*(["--autostart"] if autostart else []), "--ros-args"]
    for name, value in given.items():
        arguments += ["-p", f"{name}:={value}"]
    with running_node(domain, log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            yield process, peer
        finally:
            peer.close()


def image(stamp_ns: int) -> Image:
    return image_message(np.full((48, 64, 3), 100, np.uint8), stamp_ns)


class Stream:
    """Sends images with increasing stamps until something happens."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.images = peer.publisher(Image, "/image")
        self.masks = peer.collect(Image, "/hybrid_seg/obstacle_mask")
        self.stamp = 0

    def send(self) -> int:
        self.stamp += 1
        self.images.publish(image(self.stamp * S))
        self.peer.spin_for(0.03)
        return self.stamp

    def until(self, condition: Any, what: str) -> Any:
        return self.peer.wait(lambda: self.send() and condition(), what)

    def until_answered(self) -> None:
        self.masks.messages.clear()
        self.until(lambda: self.masks.messages, "an answer")


def resources(pid: int) -> tuple[int, int, int]:
    """Open files, threads, and resident memory in KiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    values = dict(line.split(":", 1) for line in status.splitlines())
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), int(values["Threads"]), int(values["VmRSS"].split()[0])


def test_a_hundred_activations_leak_nothing(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    with node_and_peer(domain, ros_log_dir, tiny_bundle) as (process, peer):
        stream = Stream(peer)
        stream.until_answered()
        for _ in range(10):
            assert peer.change("deactivate")
            assert peer.change("activate")
        stream.until_answered()
        files, threads, memory = resources(process.pid)
        for _ in range(100):
            assert peer.change("deactivate")
            assert peer.change("activate")
        stream.until_answered()
        files_after, threads_after, memory_after = resources(process.pid)
        assert files_after <= files + 2
        assert threads_after <= threads
        assert memory_after - memory < 4096, "KiB"
        for _ in range(3):
            assert peer.change("deactivate")
            assert peer.change("cleanup")
            assert peer.state() == "unconfigured"
            assert peer.change("configure")
            assert peer.change("activate")
        stream.until_answered()
        assert resources(process.pid)[1] <= threads
    assert process.process.returncode == 0


def test_wrong_transitions_are_refused_and_kill_nobody(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    with node_and_peer(domain, ros_log_dir, tiny_bundle, autostart=False) as (process, peer):
        assert peer.state() == "unconfigured"
        for transition in ("activate", "deactivate", "cleanup"):
            assert not peer.change(transition)
        process.wait_for_log("refused in state 'unconfigured'")
        assert peer.change("configure")
        assert not peer.change("configure")
        assert peer.change("activate")
        assert not peer.change("activate")
        assert peer.state() == "active"
        assert process.alive


def test_loading_that_takes_long_gives_signs_of_life(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    """The executor is busy with the transition; /diagnostics goes on."""
    with node_and_peer(domain, ros_log_dir, tiny_bundle, autostart=False, fake_delay_s=2.0) as (_, peer):
        peer.wait_for_status("node", lambda s, v: v["state"] == "unconfigured", "the node")
        assert peer.change("configure")
        statuses = [status for message in peer.diagnostics for status in message.status]
        assert sum(status.message.startswith("configuring") for status in statuses) > 5


def test_what_was_taken_before_a_deactivation_is_never_published(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    """The network is busy with an image, and another waits, while the node is deactivated and activated."""
    with node_and_peer(domain, ros_log_dir, tiny_bundle, fake_delay_s=0.5) as (_, peer):
        stream = Stream(peer)
        stream.until_answered()
        for _ in range(3):
            peer.wait_for_status("node", lambda s, v: stream.send() > 0 and v["busy"] != "0.000 s", "a busy network")
            assert peer.change("deactivate")
            last_before = stream.stamp
            stream.masks.messages.clear()
            assert peer.change("activate")
            peer.spin_for(1.0)
            stream.until_answered()
            assert all(m.header.stamp.sec > last_before for m in stream.masks.messages)
        peer.wait_for_status("camera image", lambda s, v: int(v["discarded"]) > 0, "discarded results")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_inference_ends_the_node_cleanly(
    number: signal.Signals, domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    with node_and_peer(domain, ros_log_dir, tiny_bundle, fake_delay_s=0.5) as (process, peer):
        stream = Stream(peer)
        peer.wait_for_status("node", lambda s, v: stream.send() > 0 and v.get("busy", "0.000 s") != "0.000 s", "busy")
        process.process.send_signal(number)  # as a terminal and launch do: both pass Ctrl-C on
        assert process.end(number) == 0
        text = process.text()
        assert "Traceback" not in text
        assert "terminate called" not in text


def test_a_signal_that_comes_again_and_again_does_not_kill_the_interpreter_that_is_ending(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    with node_and_peer(domain, ros_log_dir, tiny_bundle) as (process, _):
        process.wait_for_log("listening to")
        begin = time.monotonic()
        while process.alive and time.monotonic() < begin + 0.8:  # of the second in which it is one and the same Ctrl-C
            process.process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        assert process.process.wait(TIMEOUT_S) == 0


def test_nan_and_failures_are_told_and_the_next_image_is_answered(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    """Run 1 is the warm-up; run 2 gives NaN, run 3 fails, run 4 works."""
    with node_and_peer(domain, ros_log_dir, tiny_bundle, fake_nan_at=2, fake_fail_at=3) as (process, peer):
        stream = Stream(peer)
        stream.until(lambda: "no result for the image of /image: InvalidOutputError" in process.text(), "NaN is told")
        _, values = peer.wait_for_status("node", lambda s, v: s.level == DiagnosticStatus.ERROR, "ERROR")
        assert "failures InvalidOutputError" in values
        stream.until(lambda: "BackendError" in process.text(), "the failure is told")
        stream.until_answered()
        peer.wait_for_status("node", lambda s, v: s.level == DiagnosticStatus.OK, "OK again")
        _, values = peer.wait_for_status("camera image", lambda s, v: True, "any")
        assert int(values["failed"]) == 2
        assert stream.masks.messages[0].header.stamp.sec >= 3


def test_a_network_that_hangs_is_told_and_does_not_hang_the_exit(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    with node_and_peer(domain, ros_log_dir, tiny_bundle, fake_hang_at=2, stale_after_s=0.1) as (process, peer):
        stream = Stream(peer)
        status, _ = peer.wait_for_status(
            "node", lambda s, v: stream.send() > 0 and s.level == DiagnosticStatus.ERROR, "ERROR"
        )
        assert "the network has run for" in status.message
        assert stream.masks.messages == []
        assert process.end(signal.SIGTERM) == 1
        assert "does not return; restart the process" in process.text()


def test_two_nodes_of_one_name_and_a_camera_nobody_hears(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    """Both are told: on the log and on /diagnostics, until it is mended."""
    with node_and_peer(domain, ros_log_dir, tiny_bundle, no_image_warning_s=0.2) as (first, peer):
        first.wait_for_log("listening to /image")
        compressed = peer.publisher(CompressedImage, "/image/compressed")
        assert compressed is not None
        assert "no image for" in first.wait_for_log("set image_transport:=compressed")
        status, _ = peer.wait_for_status("camera image", lambda s, v: s.level == DiagnosticStatus.ERROR, "ERROR")
        assert "waiting for the first image on /image" in status.message

        arguments = ["--ros-args", "-p", f"bundle:={tiny_bundle.path}", "-p", "backend:=fake"]
        with running_node(domain, ros_log_dir, arguments) as second:
            first.wait_for_log("1 other node(s) are called /hybrid_seg")
            second.wait_for_log("1 other node(s) are called /hybrid_seg")
            status, _ = peer.wait_for_status(
                "node", lambda s, v: "of the same name" in s.message and v["state"] == "active", "two of one name"
            )
            assert status.level == DiagnosticStatus.ERROR
        peer.wait_for_status("node", lambda s, v: s.level == DiagnosticStatus.OK, "OK with one")


def test_a_best_effort_camera_and_a_reliable_node_are_told_apart(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    parameters = {"input_reliability": "reliable", "no_image_warning_s": 0.2}
    with node_and_peer(domain, ros_log_dir, tiny_bundle, **parameters) as (process, peer):
        camera = peer.publisher(Image, "/image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
        # An endpoint may be in sight some seconds before the name of its node is; the node says it again by then.
        said = process.wait_for_log("1 publisher (/peer) on /image, but with best-effort reliability")
        assert "input_reliability:=best_effort" in said
        assert camera.get_subscription_count() == 0


def test_wrong_parameters_fail_to_configure_with_all_that_is_wrong(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("/**:\n  ros__parameters:\n    bundel: x\n    input_depth: 0\n    threshold: 2\n", encoding="utf-8")
    arguments = ["--autostart", "--ros-args", "--params-file", str(file), "-p", "backend:=cuda"]
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            said = process.wait_for_log("configure failed")
            for part in ("'bundel' is unknown; did you mean 'bundle'?", "integer in [1, 100]", "'cuda'", "onnxruntime"):
                assert part in said
            assert "threshold" not in said
            status, _ = peer.wait_for_status("node", lambda s, v: s.level == DiagnosticStatus.ERROR, "ERROR")
            assert "did you mean 'bundle'" in status.message
            assert peer.state() == "unconfigured"
            assert not peer.change("configure")
            assert process.alive
        finally:
            peer.close()
    assert process.process.returncode == 0


def test_wrong_ros_arguments_end_with_a_word_and_code_2(domain: int, ros_log_dir: Path) -> None:
    with running_node(domain, ros_log_dir, ["--ros-args", "--params-file", "/no/such/file.yaml"]) as process:
        assert process.process.wait(60) == 2
        said = process.wait_for_log("hybrid_seg_node: ")
        assert "/no/such/file.yaml" in said + process.text()
