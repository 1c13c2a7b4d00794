"""`hybrid-seg calibrate`: a threshold of your own, from labelled images into a bundle that the node runs."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.detector_options import DEFAULT_BUNDLE, add_backend_arguments
from hybrid_seg_ros.cli.set_options import (
    add_id_arguments,
    add_saved_arguments,
    add_set_arguments,
    scores_from,
    set_from,
)
from hybrid_seg_ros.cli.table import two_columns

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.threshold import FoundThreshold
    from hybrid_seg_ros.bundle import Bundle
    from hybrid_seg_ros.evaluation.targets import Target

_DESCRIPTION = """\
Choose the threshold of the anomaly score on labelled images, and write it as an operating point into a copy of the
bundle; the node switches to it while it runs. The target is a share of pixels:

  fpr=0.01   at most 1 % of the known pixels above the threshold, and as many anomalies as that allows
  tpr=0.95   at least 95 % of the anomaly pixels above it, and as few known ones as that allows
  miss=0.05  at most 5 % of the anomaly pixels not above it: the same, said the other way round

Without more, that is so on these images. With --guarantee the threshold keeps a bound on the mean risk of further
images of the same kind, by conformal risk control; with --confidence, too, the bound holds with that probability.
"""

_EXAMPLES = """\
examples:
  hybrid-seg calibrate --dataset pairs --root my_drive --target fpr=0.01 --name quiet --out my_bundle
  hybrid-seg calibrate --dataset fishyscapes-laf --root fishyscapes --target miss=0.1 --guarantee --name safe --out safe
  hybrid-seg calibrate --dataset pairs --root my_drive --target fpr=0.01 --guarantee --confidence 0.95 \\
      --name quiet --out my_bundle --default
  ros2 param set /hybrid_seg operating_point quiet       on the node that runs my_bundle
"""

_SHOWN_PROBLEMS = 10


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "calibrate",
        parents=[common],
        help="choose a threshold on your images, into a bundle copy",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--bundle",
        default=DEFAULT_BUNDLE,
        help="bundle to copy: a folder, or a shipped one's name (default: %(default)s)",
    )
    parser.add_argument("--target", type=target, required=True, metavar="T", help="fpr=, tpr= or miss= and a share")
    parser.add_argument("--guarantee", action="store_true", help="keep the target on further images: needs many images")
    parser.add_argument("--confidence", type=float, metavar="P", help="of the guarantee, such as 0.95")
    parser.add_argument("--name", required=True, help="of the operating point")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder to make: the bundle's copy")
    parser.add_argument("--default", action="store_true", help="make it the point that is used unless told otherwise")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder where it is there")
    add_set_arguments(parser, required=True)
    add_id_arguments(parser)
    add_saved_arguments(parser)
    add_backend_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Find the threshold, copy the bundle, say what it is worth and how it is used."""
    from hybrid_seg_ros.assessment.threshold import find_threshold
    from hybrid_seg_ros.bundle import copy_bundle, find_bundle, load_bundle

    bundle = load_bundle(find_bundle(args.bundle))
    _refuse_early(args, bundle)
    with contextlib.closing(scores_from(args)) as scores:
        dataset = set_from(args, scores)
        found = find_threshold(
            dataset,
            scores,
            args.target,
            origin=_origin(args, bundle, dataset.name),
            guarantee=args.guarantee,
            confidence=args.confidence,
            progress=sys.stderr.isatty(),
        )
    copied = copy_bundle(
        bundle,
        args.out,
        points={args.name: found.point},
        default=args.name if args.default else None,
        overwrite=args.overwrite,
    )
    _tell_problems(found)
    print(two_columns(summary(found, args.name, copied)))
    return 0


def target(text: str) -> "Target":
    """The target of "fpr=0.01"."""
    from hybrid_seg_ros.evaluation.targets import parse_target

    try:
        return parse_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def summary(found: "FoundThreshold", name: str, copied: "Bundle") -> list[tuple[str, str]]:
    """What was found, and the commands that use it."""
    from hybrid_seg_ros.bundle import guarantee_text

    point = found.point
    rates = [
        f"{label} {100 * rate:.2f} %" for label, rate in (("TPR", point.tpr), ("FPR", point.fpr)) if rate is not None
    ]
    rows = [
        ("operating point", f"{name}: score > {point.threshold:.6g}, for {found.target}"),
        ("on the set", f"{', '.join(rates)} of the pixels; {point.source}"),
    ]
    if point.guarantee is not None and found.mean_risk is not None:
        rows.append(("guarantee", guarantee_text(point.guarantee)))
        rows.append(("", f"the mean on these images is {100 * found.mean_risk:.3g} %"))
    return [
        *rows,
        ("bundle", str(copied.path)),
        ("use it", f"ros2 launch hybrid_seg_ros detector.launch.py bundle:={copied.path.resolve()}"),
        ("live", f"ros2 param set /hybrid_seg operating_point {name}"),
    ]


def _refuse_early(args: Any, bundle: "Bundle") -> None:  # noqa: ANN401
    """What would fail after the run is said before it."""
    if args.confidence is not None and not args.guarantee:
        raise ValueError(f"--confidence {args.confidence:g} is that of a guarantee: add --guarantee")
    if args.out.resolve() == bundle.path.resolve():
        raise ValueError(f"--out {args.out}: it is the bundle itself; give the path of a folder to make")
    if args.out.exists() and not args.overwrite:
        raise ValueError(f"--out {args.out}: it is there already; give another path, or --overwrite")


def _origin(args: Any, bundle: "Bundle", name: str) -> str:  # noqa: ANN401
    """What the set is called in the manifest: with all that the scores depend on beside the network."""
    if args.maps is not None:
        return f"{name}, saved scores {args.maps.resolve().name}"
    width, height = args.input_size or (bundle.manifest.input.width, bundle.manifest.input.height)
    size = f"of the image's width, at most {args.own_width}" if args.own_width else f"{width}x{height}"
    return f"{name}, network input {size}"


def _tell_problems(found: "FoundThreshold") -> None:
    for problem in found.problems[:_SHOWN_PROBLEMS]:
        print(f"hybrid-seg calibrate: {problem.where}: {problem.what}", file=sys.stderr)
    more = len(found.problems) - _SHOWN_PROBLEMS
    if more > 0:
        print(f"hybrid-seg calibrate: and {more} more problems", file=sys.stderr)
