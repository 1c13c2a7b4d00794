"""Pictures of a run: a video and a contact sheet, joined from the recording and the results by stamp."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.bags import BagReader, Result, read_results
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.visual import VideoWriter, contact_sheet, heat_limits, panel

SHEET_ROWS = 4
# Answers held while looking for one frame's: dropped frames must not read the whole recording into memory.
_LOOK_AHEAD = 8
_MAX_FPS, _MIN_FPS = 60.0, 1.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was drawn.

    Attributes:
        frames: pictures in the video.
        video: the .mp4.
        sheet: the .png.
    """

    frames: int
    video: Path
    sheet: Path


def joined(bag: Path, results: Path, image_topic: str) -> Iterator[tuple[Frame, Result]]:
    """Each frame with the result of the same stamp; frames without an answer are left out.

    Raises:
        BagError: one of them is not a recording.
    """
    answers = read_results(results)
    waiting: dict[int, Result] = {}
    with BagReader(bag) as reader:
        for image in reader.images(image_topic):
            stamp = image.stamp_ns
            if len(waiting) >= _LOOK_AHEAD:
                waiting = {s: r for s, r in waiting.items() if s >= stamp}
            while stamp not in waiting and len(waiting) < _LOOK_AHEAD and (answer := next(answers, None)) is not None:
                waiting[answer.stamp_ns] = answer
            if (found := waiting.pop(stamp, None)) is not None:
                yield image.frame(), found


def render(
    bag: Path,
    results: Path,
    image_topic: str,
    manifest: Manifest,
    out: Path,
    *,
    frames: int,
    fps: float,
    sheet_stamps: Sequence[int] = (),
    progress: bool = True,
) -> Rendered:
    """Draw demo.mp4 and contact_sheet.png.

    Args:
        bag: the recording that was replayed.
        results: what the node answered.
        image_topic: topic of the images in `bag`.
        manifest: class table and score kind.
        out: folder for both files.
        frames: number of answers, for the progress bar and the choice of pictures.
        fps: rate of the video, Hz.
        sheet_stamps: stamps of the frames on the sheet; evenly spread ones where empty.
        progress: show a progress bar on stderr.

    Raises:
        BagError: one of the recordings cannot be read.
        ValueError: no frame has an answer.
    """
    video, sheet = out / "demo.mp4", out / "contact_sheet.png"
    chosen = set(np.linspace(0, max(frames - 1, 0), SHEET_ROWS).round().astype(int).tolist())
    pictures: list[npt.NDArray[np.uint8]] = []
    start: int | None = None
    count = 0
    pairs = tqdm(joined(bag, results, image_topic), total=frames, unit="frame", desc="draw", disable=not progress)
    with VideoWriter(video, min(max(fps, _MIN_FPS), _MAX_FPS)) as writer:
        for frame, result in pairs:
            start = frame.stamp_ns if start is None else start
            picture = panel(
                frame.image,
                result,
                manifest.classes,
                title=f"camera, {(frame.stamp_ns - start) / 1e9:.2f} s",
                limits=heat_limits(result.threshold, manifest.score.kind),
            )
            writer.write(picture, frame.stamp_ns)
            if frame.stamp_ns in sheet_stamps or (not sheet_stamps and count in chosen):
                pictures.append(_row(frame, result, manifest, start))
            count += 1
    if not pictures:
        raise ValueError(f"{results}: no result belongs to an image of {bag}; nothing to draw")
    _write_png(sheet, contact_sheet(pictures, columns=1))
    return Rendered(count, video, sheet)


def _row(frame: Frame, result: Result, manifest: Manifest, start_ns: int) -> npt.NDArray[np.uint8]:
    return panel(
        frame.image,
        result,
        manifest.classes,
        title=f"camera, {(frame.stamp_ns - start_ns) / 1e9:.2f} s",
        limits=heat_limits(result.threshold, manifest.score.kind),
        columns=4,
    )


def _write_png(path: Path, image: npt.NDArray[np.uint8]) -> None:
    import cv2

    if not cv2.imwrite(str(path), image):
        raise OSError(f"{path}: cannot be written")
