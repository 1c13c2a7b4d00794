"""What the node publishes is what the detector computes, under the header of the image; real DDS, real network."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Float32, String
from support.ros_graph import (
    LATCHED,
    RELIABLE,
    Collection,
    NodeProcess,
    Peer,
    camera_info_message,
    image_message,
    running_node,
)

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.ros.bridge import imgmsg_to_cv2
from hybrid_seg_ros.visual.overlay import overlay

WIDTH, HEIGHT = 150, 110  # another shape than the network's 128x96
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Live(NamedTuple):
    process: NodeProcess
    peer: Peer
    images: Any
    infos: Any


@pytest.fixture(scope="module")
def live(module_domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> Iterator[Live]:
    """An active node on the CPU and a camera."""
    parameters = {"bundle": tiny_bundle.path, "backend": "onnxruntime", "diagnostics_period_s": 0.1}
    parameters |= {"mask_output": "threshold", "frozen_frames": 0}
    arguments = ["--autostart", "--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    with running_node(module_domain, ros_log_dir, arguments) as process:
        peer = Peer(module_domain)
        try:
            images, infos = peer.publisher(Image, "/image"), peer.publisher(CameraInfo, "/camera_info")
            process.wait_for_log("listening to /image and /camera_info")
            peer.wait_for_subscriber(images)
            peer.wait_for_subscriber(infos)
            yield Live(process, peer, images, infos)
        finally:
            peer.close()
    assert process.process.returncode == 0


@pytest.fixture(autouse=True)
def forget(live: Live) -> Iterator[None]:
    """Each test begins with nobody listening."""
    yield
    live.peer.forget()


def picture(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def answer(live: Live, collection: Collection, message: Image) -> Any:
    """The result for an image: sent again with later stamps until discovery has come around."""
    start = message.header.stamp.sec

    def sent() -> bool:
        if collection.messages:
            return True
        message.header.stamp.sec += 1
        live.images.publish(message)
        live.peer.spin_for(0.1)
        return bool(collection.messages)

    live.peer.wait(sent, f"an answer to the image of second {start}")
    return collection.messages[-1]


def test_every_output_is_the_detectors_bit_for_bit(live: Live, tiny_bundle: Bundle) -> None:
    image = picture(1)
    with open_detector(tiny_bundle, "onnxruntime") as detector:
        score = detector(Frame(image), Outputs.SCORE).score
        assert score is not None
        detector.threshold = threshold = float(np.median(score))
        expected = detector(Frame(image), Outputs.ALL)
    assert live.peer.set_parameter("threshold", threshold).successful
    topics = ("obstacle_mask", "obstacle_mask_raw", "anomaly_score", "semantic", "confidence", "overlay")
    collections = {topic: live.peer.collect(Image, f"/hybrid_seg/{topic}") for topic in topics}
    for collection in collections.values():
        answer(live, collection, image_message(image, 1000 * 10**9))
    for collection in collections.values():
        collection.messages.clear()
    stamp, frame_id = 2000 * 10**9 + 123_456_789, "front/ünïcode frame"
    live.images.publish(image_message(image, stamp, frame_id))
    found = {topic: imgmsg_to_cv2(collection.wait()[0]) for topic, collection in collections.items()}
    assert expected.mask is not None
    assert 0 < np.count_nonzero(expected.mask) < expected.mask.size
    np.testing.assert_array_equal(found["obstacle_mask"], expected.mask)
    np.testing.assert_array_equal(found["obstacle_mask_raw"], expected.mask)
    np.testing.assert_array_equal(found["anomaly_score"], expected.score)
    np.testing.assert_array_equal(found["semantic"], expected.labels)
    np.testing.assert_array_equal(found["confidence"], expected.confidence)
    np.testing.assert_array_equal(found["overlay"], overlay(image, expected, tiny_bundle.classes))
    for topic, collection in collections.items():
        header = collection.messages[0].header
        assert (header.stamp.sec, header.stamp.nanosec, header.frame_id) == (2000, 123_456_789, frame_id)
        encodings = {"anomaly_score": "32FC1", "overlay": "bgr8"}
        assert collection.messages[0].encoding == encodings.get(topic, "mono8")
    assert live.peer.set_parameter("threshold", float("nan")).successful


def test_camera_info_matches_what_is_published(live: Live) -> None:
    infos = live.peer.collect(CameraInfo, "/hybrid_seg/camera_info")
    live.infos.publish(camera_info_message(WIDTH, HEIGHT))
    found = answer(live, infos, image_message(picture(2), 3000 * 10**9, "cam"))
    assert (found.width, found.height, found.header.frame_id) == (WIDTH, HEIGHT, "cam")
    assert found.header.stamp.sec > 3000
    assert found.k.tolist() == camera_info_message(WIDTH, HEIGHT).k.tolist()
    assert list(found.d) == [0.1, 0.0, 0.0, 0.0, 0.0]


def test_camera_info_of_another_shape_is_not_used(live: Live) -> None:
    infos = live.peer.collect(CameraInfo, "/hybrid_seg/camera_info")
    masks = live.peer.collect(Image, "/hybrid_seg/obstacle_mask")
    image = image_message(picture(2), 3500 * 10**9)

    def told() -> bool:
        live.infos.publish(camera_info_message(333, 111))
        image.header.stamp.sec += 1
        live.images.publish(image)
        live.peer.spin_for(0.1)
        return "/camera_info: camera_info describes 333x111" in live.process.text()

    live.peer.wait(told, "a word about the CameraInfo")
    infos.messages.clear()
    masks.messages.clear()
    live.images.publish(image_message(picture(2), 3800 * 10**9))
    masks.wait()
    live.peer.spin_for(0.2)
    assert infos.messages == []


def test_threshold_takes_effect_on_the_next_frame(live: Live) -> None:
    masks = live.peer.collect(Image, "/hybrid_seg/obstacle_mask")
    labels = live.peer.collect(String, "/hybrid_seg/label_info_json", LATCHED)
    image = image_message(picture(3), 4000 * 10**9)
    counts = {}
    for threshold in (-1e9, 1e9):
        assert live.peer.set_parameter("threshold", threshold).successful
        masks.messages.clear()
        image.header.stamp.sec += 100
        counts[threshold] = np.count_nonzero(answer(live, masks, image).data)
    assert counts == {-1e9: WIDTH * HEIGHT, 1e9: 0}
    live.peer.wait(lambda: labels.messages and json.loads(labels.messages[-1].data)["threshold"] == 1e9, "label_info")
    live.peer.wait_for_status("node", lambda status, values: values["threshold"] == "1000000000.0", "the threshold")

    assert live.peer.set_parameter("threshold", 4.0).successful
    live.peer.wait_for_status("node", lambda status, values: values["threshold"] == "4.0", "the next frame's threshold")
    assert live.peer.set_parameter("threshold", 3).successful, "an integer serves"
    live.peer.wait(lambda: json.loads(labels.messages[-1].data)["threshold"] == 3.0, "label_info")
    assert live.peer.set_parameter("threshold", float("nan")).successful
    assert live.peer.set_parameter("operating_point", "fpr_5").successful
    live.peer.wait(lambda: json.loads(labels.messages[-1].data)["threshold"] == 5.0, "label_info")
    assert live.peer.set_parameter("operating_point", "").successful


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("operating_point", "tpr_95", "did you mean 'tpr95'"),
        ("stale_after_s", -1.0, "out of range"),
        ("threshold", float("inf"), "expected a finite number"),
        ("threshold", "high", "'high' (str), expected double"),
        ("bundle", "other", "read-only"),
        ("image_transport", "compressed", "read-only"),
    ],
)
def test_refused_changes_say_why_and_change_nothing(live: Live, name: str, value: Any, part: str) -> None:
    result = live.peer.set_parameter(name, value)
    assert not result.successful
    assert part in result.reason


def test_label_info_tells_names_and_colours_to_whoever_comes_late(live: Live, tiny_bundle: Bundle) -> None:
    labels = live.peer.collect(String, "/hybrid_seg/label_info_json", LATCHED)
    table = json.loads(labels.wait()[-1].data)
    assert [(c["id"], c["name"], tuple(c["color_rgb"])) for c in table["classes"]] == [
        (c.id, c.name, c.color) for c in tiny_bundle.classes
    ]
    assert table["bundle"] == "tiny"
    assert table["score"]["operating_points"]["best_f1"] == 2.0


def test_what_nobody_hears_is_not_computed(live: Live) -> None:
    """Images go on, and the count of results stands still while nobody listens."""
    stamp = [5000]

    def send() -> None:
        stamp[0] += 1
        live.images.publish(image_message(picture(4), stamp[0] * 10**9))
        live.peer.spin_for(0.02)

    def idle_since(before: int, status: DiagnosticStatus, values: dict[str, str]) -> bool:
        send()
        return int(values["idle"]) > before

    _, start = live.peer.wait_for_status("camera image", lambda s, v: True, "any")
    _, found = live.peer.wait_for_status(
        "camera image", lambda s, v: idle_since(int(start["idle"]) + 3, s, v), "idle images"
    )
    _, later = live.peer.wait_for_status(
        "camera image", lambda s, v: idle_since(int(found["idle"]) + 3, s, v), "more idle images"
    )
    assert later["frames out"] == found["frames out"]
    assert int(later["frames in"]) > int(found["frames in"])


def test_best_effort_and_reliable_subscribers_are_both_served(live: Live) -> None:
    reliable = live.peer.collect(Image, "/hybrid_seg/semantic", RELIABLE)
    best_effort = live.peer.collect(Image, "/hybrid_seg/semantic", BEST_EFFORT)
    answer(live, best_effort, image_message(picture(5), 6000 * 10**9))
    answer(live, reliable, image_message(picture(5), 7000 * 10**9))
    (publisher,) = live.peer.node.get_publishers_info_by_topic("/hybrid_seg/semantic")
    assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    (subscription,) = live.peer.node.get_subscriptions_info_by_topic("/image")
    assert subscription.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


def test_latency_is_the_time_since_the_stamp(live: Live) -> None:
    latencies = live.peer.collect(Float32, "/hybrid_seg/latency_ms")

    def answered() -> bool:
        now = live.peer.node.get_clock().now().nanoseconds
        live.images.publish(image_message(picture(6), now - 10**9))
        live.peer.spin_for(0.1)
        return bool(latencies.messages)

    live.peer.wait(answered, "a latency")
    assert latencies.messages[0].data > 1000.0


def test_diagnostics_name_backend_bundle_and_stages(live: Live) -> None:
    masks = live.peer.collect(Image, "/hybrid_seg/obstacle_mask")
    now = live.peer.node.get_clock().now().nanoseconds
    answer(live, masks, image_message(picture(7), now))
    status, values = live.peer.wait_for_status("node", lambda s, v: s.level == DiagnosticStatus.OK, "OK")
    assert status.name == "hybrid_seg: node"
    assert (values["backend"], values["bundle"], values["state"]) == ("onnxruntime", "tiny", "active")
    assert values["backend reason"] is not None
    assert float(values["threshold"]) == 0.0
    status, values = live.peer.wait_for_status("camera image", lambda s, v: int(v["frames out"]) > 0, "results")
    assert values["topic"] == "/image"
    for stage in ("decode", "preprocess", "network", "postprocess", "publish", "stamp_to_published"):
        for percentile in ("p50", "p99"):
            assert values[f"{stage} {percentile}"].endswith(" ms")
    for key in ("frames in", "dropped", "bad", "failed", "discarded"):
        assert int(values[key]) >= 0
