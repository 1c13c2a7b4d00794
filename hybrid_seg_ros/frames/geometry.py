"""Where a source image lies in the network input, and the exact way back."""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Size = tuple[int, int]
Coordinate = TypeVar("Coordinate", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Placement:
    """How a source image was resized into the network input.

    Coordinates are continuous with pixel centres at integers: an image covers [-0.5, width - 0.5]. The
    content is the part of the network input that shows the source; the rest is padding.

    Attributes:
        source: (width, height) of the source image, px.
        network: (width, height) of the network input, px.
        content: (width, height) of the content inside the network input, px.
        pad_left: columns of padding before the content, px.
        pad_top: rows of padding above the content, px.
    """

    source: Size
    network: Size
    content: Size
    pad_left: int
    pad_top: int

    @classmethod
    def fit(cls, source: Size, network: Size, rule: Literal["stretch", "letterbox"]) -> "Placement":
        """Place a source image by the manifest's resize rule.

        "stretch" fills the network input; "letterbox" keeps the aspect ratio (to the pixel the content is
        rounded to) and centres the content.

        Raises:
            ValueError: a size without pixels, or an unknown rule.
        """
        if min(*source, *network) < 1:
            raise ValueError(f"sizes need at least one pixel, found source {source} and network {network}")
        if rule == "stretch":
            content = network
        elif rule == "letterbox":
            scale = min(network[0] / source[0], network[1] / source[1])
            width, height = (
                min(limit, max(1, math.floor(side * scale + 0.5))) for side, limit in zip(source, network, strict=True)
            )
            content = (width, height)
        else:
            raise ValueError(f"resize rule is {rule!r}, expected 'stretch' or 'letterbox'")
        return cls(source, network, content, (network[0] - content[0]) // 2, (network[1] - content[1]) // 2)

    @property
    def scale_x(self) -> float:
        """Network pixels per source pixel along x."""
        return self.content[0] / self.source[0]

    @property
    def scale_y(self) -> float:
        """Network pixels per source pixel along y."""
        return self.content[1] / self.source[1]

    def to_network(self, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Source coordinates to network coordinates, px."""
        return (
            (x + 0.5) * self.scale_x - 0.5 + self.pad_left,
            (y + 0.5) * self.scale_y - 0.5 + self.pad_top,
        )

    def to_source(self, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Network coordinates to source coordinates, px: the inverse of `to_network`."""
        return (
            (x - self.pad_left + 0.5) / self.scale_x - 0.5,
            (y - self.pad_top + 0.5) / self.scale_y - 0.5,
        )


@dataclass(frozen=True, slots=True)
class AxisTable:
    """Bilinear sampling of a coarse axis: value = (1 - weight) * cell[low] + weight * cell[high].

    Attributes:
        low: int32[n], index of the lower cell; never decreases.
        high: int32[n], low + 1, or low where there is no further cell.
        weight: float32[n] in [0, 1].
        cells: number of cells of the coarse axis.
    """

    low: npt.NDArray[np.int32]
    high: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    cells: int


def axis_table(*, outputs: int, content: int, pad: int, stride: int, cells: int) -> AxisTable:
    """Where each output pixel of one axis falls among the cells of a network output at a stride.

    Half-pixel centres (align_corners=False). Coordinates are clamped to the cells whose centre lies in the
    content, so that padding never bleeds into the result; without padding that is the usual edge clamp.

    Args:
        outputs: number of output pixels over the content (the source's size, or the content's own).
        content: length of the content in the network input, px.
        pad: padding before the content, px.
        stride: network pixels per cell.
        cells: number of cells along this axis.
    """
    first = min(max(math.ceil(pad / stride - 0.5), 0), cells - 1)
    last = max(min(math.floor((pad + content) / stride - 0.5), cells - 1), first)
    network = (np.arange(outputs, dtype=np.float64) + 0.5) * (content / outputs) - 0.5 + pad
    position = np.clip((network + 0.5) / stride - 0.5, first, last)
    low = np.minimum(np.floor(position), max(last - 1, first)).astype(np.int32)
    high = np.minimum(low + 1, last).astype(np.int32)
    return AxisTable(low, high, (position - low).astype(np.float32), cells)


def own_input_size(source: tuple[int, int], max_width: int, multiple_of: int = 32) -> tuple[int, int]:
    """Network input (width, height) of an image that is run at its own width.

    Args:
        source: (width, height) of the image, px.
        max_width: wider images are run at this width, px.
        multiple_of: sides of a network input are multiples of this; the height is rounded up, so that all is seen.
    """
    width = max(min(source[0], max_width) // multiple_of * multiple_of, multiple_of)
    return width, max(math.ceil(width * source[1] / source[0] / multiple_of), 1) * multiple_of
