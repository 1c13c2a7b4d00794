"""Faults into a running node, one after the other: `python -m hybrid_seg_ros.ros.trials.fault_main --help`."""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.monitor.states import Timing
from hybrid_seg_ros.ros.trials.fault_trials import FAULTS, Trials


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hybrid_seg_ros.ros.trials.fault_main", description=__doc__)
    parser.add_argument("--summary", type=Path, required=True, help="where the JSON list of outcomes goes")
    parser.add_argument("--pid", type=int, help="of the node, which must live to the end")
    parser.add_argument("--timing", type=json.loads, default={}, help="JSON: the node's parameters, as in Timing")
    parser.add_argument("--hang-s", type=float, required=True, help="how long the node's network hangs")
    parser.add_argument("--faults", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run them and write what was seen; 2 with one line on stderr where the node does not play its part."""
    args = _parser().parse_args(argv)
    with Trials(Timing(**args.timing), args.hang_s) as trials:
        try:
            trials.start()
            outcomes = [dataclasses.asdict(trials.run(name)) for name in args.faults]
            if args.pid is not None:
                os.kill(args.pid, 0)
        except (TimeoutError, ProcessLookupError) as error:
            print(f"faults: {error}", file=sys.stderr)
            return 2
    args.summary.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
