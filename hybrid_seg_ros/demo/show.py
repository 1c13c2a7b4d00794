"""The demo: a drive through the real node over real topics, and pictures of what it saw."""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_seg_ros.assessment.machine import machine, versions
from hybrid_seg_ros.bags import BagReader
from hybrid_seg_ros.bags.online import OnlineRun, ParameterValue, run_online
from hybrid_seg_ros.bundle import Manifest, find_bundle, load_bundle
from hybrid_seg_ros.demo.drive import record_drive
from hybrid_seg_ros.demo.quality import judge, telling_stamps
from hybrid_seg_ros.demo.render import render
from hybrid_seg_ros.scenes import CLASS_NAMES, DriveConfig

DEFAULT_DRIVE = DriveConfig(seed=1, size=(960, 540), fps=15.0, n_frames=150, weather="clear")

# Everything a run makes below its folder; an earlier run's are replaced.
_MARKER = ".hybrid_seg_demo"
_FOLDERS = ("drive", "truth", "results", "logs", "evaluation")
_FILES = ("demo.mp4", "contact_sheet.png", "summary.json")


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to show.

    Attributes:
        out: folder for everything that is made.
        bag: a recording to play; None generates a drive.
        image_topic: which camera of the recording; None takes the only one.
        drive: the drive to generate where there is no recording.
        bundle: name or folder of the trained bundle.
        parameters: more parameters of the node.
        rate: speed of the replay relative to the recording.
        progress: show progress bars on stderr.
    """

    out: Path
    bag: Path | None = None
    image_topic: str | None = None
    drive: DriveConfig = DEFAULT_DRIVE
    bundle: str = "camvid_hybrid_lite0"
    parameters: Mapping[str, ParameterValue] | None = None
    rate: float = 1.0
    progress: bool = True


def run_demo(plan: DemoPlan) -> dict[str, Any]:
    """Generate or open the drive, replay it through the node, draw, judge; returns what summary.json holds.

    Raises:
        BagError, BundleError: the recording or the bundle cannot be used.
        ProcessError: the node or the replay failed; carries the end of the node's log.
    """
    bundle = load_bundle(find_bundle(plan.bundle))
    _prepare(plan.out)
    bag, truth = plan.bag, None
    if bag is None:
        bag, truth = plan.out / "drive", plan.out / "truth"
        record_drive(plan.drive, bag, truth, progress=plan.progress)
    with BagReader(bag) as reader:
        image_topic = reader.camera(plan.image_topic)[0].name
    results = plan.out / "results"
    replay = run_online(
        OnlineRun(
            bag=bag,
            work_dir=plan.out / "logs",
            target=results,
            parameters={"bundle": str(bundle.path.resolve()), **(plan.parameters or {})},
            image_topic=image_topic,
            rate=plan.rate,
            progress=plan.progress,
        )
    )
    summary: dict[str, Any] = {"replay": replay, "machine": machine(), "versions": versions()}
    if truth is not None:
        summary["drive"] = dataclasses.asdict(plan.drive)
        if comparable(bundle.manifest) and replay["frames_out"]:
            summary["quality"] = judge(
                bag, truth, results, bundle.path, plan.out / "evaluation", progress=plan.progress
            )
    if replay["frames_out"]:
        drawn = render(
            bag,
            results,
            image_topic,
            bundle.manifest,
            plan.out,
            frames=replay["frames_out"],
            fps=replay["extra"]["recorded_rate_hz"],
            sheet_stamps=() if truth is None else telling_stamps(truth, results),
            progress=plan.progress,
        )
        summary["made"] = {"video": drawn.video.name, "contact_sheet": drawn.sheet.name, "results": results.name}
    (plan.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def comparable(manifest: Manifest) -> bool:
    """Whether the network's classes are the generated drive's."""
    return tuple(c.name for c in manifest.classes) == tuple(CLASS_NAMES)


def _prepare(out: Path) -> None:
    """Make the folder, or empty it of what an earlier demo made; a folder of anybody else's stays untouched.

    Raises:
        FileExistsError: the folder holds something else.
    """
    if out.exists() and not (out / _MARKER).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists and was not made by the demo; name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).write_text("made by hybrid-seg demo; the next run replaces what is here\n", encoding="utf-8")
    for name in _FOLDERS:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
    for name in _FILES:
        (out / name).unlink(missing_ok=True)
