"""What one thing leaves on the image, and laying those patches over one another."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Plane = tuple[float, float, float]

SOLID = 110
"""Coverage (of 255) from which a pixel belongs to what covers it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of one thing.

    Attributes:
        x: left column in the image.
        y: top row in the image.
        colour: uint8[h, w, 3] BGR premultiplied by coverage.
        coverage: uint8[h, w] 0..255.
        plane: (a, b, c): 1 / depth = a * column + b * row + c, depth in m along the optical axis.
        label: class id.
        instance: 0, or the number of the actor.
        order: patches are laid from the highest order to the lowest.
        emission: uint8[h, w, 3] light given off by night, or None.
        contact_row: row at which the thing stands on the ground, the axis of its reflection; None: it is long.
    """

    x: int
    y: int
    colour: Bytes
    coverage: Bytes
    plane: Plane
    label: int
    instance: int
    order: float
    emission: Bytes | None = None
    contact_row: float | None = None

    def faded(self, share: float) -> "Patch":
        """The same patch with a share (0..1) of its coverage."""
        colour, coverage = (
            np.asarray(cv2.convertScaleAbs(part, alpha=share), np.uint8) for part in (self.colour, self.coverage)
        )
        return replace(self, colour=colour, coverage=coverage)

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns of the image."""
        height, width = self.coverage.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)


@dataclass(slots=True)
class Canvas:
    """The image being painted, and who owns its pixels.

    Attributes:
        colour: uint8[H, W, 3] BGR.
        owner: uint16[H, W], index into `planes`, `labels_of` and `instances_of`.
        emission: uint8[H, W, 3] BGR light given off, or None by day.
        planes: 1 / depth of every owner, see Patch.plane.
        labels_of: class id of every owner.
        instances_of: actor's number of every owner, or 0.
    """

    colour: Bytes
    owner: npt.NDArray[np.uint16]
    emission: Bytes | None
    planes: list[Plane] = field(default_factory=list)
    labels_of: list[int] = field(default_factory=list)
    instances_of: list[int] = field(default_factory=list)

    @classmethod
    def blank(cls, width: int, height: int, night: bool) -> "Canvas":
        return cls(
            np.zeros((height, width, 3), np.uint8),
            np.zeros((height, width), np.uint16),
            np.zeros((height, width, 3), np.uint8) if night else None,
        )

    def add_owner(self, plane: Plane, label: int, instance: int = 0) -> int:
        """Register an owner of pixels; returns its index."""
        self.planes.append(plane)
        self.labels_of.append(label)
        self.instances_of.append(instance)
        return len(self.planes) - 1

    def lay(self, patch: Patch) -> None:
        """Paint a patch over what is there."""
        window = patch.window
        blend(self.colour[window], patch.colour, patch.coverage)
        if self.emission is not None:
            black = np.zeros_like(patch.colour) if patch.emission is None else patch.emission
            blend(self.emission[window], black, patch.coverage)
        number = self.add_owner(patch.plane, patch.label, patch.instance)
        np.copyto(self.owner[window], np.uint16(number), where=patch.coverage >= SOLID)

    def labels(self) -> Bytes:
        """uint8[H, W] class ids."""
        return np.asarray(self.labels_of, np.uint8)[self.owner]

    def instances(self) -> npt.NDArray[np.uint16]:
        """uint16[H, W] actors' numbers, 0 where there is none."""
        return np.asarray(self.instances_of, np.uint16)[self.owner]

    def inverse_depth(self) -> Floats:
        """float32[H, W], 1/m; 0 in the sky."""
        a, b, c = np.asarray(self.planes, np.float32).T
        height, width = self.owner.shape
        column, row = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        value = a[self.owner] * column + b[self.owner] * row + c[self.owner]
        return np.asarray(np.maximum(value, 0.0), np.float32)


def blend(below: Bytes, colour: Bytes, coverage: Bytes) -> None:
    """Lay premultiplied `colour` over `below`, in place."""
    through = cv2.bitwise_not(coverage)
    cv2.add(cv2.multiply(below, cv2.merge([through, through, through]), scale=1 / 255), colour, below)


def spread(field_: Floats) -> Floats:
    """A field [H, W] repeated for the three colours, float32[H, W, 3]; much faster to multiply by than [..., None]."""
    return np.asarray(cv2.merge([field_, field_, field_]), np.float32)
