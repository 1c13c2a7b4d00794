"""`hybrid-seg build-engine`: a bundle's TensorRT engine for this machine's GPU."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.detector_options import size
from hybrid_seg_ros.cli.table import two_columns

if TYPE_CHECKING:
    from hybrid_seg_ros.backends.tensorrt import PreparedEngine
    from hybrid_seg_ros.bundle import Bundle

_DESCRIPTION = """\
Build a bundle's TensorRT engine on the GPU it will run on, or find that the cached one still fits. The node does the
same at its start; done ahead, its first start does not wait for it. Then the golden test says how far it is from FP32.
An engine belongs to one TensorRT version, GPU, ONNX file, precision and size: after an upgrade it is built again.
"""

_EXAMPLES = """\
examples:
  hybrid-seg build-engine camvid_hybrid_lite0
  hybrid-seg build-engine my_bundle/ --size 1024x512 --precision fp32
  hybrid-seg build-engine my_bundle/ --layers          what TensorRT made of every layer
"""


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "build-engine",
        parents=[common],
        help="a bundle's TensorRT engine for this GPU",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", help="folder of the bundle, or the name of a shipped one")
    parser.add_argument(
        "--precision",
        choices=("fp16", "fp32", "int8"),
        help="which of the bundle's networks (default: fp16 if it has it)",
    )
    parser.add_argument("--size", type=size, metavar="WxH", help="network input, px (default: the bundle's)")
    parser.add_argument(
        "--workspace-mb", type=int, default=1024, metavar="MB", help="scratch memory of the GPU (default: %(default)s)"
    )
    parser.add_argument(
        "--cache-dir",
        type=Path,
        metavar="DIR",
        help="where engines are kept (default: the bundle's folder if it takes files, else the user's cache)",
    )
    parser.add_argument("--force", action="store_true", help="build even if the cached engine fits")
    parser.add_argument(
        "--build-only", action="store_true", help="leave out the golden test on the GPU, which needs pycuda"
    )
    parser.add_argument("--layers", action="store_true", help="print type, tactic and format of every layer")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--library",
        choices=("tensorrt", "tensorrt_rtx"),
        default="tensorrt",
        help="TensorRT, or TensorRT-RTX where it is absent (default: %(default)s)",
    )
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Build or find, tell how it goes on stderr, print what was made."""
    from hybrid_seg_ros.backends.tensorrt import engine_options, prepare_engine
    from hybrid_seg_ros.bundle import INT8_MODEL, cost_text, find_bundle, load_bundle

    bundle = load_bundle(find_bundle(args.bundle))
    options = engine_options(bundle, precision=args.precision, input_size=args.size, workspace_mb=args.workspace_mb)
    engine = prepare_engine(
        bundle,
        options,
        cache_dir=args.cache_dir,
        force=args.force,
        library=args.library,
        on_progress=lambda progress: _tell(str(progress)),
        on_wait=lambda holder, waited: _tell(f"waiting for {holder}, which builds the same engine ({waited:.0f} s)"),
    )
    golden = {} if args.build_only else _golden(bundle, engine)
    rows = engine.layers() if args.layers else []
    if args.json:
        document = {
            "engine": str(engine.path) if engine.path else None,
            "built_because": list(engine.reasons),
            "seconds": round(engine.seconds, 3),
            "bytes": len(engine.plan),
            "identity": asdict(engine.identity),
            "golden": golden,
        }
        print(json.dumps(document | ({"layers": [asdict(row) for row in rows]} if args.layers else {}), indent=2))
        return 0
    print(two_columns([*summary(engine), *golden.items()]))
    if options.precision == "int8":
        print(f"\n{cost_text(bundle.manifest, INT8_MODEL)}")
    if rows:
        from hybrid_seg_ros.backends.tensorrt.layers import layer_table

        print(f"\n{layer_table(rows)}")
    return 0


def _golden(bundle: "Bundle", engine: "PreparedEngine") -> dict[str, str]:
    """What the golden test finds on the GPU; BackendError where the engine fails it."""
    from hybrid_seg_ros.backends.tensorrt.backend import open_prepared

    backend = open_prepared(bundle, engine)
    details = backend.describe().details
    backend.close()
    return {key.replace("_", " "): value for key, value in details.items() if key.startswith("golden")}


def summary(engine: "PreparedEngine") -> list[tuple[str, str]]:
    """The engine in a few lines for people."""
    identity = engine.identity
    gpu, options = identity.gpu, identity.options
    return [
        ("engine", str(engine.path) if engine.path else "in memory only: the warning above says why"),
        ("built", f"yes: {'; '.join(engine.reasons)}" if engine.reasons else "no, the cached one fits"),
        ("took", f"{engine.seconds:.1f} s"),
        ("plan", f"{len(engine.plan) / 1e6:.1f} MB, {options.precision}, workspace {options.workspace_mb} MB"),
        *((tensor.kind, str(tensor).partition(" ")[2]) for tensor in identity.tensors),
        ("library", engine.trt.title),
        ("GPU", f"{gpu.name}, compute capability {gpu.compute_capability}, CUDA {gpu.cuda} {gpu.driver}".rstrip()),
    ]


def _tell(line: str) -> None:
    print(f"hybrid-seg build-engine: {line}", file=sys.stderr, flush=True)
