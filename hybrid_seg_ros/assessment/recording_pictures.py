"""Pictures of the frames of a recording that are worth looking at."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.worst import Finding
from hybrid_seg_ros.bags import BagReader, Result
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.report.document import Picture
from hybrid_seg_ros.visual.colors import heat_limits
from hybrid_seg_ros.visual.panel import panel
from hybrid_seg_ros.visual.strip import strip

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 85]
# Neighbours show the same: suspicious frames keep this distance, as a share of the recording.
_GAP = 0.02


def suspicious(obstacle_pixels: Mapping[int, int], frames: int, count: int) -> list[int]:
    """The frames with the most obstacle pixels, some frames apart, most first; equal ones in their order."""
    gap = max(1, round(_GAP * frames))
    chosen: list[int] = []
    for index in sorted(obstacle_pixels, key=lambda i: (-obstacle_pixels[i], i)):
        if len(chosen) == count or not obstacle_pixels[index]:
            break
        if all(abs(index - other) >= gap for other in chosen):
            chosen.append(index)
    return chosen


def frames_at(bag: Path, topic: str, indices: Sequence[int]) -> Iterator[tuple[int, Frame]]:
    """(index, decoded frame) of some images, in their order; one that cannot be decoded is left out."""
    wanted = set(indices)
    with BagReader(bag) as reader:
        for index, image in enumerate(reader.images(topic)):
            if index in wanted:
                try:
                    yield index, image.frame()
                except ValueError:
                    continue
            if index >= max(wanted, default=-1):
                return


class Album:
    """Writes pictures to a folder beside the document.

    Args:
        folder: made where it is not there.
        manifest: of the bundle that made the results.
        start_ns: stamp of the first frame.
    """

    def __init__(self, folder: Path, manifest: Manifest, start_ns: int) -> None:
        self._folder = folder
        self._manifest = manifest
        self._start_ns = start_ns
        folder.mkdir(parents=True, exist_ok=True)

    def finding(
        self, finding: Finding, frame: Frame, result: Result, truth: npt.NDArray[np.uint8], threshold: float
    ) -> Picture | None:
        """A strip of a false alarm or a miss; None where the result has no score."""
        if result.score is None:
            return None
        limits = heat_limits(threshold, self._manifest.score.kind)
        picture = strip(frame.image, result.score, truth, finding.box, threshold=threshold, limits=limits)
        return self._written(finding.kind, finding.index, frame, picture, finding.pixels, finding.text)

    def suspicious(self, index: int, frame: Frame, result: Result, threshold: float, pixels: int) -> Picture:
        """A panel of a frame."""
        limits = heat_limits(threshold, self._manifest.score.kind)
        classes = self._manifest.classes
        picture = panel(frame.image, result, classes, threshold, limits=limits, columns=4, tile_width=320)
        size = frame.image.shape[0] * frame.image.shape[1] if result.mask is None else result.mask.size
        text = f"{pixels} px above the threshold, {100 * pixels / size:.2f} % of the frame"
        return self._written("suspicious", index, frame, picture, pixels, text)

    def _written(
        self, kind: str, index: int, frame: Frame, picture: npt.NDArray[np.uint8], pixels: int, text: str
    ) -> Picture:
        file = self._folder / f"{kind}_{index:06d}.jpg"
        file.write_bytes(cv2.imencode(".jpg", picture, _JPEG)[1].tobytes())
        return Picture.model_validate(
            {
                "kind": kind,
                "frame": f"frame {index}",
                "file": f"{self._folder.name}/{file.name}",
                "pixels": pixels,
                "text": text,
                "stamp_s": (frame.stamp_ns - self._start_ns) / 1e9,
            }
        )
