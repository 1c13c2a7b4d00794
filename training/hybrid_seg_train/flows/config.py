"""Sizes of a DenseFlow, and the ones with a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """Sizes of a DenseFlow.

    Attributes:
        units: units of each block; every block halves both sides, so an image's sides are multiples of 2^blocks.
        steps: flow steps in each unit of each block.
        growth: noise channels appended between two units of a block.
        width: channels that enter and leave the residual dense block of a coupling network.
        depth: layers of that dense block.
        dense_growth: channels each of its layers adds.
        whiten: start the 1x1 convolutions at the whitening of their data instead of at a random rotation, as published.
            Saves a short training its first hundreds of iterations.
        recompute: recompute the coupling networks' activations in the backward pass instead of keeping them: about a
            third slower, a fraction of the memory; no effect on any value.

    Raises:
        ValueError: sizes that make no flow.
    """

    units: tuple[int, ...]
    steps: tuple[int, ...]
    growth: int
    width: int
    depth: int
    dense_growth: int
    whiten: bool = False
    recompute: bool = False

    def __post_init__(self) -> None:
        if len(self.units) != len(self.steps) or not self.units:
            raise ValueError(f"units {self.units} and steps {self.steps}: expected one number of each per block")
        sizes = (*self.units, *self.steps, self.growth, self.width, self.depth, self.dense_growth)
        if min(sizes) < 1:
            raise ValueError(f"{self}: every size must be at least 1")

    @property
    def couplings(self) -> int:
        """Affine couplings in the whole flow: the 25 of DenseFlow-25-6."""
        return sum(units * steps for units, steps in zip(self.units, self.steps, strict=True))

    @property
    def multiple(self) -> int:
        """What both sides of an image must be a multiple of."""
        return 1 << len(self.units)


PRESETS: Mapping[str, FlowConfig] = {
    # METHOD's, 36 M parameters; for a GPU.
    "denseflow_25_6": FlowConfig((3, 2, 1), (3, 4, 8), 6, 32, 7, 64),
    # Trains on one CPU core.
    "small": FlowConfig((2, 2, 1), (2, 2, 4), 6, 24, 3, 16, whiten=True),
    # The smallest flow that has every part; for trying things out.
    "tiny": FlowConfig((2, 1, 1), (1, 1, 1), 2, 8, 1, 8),
}
"""Configurations by name."""


def flow_config(source: str | Mapping[str, Any]) -> FlowConfig:
    """A preset by its name, or a configuration from its fields as JSON or YAML hold them.

    Raises:
        ValueError: no preset of that name, a field unknown or missing, or sizes that make no flow.
    """
    if isinstance(source, str):
        if source not in PRESETS:
            raise ValueError(f"no flow configuration {source!r}, expected one of {', '.join(PRESETS)}")
        return PRESETS[source]
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in source.items()}
    try:
        return FlowConfig(**fields)
    except TypeError as error:
        raise ValueError(f"not a flow configuration: {error}") from error
