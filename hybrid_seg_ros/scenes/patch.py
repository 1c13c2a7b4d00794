"""What one object leaves on the image, and laying patches over one another."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SOLID = 110
"""Coverage (of 255) from which a pixel belongs to the object that covers it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """An object's pixels.

    Attributes:
        x: left column in the image.
        y: top row in the image.
        colour: uint8[h, w, 3] BGR premultiplied by coverage.
        coverage: uint8[h, w] 0..255.
        depth: m along the optical axis, a number or float32[h, w].
        label: class id.
        instance: 0, or 1 + index of the actor.
        order: patches are laid from the highest order to the lowest.
        emission: uint8[h, w, 3] light given off by night, or None.
        contact_row: row at which the object stands on the ground, the axis of its reflection; None: no reflection.
    """

    x: int
    y: int
    colour: Bytes
    coverage: Bytes
    depth: float | Floats
    label: int
    instance: int
    order: float
    emission: Bytes | None = None
    contact_row: float | None = None


@dataclass(slots=True)
class Canvas:
    """The image being painted, and the truth painted along with it.

    Attributes:
        colour: float32[H, W, 3] BGR 0..255.
        depth: float32[H, W] m along the optical axis; inf for the sky.
        labels: uint8[H, W] class ids.
        instances: uint16[H, W], 0 or 1 + index of the actor.
        emission: float32[H, W, 3] BGR 0..255 light given off.
    """

    colour: Floats
    depth: Floats
    labels: Bytes
    instances: npt.NDArray[np.uint16]
    emission: Floats

    @classmethod
    def blank(cls, width: int, height: int) -> "Canvas":
        return cls(
            np.zeros((height, width, 3), np.float32),
            np.full((height, width), np.inf, np.float32),
            np.zeros((height, width), np.uint8),
            np.zeros((height, width), np.uint16),
            np.zeros((height, width, 3), np.float32),
        )

    def lay(self, patch: Patch) -> None:
        """Paint a patch over what is there."""
        height, width = patch.coverage.shape
        window = np.s_[patch.y : patch.y + height, patch.x : patch.x + width]
        through = (1.0 - patch.coverage * np.float32(1 / 255))[..., None]
        colour = self.colour[window]
        colour *= through
        colour += patch.colour
        emission = self.emission[window]
        emission *= through
        if patch.emission is not None:
            emission += patch.emission
        solid = patch.coverage >= SOLID
        self.labels[window][solid] = patch.label
        self.instances[window][solid] = patch.instance
        if isinstance(patch.depth, float):
            self.depth[window][solid] = patch.depth
        else:
            np.copyto(self.depth[window], patch.depth, where=solid)
