"""Closed-set networks by family and name."""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from hybrid_seg_train.models.closed_set import ClosedSetNetwork
from hybrid_seg_train.models.families.custom import custom_network
from hybrid_seg_train.models.families.huggingface import huggingface_network
from hybrid_seg_train.models.families.smp import smp_network
from hybrid_seg_train.models.families.torchvision_zoo import torchvision_network
from hybrid_seg_train.models.ladder import closed_ladder

Factory: TypeAlias = Callable[..., ClosedSetNetwork]

FAMILIES: dict[str, Factory] = {
    "ladder": closed_ladder,
    "smp": smp_network,
    "torchvision": torchvision_network,
    "huggingface": huggingface_network,
    "custom": custom_network,
}
"""Family -> function of (classes, **options)."""


def closed_set_network(family: str, *, classes: int, **options: Any) -> ClosedSetNetwork:  # noqa: ANN401
    """A closed-set network for `classes` known classes, to train as it is or to `upgrade`.

    Args:
        family: one of FAMILIES.
        classes: K.
        **options: of the family's function: `ladder.closed_ladder`, `families.smp.smp_network`,
            `families.torchvision_zoo.torchvision_network`, `families.huggingface.huggingface_network`,
            `families.custom.custom_network`.

    Raises:
        ValueError: unknown family or option; what the family's function raises.
        ModuleNotFoundError: the family's library is not installed.
        WeightsError: pretrained weights cannot be had.
    """
    if family not in FAMILIES:
        raise ValueError(f"network family {family!r} is unknown, expected one of {', '.join(FAMILIES)}")
    factory = FAMILIES[family]
    accepted = inspect.signature(factory).parameters
    unknown = [name for name in options if name not in accepted]
    if unknown:
        known = ", ".join(name for name in accepted if name != "classes")
        raise ValueError(f"network family {family!r} has no option {', '.join(unknown)}; it has {known}")
    return factory(classes, **options)
