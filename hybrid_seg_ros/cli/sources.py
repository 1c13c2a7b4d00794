"""Pictures to run on: a file, a folder, a video, a camera."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames import Frame

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm"})


class SourceError(ValueError):
    """What was given cannot be read as pictures."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from.

    Attributes:
        kind: "images", or "video" for anything with a frame rate.
        paths: the image files; empty for video.
        capture: what OpenCV opens, a file name or a camera index; None for images.
        fps: frame rate of a video, Hz; 0 for images.
        count: number of frames, or None where nobody knows (a camera).
    """

    kind: Literal["images", "video"]
    paths: tuple[Path, ...] = ()
    capture: str | int | None = None
    fps: float = 0.0
    count: int | None = None

    def frames(self) -> Iterator[tuple[str, Frame]]:
        """(name, frame) in order; stamps count from 0 by the frame rate.

        Raises:
            SourceError: a picture cannot be decoded.
        """
        if self.kind == "images":
            stems = Counter(path.stem for path in self.paths)
            for path in self.paths:
                # a.jpg beside a.png: what is made of one must not replace what is made of the other.
                yield path.stem if stems[path.stem] == 1 else path.name, Frame(_read(path), frame_id=path.stem)
            return
        capture = _open(self.capture)
        try:
            index = 0
            while (found := capture.read())[0]:
                yield (
                    f"{index:06d}",
                    Frame(np.asarray(found[1], np.uint8), stamp_ns=round(index * 1e9 / self.fps), frame_id="camera"),
                )
                index += 1
        finally:
            capture.release()


def open_source(text: str) -> Source:
    """What the words on the command line mean.

    Args:
        text: image file, folder of images, video file, or camera index.

    Raises:
        SourceError: none of them.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        paths = tuple(sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES))
        if not paths:
            raise SourceError(f"{path}: no images; expected files ending in {', '.join(sorted(IMAGE_SUFFIXES))}")
        return Source("images", paths=paths, count=len(paths))
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        return Source("images", paths=(path,), count=1)
    if not path.is_file() and not text.isdigit():
        raise SourceError(f"{text}: no such image, folder or video, and no camera index either")
    device: str | int = str(path) if path.is_file() else int(text)
    capture = _open(device)
    try:
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if isinstance(device, str) else 0
    finally:
        capture.release()
    return Source("video", capture=device, fps=fps if 0 < fps < 1000 else 30.0, count=count if count > 0 else None)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f"{path}: not an image that can be decoded")
    return np.asarray(image, np.uint8)


def _open(device: str | int | None) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(device if isinstance(device, (str, int)) else 0)
    if not capture.isOpened():
        what = f"camera {device}" if isinstance(device, int) else f"{device}: not a video that can be decoded"
        raise SourceError(f"{what} cannot be opened" if isinstance(device, int) else what)
    return capture
