"""Bad input is told once in a period, costs nothing but itself, and never becomes a result."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import Image
from support.ros_graph import Collection, NodeProcess, Peer, image_message, running_node

from hybrid_seg_ros.bundle import Bundle

S = 10**9


class Live(NamedTuple):
    process: NodeProcess
    peer: Peer
    images: Any
    masks: Collection


@pytest.fixture(scope="module")
def live(module_domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> Iterator[Live]:
    """An active node that logs every problem, a camera, and somebody who listens to the mask."""
    parameters = {
        "bundle": tiny_bundle.path,
        "backend": "fake",
        "log_throttle_s": 0.0,
        "diagnostics_period_s": 0.05,
        "stale_after_s": 3600.0,
    }
    arguments = ["--autostart", "--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    with running_node(module_domain, ros_log_dir, arguments) as process:
        peer = Peer(module_domain)
        try:
            images = peer.publisher(Image, "/image")
            masks = peer.collect(Image, "/hybrid_seg/obstacle_mask")
            process.wait_for_log("listening to")
            yield Live(process, peer, images, masks)
        finally:
            peer.close()
    assert process.process.returncode == 0


@pytest.fixture(autouse=True)
def afresh(live: Live) -> None:
    """A new timeline for each test, an image answered in it, and an empty collection."""
    assert live.peer.change("deactivate")
    assert live.peer.change("activate")
    stamps = iter(range(1, 100_000))

    def answered() -> bool:
        live.images.publish(good(next(stamps) * 10_000))  # 10 us apart: all below 1 s
        live.peer.spin_for(0.05)
        return bool(live.masks.messages)

    live.masks.messages.clear()
    live.peer.wait(answered, "an answer to a good image")
    live.peer.wait_for_status("camera image", lambda s, v: v["input"] == "ok", "ok")
    live.peer.spin_for(0.1)
    live.masks.messages.clear()
    live.process.text()
    live.process.log.clear()


def good(stamp_ns: int, width: int = 64, height: int = 48) -> Image:
    noise = np.random.default_rng(stamp_ns).integers(0, 256, (height, width, 3), np.uint8)  # as no two images are alike
    return image_message(noise, stamp_ns)


def stamps_of(collection: Collection) -> list[int]:
    return [m.header.stamp.sec * S + m.header.stamp.nanosec for m in collection.messages]


def changed(message: Image, **fields: Any) -> Image:
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def depth_like() -> Image:
    return image_message(np.full((48, 64, 1), np.nan, np.float32), 2 * S, encoding="32FC1")


def with_bytes(message: Image, count: int) -> Image:
    del message.data[count:]
    return message


BAD_IMAGES = {
    "no pixels at all": (lambda: changed(Image(encoding="bgr8"), height=0, width=0, step=0), ["0x0"]),
    "zero width": (lambda: changed(good(2 * S), width=0), ["0x48"]),
    "zero height": (lambda: changed(good(2 * S), height=0), ["64x0"]),
    "truncated": (lambda: with_bytes(good(2 * S), 5000), ["5000", str(48 * 64 * 3)]),
    "no data": (lambda: with_bytes(good(2 * S), 0), ["0"]),
    "step too small": (lambda: changed(good(2 * S), step=64), ["64", "192"]),
    "step of zero": (lambda: changed(good(2 * S), step=0), ["192"]),
    "declared larger than it is": (lambda: changed(good(2 * S), height=96), [str(96 * 192), str(48 * 192)]),
    "declared as four channels": (lambda: changed(good(2 * S), encoding="bgra8"), ["256"]),
    "unknown encoding": (lambda: changed(good(2 * S), encoding="rgb9"), ["'rgb9'", "supported"]),
    "empty encoding": (lambda: changed(good(2 * S), encoding=""), ["''"]),
    "depth image of NaN": (depth_like, ["32FC1", "depth"]),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_image_is_explained_and_the_next_good_one_answered(live: Live, name: str) -> None:
    make, parts = BAD_IMAGES[name]
    bad = make()
    bad.header.stamp.sec = 2
    live.images.publish(bad)
    said = live.process.wait_for_log("the image is not used")
    assert "/image: " in said
    for part in parts:
        assert part in said
    status, values = live.peer.wait_for_status("camera image", lambda s, v: v["input"] == "bad", "bad")
    assert status.level == DiagnosticStatus.ERROR
    assert int(values["bad bad_image"]) > 0
    live.images.publish(good(3 * S))
    live.masks.wait()
    assert stamps_of(live.masks) == [3 * S]
    live.peer.wait_for_status(
        "camera image", lambda s, v: v["input"] == "ok" and s.level == DiagnosticStatus.WARN, "ok"
    )


def test_a_repeated_stamp_is_refused(live: Live) -> None:
    for stamp in (5 * S, 5 * S, 5 * S):
        live.images.publish(good(stamp))
        live.peer.spin_for(0.05)
    assert "stamp 5.000000000 came before" in live.process.wait_for_log("stamp 5.0")
    live.peer.wait_for_status("camera image", lambda s, v: v["input"] == "bad", "bad")
    live.images.publish(good(6 * S))
    live.masks.wait(2)
    assert stamps_of(live.masks) == [5 * S, 6 * S]


def test_a_late_image_is_refused(live: Live) -> None:
    live.images.publish(good(5 * S))
    live.masks.wait()
    live.images.publish(good(5 * S - 33_000_000))
    live.process.wait_for_log("stamp 4.967000000 lies before 5.000000000")
    live.images.publish(good(5 * S + 33_000_000))
    live.masks.wait(2)
    assert stamps_of(live.masks) == [5 * S, 5 * S + 33_000_000]


def test_a_bag_that_loops_starts_over(live: Live) -> None:
    bag = [50 * S + k * 66_000_000 for k in range(40)]
    for count, stamp in enumerate([bag[0], bag[-1], bag[0], bag[1], bag[-1], bag[0]], start=1):
        live.images.publish(good(stamp))
        live.masks.wait(count)
    assert stamps_of(live.masks) == [bag[0], bag[-1], bag[0], bag[1], bag[-1], bag[0]]
    live.process.wait_for_log("a new timeline")
    status, _ = live.peer.wait_for_status("camera image", lambda s, v: int(v["stamp restarts"]) >= 2, "restarts")
    assert status.level != DiagnosticStatus.ERROR


def test_size_and_encoding_may_change_in_mid_stream(live: Live) -> None:
    sizes = [(64, 48), (160, 90), (31, 77), (64, 48)]
    for count, (width, height) in enumerate(sizes, start=1):
        live.images.publish(good((4 + count) * S, width, height))
        live.masks.wait(count)
    gray = image_message(np.full((48, 64, 1), 7, np.uint8), 20 * S, encoding="mono8")
    live.images.publish(gray)
    live.masks.wait(5)
    assert [(m.width, m.height) for m in live.masks.messages] == [*sizes, (64, 48)]
    live.process.wait_for_log("the image size is now 31x77")


def test_an_image_that_is_too_old_is_refused_where_an_age_is_set(live: Live) -> None:
    """Its stamp is of 1970; without a limit that is a bag's good right."""
    assert live.peer.set_parameter("max_age_s", 100.0).successful
    live.images.publish(good(5 * S))
    assert "max_age_s is 100" in live.process.wait_for_log("s old")
    now = live.peer.node.get_clock().now().nanoseconds
    live.images.publish(good(now))
    live.masks.wait()
    assert stamps_of(live.masks) == [now]
    assert live.peer.set_parameter("max_age_s", 0.0).successful
