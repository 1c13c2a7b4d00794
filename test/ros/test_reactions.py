"""Cameras and the node deactivated by their health: who goes on, what is said, and how they come back; real DDS."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import Image
from support.ros_graph import Peer, image_message, running_node

from hybrid_seg_ros.bundle import Bundle

CAMERAS = ("front", "left")
PARAMETERS = {
    "backend": "fake",
    "cameras": "[front, left]",
    "diagnostics_period_s": 0.05,
    "heartbeat_period_s": 0.02,
    "stale_after_s": 20.0,
    "quality_after_s": 0.2,
    "deactivate_after_s": 0.0,
    "reactions": "['image.dark=deactivate', 'image.blocked=keep', 'image.blurred=keep']",
}


def test_a_dark_camera_is_deactivated_alone_and_the_last_one_takes_the_node_along(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    arguments = ["--autostart", "--ros-args", "-p", f"bundle:={tiny_bundle.path}"]
    for name, value in PARAMETERS.items():
        arguments += ["-p", f"{name}:={value}"]
    rng = np.random.default_rng(0)
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            process.wait_for_log("listening to /left")
            images = {name: peer.publisher(Image, f"/{name}/image") for name in CAMERAS}
            masks = {name: peer.collect(Image, f"/hybrid_seg/{name}/obstacle_mask_raw") for name in CAMERAS}
            for publisher in images.values():
                peer.wait_for_subscriber(publisher)
            stamp = [1_000_000_000]

            def send(dark: tuple[str, ...] = ()) -> None:
                stamp[0] += 50_000_000
                for name, publisher in images.items():
                    bright = 6 if name in dark else 250
                    publisher.publish(image_message(rng.integers(0, bright, (90, 160, 3), np.uint8), stamp[0]))
                peer.spin_for(0.05)

            def answered(*names: str, dark: tuple[str, ...] = ()) -> None:
                """A dozen images are answered to these cameras, and to no other."""
                peer.wait(lambda: send() or all(masks[name].messages for name in names), f"answers to {names}")
                for collection in masks.values():
                    collection.messages.clear()
                for _ in range(12):
                    send(dark)
                peer.wait(lambda: all(masks[name].messages for name in names), f"answers to {names}")
                assert {name for name in CAMERAS if masks[name].messages} == set(names)

            answered("front", "left")
            status, values = peer.wait_for_status(
                "camera left", lambda s, v: send(("left",)) or v["reaction"] == "deactivate", "deactivated"
            )
            assert status.message == "deactivated because of image.dark, until the node is activated anew"
            assert values["reaction because of"] == "image.dark"
            process.wait_for_log("/left/image is listened to no more, as parameter 'reactions' says of image.dark")
            answered("front")  # also though the left one has light again
            peer.wait_for_status("camera front", lambda s, v: v["reaction"] == "keep", "goes on")

            peer.wait_for_status(
                "hybrid_seg: node", lambda s, v: send(("front",)) or v["state"] == "inactive", "the last one, too"
            )
            status, _ = peer.wait_for_status("hybrid_seg: node", lambda s, v: True, "why")
            assert status.level == status.ERROR
            assert "as parameter 'reactions' says of image.dark" in status.message
            assert peer.state() == "inactive"

            assert peer.change("activate")
            answered("front", "left")
            status, _ = peer.wait_for_status("hybrid_seg: node", lambda s, v: True, "the node's")
            assert status.message == "active"
        finally:
            peer.close()
        assert "Traceback" not in process.text()


def test_a_node_that_is_cleaned_up_while_its_network_hangs_leaves_no_publisher_behind(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    """The network hangs for a while: its thread ends after everything it could have used."""
    arguments = ["--autostart", "--ros-args", "-p", f"bundle:={tiny_bundle.path}", "-p", "backend:=fake"]
    arguments += ["-p", "fake_hang_at:=3", "-p", "fake_hang_s:=8.0", "-p", "network_hung_s:=0.3"]
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            process.wait_for_log("listening to /image")
            images = peer.publisher(Image, "/image")
            peer.wait_for_subscriber(images)
            masks = peer.collect(Image, "/hybrid_seg/obstacle_mask_raw")
            stamp = [1_000_000_000]

            def send() -> None:
                stamp[0] += 50_000_000
                images.publish(image_message(np.full((90, 160, 3), 90, np.uint8), stamp[0]))
                peer.spin_for(0.05)

            peer.wait(lambda: send() or "network.hung: the network has run" in process.text(), "the network hangs")
            assert peer.change("deactivate")
            assert not peer.change("cleanup")
            process.wait_for_log("does not return; restart the process")
            assert peer.state() == "unconfigured"
            for topic in ("obstacles", "obstacle_mask", "obstacles_merged", "heartbeat"):
                peer.wait(lambda t=topic: not peer.node.count_publishers(f"/hybrid_seg/{t}"), f"nobody on {topic}")
            assert peer.change("configure")
            assert peer.change("activate")
            masks.messages.clear()
            peer.wait(lambda: send() or masks.messages, "a new network answers")
            peer.spin_for(5.0)
        finally:
            peer.close()
        assert "Traceback" not in process.text()
