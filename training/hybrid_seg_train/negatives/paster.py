"""What all recipes that paste negatives have in common."""

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.labels import OUTLIER
from hybrid_seg_train.data.sources import ByteImage, Example

When = Literal["before", "after"]
"""Whether negatives are pasted before or after the scene's own scaling, cropping and mirroring."""


class Paster(Protocol):
    """Pastes negatives into a scene; the same generator state gives the same paste."""

    @property
    def when(self) -> When:
        """Before or after the scene is augmented."""

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """A copy of `example` with negatives in it; their pixels are labelled OUTLIER."""


def paste_hard(
    image: ByteImage, labels: ByteImage, patch: ByteImage, inside: npt.NDArray[np.bool_], corner: tuple[int, int]
) -> None:
    """Write the pixels of `patch` that are `inside` at `corner` (left, top), in place, labelled OUTLIER.

    Args:
        image: uint8[H, W, 3].
        labels: uint8[H, W].
        patch: uint8[h, w, 3], wholly within the image at `corner`.
        inside: bool[h, w].
        corner: column and row of the patch's first pixel.
    """
    there = (
        slice(corner[1], corner[1] + inside.shape[0]),
        slice(corner[0], corner[0] + inside.shape[1]),
    )
    image[there][inside] = patch[inside]
    labels[there][inside] = OUTLIER


def random_window(outer: int, inner: int, rng: np.random.Generator) -> int:
    """Where a window of `inner` pixels starts within `outer`, uniform over all places that hold it whole."""
    return int(rng.integers(max(outer - inner, 0) + 1))
