"""The mean of the weights of several runs: one network, no dearer than each of them, often better than all.

Runs whose weights lie in one valley, as those of one history do, can be averaged weight by weight (Izmailov et al.,
"Averaging weights leads to wider optima", 2018; Wortsman et al., "Model soups", 2022). Of runs that began with
different random weights the mean is worth nothing: measure it before it ships, as any other network.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from hybrid_seg_train.layout import CHECKPOINT
from hybrid_seg_train.networks import Trained, checkpoint_of, load_checkpoint
from hybrid_seg_train.samples.build import known_classes
from hybrid_seg_train.stages import record_mean


def average_runs(members: Sequence[Path], out: Path, shares: Sequence[float] | None = None) -> Path:
    """Write the mean of the runs' weights as a run of its own, to calibrate, evaluate and export.

    Batch norms' running statistics are averaged as the weights are; counters are the first run's. Recipe and iterations
    are the first run's, too. The checkpoint has no state of an optimiser: a training begins with it (`initial`), and
    does not go on from it.

    Args:
        members: run folders, at least two, of the same network and training.
        out: folder for the mean; made if needed.
        shares: of each run, > 0; they are divided by their sum. None: all alike.

    Returns:
        Path of the checkpoint.

    Raises:
        FileNotFoundError: a run has no checkpoint.
        FileExistsError: `out` holds a checkpoint already.
        ValueError: too few runs, shares that make no mean, or networks that are not alike.
    """
    weights = _shares(members, shares)
    if (out / CHECKPOINT).exists():
        raise FileExistsError(f"{out / CHECKPOINT}: there is a run already; give the folder of a new one")
    trained = [load_checkpoint(checkpoint_of(member)) for member in members]
    stored = [torch.load(checkpoint_of(member), map_location="cpu", weights_only=True) for member in members]
    states = [one["state_dict"] for one in stored]
    for member, state, one in zip(members[1:], states[1:], trained[1:], strict=True):
        _require_same_training(members[0], trained[0], member, one)
        _require_alike(members[0], states[0], member, state)
    mean = {name: _mean([state[name] for state in states], weights) for name in states[0]}
    out.mkdir(parents=True, exist_ok=True)
    kept = {key: stored[0][key] for key in ("epoch", "global_step", "pytorch-lightning_version", "hyper_parameters")}
    torch.save({**kept, "state_dict": mean}, out / CHECKPOINT)
    record_mean(out, trained[0].recipe, members, weights)
    return out / CHECKPOINT


def _shares(members: Sequence[Path], shares: Sequence[float] | None) -> list[float]:
    if len(members) < 2:
        raise ValueError(f"expected at least two runs to average, found {len(members)}")
    given = [1.0] * len(members) if shares is None else list(shares)
    if len(given) != len(members):
        raise ValueError(f"expected a share for each of the {len(members)} runs, found {len(given)}")
    if not all(0.0 < share < float("inf") for share in given):
        raise ValueError(f"expected shares above 0, found {', '.join(f'{share:g}' for share in given)}")
    return [share / sum(given) for share in given]


def _require_alike(first: Path, expected: dict[str, Tensor], other: Path, found: dict[str, Tensor]) -> None:
    if missing := sorted(expected.keys() ^ found.keys()):
        raise ValueError(f"{other}: not the network of {first}: {missing[0]} is in one of them only")
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise ValueError(
                f"{other}: not the network of {first}: {name} is {tuple(found[name].shape)}, expected"
                f" {tuple(tensor.shape)}"
            )


def _require_same_training(first: Path, expected: Trained, other: Path, found: Trained) -> None:
    for what, wanted, got in (
        ("training", expected.mode, found.mode),
        ("classes", known_classes(expected.recipe).names, known_classes(found.recipe).names),
    ):
        if got != wanted:
            raise ValueError(f"{other}: {what} {got}, expected {wanted}, as of {first}")


def _mean(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """In double precision; what is no floating-point number cannot be averaged and is the first's."""
    if not tensors[0].is_floating_point():
        return tensors[0].clone()
    total = torch.zeros_like(tensors[0], dtype=torch.float64)
    for tensor, share in zip(tensors, shares, strict=True):
        total += share * tensor.double()
    return total.to(tensors[0].dtype)
