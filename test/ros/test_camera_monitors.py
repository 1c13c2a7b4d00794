"""What the monitors of one camera say together, and for how long."""

import array
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import CompressedImage, Image

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import InvalidOutputError, Outputs, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ENCODINGS
from hybrid_seg_ros.monitor.camera_health import CameraVerdict
from hybrid_seg_ros.monitor.input_state import InputMonitor
from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.ros.arrivals import Content, content_of_message
from hybrid_seg_ros.ros.bridge import cv2_to_imgmsg, frame_from_compressed, frame_from_image, stamp_to_ns
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.schema import Settings


def verdict(monitors: CameraMonitors) -> CameraVerdict:
    """Of a camera whose images come and are good."""
    now = time.monotonic()
    camera = InputMonitor(stale_after_s=1.0)
    camera.watch(now)
    camera.arrived(1, now)
    camera.used((64, 48))
    return monitors.verdict(camera.report(now), Settings(), now)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (BackendError("no"), HealthState.NETWORK_FAILED),
        (InvalidOutputError("NaN"), HealthState.OUTPUT_NAN),
    ],
)
def test_one_failure_between_two_beats_is_in_the_second_one(
    tiny_bundle: Bundle, error: Exception, state: HealthState
) -> None:
    """The image after it is answered before anybody looks: that ends the state, but it must have been told."""
    monitors = CameraMonitors(Settings(), None)
    beat_s = time.monotonic()
    monitors.failed(error)
    assert verdict(monitors).states == {state}
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with open_detector(tiny_bundle, "fake") as detector:
        monitors.result(detector(Frame(image), Outputs.SCORE), ground_unknown=False, now_s=time.monotonic())
    now = verdict(monitors)
    assert now.states == set(), "results go on at once"
    told = monitors.since(now, beat_s)
    assert told.states == {state}
    assert told.headline.startswith(f"{state.value}: ")
    assert monitors.since(now, time.monotonic()) == now
    monitors.reset()
    assert monitors.since(now, beat_s) == now


SECOND = 1_000_000_000


def noisy(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1.5, (96, 128, 3))
    return np.clip(np.rint(120 + noise), 0, 255).astype(np.uint8)


class Sender:
    """Sends pictures to the monitors of a camera whose network takes every third one, or none."""

    def __init__(self, *, compressed: bool = False, takes_every: int = 3, behind_s: int = 0) -> None:
        self.monitors = CameraMonitors(Settings(frozen_frames=6, loop_frames=10, image_quality=False), None)
        self.compressed, self.takes_every, self.behind_s, self.sent = compressed, takes_every, behind_s, 0

    def send(self, picture: np.ndarray, *, take: bool | None = None) -> set[str]:
        """The states after it."""
        self.sent += 1
        message = self._message(picture)
        message.header.stamp.sec = self.sent
        sighting = self.monitors.arrived(message, stamp_to_ns(message.header) + self.behind_s * SECOND)
        if (self.sent % self.takes_every == 0) if take is None else take:
            frame = frame_from_compressed(message) if self.compressed else frame_from_image(message)
            self.monitors.image(frame, sighting, time.monotonic())
        return {state.value for state in verdict(self.monitors).states}

    def _message(self, picture: np.ndarray) -> Image | CompressedImage:
        if not self.compressed:
            return cv2_to_imgmsg(picture, "bgr8")
        return CompressedImage(format="jpeg", data=array.array("B", cv2.imencode(".jpg", picture)[1].tobytes()))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("takes_every", [1, 3])
def test_a_frozen_camera_is_told_by_what_arrives_and_no_image_counts_twice(compressed: bool, takes_every: int) -> None:
    sender = Sender(compressed=compressed, takes_every=takes_every)
    assert [sender.send(noisy(k)) for k in range(12)] == [set()] * 12
    told = [sender.send(noisy(99)) for _ in range(9)]
    assert told == [set()] * 6 + [{"camera.frozen"}] * 3


def test_a_loop_and_wrong_stamps_are_told_by_what_arrives() -> None:
    sender = Sender(takes_every=10**9)
    told = [sender.send(noisy(k % 5)) for k in range(15)]
    assert told == [set()] * 12 + [{"camera.looping"}] * 3
    late = Sender(takes_every=10**9, behind_s=100)
    assert [late.send(noisy(k)) for k in range(4)] == [set()] * 2 + [{"stamps.old"}] * 2


def test_a_state_holds_until_the_result_of_its_last_image_is_out() -> None:
    """New images arrive while the network works on a frozen one, whose result must not be believed for that."""
    sender = Sender(takes_every=10**9)
    for _ in range(8):
        sender.send(noisy(1))
    assert sender.send(noisy(1), take=True) == {"camera.frozen"}
    assert sender.send(noisy(2)) == {"camera.frozen"}
    assert sender.send(noisy(3), take=True) == set()


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_contents_are_told_apart_in_every_encoding_without_converting_it(encoding: str) -> None:
    fmt, width, height = ENCODINGS[encoding], 320, 200
    step = width * fmt.pixel_bytes
    rng = np.random.default_rng(0)

    def message() -> Image:
        data = array.array("B", rng.integers(0, 256, fmt.rows(height) * step, np.uint8).tobytes())
        return Image(width=width, height=height, step=step, encoding=encoding, data=data)

    one, other = message(), message()
    assert content_of_message(one) == content_of_message(one)
    assert content_of_message(one).pixels is not None
    assert content_of_message(one) != content_of_message(other)


@pytest.mark.parametrize(
    "message",
    [
        Image(width=64, height=48, step=192, encoding="bgr8"),
        Image(width=64, height=48, step=192, encoding="no such thing"),
        Image(),
    ],
)
def test_what_is_no_image_says_nothing_and_harms_nothing(message: Image) -> None:
    assert content_of_message(message) == Content(known=False)
    assert content_of_message(Image(width=1, height=1, step=2, encoding="mono16", data=[0, 1])) == Content()
    assert content_of_message(CompressedImage()).file is not None
    sender = Sender()
    for _ in range(4):
        sender.send(noisy(1))
    assert sender.monitors.arrived(message, 0).states == set()
    assert [sender.send(noisy(1)) for _ in range(4)] == [set()] * 2 + [{"camera.frozen"}] * 2
