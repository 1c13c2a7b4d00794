"""Label pictures whose colours stand for classes."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.listing import StoredLabels
from hybrid_seg_train.data.sources import ByteImage, DataError, read_image


def pack_bgr(image: ByteImage) -> npt.NDArray[np.uint32]:
    """uint8[H, W, 3] -> uint32[H, W]: first channel + 256 * second + 65536 * third, so 0xRRGGBB of BGR."""
    four = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    return np.asarray(np.asarray(four, np.uint8).view("<u4")[..., 0] & 0xFFFFFF, np.uint32)


@dataclass(frozen=True)
class ColorDecoder:
    """Colour picture -> stored ids.

    Attributes:
        space: name of the label space, for messages.
        codes: uint32[C], 0xRRGGBB of every class, ascending.
        ids: int32[C], stored id of the class of every code.
    """

    space: str
    codes: npt.NDArray[np.uint32]
    ids: npt.NDArray[np.int32]

    def __call__(self, path: Path) -> StoredLabels:
        """int32[H, W] ids of a label picture.

        Raises:
            DataError: it cannot be read, or a colour is no class's.
        """
        pixels = pack_bgr(read_image(path))
        places = np.minimum(np.searchsorted(self.codes, pixels), len(self.codes) - 1)
        bad = self.codes[places] != pixels
        if bad.any():
            row, column = np.unravel_index(int(bad.argmax()), bad.shape)
            code = int(pixels[row, column])
            color = (code >> 16, code >> 8 & 255, code & 255)
            raise DataError(
                f"{path}: holds the colour {color}, which is no class of {self.space}; "
                f"first at column {column}, row {row}"
            )
        return self.ids[places]


def color_decoder(space: LabelSpace) -> ColorDecoder:
    """The decoder of a label space's colours.

    Raises:
        DataError: two classes have the same colour.
    """
    codes = [known.color[0] << 16 | known.color[1] << 8 | known.color[2] for known in space.classes]
    order = np.argsort(codes)
    ascending = np.array(codes, np.uint32)[order]
    same = np.flatnonzero(np.diff(ascending) == 0)
    if same.size:
        names = [space.names[place] for place in order[same[0] : same[0] + 2]]
        raise DataError(f"{space.name}: {names[0]!r} and {names[1]!r} have the same colour; expected one a class")
    return ColorDecoder(space.name, ascending, np.array(space.ids, np.int32)[order])
