"""Random crops of inlier images for the pre-training of a flow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hybrid_seg_train.data.sources import ByteImage, DataError


@dataclass(frozen=True)
class RandomCrops(Dataset[Tensor]):
    """Sample i of an endless stream: uint8[3, h, w] RGB, a function of (seed, i) alone.

    Attributes:
        images: uint8[H, W, 3] BGR each, of any sizes.
        size: (height, width) of a crop, px.
        seed: of the stream.
    """

    images: Sequence[ByteImage]
    size: tuple[int, int]
    seed: int

    def __getitem__(self, index: int) -> Tensor:
        """Crop `index`.

        Raises:
            DataError: the drawn image is smaller than a crop.
        """
        rng = np.random.default_rng((self.seed, index))
        chosen = int(rng.integers(len(self.images)))
        image = self.images[chosen]
        height, width = self.size
        if image.shape[0] < height or image.shape[1] < width:
            raise DataError(
                f"image {chosen} is {image.shape[1]}x{image.shape[0]}, smaller than crops of {width}x{height}; "
                "leave it out or train on smaller crops"
            )
        top = int(rng.integers(image.shape[0] - height + 1))
        left = int(rng.integers(image.shape[1] - width + 1))
        crop = image[top : top + height, left : left + width, ::-1]
        return torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
