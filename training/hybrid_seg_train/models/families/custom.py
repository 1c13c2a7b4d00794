"""A user's own network, named by an import path."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from hybrid_seg_train.models.closed_set import PROBE_SIZE, RGB_MEAN, RGB_STD, ClosedSetNetwork
from hybrid_seg_train.models.weights import load_weights


def custom_network(
    classes: int,
    *,
    factory: str,
    classifier: str | None = None,
    backbone: str = "",
    options: Mapping[str, Any] | None = None,
    weights: Path | str | None = None,
    align_corners: bool = False,
    mean: Sequence[float] = RGB_MEAN,
    std: Sequence[float] = RGB_STD,
    probe_size: Sequence[int] = PROBE_SIZE,
) -> ClosedSetNetwork:
    """A network made by a function or class of the user's own; its code runs.

    Args:
        classes: K; given to the factory as `classes`.
        factory: "package.module:callable", importable from where the program runs.
        classifier: dotted name of the convolution to K channels; None takes the last that runs.
        backbone: dotted name of the pretrained part; "" for none.
        options: further keyword arguments of the factory.
        weights: local file with the network's weights.
        align_corners: see `closed_set.NetworkInfo`.
        mean: see `closed_set.NetworkInfo`.
        std: see `closed_set.NetworkInfo`.
        probe_size: see `closed_set.NetworkInfo`.

    Raises:
        ValueError: the path is not of that form, leads nowhere, or to something that makes no nn.Module.
        ClassifierError: `classifier` is not a convolution to K channels.
        WeightsError: the weights do not fit.
    """
    network = _resolve(factory)(classes=classes, **(options or {}))
    if not isinstance(network, nn.Module):
        raise ValueError(f"{factory} made a {type(network).__name__}, expected a torch.nn.Module")
    closed = ClosedSetNetwork(
        network,
        classes=classes,
        classifier=classifier,
        backbone=backbone,
        align_corners=align_corners,
        mean=mean,
        std=std,
        probe_size=probe_size,
    )
    if weights is not None:
        load_weights(network, Path(weights), classifier=closed.info.classifier)
    return closed


def _resolve(path: str) -> Any:  # noqa: ANN401
    module, colon, name = path.partition(":")
    if not module or not colon or not name:
        raise ValueError(f"factory {path!r}: expected package.module:callable")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"factory {path!r}: {error}") from error
    if not callable(found):
        raise ValueError(f"factory {path!r}: {name} is not callable")
    return found
