"""Pictures inside the page, as data."""

import base64
from dataclasses import dataclass
from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, Picture
from hybrid_seg_ros.report.words import fixed, whole

_TITLES = {
    "false_alarm": ("Worst false alarms", "Known pixels that the mask marks, the largest first."),
    "miss": ("Worst misses", "Anomaly pixels that the mask leaves out, the largest first."),
    "suspicious": (
        "Most suspicious frames",
        "The most pixels above the threshold; no ground truth says why.",
    ),
}
# Some bytes at the start of a file say what it is; a name does not.
_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the page; without data where the file could not be used, and then `missing` says why."""

    caption: str
    text: str
    data: str
    missing: str


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures of one kind."""

    kind: str
    title: str
    note: str
    pictures: tuple[Shown, ...]


def picture_groups(evaluation: Evaluation, folder: Path) -> list[Group]:
    """All pictures of an evaluation by kind, in its order, read from the folder that it lies in."""
    groups = []
    for kind, (title, note) in _TITLES.items():
        chosen = tuple(_shown(picture, folder) for picture in evaluation.pictures if picture.kind == kind)
        if chosen:
            groups.append(Group(kind, title, note, chosen))
    return groups


def _shown(picture: Picture, folder: Path) -> Shown:
    stamp = f", {fixed(picture.stamp_s, 2)} s" if picture.stamp_s is not None else ""
    caption = f"{picture.frame}{stamp}"
    text = picture.text or f"{whole(picture.pixels)} px"
    try:
        return Shown(caption, text, _data_uri(folder, picture.file), "")
    except (OSError, ValueError) as error:
        return Shown(caption, text, "", str(error))


def _data_uri(folder: Path, file: str) -> str:
    """The file as a data URI.

    Raises:
        ValueError: it lies outside of the folder, or is neither JPEG nor PNG.
        OSError: it cannot be read.
    """
    root = folder.resolve()
    path = (root / file).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"{file}: lies outside of the evaluation's folder, and is not shown")
    if not path.is_file():
        raise FileNotFoundError(f"{file}: no such file beside the evaluation")
    content = path.read_bytes()
    kind = next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)
    if kind is None:
        raise ValueError(f"{file}: is neither JPEG nor PNG, and is not shown")
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
