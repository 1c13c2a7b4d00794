"""hybrid-seg-train closed-set | hybrid | flow."""

import argparse

from hybrid_seg_train.cli.arguments import add_data, add_dry_run, add_overrides, add_run, data_root
from hybrid_seg_train.recipe import Recipe, load_recipe

_HELP = {
    "closed-set": "train a network on the known classes alone, or go on with a training that was stopped",
    "hybrid": "make a closed-set network open-set, or train one open-set from the start; or go on with it",
    "flow": "pre-train the normalising flow that draws negatives, or go on with it",
}


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three subcommands."""
    for name, text in _HELP.items():
        parser = commands.add_parser(name, help=text, description=text)
        parser.add_argument("--config", required=True, help="recipe: name of a shipped one, or a .yaml file")
        add_overrides(parser)
        add_run(parser)
        add_data(parser)
        add_dry_run(parser)
        parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples (default: 1)")
        parser.add_argument(
            "--processes", type=int, help="GPUs, or CPU processes, that share a batch (default: all GPUs, or one)"
        )
        parser.add_argument("--nodes", type=int, default=1, help="machines that share a batch (default: 1)")
        parser.set_defaults(handler=_run)


def _run(args: argparse.Namespace) -> int:
    from hybrid_seg_train.estimate import dry_run
    from hybrid_seg_train.fit import Effort
    from hybrid_seg_train.train import train, train_flow_recipe

    recipe: Recipe = load_recipe(args.config, tuple(args.set))
    data = data_root(args)
    effort = Effort(workers=args.workers, processes=args.processes, nodes=args.nodes)
    mode = args.command.replace("-", "_")
    if args.dry_run:
        print(dry_run(recipe, mode, data, args.run))
    elif mode == "flow":
        print(train_flow_recipe(recipe, data, args.run, effort))
    else:
        print(train(recipe, mode, data, args.run, effort))
    return 0
