"""`hybrid-seg evaluate RECORDING...`: drives through the detector or the real node, one or many."""

import argparse
import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.many import Outcome
    from hybrid_seg_ros.assessment.recording_options import RecordingOptions

USE = "RECORDING..."

EXAMPLES = """\
  hybrid-seg evaluate drive.mcap --truth labels/
  hybrid-seg evaluate drive_bag --online --rates 10,30,60 --peak
  hybrid-seg evaluate 'drives/**/*.mcap' --jobs 4 --truth '{folder}/labels'
  hybrid-seg evaluate 'drives/**/*.mcap' --ray 10.0.0.1:6379"""

_PICTURES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of recordings."""
    parser.add_argument(
        "recordings",
        nargs="*",
        metavar="RECORDING",
        help="rosbag2 folder, .mcap or .db3 file; a folder or a quoted pattern with ** stands for all that it holds",
    )
    group = parser.add_argument_group("recordings")
    group.add_argument("--image-topic", help="which camera (default: the only one there is)")
    group.add_argument("--overlay", action="store_true", help="record a picture for people, too (Foxglove, RViz)")
    group.add_argument("--results", type=Path, metavar="BAG", help="judge a node's recorded results; run nothing")
    group.add_argument("--against", type=Path, metavar="BAG", help="another run's results, to agree with")
    group.add_argument("--distro", choices=("humble", "jazzy"), default="humble", help="oldest ROS 2 to play results")
    group.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap", help="of the results (default: mcap)")
    truth = parser.add_argument_group("ground truth of recordings")
    truth.add_argument(
        "--truth",
        type=Path,
        metavar="PATH",
        help="recording or folder of masks (default: topics in the recording); {name} in a path stands for the "
        "recording's name, {folder} for the folder that it lies in",
    )
    truth.add_argument("--truth-topic", metavar="TOPIC", help="mono8 label topic instead of /ground_truth/...")
    truth.add_argument(
        "--match", choices=("auto", "stamp", "index"), default="auto", help="how masks of a folder belong to frames"
    )
    online = parser.add_argument_group("online")
    how = online.add_mutually_exclusive_group()
    how.add_argument("--online", action="store_true", help="through the real node, started for this run alone")
    how.add_argument("--through", metavar="NODE", help="through this running, active node; uses your ROS_DOMAIN_ID")
    online.add_argument("--rate", type=float, default=1.0, metavar="X", help="speed relative to the recording")
    online.add_argument("--rates", type=_rates, default=(), metavar="HZ,...", help="play at these fixed rates, too")
    online.add_argument("--peak", action="store_true", help="find the highest rate with less than 5 %% drops")
    many = parser.add_argument_group("many recordings")
    many.add_argument("--ray", metavar="ADDRESS", help="on this Ray cluster instead of this machine alone")
    many.add_argument("--again", action="store_true", help="evaluate what is finished already once more")


def _rates(text: str) -> tuple[float, ...]:
    """(10.0, 30.0) of "10,30"."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < rate < 1000 for rate in found):
        raise argparse.ArgumentTypeError(f"expected rates in Hz such as 10,30,60, found {text!r}")
    return found


def wanted(args: Any) -> bool:  # noqa: ANN401  # argparse.Namespace
    """Whether recordings are named."""
    return bool(args.recordings)


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Evaluate; 1 where a recording could not be evaluated, or no image could be judged.

    Raises:
        BagError: there is no such recording, or (of a single one) it cannot be used.
    """
    from hybrid_seg_ros.assessment.option_paths import for_recording
    from hybrid_seg_ros.bags import BagError
    from hybrid_seg_ros.bags.find import find_recordings
    from hybrid_seg_ros.cli.evaluate_output import make_folder

    out: Path = args.out or Path(f"evaluation_{_name(args.recordings)}")
    options = _options(args)
    found = find_recordings(args.recordings, outside=out)
    # The recording of a drive's truth may lie beside the drive.
    truths = {truth for bag in found if (truth := for_recording(options, bag).truth) != bag.resolve()}
    bags = [bag for bag in found if bag.resolve() not in truths]
    if not bags:
        raise BagError(f"{' '.join(args.recordings)}: no recording left to evaluate; all lie in {out} or are truth")
    make_folder(out)
    # What a pattern stands for may be more the next time: its folder has room for that.
    named = len(bags) == 1 and args.recordings == [str(bags[0])]
    if named and args.ray is None and args.jobs is None:
        return _single(bags[0], options, out, args)
    return _several(bags, options, out, args)


def _single(bag: Path, options: "RecordingOptions", out: Path, args: Any) -> int:  # noqa: ANN401
    """One recording, its results right in the folder."""
    from hybrid_seg_ros.assessment.many import evaluate_once
    from hybrid_seg_ros.cli.evaluate_output import write_outputs

    evaluation, kept = evaluate_once(bag, options, out=out, again=args.again)
    write_outputs(evaluation, out, args.json)
    if kept:
        print("evaluated earlier with the same recording, bundle and options; --again does it once more")
    return 0 if evaluation.images else 1


def _several(bags: Sequence[Path], options: "RecordingOptions", out: Path, args: Any) -> int:  # noqa: ANN401
    from hybrid_seg_ros.assessment.combine import combine
    from hybrid_seg_ros.assessment.many import assess_many, finished
    from hybrid_seg_ros.bundle import find_bundle, load_bundle
    from hybrid_seg_ros.cli.evaluate_output import write_outputs
    from hybrid_seg_ros.report.recordings import write_recordings

    bundle = load_bundle(find_bundle(options.bundle))
    jobs = (0 if args.ray else 1) if args.jobs is None else args.jobs
    try:
        outcomes = assess_many(bags, options, out=out, jobs=jobs, ray=args.ray, again=args.again)
    except (KeyboardInterrupt, SystemExit):  # SystemExit: SIGTERM
        done = finished(bags, options, out=out)
        print(f"{done} of {len(bags)} recordings are done; the same command goes on with the rest", file=sys.stderr)
        raise
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if len(failed) == len(outcomes):
        print("none of the recordings could be evaluated", file=sys.stderr)
        return 1
    _write_pages(outcomes)
    whole = combine(
        _name(args.recordings),
        outcomes,
        out=out,
        classes=[info.name for info in bundle.classes],
        pictures=options.pictures,
    )
    write_outputs(whole, out, args.json)
    write_recordings(whole, out)
    return 1 if failed or not whole.images else 0


def _write_pages(outcomes: "Sequence[Outcome]") -> None:
    """The page of each recording that was evaluated now, or whose page is not there."""
    from tqdm import tqdm

    from hybrid_seg_ros.report.page import PAGE, write_report

    missing = [o for o in outcomes if o.state == "done" or (o.state == "kept" and not (o.folder / PAGE).is_file())]
    for outcome in tqdm(missing, unit="page", desc="reports"):
        write_report(outcome.evaluation(), outcome.folder, pictures_from=outcome.folder)


def _options(args: Any) -> "RecordingOptions":  # noqa: ANN401
    from hybrid_seg_ros.assessment.recording_options import RecordingOptions

    online = args.online or args.through is not None
    if online and args.results is not None:
        raise ValueError("--results judges what a node has done already: leave out --online and --through")
    if not online and (args.rates or args.peak or args.rate != 1.0):
        raise ValueError("--rate, --rates and --peak play a recording to a node: add --online or --through NODE")
    given = {name: ids for name in ("anomaly_ids", "void_ids") if (ids := getattr(args, name)) is not None}
    return RecordingOptions(
        mode="online" if online else "offline" if args.results is None else "recorded",
        bundle=args.bundle,
        backend=args.backend,
        precision=args.precision,
        input_size=args.input_size,
        threshold=args.threshold,
        image_topic=args.image_topic,
        results=args.results,
        truth=args.truth,
        truth_topic=args.truth_topic,
        matching=args.match,
        against=args.against,
        speed=args.rate,
        rates_hz=args.rates,
        peak=args.peak,
        running_node=args.through,
        overlay=args.overlay,
        distro=args.distro,
        storage=args.storage,
        pictures=_PICTURES if args.pictures else 0,
        **given,
    )


def _name(patterns: Sequence[str]) -> str:
    """What several recordings are called: the one recording, or the folder that the pattern starts in."""
    if len(patterns) > 1:
        return "recordings"
    parts = []
    for part in Path(patterns[0]).expanduser().parts:
        if glob.has_magic(part):
            break
        parts.append(part)
    fixed = Path(*parts).resolve()
    return fixed.stem or "recordings"
