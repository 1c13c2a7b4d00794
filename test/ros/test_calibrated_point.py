"""From labelled images to the mask of a running node: `hybrid-seg calibrate`, then one parameter, live."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import Image
from support.labelled_sets import write_pairs
from support.ros_graph import Collection, Peer, image_message, running_node

from hybrid_seg_ros.bundle import Bundle, load_bundle
from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.datasets import open_dataset
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.ros.bridge import imgmsg_to_cv2


def test_the_node_switches_to_a_calibrated_point_while_it_runs(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    root, out = write_pairs(tmp_path / "pairs", 40), tmp_path / "mine"
    given = ["--dataset", "pairs", "--root", str(root), "--bundle", str(tiny_bundle.path), "--backend", "onnxruntime"]
    wanted = ["--target", "fpr=0.05", "--guarantee", "--name", "calm", "--out", str(out)]
    assert main(["calibrate", *given, *wanted]) == 0
    point = load_bundle(out).manifest.score.operating_points["calm"]
    image = open_dataset("pairs", root).samples[0].read_image()
    with open_detector(out, "onnxruntime") as detector:
        score = detector(Frame(image), Outputs.SCORE).score
    assert score is not None
    expected = {"": score > np.float32(0), "calm": score > np.float32(point.threshold)}
    assert not np.array_equal(*expected.values())

    arguments = ["--autostart", "--ros-args", "-p", f"bundle:={out}", "-p", "backend:=onnxruntime"]
    arguments += ["-p", "mask_output:=threshold", "-p", "frozen_frames:=0"]  # one still picture, its own mask
    with running_node(domain, ros_log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            images = peer.publisher(Image, "/image")
            process.wait_for_log("listening to /image")
            peer.wait_for_subscriber(images)
            masks = peer.collect(Image, "/hybrid_seg/obstacle_mask")
            second = 1000
            for name in ("", "calm", ""):  # the bundle's own default is a threshold of 0
                assert peer.set_parameter("operating_point", name).successful
                second += 1000
                found = _answer(peer, images, masks, image, second)
                np.testing.assert_array_equal(found > 0, expected[name])
        finally:
            peer.close()
    assert process.process.returncode == 0


def _answer(peer: Peer, images: object, masks: Collection, image: np.ndarray, second: int) -> np.ndarray:
    """The mask of a frame sent after now, sent again until discovery has come around."""
    message = image_message(image, second * 10**9)

    def sent() -> bool:
        if any(mask.header.stamp.sec > second for mask in masks.messages):
            return True
        message.header.stamp.sec += 1
        images.publish(message)  # type: ignore[attr-defined]
        peer.spin_for(0.1)
        return False

    peer.wait(sent, "an answer")
    return imgmsg_to_cv2(masks.messages[-1])
