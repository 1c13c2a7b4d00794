"""What is known about a scene beyond its picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.frame import Frame


@dataclass(frozen=True, slots=True)
class ObstacleTruth:
    """One visible car, person or unknown obstacle.

    Vehicle frame: origin on the ground under the camera, x ahead, y left, z up (REP 103), level with the ground and
    turned with the camera. Optical frame: x right, y down, z along the optical axis.

    Attributes:
        id: value of its pixels in SceneFrame.instances.
        kind: "car", "pedestrian", "bicyclist" or a kind of unknown obstacle.
        known: whether it is of a CamVid-11 class.
        label: its class id; void (11) for the unknown.
        position: middle of its footprint in the vehicle frame, (x, y) m.
        contact: point of its footprint nearest to the camera, vehicle frame, (x, y) m.
        distance: from the vehicle frame's origin to `contact`, m.
        optical: middle of its footprint in the optical frame, (x, y, z) m.
        extent: length along its heading, width, height, m.
        yaw: its heading in the vehicle frame, rad.
        contact_pixel: image of `contact`, (u, v) px; may lie outside the image.
        bbox: its visible pixels' bounds, half-open (x0, y0, x1, y1), px.
        visible_pixels: how many pixels show it.
    """

    id: int
    kind: str
    known: bool
    label: int
    position: tuple[float, float]
    contact: tuple[float, float]
    distance: float
    optical: tuple[float, float, float]
    extent: tuple[float, float, float]
    yaw: float
    contact_pixel: tuple[float, float]
    bbox: tuple[int, int, int, int]
    visible_pixels: int


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """A rendered frame and its ground truth.

    Attributes:
        frame: the picture, with the camera that took it.
        labels: uint8[H, W], CamVid-11 ids, 11 = void; unknown obstacles are void.
        anomaly: uint8[H, W], 0 known, 1 unknown obstacle, 255 void (the own bonnet).
        instances: uint16[H, W], 0 or the id of an obstacle.
        obstacles: every obstacle with at least one visible pixel, nearest first.
    """

    frame: Frame
    labels: npt.NDArray[np.uint8]
    anomaly: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    obstacles: tuple[ObstacleTruth, ...]
