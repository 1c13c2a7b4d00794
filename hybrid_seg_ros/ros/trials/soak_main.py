"""Cameras that fail at random beside a running node: `python -m hybrid_seg_ros.ros.trials.soak_main --help`."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from hybrid_seg_ros.monitor.states import Timing
from hybrid_seg_ros.ros.trials.soak_faults import Soak


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hybrid_seg_ros.ros.trials.soak_main", description=__doc__)
    parser.add_argument("--summary", type=Path, required=True, help="where the JSON summary goes")
    parser.add_argument("--pid", type=int, required=True, help="of the node")
    parser.add_argument("--cameras", nargs="+", required=True)
    parser.add_argument("--rate-hz", type=float, required=True, help="of each camera")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timing", type=json.loads, default={}, help="JSON: the node's parameters, as in Timing")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run and write what was seen; 2 with one line on stderr where the node is not there, or not any more."""
    args = _parser().parse_args(argv)
    timing = Timing(**{"rate_hz": args.rate_hz, **args.timing})
    soak = Soak(tuple(args.cameras), args.rate_hz, args.seed, args.pid, timing)
    try:
        with tqdm(total=round(args.seconds), unit="s", disable=args.quiet) as bar:

            def progress(passed_s: float) -> None:
                bar.update(round(passed_s) - bar.n)

            soak.run(args.seconds, progress)
        frames = soak.account()
    except (TimeoutError, ProcessLookupError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    finally:
        soak.close()
    summary = {**dataclasses.asdict(soak.counts), "frames": frames}
    args.summary.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
