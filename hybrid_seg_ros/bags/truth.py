"""Ground truth in a recording: lossless pictures of class ids, joined to the images by stamp."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bags.messages import STRING, compressed_message, string_message
from hybrid_seg_ros.bags.reader import BagReader
from hybrid_seg_ros.bags.topics import COMPRESSED
from hybrid_seg_ros.bags.writer import BagWriter
from hybrid_seg_ros.frames.compressed import decode_unchanged

LABELS = "/ground_truth/semantic"
ANOMALY = "/ground_truth/anomaly"
INSTANCES = "/ground_truth/instances"
OBSTACLES = "/ground_truth/obstacles"


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really there in one frame.

    Attributes:
        stamp_ns: the frame's stamp.
        labels: uint8[H, W] class ids; ids beyond the known classes are void.
        anomaly: uint8[H, W]; 1 = unknown obstacle, 0 = not, 255 = void.
        instances: uint16[H, W]; 0 or the id of an obstacle.
        obstacles: the fields of `scenes.ObstacleTruth` of every unknown obstacle in view.
    """

    stamp_ns: int
    labels: npt.NDArray[np.uint8]
    anomaly: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    obstacles: list[dict[str, Any]]


class TruthWriter:
    """Writes ground truth to a recording."""

    def __init__(self, bag: BagWriter) -> None:
        self._bag = bag

    def write(self, truth: Truth) -> None:
        """One frame's truth; masks as PNG."""
        arrays: dict[str, npt.NDArray[Any]] = {
            LABELS: truth.labels,
            ANOMALY: truth.anomaly,
            INSTANCES: truth.instances,
        }
        for topic, array in arrays.items():
            png = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
            form = f"mono{8 * array.itemsize}; png compressed"
            data = compressed_message(png, form, stamp=truth.stamp_ns, frame_id="")
            self._bag.write(topic, COMPRESSED, truth.stamp_ns, data)
        self._bag.write(OBSTACLES, STRING, truth.stamp_ns, string_message(json.dumps(truth.obstacles)))


def read_truth(path: Path) -> Iterator[Truth]:
    """The truth of every frame, in order.

    Raises:
        BagError: not a recording.
    """
    with BagReader(path) as bag:
        for stamp, group in groupby(bag.raw(*bag.topics), key=lambda raw: raw.log_time_ns):
            found = {raw.topic.name: bag.message(raw).data for raw in group}
            yield Truth(
                stamp_ns=stamp,
                labels=decode_unchanged(found[LABELS], "png"),
                anomaly=decode_unchanged(found[ANOMALY], "png"),
                instances=decode_unchanged(found[INSTANCES], "png"),
                obstacles=json.loads(found[OBSTACLES]),
            )
