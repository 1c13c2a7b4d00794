"""Generated drives through the shipped network and the obstacle chain, in any weather and with worse pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.drive_judge import DriveFindings, DriveJudge
from hybrid_seg_ros.assessment.drive_pose import MOUNT_PITCH_SIGMA, exact_pose, mounted_pose
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.obstacles.chain import ObstacleOptions
from hybrid_seg_ros.scenes.drive import Drive, DriveConfig

Picture = npt.NDArray[np.uint8]

_JPEG_QUALITY = 30
_UNDER, _OVER = 0.45, 1.9


def _jpeg(image: Picture) -> Picture:
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _exposed(image: Picture, gain: float) -> Picture:
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)


PICTURES: Mapping[str, Callable[[Picture], Picture]] = {
    "as it is": lambda image: image,
    "jpeg": _jpeg,
    "under-exposed": lambda image: _exposed(image, _UNDER),
    "over-exposed": lambda image: _exposed(image, _OVER),
}
"""What may happen to pictures on their way: JPEG of quality 30, and 0.45 and 1.9 times the light."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A way from pictures to obstacles.

    Attributes:
        threshold: of the score, or the name of an operating point; None: the bundle's default.
        options: of the chain.
    """

    threshold: float | str | None
    options: ObstacleOptions


@dataclass(frozen=True, slots=True)
class DriveJob:
    """One drive.

    Attributes:
        drive: what it is like.
        chosen: by name.
        ways: what to judge, each by itself: name of one of `PICTURES`, which the same frames go through, and one in
            `chosen`.
        bundle: folder of the network.
        backend: see `open_detector`.
        input_size: (width, height) of the network's input; None: the manifest's.
    """

    drive: DriveConfig
    chosen: Mapping[str, Chosen]
    ways: tuple[tuple[str, str], ...]
    bundle: Path
    backend: str = "onnxruntime"
    input_size: tuple[int, int] | None = None


def judge_drive(job: DriveJob) -> dict[tuple[str, str], DriveFindings]:
    """By way: what was found of a drive.

    The chain gets the pose that a node would have: how the camera is mounted, not how the car pitches.
    """
    cv2.setNumThreads(1)
    drive, given = Drive(job.drive), mounted_pose(job.drive)
    with open_detector(job.bundle, job.backend, input_size=job.input_size, threads=1) as detector:
        classes = detector.bundle.manifest.classes
        thresholds = {name: detector.set_threshold(chosen.threshold) for name, chosen in job.chosen.items()}
        judges = {(picture, name): DriveJudge(job.chosen[name].options, classes) for picture, name in job.ways}
        for index, scene in enumerate(drive):
            exact = exact_pose(drive.view(index))
            for picture in dict.fromkeys(picture for picture, _ in job.ways):
                frame = replace(scene.frame, pixels=PICTURES[picture](scene.frame.image))
                result = detector(frame, Outputs.SCORE | Outputs.LABELS)
                for way in (way for way in job.ways if way[0] == picture):
                    threshold = thresholds[way[1]]
                    mask = np.where(np.asarray(result.score) > threshold, 255, 0).astype(np.uint8)
                    seen = replace(result, mask=mask, threshold=threshold)
                    judges[way].add(scene, seen, given, exact, MOUNT_PITCH_SIGMA)
    return {way: judge.findings() for way, judge in judges.items()}
