"""Contact points of perfect masks on a generated drive: what geometry and pixels alone do to positions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.contact_error import RANGE_M, ContactError, contact_error, shows_its_foot
from hybrid_seg_ros.assessment.drive_pose import exact_pose
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.scenes.drive import Drive
from hybrid_seg_ros.scenes.truth import SceneFrame

_OPTIONS = ExtractOptions(min_pixels=1)


@dataclass(frozen=True, slots=True)
class PerfectContacts:
    """Of one drive: every unknown obstacle within RANGE_M whose foot is seen, in every frame looked at.

    Attributes:
        alone: each in a mask of its own.
        together: all unknown ones in one mask, which merges those that touch in the image.
    """

    alone: tuple[ContactError, ...]
    together: tuple[ContactError, ...]


def perfect_contacts(drive: Drive, frames: Iterable[int]) -> PerfectContacts:
    """Positions from the true silhouettes and the exact pose of those frames."""
    alone: list[ContactError] = []
    together: list[ContactError] = []
    for number in frames:
        scene = drive.frame(number)
        ground = GroundProjection(drive.camera, exact_pose(drive.view(number)))
        unknown = [truth.id for truth in scene.obstacles if not truth.known]
        every = _obstacles(scene, np.isin(scene.instances, unknown), ground)
        for truth in scene.obstacles:
            near = RANGE_M[0] <= truth.distance <= RANGE_M[1]
            if truth.known or not near or not shows_its_foot(truth, scene):
                continue
            silhouette = scene.instances == truth.id
            single = _obstacles(scene, silhouette, ground)
            for found, errors in ((single, alone), (every, together)):
                error = contact_error(found, _parts(found, silhouette), truth, ground)
                if error is not None:
                    errors.append(error)
    return PerfectContacts(tuple(alone), tuple(together))


def _obstacles(scene: SceneFrame, shown: npt.NDArray[np.bool_], ground: GroundProjection) -> Obstacles:
    mask = np.where(shown, 255, 0).astype(np.uint8)
    return extract(
        mask, None, None, gate=None, drivable=None, ground=ground, options=_OPTIONS, stamp_ns=scene.frame.stamp_ns
    )


def _parts(found: Obstacles, silhouette: npt.NDArray[np.bool_]) -> list[int]:
    """Indices of the obstacles that have pixels of a silhouette, which something nearer may cut in pieces."""
    runs = found.runs
    before = np.concatenate([np.zeros((len(silhouette), 1), np.int64), np.cumsum(silhouette, axis=1)], axis=1)
    pixels = before[runs.row, runs.stop] - before[runs.row, runs.start]
    return sorted({int(index) for index in runs.obstacle[pixels > 0]})
