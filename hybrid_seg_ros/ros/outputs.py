"""One camera's way out of the node: publishers that cost nothing while nobody listens."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Float32, Header

from hybrid_seg_ros.bundle import ClassInfo
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames.frame import Frame
from hybrid_seg_ros.obstacles.gate import REASONS
from hybrid_seg_ros.ros.bridge import cv2_to_imgmsg
from hybrid_seg_ros.ros.camera_info import resized_camera_info
from hybrid_seg_ros.ros.camera_obstacles import ObstacleResult
from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.visual.overlay import overlay
from hybrid_seg_ros.visual.removed import paint_removed

NONE = Outputs(0)

IMAGE_OUTPUTS: dict[str, Outputs] = {
    # in the order of publication: what a planner waits for first, what people look at last
    "obstacle_mask": Outputs.MASK,
    "obstacle_mask_raw": Outputs.MASK,  # by the threshold alone, whatever filters obstacle_mask
    "anomaly_score": Outputs.SCORE,
    "semantic": Outputs.LABELS,
    "confidence": Outputs.CONFIDENCE,
    "overlay": Outputs.LABELS | Outputs.MASK,
}
"""Image topic -> what it takes from the detector."""


def mono16(score: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint16]:
    """Scores as uint16[H, W]: `low` and below is 0, `high` and above 65535, rounded to nearest between."""
    scaled = (score - np.float32(low)) * np.float32(65535.0 / (high - low))
    whole: npt.NDArray[np.uint16] = np.rint(np.clip(scaled, 0.0, 65535.0)).astype(np.uint16)
    return whole


class CameraOutputs:
    """The publishers of one camera.

    Args:
        node: publishes.
        name: the camera's name, "" for the only one.
        settings: QoS and encodings; read once.
        classes: for the overlay's colours.
    """

    def __init__(self, node: Node, name: str, settings: Settings, classes: Sequence[ClassInfo]) -> None:
        prefix = f"~/{name}/" if name else "~/"
        qos = keep_last(settings.output_reliability, settings.output_depth)
        self._node = node
        self._settings = settings
        self._classes = list(classes)
        self._images: dict[str, Publisher] = {
            topic: node.create_publisher(Image, prefix + topic, qos) for topic in IMAGE_OUTPUTS
        }
        self._info: Publisher = node.create_publisher(CameraInfo, f"{prefix}camera_info", qos)
        self._latency: Publisher = node.create_publisher(Float32, f"{prefix}latency_ms", qos)

    def wanted(self) -> Outputs:
        """What the detector must compute for those who listen now; empty when nobody does."""
        wanted = NONE
        for topic, needed in IMAGE_OUTPUTS.items():
            if _heard(self._images[topic]):
                wanted |= needed
        if not wanted and (_heard(self._info) or _heard(self._latency)):
            return Outputs.MASK  # they tell of results, so there must be one
        return wanted

    def shows_obstacles(self) -> bool:
        """Whether somebody looks at the mask that gates and time filter make."""
        filters = self._settings.mask_output != "threshold"
        return filters and any(_heard(self._images[topic]) for topic in ("obstacle_mask", "overlay"))

    def explains(self) -> bool:
        """Whether somebody looks at what gates removed."""
        return self._settings.mask_output != "threshold" and _heard(self._images["overlay"])

    def publish(
        self,
        frame: Frame,
        result: Segmentation,
        found: ObstacleResult | None,
        header: Header,
        info: CameraInfo | None,
        age_ms: Callable[[], float],
    ) -> None:
        """Publish a result to those who listen, under the header of its image.

        Args:
            frame: what was segmented.
            result: what came out; outputs it lacks are not published.
            found: its obstacles; None where nobody wanted them.
            header: the image's own, carried bit for bit.
            info: the camera's CameraInfo for the image, or None.
            age_ms: gives the time since the stamp, ms.
        """
        told = False
        shown = _shown(result, found, self._settings.mask_output)
        for topic, publisher in self._images.items():
            if not _heard(publisher):
                continue
            image = self._image(topic, frame, result, shown, found)
            if image is None:
                continue  # somebody began to listen while the frame was computed: the next one has it
            publisher.publish(cv2_to_imgmsg(image[0], image[1], header))
            if not told:
                told = True
                self._tell(result, header, info, age_ms)
        if not told:
            self._tell(result, header, info, age_ms)

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (*self._images.values(), self._info, self._latency):
            self._node.destroy_publisher(publisher)

    def _tell(self, result: Segmentation, header: Header, info: CameraInfo | None, age_ms: Callable[[], float]) -> None:
        if _heard(self._latency):
            self._latency.publish(Float32(data=age_ms()))
        if info is not None and _heard(self._info):
            self._info.publish(resized_camera_info(info, *result.size, header))

    def _image(
        self, topic: str, frame: Frame, result: Segmentation, shown: Segmentation | None, found: ObstacleResult | None
    ) -> tuple[npt.NDArray[np.generic], str] | None:
        if topic == "anomaly_score":
            if result.score is None:
                return None
            if self._settings.score_encoding == "32FC1":
                return result.score, "32FC1"
            return mono16(result.score, self._settings.score_mono16_min, self._settings.score_mono16_max), "mono16"
        if topic == "overlay":
            if result.labels is None or shown is None or shown.mask is None:
                return None
            image = frame.image
            if frame.size != result.size:
                image = np.asarray(cv2.resize(image, result.size, interpolation=cv2.INTER_AREA), np.uint8)
            picture = overlay(image, shown, self._classes)
            if found is not None and found.reasons is not None:
                paint_removed(picture, found.reasons, REASONS)
            return picture, "bgr8"
        values = {
            "semantic": result.labels,
            "confidence": result.confidence,
            "obstacle_mask": None if shown is None else shown.mask,
            "obstacle_mask_raw": result.mask,
        }[topic]
        return None if values is None else (values, "mono8")


def _shown(result: Segmentation, found: ObstacleResult | None, mask_output: str) -> Segmentation | None:
    """The segmentation with the mask that `mask_output` asks for; None where its obstacles were not made."""
    if mask_output == "threshold":
        return result
    return None if found is None else replace(result, mask=found.mask(filtered=mask_output == "filtered"))


def _heard(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0
