"""The kernels: which file, which entry point, which compile-time parameters."""

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.frames.encodings import camera_format

Element = Literal["float", "half"]
"""Type of the network's tensors."""

_ELEMENTS: Mapping[Element, str] = MappingProxyType({"float": "float", "half": "hsr::half_bits"})
KINDS: tuple[ScoreKind, ...] = ("hybrid", "energy", "posterior", "msp", "max_logit", "entropy")
"""In the order of `Kind` in kernels/postprocess.h."""
COLORS = (
    "bgr", "rgb", "bgra", "rgba", "gray", "yuyv", "uyvy", "nv12", "nv21",
    "bayer_rggb", "bayer_bggr", "bayer_gbrg", "bayer_grbg",
)  # fmt: skip
"""`PixelFormat.color` in the order of `Color` in kernels/colors.h."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel to compile.

    Attributes:
        entry: name of the `__global__` function.
        file: the file of `source_files` that defines it.
        defines: preprocessor definitions, (name, value).
    """

    entry: str
    file: str
    defines: tuple[tuple[str, str], ...]


def source_files() -> dict[str, str]:
    """File name -> text of everything in kernels/."""
    folder = importlib.resources.files("hybrid_seg_ros.cuda") / "kernels"
    files = (item for item in folder.iterdir() if item.name.endswith((".h", ".cu")))
    return {item.name: item.read_text(encoding="utf-8") for item in sorted(files, key=lambda item: item.name)}


def device_color(encoding: str) -> str | None:
    """The colour layout of an image encoding where the device converts it, None where the host has to (`decode`).

    Raises:
        ImageFormatError: no camera encodes images like that.
    """
    fmt = camera_format(encoding)
    return fmt.color if fmt.dtype == np.uint8 and fmt.color in COLORS else None


def preprocess_kernel(*, encoding: str, element: Element, column_taps: int, row_taps: int) -> Kernel:
    """The kernel from camera image to network tensor.

    Args:
        encoding: of the image; one with a `device_color`.
        element: type of the tensor.
        column_taps: T of the columns' `taps.Taps`.
        row_taps: T of the rows' `taps.Taps`.
    """
    color = device_color(encoding)
    if color is None:
        raise ValueError(f"encoding {encoding!r} is not converted on the device, expected one of {', '.join(COLORS)}")
    defines = (
        ("HSR_COLOR", str(COLORS.index(color))),
        ("HSR_ELEMENT", _ELEMENTS[element]),
        ("HSR_COLUMN_TAPS", str(column_taps)),
        ("HSR_ROW_TAPS", str(row_taps)),
    )
    return Kernel("hsr_preprocess", "preprocess.cu", defines)


def postprocess_kernel(
    *, classes: int, kind: ScoreKind, element: Element, grid_size: tuple[int, int] | None = None
) -> Kernel:
    """The kernel from raw network outputs to full-resolution maps.

    Args:
        classes: K, 2 to 255.
        kind: the score.
        element: type of the network's outputs.
        grid_size: (w, h) of the outputs, for a kernel of this size only, which is faster; None for any size.
    """
    if not 2 <= classes <= 255:
        raise ValueError(f"the kernels take 2 to 255 classes, found {classes}")
    defines = (
        ("HSR_CLASSES", str(classes)),
        ("HSR_KIND", str(KINDS.index(kind))),
        ("HSR_ELEMENT", _ELEMENTS[element]),
        ("HSR_CELLS", str(grid_size[0] * grid_size[1] if grid_size else 0)),
    )
    return Kernel("hsr_postprocess", "postprocess.cu", defines)
