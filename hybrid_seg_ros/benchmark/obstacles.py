"""Obstacles on generated drives with known truth: where they are, who is found in time, and what is not there."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from hybrid_seg_ros.assessment.contact_error import ContactError
from hybrid_seg_ros.assessment.drive_judge import DriveFindings
from hybrid_seg_ros.assessment.obstacle_drives import PICTURES, DriveJob, judge_drive
from hybrid_seg_ros.assessment.perfect_contacts import perfect_contacts
from hybrid_seg_ros.assessment.workers import Lost, in_processes
from hybrid_seg_ros.benchmark.obstacle_figures import alarm_figures, detection_figures, position_figures
from hybrid_seg_ros.benchmark.obstacle_settings import QUIET, choices
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.scenes.drive import Drive, DriveConfig

_WORKERS = 2
_FPS = 15.0
_AS_IT_IS = "as it is"
_CLEAN = ("overcast", "clear")
_WITH_OBSTACLES = ("overcast", "clear", "rain", "overcast", "clear", "night", "blur")
_WITHOUT = ("overcast", "clear") * 8
_SECONDS_WITH, _SECONDS_WITHOUT = 24.0, 40.0
_GAP_M = 14.0
_FIRST_WITH, _FIRST_WITHOUT, _FIRST_PERFECT = 2001, 3001, 4001
_PERFECT_DRIVES, _PERFECT_FRAMES, _PERFECT_STEP = 6, 300, 20
_PERFECT_SIZES = ((640, 360), (1280, 720))

Found = dict[tuple[str, str, str], list[DriveFindings]]
"""By weather, picture and name of the choice."""


def measure_positions(context: Context) -> Measured:
    """Contact points of perfect masks with the exact pose, on straight and bent roads and for cameras of any kind."""
    drives = context.count(_PERFECT_DRIVES, 1)
    looked_at = range(0, context.count(_PERFECT_FRAMES, 2 * _PERFECT_STEP), _PERFECT_STEP)
    values: dict[str, Any] = {"drives": drives, "frames": len(looked_at) * drives}
    for size in _PERFECT_SIZES:
        alone: list[ContactError] = []
        together: list[ContactError] = []
        name = f"{size[0]}x{size[1]}"
        for number in tqdm(range(drives), desc=name, unit="drive", disable=not context.progress):
            drive = Drive(
                seed=_FIRST_PERFECT + number,
                size=size,
                n_frames=_PERFECT_FRAMES,
                fps=_FPS,
                curvature=float(number % 3) / 2.0,
                pitch_deg=(3.0, 0.0, 6.0)[number % 3],
                mount_height=(1.35, 1.8)[number % 2],
            )
            found = perfect_contacts(drive, looked_at)
            alone += found.alone
            together += found.together
        values[name] = {"one at a time": position_figures(alone), "together": position_figures(together)}
    small, large = (values[f"{w}x{h}"]["one at a time"] for w, h in _PERFECT_SIZES)
    if small["median"] is None or large["median"] is None:
        raise NotMeasuredError("no obstacle stood between 5 and 40 m in the few frames looked at")
    return Measured(
        f"median error {100 * small['median']:.2f} % of the distance at 640x360 ({small['points']} points, "
        f"95 %: {100 * small['p95']:.1f} %), {100 * large['median']:.2f} % at 1280x720",
        max(small["median"], large["median"]) <= 0.02,
        values,
    )


def measure_detection(context: Context) -> Measured:
    """Drives past unknown obstacles in several weathers; the overcast ones with worse pictures, too."""
    jobs = [
        _job(context, _FIRST_WITH + i, weather, _SECONDS_WITH, _GAP_M)
        for i, weather in enumerate(_WITH_OBSTACLES[: context.count(len(_WITH_OBSTACLES), 1)])
    ]
    found = _judged(context, jobs)
    names = choices()
    conditions = {
        _condition(weather, picture): {
            name: detection_figures(found[weather, picture, name])
            for name in names
            if (weather, picture, name) in found
        }
        for weather, picture in sorted({key[:2] for key in found})
    }
    clean = {name: detection_figures(_pooled(found, _CLEAN, name)) for name in names}
    errors = {
        kind: position_figures([e for drive in _pooled(found, _CLEAN, QUIET) for e in getattr(drive, kind)])
        for kind in ("positions", "positions_mounted")
    }
    quiet = clean[QUIET]
    if quiet["share"] is None:
        raise NotMeasuredError("no obstacle on the road came as near as 25 m in the few frames driven")
    waits = max(figures[QUIET]["longest_wait_frames"] for figures in conditions.values())
    promised = names[QUIET].options.filter.delay_frames
    worse = ", ".join(
        f"{name} {_percent(figures[QUIET])}" for name, figures in conditions.items() if name not in _CLEAN
    )
    return Measured(
        f"clean {_percent(quiet)}; {worse}; the filter waited {waits} frames at most (stated: {promised})",
        quiet["share"] >= 0.9 and waits <= promised,
        {
            "drives": _described(jobs),
            "choices": _choices(),
            "clean": clean,
            "conditions": conditions,
            "position_error_exact_pose": errors["positions"],
            "position_error_mounted_pose": errors["positions_mounted"],
        },
    )


def measure_alarms(context: Context) -> Measured:
    """Drives on which there is nothing unknown: what is confirmed and never on anything true is a false alarm.

    Ten minutes and more, so that one alarm does not read as several in ten minutes.
    """
    jobs = [
        _job(context, _FIRST_WITHOUT + i, weather, _SECONDS_WITHOUT, 0.0)
        for i, weather in enumerate(_WITHOUT[: context.count(len(_WITHOUT), 1)])
    ]
    found = _judged(context, jobs)
    figures = {name: alarm_figures(_pooled(found, _CLEAN, name)) for name in choices()}
    quiet = figures[QUIET]
    low, high = quiet["per_10_minutes_95"]
    return Measured(
        f"{quiet['false_alarms']} in {quiet['minutes']:.1f} minutes = {quiet['per_10_minutes']:.1f} per 10 minutes "
        f"(95 %: {low:.1f} to {high:.1f}); {100 * quiet['share_of_frames_with_false']:.1f} % of the images show "
        f"something confirmed where nothing is",
        quiet["per_10_minutes"] <= 1.0,
        {"drives": _described(jobs), "choices": _choices(), "clean": figures},
    )


def _job(context: Context, seed: int, weather: str, seconds: float, gap: float) -> DriveJob:
    frames = context.count(round(seconds * _FPS), 10)
    drive = DriveConfig(seed=seed, weather=weather, fps=_FPS, n_frames=frames, obstacle_gap=gap)
    named = choices()
    # The trade-off is that of clean pictures.
    ways = [(_AS_IT_IS, name) for name in (named if weather in _CLEAN else (QUIET,))]
    if weather == "overcast" and gap > 0.0:
        ways += [(picture, QUIET) for picture in PICTURES if picture != _AS_IT_IS]
    return DriveJob(drive, named, tuple(ways), context.bundle.path)


def _judged(context: Context, jobs: Sequence[DriveJob]) -> Found:
    found: Found = defaultdict(list)
    frames = sum(job.drive.n_frames for job in jobs)
    with tqdm(total=frames, desc="drives", unit="frame", disable=not context.progress) as bar:
        for index, result in in_processes(judge_drive, jobs, _WORKERS):
            job = jobs[index]
            if isinstance(result, Lost):
                raise NotMeasuredError(f"the drive with seed {job.drive.seed} was lost: {result.reason}")
            for (picture, name), findings in result.items():
                found[job.drive.weather, picture, name].append(findings)
            bar.update(job.drive.n_frames)
    return found


def _pooled(found: Found, weathers: Sequence[str], name: str) -> list[DriveFindings]:
    return [drive for weather in weathers for drive in found.get((weather, _AS_IT_IS, name), [])]


def _condition(weather: str, picture: str) -> str:
    return weather if picture == _AS_IT_IS else f"{weather}, {picture}"


def _percent(figures: dict[str, Any]) -> str:
    if not figures["obstacles"]:
        return "none"
    return f"{100 * figures['share']:.0f} % of {figures['obstacles']}"


def _described(jobs: Sequence[DriveJob]) -> list[dict[str, Any]]:
    return [
        {"seed": job.drive.seed, "weather": job.drive.weather, "seconds": job.drive.n_frames / job.drive.fps}
        for job in jobs
    ]


def _choices() -> dict[str, Any]:
    return {
        name: {
            "threshold": chosen.threshold,
            "confirm": [chosen.options.filter.confirm_hits, chosen.options.filter.confirm_window],
            "drop_after": chosen.options.filter.drop_after,
            "hysteresis": chosen.options.filter.hysteresis,
            "min_pixels": chosen.options.extract.min_pixels,
            "min_width_m": chosen.options.extract.min_width_m,
            "min_height_m": chosen.options.extract.min_height_m,
            "min_area_m2": chosen.options.extract.min_area_m2,
            "max_distance_m": chosen.options.extract.max_distance_m,
            "drivable_margin": chosen.options.gate.drivable_margin,
        }
        for name, chosen in choices().items()
    }


POSITIONS = Scenario(
    "obstacle_positions",
    "ground position of contact points at 5 to 40 m, perfect masks and exact pose, generated drives",
    "median error <= 2 % of the distance",
    measure_positions,
)
DETECTION = Scenario(
    "obstacle_detection",
    "unknown obstacles of 0.3 m and more on the road confirmed before 25 m, generated drives, shipped network",
    ">= 90 % clean (overcast, clear), and the filter never waits longer than stated",
    measure_detection,
)
ALARMS = Scenario(
    "obstacle_alarms",
    "false obstacle alarms after the filter on clean generated drives, shipped network",
    "<= 1 per 10 minutes",
    measure_alarms,
)
