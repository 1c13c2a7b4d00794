"""A CameraInfo that does not do costs a camera its metres and nothing else; real DDS."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from support.ros_graph import Peer, camera_info_message, image_message, running_node

from hybrid_seg_ros.bundle import Bundle

WIDTH, HEIGHT = 160, 120
WRONG = {
    "an unknown lens": ("double_sphere", [0.1, 0.2], "double_sphere"),
    "coefficients that no lens has": ("plumb_bob", [0.1, 0.2, 0.3], "3 coefficients"),
    "not a number": ("plumb_bob", [math.nan] * 5, "finite"),
}


def test_masks_go_on_whatever_the_calibration_and_clouds_wait_for_a_good_one(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    parameters = {"backend": "fake", "bundle": tiny_bundle.path, "camera_z": 1.4, "camera_pitch": 0.05}
    parameters |= {"diagnostics_period_s": 0.1, "image_quality": "false"}
    arguments = ["--autostart", "--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    rng = np.random.default_rng(0)
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            process.wait_for_log("listening to")
            images, infos = peer.publisher(Image, "/image"), peer.publisher(CameraInfo, "/camera_info")
            peer.wait_for_subscriber(images)
            peer.wait_for_subscriber(infos)
            masks = peer.collect(Image, "/hybrid_seg/obstacle_mask")
            clouds = peer.collect(PointCloud2, "/hybrid_seg/obstacles")
            stamp = [1_000_000_000]

            def send(info: CameraInfo | None) -> None:
                stamp[0] += 66_000_000
                if info is not None:
                    infos.publish(info)
                    peer.spin_for(0.02)
                images.publish(image_message(rng.integers(60, 90, (HEIGHT, WIDTH, 3), np.uint8), stamp[0]))
                peer.spin_for(0.05)

            def check(info: CameraInfo | None, pose: str, *, known: bool) -> None:
                """Masks come, clouds where the ground is known, and diagnostics say so of the pose."""

                def told(status: Any, values: dict[str, str]) -> bool:
                    send(info)
                    unknown = "ground.unknown" in values["states"]
                    return bool(masks.messages) and pose in values["pose"] and unknown != known

                masks.messages.clear()
                _, values = peer.wait_for_status("camera image", told, pose)
                clouds.messages.clear()
                masks.messages.clear()
                peer.wait(lambda: send(info) or len(masks.messages) >= 3, "masks")
                assert bool(clouds.messages) == known
                assert values["failed"] == "0"

            check(None, "no camera_info", known=False)
            good = camera_info_message(WIDTH, HEIGHT)
            check(good, "parameters", known=True)
            for model, coefficients, why in WRONG.values():
                wrong = camera_info_message(WIDTH, HEIGHT)
                wrong.distortion_model, wrong.d = model, coefficients
                check(wrong, why, known=False)
            senseless = camera_info_message(WIDTH, HEIGHT)
            senseless.k[0] = senseless.k[4] = 2.8  # millimetres, not pixels
            check(senseless, "no camera_info that can be of these images", known=False)
            assert "camera_info is of no camera: fx is 2.8" in process.text()
            check(good, "parameters", known=True)
        finally:
            peer.close()
        assert "Traceback" not in process.text()
