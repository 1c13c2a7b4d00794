"""hybrid-seg-train report."""

import argparse
import subprocess
import sys
from pathlib import Path

from hybrid_seg_train.cli.arguments import add_data, add_dry_run, data_root

_TEXT = "the page of results of many runs, from their evaluations"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser("report", help=_TEXT, description=_TEXT)
    parser.add_argument("--config", required=True, help="table: name of a shipped one, or a .yaml file")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs' folders (default: runs)")
    parser.add_argument("--results", type=Path, required=True, help="folder of the evaluations, one JSON file a run")
    parser.add_argument("--out", type=Path, required=True, help="the page to write, Markdown")
    parser.add_argument("--run-missing", action="store_true", help="train and evaluate the runs that are missing first")
    parser.add_argument("--processes", type=int, help="as for training")
    add_data(parser)
    add_dry_run(parser)
    parser.set_defaults(handler=_report)


def _report(args: argparse.Namespace) -> int:
    from hybrid_seg_train.report import collect, commands, load_plan, page
    from hybrid_seg_train.report.collect import read_results

    plan = load_plan(args.config)
    if args.dry_run or args.run_missing:
        data = [] if args.data is None else ["--data", str(data_root(args))]
        processes = [] if args.processes is None else ["--processes", str(args.processes)]
        for run in commands(plan, args.runs):
            steps = [[*run.arguments, *data, *processes, *(["--workers", "0"] if processes else [])]]
            if run.mode != "flow":
                steps.append(["evaluate", "--run", str(args.runs / run.name), *data])
            if run.done(args.runs, args.results):
                print(f"{run.name}: done", flush=True)
                continue
            for step in steps:
                print("hybrid-seg-train", *step, flush=True)
                if not args.dry_run:
                    subprocess.run([sys.executable, "-m", "hybrid_seg_train", *step], check=True)
    if args.dry_run:
        return 0
    missing = collect(plan, args.runs, args.results)
    if missing:
        print(f"no evaluation yet of {', '.join(missing)}; --run-missing makes them", file=sys.stderr)
    command = f"hybrid-seg-train report --config {args.config} --results {args.results} --out {args.out}"
    args.out.write_text(page(plan, read_results(plan, args.results), command))
    print(args.out)
    return 0
