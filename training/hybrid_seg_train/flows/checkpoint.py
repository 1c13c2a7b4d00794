"""A flow from the checkpoint of its training."""

from pathlib import Path

import torch

from hybrid_seg_train.flows.config import flow_config
from hybrid_seg_train.flows.denseflow import DenseFlow

_PREFIX = "flow."


def load_flow(path: Path) -> DenseFlow:
    """Read a pre-trained flow; nothing in the file is executed.

    Args:
        path: a checkpoint that `flows.train.train_flow` wrote.

    Raises:
        FileNotFoundError: there is none.
        ValueError: not a checkpoint of a flow's training.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no flow checkpoint; make one with: hybrid-seg-train flow --run {path.parent}")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    try:
        config, state = stored["hyper_parameters"]["config"], stored["state_dict"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: expected the checkpoint of a flow's training, entry {error} is missing") from error
    flow = DenseFlow(flow_config(config))
    flow.load_state_dict({k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)})
    return flow
