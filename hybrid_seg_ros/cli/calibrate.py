"""`hybrid-seg calibrate`: a threshold and known scenes of your own, from labelled images into a bundle for the node."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
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
    from hybrid_seg_ros.bundle import Bundle, DomainStatistics
    from hybrid_seg_ros.evaluation.targets import Target
    from hybrid_seg_ros.report.document import Problem

_DESCRIPTION = """\
Choose the threshold of the anomaly score on labelled images, and write it as an operating point into a copy of the
bundle; the node switches to it while it runs. The target is a share of pixels:

  fpr=0.01   at most 1 % of the known pixels above the threshold, and as many anomalies as that allows
  tpr=0.95   at least 95 % of the anomaly pixels above it, and as few known ones as that allows
  miss=0.05  at most 5 % of the anomaly pixels not above it: the same, said the other way round

Without more, that is so on these images. With --guarantee the threshold keeps a bound on the mean risk of further
images of the same kind, by conformal risk control; with --confidence, too, the bound holds with that probability.

With --domain, alone or beside a target, the copy also says what these images are like as a whole, for the monitor that
tells a scene that the network does not know: of the 20 or more images with at most 5 % of anomaly pixels.
"""

_EXAMPLES = """\
examples:
  hybrid-seg calibrate --dataset pairs --root my_drive --target fpr=0.01 --name quiet --out my_bundle
  hybrid-seg calibrate --dataset fishyscapes-laf --root fishyscapes --target miss=0.1 --guarantee --name safe --out safe
  hybrid-seg calibrate --dataset pairs --root my_drive --target fpr=0.01 --guarantee --confidence 0.95 \\
      --name quiet --out my_bundle --default
  hybrid-seg calibrate --dataset pairs --root my_drive --domain --out my_bundle
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
    parser.add_argument("--target", type=target, metavar="T", help="fpr=, tpr= or miss= and a share")
    parser.add_argument("--guarantee", action="store_true", help="keep the target on further images: needs many images")
    parser.add_argument("--confidence", type=float, metavar="P", help="of the guarantee, such as 0.95")
    parser.add_argument("--name", help="of the operating point; needed with a target")
    parser.add_argument("--domain", action="store_true", help="write what known scenes are like: of 20 images or more")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder to make: the bundle's copy")
    parser.add_argument("--default", action="store_true", help="make it the point that is used unless told otherwise")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder where it is there")
    add_set_arguments(parser, required=True)
    add_id_arguments(parser)
    add_saved_arguments(parser)
    add_backend_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Find the threshold and the known scenes, copy the bundle, say what they are worth and how they are used."""
    from hybrid_seg_ros.bundle import copy_bundle, find_bundle, load_bundle

    bundle = load_bundle(find_bundle(args.bundle))
    _refuse_early(args, bundle)
    found, domain = _measure(args, bundle)
    copied = copy_bundle(
        bundle,
        args.out,
        points={} if found is None else {args.name: found.point},
        default=args.name if args.default else None,
        domain=domain,
        overwrite=args.overwrite,
    )
    print(two_columns(summary(copied, found, args.name, domain)))
    return 0


def target(text: str) -> "Target":
    """The target of "fpr=0.01"."""
    from hybrid_seg_ros.evaluation.targets import parse_target

    try:
        return parse_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def summary(
    copied: "Bundle", found: "FoundThreshold | None", name: str, domain: "DomainStatistics | None"
) -> list[tuple[str, str]]:
    """What was found, and the commands that use it."""
    rows = [] if found is None else _threshold_rows(found, name)
    if domain is not None:
        scores = f"median score {domain.typical:.5g}, in the top percent of images from {domain.high:.5g}"
        rows.append(("known scenes", f"{scores}; {domain.images} images: {domain.source}"))
    rows += [
        ("bundle", str(copied.path)),
        ("use it", f"ros2 launch hybrid_seg_ros detector.launch.py bundle:={copied.path.resolve()}"),
    ]
    return rows if found is None else [*rows, ("live", f"ros2 param set /hybrid_seg operating_point {name}")]


def _threshold_rows(found: "FoundThreshold", name: str) -> list[tuple[str, str]]:
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
    return rows


def _measure(args: Any, bundle: "Bundle") -> "tuple[FoundThreshold | None, DomainStatistics | None]":  # noqa: ANN401
    """One pass over the set for all that is asked for; the images that are left out are told."""
    from hybrid_seg_ros.assessment.known_scenes import KnownScenes, check_enough
    from hybrid_seg_ros.assessment.labelled_pass import labelled_pass
    from hybrid_seg_ros.assessment.threshold import find_threshold

    scenes, found, progress = KnownScenes(), None, sys.stderr.isatty()
    with contextlib.closing(scores_from(args)) as scores:
        dataset = set_from(args, scores)
        origin = _origin(args, bundle, dataset.name)
        if args.domain:  # what no image can mend is said before the run
            check_enough(len(dataset.samples), origin)
        if args.target is None:
            problems: Sequence[Problem] = labelled_pass(dataset, scores, scenes.add, progress=progress).problems
        else:
            found = find_threshold(
                dataset,
                scores,
                args.target,
                origin=origin,
                guarantee=args.guarantee,
                confidence=args.confidence,
                scenes=scenes if args.domain else None,
                progress=progress,
            )
            problems = found.problems
    _tell_problems(problems)  # first: they may be why known scenes are too few
    return found, scenes.statistics(origin) if args.domain else None


def _refuse_early(args: Any, bundle: "Bundle") -> None:  # noqa: ANN401
    """What would fail after the run is said before it."""
    if args.target is None and not args.domain:
        raise ValueError("nothing to find: give --target and --name for a threshold, --domain for known scenes, or all")
    if args.target is not None and args.name is None:
        raise ValueError(f"--target {args.target}: its operating point needs a --name")
    for option in ("name", "default", "guarantee"):
        if args.target is None and getattr(args, option):
            raise ValueError(f"--{option} is about a threshold: add --target")
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


def _tell_problems(problems: "Sequence[Problem]") -> None:
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(f"hybrid-seg calibrate: {problem.where}: {problem.what}", file=sys.stderr)
    more = len(problems) - _SHOWN_PROBLEMS
    if more > 0:
        print(f"hybrid-seg calibrate: and {more} more problems", file=sys.stderr)
