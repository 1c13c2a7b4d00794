"""Masks of things made of boxes, seen by a camera over the ground: OpenCV projects and fills, the boxes are known."""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.scenes.view import camera_for

Mask = npt.NDArray[np.uint8]
Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Of x, of y and of z, m, in the vehicle frame."""

CAMERA: CameraModel = camera_for(960, 540, 60.0)
POSE = CameraPose(1.2, 0.1, 1.4, 0.01, 0.06, 0.02)


def ground() -> GroundProjection:
    return GroundProjection(CAMERA, POSE)


def project(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pixels [N, 2] of vehicle frame points [N, 3], by OpenCV."""
    turn = POSE.rotation.T
    matrix = np.array([[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]])
    pixels, _ = cv2.projectPoints(points, cv2.Rodrigues(turn)[0], -turn @ POSE.position, matrix, np.zeros(5))
    return np.asarray(pixels.reshape(-1, 2), np.float64)


def silhouette(boxes: Iterable[Box]) -> Mask:
    """uint8[H, W], 255 where any of the boxes shows."""
    mask = np.zeros((CAMERA.height, CAMERA.width), np.uint8)
    for box in boxes:
        corners = np.array([(x, y, z) for x in box[0] for y in box[1] for z in box[2]])
        hull = cv2.convexHull(project(corners).astype(np.float32))
        cv2.fillConvexPoly(mask, np.rint(hull * 16).astype(np.int32), 255, shift=4)
    return mask


def animal(x: float, y: float, length: float = 1.4, leg: float = 0.7, turned: bool = False) -> list[Box]:
    """A deer that stands across the road with its head to the left, or (turned) along it."""
    legs = [((a, a + 0.1), (b, b + 0.1), (0.0, leg)) for a in (0.0, 0.3) for b in (0.0, length - 0.1)]
    body = ((0.0, 0.4), (0.0, length), (leg, leg + 0.5))
    head = ((0.1, 0.3), (length, length + 0.5), (leg + 0.2, leg + 0.5))
    boxes: list[Box] = [*legs, body, head]
    if turned:
        boxes = [(b, a, c) for a, b, c in boxes]
    return [((a[0] + x, a[1] + x), (b[0] + y, b[1] + y), c) for a, b, c in boxes]


def trolley(x: float, y: float) -> list[Box]:
    """A basket on four wheels, 0.25 m over ground, with a handle that sticks out to the right."""
    wheels = [((x + a, x + a + 0.08), (y + b, y + b + 0.08), (0.0, 0.26)) for a in (0.0, 0.8) for b in (0.0, 0.5)]
    return [
        *wheels,
        ((x, x + 0.9), (y, y + 0.58), (0.25, 1.0)),
        ((x + 0.4, x + 0.5), (y - 0.3, y), (0.9, 1.0)),
    ]
