"""Paths of the options, for each recording and for processes elsewhere."""

import dataclasses
from pathlib import Path
from typing import Any

from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.bags.find import SUFFIXES

PLACES = ("{name}", "{folder}")


def short(bag: Path) -> Path:
    """The recording's path without the suffixes of its storage."""
    bag = bag.with_suffix("") if bag.name.endswith(tuple(f"{suffix}.zstd" for suffix in SUFFIXES)) else bag
    return bag.with_suffix("") if bag.suffix in SUFFIXES else bag


def for_recording(options: RecordingOptions, bag: Path) -> RecordingOptions:
    """The options of one recording: its own name for {name} in paths, the folder it lies in for {folder}.

    Paths come out absolute, so that a process in another folder finds them; a bundle given by name keeps its name.
    """
    whole = bag.resolve()
    paths: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if isinstance(value, Path):
            text = str(value).replace("{name}", short(whole).name).replace("{folder}", str(whole.parent))
            paths[field.name] = Path(text).expanduser().resolve()
    given = Path(options.bundle).expanduser()
    bundle = str(given.resolve()) if given.exists() else options.bundle
    return dataclasses.replace(options, bundle=bundle, **paths)


def refuse_common(options: RecordingOptions) -> None:
    """One set of results belongs to one recording.

    Raises:
        ValueError: results, or those to agree with, are the same for all.
    """
    for name in ("results", "against"):
        value = getattr(options, name)
        if value is not None and not any(place in str(value) for place in PLACES):
            raise ValueError(
                f"--{name} {value} is one recording, and several are evaluated; put {{name}} or {{folder}} into the "
                "path, which stand for the name of each and for the folder that it lies in"
            )
