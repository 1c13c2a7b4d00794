"""hybrid-seg-train quantize."""

import argparse
from pathlib import Path

from hybrid_seg_train.cli.arguments import add_data, add_dry_run, data_root

_TEXT = "add 8-bit files to a bundle, for TensorRT and for CPUs, and measure what they cost in accuracy"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser("quantize", help=_TEXT, description=_TEXT)
    parser.add_argument("--bundle", type=Path, required=True, help="bundle directory to read")
    parser.add_argument("--out", type=Path, required=True, help="bundle directory to write; replaced if there")
    parser.add_argument("--config", help="recipe that says where the images are (default: the one of the manifest)")
    parser.add_argument("--images", type=int, default=96, help="training images that ranges come from (default: 96)")
    parser.add_argument(
        "--method",
        choices=("best", "minmax", "percentile", "entropy"),
        default="best",
        help="how an activation's range is chosen (default: all, and the one whose score is closest to float32's)",
    )
    parser.add_argument(
        "--only", choices=("cpu", "tensorrt"), help="write the file for one of them alone (default: both)"
    )
    parser.add_argument(
        "--keep-float", nargs="+", default=[], metavar="PATTERN", help="nodes that stay float32 beside the heads"
    )
    add_data(parser)
    add_dry_run(parser)
    parser.set_defaults(handler=_quantize)


def _quantize(args: argparse.Namespace) -> int:
    from hybrid_seg_ros.bundle import INT8_MODEL, UINT8_MODEL, cost_text, load_bundle
    from hybrid_seg_train.quantization.estimate import quantization_estimate
    from hybrid_seg_train.quantization.graph import METHODS
    from hybrid_seg_train.quantize import bundle_recipe, plan_quantization, quantize

    bundle, data = load_bundle(args.bundle), data_root(args)
    recipe = bundle_recipe(bundle, args.config)
    plan = plan_quantization(bundle, recipe, data, count=args.images, patterns=args.keep_float)
    methods = METHODS if args.method == "best" else (args.method,)
    if args.dry_run:
        print(quantization_estimate(plan, methods, args.out))
        return 0
    wanted = {"cpu": (UINT8_MODEL,), "tensorrt": (INT8_MODEL,), None: (UINT8_MODEL, INT8_MODEL)}[args.only]
    made = quantize(plan, args.out, methods=methods, wanted=wanted)
    print(cost_text(made.manifest))
    print(made.path)
    return 0
