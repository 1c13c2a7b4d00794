"""What is wanted follows who listens; mono16 follows its formula."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy")

import rclpy
from builtin_interfaces.msg import Time
from rclpy.context import Context
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Float32, Header
from support.ros_graph import RELIABLE

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.ros.labels import label_info, node_label_table
from hybrid_seg_ros.ros.outputs import CameraOutputs, mono16
from hybrid_seg_ros.ros.schema import Settings


@pytest.fixture
def listener(domain: int) -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    made = rclpy.create_node("hybrid_seg", context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


def test_only_what_somebody_hears_is_wanted(listener: Node, tiny_bundle: Bundle) -> None:
    outputs = CameraOutputs(listener, "front", Settings(), tiny_bundle.classes)
    expected = {
        "semantic": (Image, Outputs.LABELS),
        "anomaly_score": (Image, Outputs.SCORE),
        "obstacle_mask": (Image, Outputs.MASK),
        "obstacle_mask_raw": (Image, Outputs.MASK),
        "confidence": (Image, Outputs.CONFIDENCE),
        "overlay": (Image, Outputs.LABELS | Outputs.MASK),
        "camera_info": (CameraInfo, Outputs.MASK),
        "latency_ms": (Float32, Outputs.MASK),
    }
    assert outputs.wanted() == Outputs(0)
    for topic, (kind, wanted) in expected.items():
        name = f"/hybrid_seg/front/{topic}"
        subscription = listener.create_subscription(kind, name, lambda _: None, RELIABLE)
        while outputs.wanted() == Outputs(0):
            rclpy.spin_once(listener, timeout_sec=0.05)
        assert outputs.wanted() == wanted, topic
        listener.destroy_subscription(subscription)
        while outputs.wanted() != Outputs(0):
            rclpy.spin_once(listener, timeout_sec=0.05)
    outputs.close()
    assert listener.count_publishers("/hybrid_seg/front/semantic") == 0


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=50),
    st.floats(-100, 0),
    st.floats(1, 100),
)
def test_mono16_comes_back_within_half_a_step(values: list[float], low: float, high: float) -> None:
    score = np.array([values], np.float32)
    pixels = mono16(score, low, high)
    assert pixels.dtype == np.uint16
    back = low + pixels.astype(np.float64) / 65535 * (high - low)
    step = (high - low) / 65535
    np.testing.assert_allclose(back, np.clip(score.astype(np.float64), low, high), atol=0.51 * step + 1e-5 * abs(low))


def test_label_table_tells_how_to_read_mono16(tiny_bundle: Bundle) -> None:
    settings = Settings(score_encoding="mono16", score_mono16_min=-2.0, score_mono16_max=6.0)
    score = node_label_table(tiny_bundle, settings, 1.5)["score"]
    assert 65535 * score["scale"] + score["offset"] == pytest.approx(6.0)
    assert score["offset"] == -2.0
    assert "scale" not in node_label_table(tiny_bundle, Settings(), 1.5)["score"]


@dataclass
class VisionClass:
    """vision_msgs/VisionClass; the package has no wheel, so its two messages are written out here."""

    class_id: int
    class_name: str


@dataclass
class LabelInfo:
    """vision_msgs/LabelInfo."""

    threshold: float
    header: Header = field(default_factory=Header)
    class_map: list[VisionClass] = field(default_factory=list)


def test_label_info_has_every_class(tiny_bundle: Bundle) -> None:
    messages = SimpleNamespace(VisionClass=VisionClass, LabelInfo=LabelInfo)
    info = label_info(messages, tiny_bundle, 1.5, Time(sec=7))
    assert (info.threshold, info.header.stamp.sec) == (1.5, 7)
    assert [(c.class_id, c.class_name) for c in info.class_map] == [(c.id, c.name) for c in tiny_bundle.classes]
