"""A simulated camera that does wrong what it is told: small noisy pictures of a street, in a thread of its own."""

import enum
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.scenes import Drive, DriveConfig

SIZE = (160, 96)
"""(width, height), px."""
_PICTURES = 8
_REMEMBERED = 20_000
_FLOOD_HZ = 500.0
_NOISE = 6
_BAG_S = 5.0


class CameraFault(enum.Enum):
    """What a camera may do wrong."""

    NONE = "none"
    STOP = "stop"  # nothing comes any more
    FREEZE = "freeze"  # the same picture under new stamps
    REPEAT = "repeat"  # the same message again and again
    FLOOD = "flood"  # far more images than any camera sends
    BLACK = "black"  # the lens cap: noise of the sensor and nothing else
    TRUNCATED = "truncated"  # images that end in the middle
    LOOP = "bag loop"  # the stamps start anew


@dataclass(frozen=True, slots=True)
class Sent:
    """An image that was sent.

    Attributes:
        at_s: when, monotonic seconds.
        fault: what was wrong with the camera then.
    """

    at_s: float
    fault: CameraFault


class FaultCamera:
    """Sends from `start` to `stop`; any thread may tell it what to do wrong.

    Args:
        node: publishes.
        name: the camera's name, "" for the only one.
        now_ns: gives the time that images are stamped with.
        rate_hz: of the images.
        seed: of street and noise.
        compressed: JPEG instead of raw images.
    """

    def __init__(
        self, node: Node, name: str, now_ns: Callable[[], int], rate_hz: float, *, seed: int, compressed: bool = False
    ) -> None:
        prefix = f"{name}/" if name else ""
        topic = f"{prefix}image/compressed" if compressed else f"{prefix}image"
        self._images = node.create_publisher(
            CompressedImage if compressed else Image, topic, keep_last("best_effort", 1)
        )
        self._infos = node.create_publisher(CameraInfo, f"{prefix}camera_info", keep_last("best_effort", 1))
        drive = Drive(DriveConfig(seed=seed, size=SIZE, fps=1.0, n_frames=_PICTURES))
        self._pictures = [scene.frame.image for scene in drive]
        self._info = _camera_info(drive)
        self._rng = np.random.default_rng(seed)
        self._now_ns, self._period_s, self._compressed = now_ns, 1.0 / rate_hz, compressed
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fault_camera_{name}", daemon=True)
        self._fault = CameraFault.NONE
        self._back_ns = 0
        self._last: Image | CompressedImage | None = None
        self._last_s = 0.0
        self.messages = 0
        """Messages sent, repeated ones too."""
        self._sent: OrderedDict[int, Sent] = OrderedDict()

    @property
    def connected(self) -> bool:
        """Whether somebody listens to the images and to their calibration."""
        return self._images.get_subscription_count() > 0 and self._infos.get_subscription_count() > 0

    def sent(self, stamp_ns: int) -> Sent | None:
        """The image of this stamp; None where there is none, or that was long ago."""
        return self._sent.get(stamp_ns)

    def log(self) -> list[tuple[int, Sent]]:
        """The last images with their stamps, ns, in the order in which they were sent."""
        with self._lock:
            return list(self._sent.items())

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def tell(self, fault: CameraFault) -> float:
        """Do this wrong from now on; since when it is wrong, monotonic seconds.

        A camera that stops is wrong since its last image, a bag loops in a moment and is sound afterwards.
        """
        with self._lock:
            if fault is CameraFault.LOOP:
                self._back_ns += int(_BAG_S * 1e9)
            else:
                self._fault = fault
            return self._last_s if fault is CameraFault.STOP else time.monotonic()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            with self._lock:
                self._send(self._fault)
                period_s = 1.0 / _FLOOD_HZ if self._fault is CameraFault.FLOOD else self._period_s
            due = max(due + period_s, time.monotonic() - period_s)
            self._stopping.wait(max(0.0, due - time.monotonic()))

    def _send(self, fault: CameraFault) -> None:
        if fault is CameraFault.STOP:
            return
        if fault is not CameraFault.REPEAT or self._last is None:
            stamp_ns = self._now_ns() - self._back_ns
            self._last = self._message(stamp_ns, fault)
            self._sent[stamp_ns] = Sent(time.monotonic(), fault)
            if len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)
            if fault is not CameraFault.FLOOD:
                self._info.header = self._last.header
                self._infos.publish(self._info)
        self._images.publish(self._last)
        self.messages += 1
        self._last_s = time.monotonic()

    def _message(self, stamp_ns: int, fault: CameraFault) -> Image | CompressedImage:
        image = self._picture(fault)
        if self._compressed:
            message = CompressedImage(format="jpeg")
            data = cv2.imencode(".jpg", image)[1].tobytes()
        else:
            message = Image(height=SIZE[1], width=SIZE[0], encoding="bgr8", step=3 * SIZE[0])
            data = image.tobytes()
        message.header.frame_id = "camera_optical_frame"
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        message.data.frombytes(data[: len(data) // 2] if fault is CameraFault.TRUNCATED else data)
        return message

    def _picture(self, fault: CameraFault) -> npt.NDArray[np.uint8]:
        picture = self._pictures[self.messages // 15 % _PICTURES]  # another one each second
        if fault is CameraFault.FREEZE:
            return self._pictures[0]
        noise = self._rng.integers(0, _NOISE, picture.shape, np.uint8)
        return noise if fault is CameraFault.BLACK else np.minimum(picture, 255 - _NOISE) + noise


def _camera_info(drive: Drive) -> CameraInfo:
    camera = drive.camera
    info = CameraInfo(width=camera.width, height=camera.height, distortion_model="plumb_bob", d=[0.0] * 5)
    info.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    info.p = [camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info
