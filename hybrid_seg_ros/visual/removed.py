"""What gates took out of a mask, in the picture: by colour, with the reasons' names."""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.visual.colors import Bgr
from hybrid_seg_ros.visual.tiles import BACKGROUND, text_width, write

LINE = 20
"""Height of a name's line, px."""

# Apart from each other and from the obstacles' magenta, also for eyes that tell red and green badly (Okabe and Ito).
COLORS: tuple[tuple[int, int, int], ...] = (
    (0, 159, 230),
    (233, 180, 86),
    (115, 158, 0),
    (66, 228, 240),
    (178, 114, 0),
    (160, 160, 160),
    (0, 94, 213),
)
"""BGR of the reasons 1, 2, ...; beyond them they begin anew."""


def paint_removed(image: Bgr, reasons: npt.NDArray[np.uint8], names: Mapping[str, int]) -> None:
    """Tint removed pixels and name the reasons that there are, in place.

    Args:
        image: uint8[H, W, 3], BGR.
        reasons: uint8[h, w] of any size (stretched to the image), 0 = nothing was removed.
        names: reason -> its code.
    """
    if not reasons.any():
        return
    height, width = image.shape[:2]
    codes = np.asarray(cv2.resize(reasons, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    baseline = LINE
    for name, code in names.items():
        where = codes == code
        if not where.any():
            continue
        color = COLORS[(code - 1) % len(COLORS)]
        image[where] = (0.45 * image[where] + 0.55 * np.asarray(color)).astype(np.uint8)
        text = f"removed: {name.replace('_', ' ')}"
        right = LINE + text_width(text) + 12
        cv2.rectangle(image, (0, baseline - LINE + 4), (right, baseline + 6), BACKGROUND, cv2.FILLED)
        cv2.rectangle(image, (4, baseline - 9), (LINE - 6, baseline + 1), color, cv2.FILLED)
        write(image, text, LINE, baseline)
        baseline += LINE
