"""Why no image arrives: every common mistake gets its own answer."""

import pytest

pytest.importorskip("rclpy")

from hybrid_seg_ros.ros.silence import COMPRESSED, IMAGE, Publisher, explain_silence, image_topic


def explain(
    publishers: list[Publisher] | None = None,
    topics: dict[str, list[str]] | None = None,
    *,
    base: str = "/camera/image_raw",
    transport: str = "raw",
    reliability: str = "best_effort",
) -> str:
    return explain_silence(base, transport, reliability, publishers or [], topics or {})


@pytest.mark.parametrize(
    ("base", "transport", "expected"),
    [
        ("/cam/image", "raw", "/cam/image"),
        ("/cam/image", "compressed", "/cam/image/compressed"),
        ("/cam/image/compressed", "compressed", "/cam/image/compressed"),
    ],
)
def test_one_remap_serves_both_transports(base: str, transport: str, expected: str) -> None:
    assert image_topic(base, transport) == expected


def test_nobody_at_all() -> None:
    text = explain()
    assert "nobody publishes on /camera/image_raw" in text
    assert "ROS_DOMAIN_ID" in text


def test_a_misspelt_topic_gets_the_closest_one() -> None:
    text = explain(topics={"/camera/image_rawr": [IMAGE], "/rear": [IMAGE], "/cloud": ["sensor_msgs/msg/PointCloud2"]})
    assert "did you mean '/camera/image_rawr'?" in text
    assert "/rear" in text
    assert "/cloud" not in text


def test_only_compressed_is_published() -> None:
    text = explain(topics={"/camera/image_raw/compressed": [COMPRESSED]})
    assert "image_transport:=compressed" in text


def test_only_raw_is_published() -> None:
    text = explain(topics={"/camera/image_raw": [IMAGE]}, transport="compressed")
    assert "nobody publishes on /camera/image_raw/compressed" in text
    assert "image_transport:=raw" in text


def test_the_topic_has_another_type() -> None:
    text = explain([Publisher("/cam", COMPRESSED, True)], base="/camera/image_raw/compressed")
    assert f"of type {COMPRESSED}, expected {IMAGE}" in text
    assert "set image_transport:=compressed and image:=/camera/image_raw" in text
    text = explain([Publisher("/lidar", "sensor_msgs/msg/PointCloud2", True)])
    assert "PointCloud2" in text
    assert "image_transport" not in text


def test_best_effort_publisher_and_reliable_subscription() -> None:
    text = explain([Publisher("/cam", IMAGE, False)], reliability="reliable")
    assert "1 publisher (/cam)" in text
    assert "input_reliability:=best_effort" in text


def test_one_reliable_publisher_is_enough() -> None:
    text = explain([Publisher("/a", IMAGE, False), Publisher("/b", IMAGE, True)], reliability="reliable")
    assert "2 publishers (/a, /b)" in text
    assert "input_reliability" not in text


def test_everything_matches_and_yet_nothing_comes() -> None:
    text = explain([Publisher("/cam", IMAGE, False)])
    assert "sends nothing" in text
    assert "fastdds.xml" in text
