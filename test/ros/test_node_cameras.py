"""Many cameras over one network, with compressed images and mono16 scores."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import CompressedImage, Image
from support.ros_graph import Peer, running_node

from hybrid_seg_ros.bundle import Bundle


def encoded(image: Any, suffix: str) -> Any:
    return cv2.imencode(suffix, image)[1]


def test_many_cameras_share_one_network(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    """Two compressed cameras, one remapped; each has its own topics, states and counts."""
    arguments = ["--autostart", "--ros-args", "-p", "backend:=fake", "-p", f"bundle:={tiny_bundle.path}"]
    arguments += ["-p", "cameras:=[front, left]", "-p", "image_transport:=compressed", "-p", "score_encoding:=mono16"]
    arguments += ["-p", "diagnostics_period_s:=0.05", "-r", "front/image:=/cam/front", "-r", "__ns:=/car"]
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain, "/car/hybrid_seg")
        try:
            process.wait_for_log("listening to /car/left/image/compressed and /car/left/camera_info")
            cameras = {
                "front": peer.publisher(CompressedImage, "/cam/front/compressed"),
                "left": peer.publisher(CompressedImage, "/car/left/image/compressed"),
            }
            scores = {name: peer.collect(Image, f"/car/hybrid_seg/{name}/anomaly_score") for name in cameras}
            stamp = [0]

            def send(name: str, data: bytes) -> None:
                message = CompressedImage(format="jpeg")
                stamp[0] += 1
                message.header.stamp.sec, message.header.frame_id = stamp[0], name
                message.data.frombytes(data)
                cameras[name].publish(message)

            def both_answered() -> bool:
                send("front", encoded(np.full((48, 64, 3), 90, np.uint8), ".jpg").tobytes())
                send("left", encoded(np.full((40, 50, 3), 90, np.uint8), ".png").tobytes())
                peer.spin_for(0.05)
                return all(scores[name].messages for name in cameras)

            peer.wait(both_answered, "answers to both cameras")
            assert {m.header.frame_id for m in scores["front"].messages} == {"front"}
            first = scores["left"].messages[0]
            assert (first.width, first.height, first.encoding, first.header.frame_id) == (50, 40, "mono16", "left")

            send("left", encoded(np.zeros((40, 50, 3), np.uint8), ".jpg").tobytes()[:-20])
            process.wait_for_log("/car/left/image/compressed: jpeg is truncated")
            peer.wait_for_status("camera left", lambda s, v: v["input"] == "bad", "bad")
            status, values = peer.wait_for_status("camera front", lambda s, v: True, "any")
            assert status.name == "car/hybrid_seg: camera front"
            assert values["input"] != "bad"
            assert int(values["bad"]) == 0
        finally:
            peer.close()
    assert process.process.returncode == 0
