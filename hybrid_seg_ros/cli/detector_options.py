"""The options of every command that runs the detector itself."""

import argparse
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybrid_seg_ros.detector import Detector

DEFAULT_BUNDLE = "camvid_hybrid_lite0"


def size(text: str) -> tuple[int, int]:
    """(width, height) of "1024x512"."""
    width, separator, height = text.lower().partition("x")
    if not (separator and width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 1024x512, found {text!r}")
    return int(width), int(height)


def threshold(text: str) -> float | str:
    """A number, or the name of an operating point."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number or the name of an operating point, found {text!r}")
    return value


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    """What runs the network, in which precision, at which size."""
    group = parser.add_argument_group("backend")
    group.add_argument(
        "--backend",
        choices=("auto", "onnxruntime", "tensorrt", "fake"),
        default="auto",
        help="what runs the network; auto takes the best that works and says which (default: %(default)s)",
    )
    group.add_argument(
        "--precision",
        choices=("auto", "fp32", "fp16", "int8"),
        default="auto",
        help="which of the bundle's networks: auto is fp16 on a GPU, else fp32; int8 costs accuracy"
        " (default: %(default)s)",
    )
    group.add_argument("--input-size", type=size, metavar="WxH", help="network input, px (default: the bundle's)")


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Bundle, backend and threshold."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--bundle",
        default=DEFAULT_BUNDLE,
        help="trained bundle: a folder, or a shipped one's name (default: %(default)s)",
    )
    group.add_argument(
        "--threshold",
        type=threshold,
        metavar="T",
        help="score above which a pixel is an obstacle: a number, or an operating point's name (default: the bundle's)",
    )
    add_backend_arguments(parser)


def detector_from(args: Any) -> "Detector":  # noqa: ANN401  # argparse.Namespace
    """The detector that the options describe, loaded and warmed up."""
    from hybrid_seg_ros.backends import BackendOptions
    from hybrid_seg_ros.bundle import find_bundle
    from hybrid_seg_ros.detector import open_detector

    return open_detector(
        find_bundle(args.bundle),
        backend=args.backend,
        input_size=args.input_size,
        threshold=args.threshold,
        options=BackendOptions(precision=None if args.precision == "auto" else args.precision),
    )


def node_parameters(args: Any) -> dict[str, bool | int | float | str]:  # noqa: ANN401  # argparse.Namespace
    """The same options as parameters of the node."""
    from hybrid_seg_ros.bundle import find_bundle

    parameters: dict[str, bool | int | float | str] = {
        "bundle": str(find_bundle(args.bundle).resolve()),
        "backend": args.backend,
        "precision": args.precision,
    }
    if args.input_size:
        parameters |= {"input_width": args.input_size[0], "input_height": args.input_size[1]}
    if args.threshold is not None:
        parameters["operating_point" if isinstance(args.threshold, str) else "threshold"] = args.threshold
    return parameters
