"""The node's output topics in a recording: writing them from a Segmentation and reading them back."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bags.messages import (
    STRING,
    Message,
    camera_info_message,
    compressed_message,
    image_message,
    stamp_ns,
    string_message,
)
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.topics import CAMERA_INFO, COMPRESSED, IMAGE
from hybrid_seg_ros.bags.writer import BagWriter
from hybrid_seg_ros.detector.types import Segmentation
from hybrid_seg_ros.frames import Frame

Pixels = npt.NDArray[np.uint8]

NODE = "/hybrid_seg"
SEMANTIC = "semantic"
SCORE = "anomaly_score"
MASK = "obstacle_mask"
CONFIDENCE = "confidence"
LABELS = "label_info_json"
CAMERA = "camera_info"
OVERLAY = "overlay"
"""The picture with classes and obstacles painted in; for people."""

IMAGE_OUTPUTS = (SEMANTIC, SCORE, MASK, CONFIDENCE)
RECORDED_OUTPUTS = (*IMAGE_OUTPUTS, OVERLAY)
_JPEG_QUALITY = 90
_ENCODINGS = {SEMANTIC: "mono8", SCORE: "32FC1", MASK: "mono8", CONFIDENCE: "mono8"}
# Outputs of one frame arrive within a frame or two of each other; one that lags more has been lost.
_OPEN_FRAMES = 4
_DTYPES: dict[str, type[np.generic]] = {"mono8": np.uint8, "8UC1": np.uint8, "mono16": np.uint16, "32FC1": np.float32}


@dataclass(frozen=True, slots=True)
class Result:
    """The outputs of one frame as recorded; each H x W, or None where it was not recorded.

    Attributes:
        stamp_ns: acquisition stamp of the frame they belong to.
        labels: uint8[H, W] class ids.
        score: float32[H, W] anomaly score, higher = more anomalous.
        mask: uint8[H, W], 255 = obstacle.
        confidence: uint8[H, W].
        threshold: what made the mask; NaN where the recording does not say.
    """

    stamp_ns: int
    labels: npt.NDArray[np.uint8] | None = None
    score: npt.NDArray[np.float32] | None = None
    mask: npt.NDArray[np.uint8] | None = None
    confidence: npt.NDArray[np.uint8] | None = None
    threshold: float = math.nan


class ResultWriter:
    """Writes detector results under the node's topic names, each with its image's own stamp and frame_id.

    Args:
        bag: the recording to write to.
        node: full name of the node that the topics belong to.
        overlay: draws the overlay, or None: none is recorded. It goes to `overlay/compressed` as JPEG, where
            image_transport and Foxglove look for it.
    """

    def __init__(
        self, bag: BagWriter, node: str = NODE, *, overlay: Callable[[Frame, Segmentation], Pixels] | None = None
    ) -> None:
        self._bag = bag
        self._node = node
        self._overlay = overlay
        for output in IMAGE_OUTPUTS:
            bag.add_topic(f"{node}/{output}", IMAGE)
        bag.add_topic(f"{node}/{LABELS}", STRING, latched=True)

    def write_labels(self, log_time_ns: int, text: str) -> None:
        """The latched label table; once, before the first result."""
        self._bag.write(f"{self._node}/{LABELS}", STRING, log_time_ns, string_message(text))

    def write(self, frame: Frame, segmentation: Segmentation, log_time_ns: int) -> None:
        """All outputs that the segmentation has, and the CameraInfo that fits their size."""
        arrays: dict[str, npt.NDArray[Any] | None] = {
            SEMANTIC: segmentation.labels,
            SCORE: segmentation.score,
            MASK: segmentation.mask,
            CONFIDENCE: segmentation.confidence,
        }
        for output, array in arrays.items():
            if array is not None:
                data = image_message(array, _ENCODINGS[output], stamp=frame.stamp_ns, frame_id=frame.frame_id)
                self._bag.write(f"{self._node}/{output}", IMAGE, log_time_ns, data)
        if frame.camera is not None:
            camera = frame.camera.resized(*segmentation.size)
            data = camera_info_message(camera, stamp=frame.stamp_ns, frame_id=frame.frame_id)
            self._bag.write(f"{self._node}/{CAMERA}", CAMERA_INFO, log_time_ns, data)
        if self._overlay is not None:
            picture = self._overlay(frame, segmentation)
            jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
            form = "bgr8; jpeg compressed bgr8"
            data = compressed_message(jpeg, form, stamp=frame.stamp_ns, frame_id=frame.frame_id)
            self._bag.write(f"{self._node}/{OVERLAY}/compressed", COMPRESSED, log_time_ns, data)


def read_results(path: Path | str, node: str = NODE) -> Iterator[Result]:
    """The results of a recording in the order of their recording, one per stamp, outputs joined by stamp.

    A frame that lost an output on its way comes late, with that output None. A score recorded as mono16 is decoded by
    the recorded label table, and NaN where there is none.

    Raises:
        BagError: not a recording.
    """
    fields = {f"{node}/{SEMANTIC}": "labels", f"{node}/{SCORE}": "score", f"{node}/{MASK}": "mask"}
    fields[f"{node}/{CONFIDENCE}"] = "confidence"
    with BagReader(path) as bag:
        topics = [t for t in bag.topics if t.name in fields and t.count]
        labels = [t for t in bag.topics if t.name == f"{node}/{LABELS}"]
        threshold, scale, offset = math.nan, math.nan, math.nan
        open_frames: dict[int, dict[str, Any]] = {}
        for raw in bag.raw(*topics, *labels):
            message = bag.message(raw)
            if raw.topic in labels:
                table = json.loads(message.data)
                threshold = float(table.get("threshold", math.nan))
                coding = table.get("score", {})
                scale, offset = float(coding.get("scale", math.nan)), float(coding.get("offset", math.nan))
                continue
            stamp = stamp_ns(message)
            outputs = open_frames.setdefault(stamp, {"threshold": threshold})
            array = single_channel(message)
            if array.dtype == np.uint16:
                array = (offset + scale * array).astype(np.float32)
            outputs[fields[raw.topic.name]] = array
            if len(outputs) > len(topics):
                yield Result(stamp, **open_frames.pop(stamp))
            elif len(open_frames) > _OPEN_FRAMES:
                oldest = min(open_frames)
                yield Result(oldest, **open_frames.pop(oldest))
        for stamp in sorted(open_frames):
            yield Result(stamp, **open_frames[stamp])


def single_channel(message: Message) -> npt.NDArray[Any]:
    """H x W array of a mono8, mono16 or 32FC1 Image, copied out of the message.

    Raises:
        ValueError: another encoding, or less data than its size needs.
    """
    if str(message.encoding) not in _DTYPES:
        raise ValueError(f"image of encoding {message.encoding!r}, expected one of {', '.join(_DTYPES)}")
    dtype = np.dtype(_DTYPES[str(message.encoding)])
    rows = np.ascontiguousarray(message.data).reshape(int(message.height), int(message.step))
    return np.ascontiguousarray(rows[:, : int(message.width) * dtype.itemsize]).view(dtype)
