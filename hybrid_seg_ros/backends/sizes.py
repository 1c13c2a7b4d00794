"""Which input sizes a network takes."""

import numpy as np

from hybrid_seg_ros.backends.base import BackendError, FloatArray
from hybrid_seg_ros.bundle import NetworkInput


def resolve_input_size(spec: NetworkInput, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of the network input: the wanted one, or the manifest's default.

    Raises:
        BackendError: a size the network does not take; says the nearest one that it does.
    """
    default = (spec.width, spec.height)
    if wanted is None or wanted == default:
        return default
    if not spec.dynamic:
        raise BackendError(
            f"input size {wanted[0]}x{wanted[1]}: expected {spec.width}x{spec.height}, the only size of this network."
            " To fix: leave input_width and input_height at 0, or export the bundle with dynamic sizes"
        )
    step = spec.multiple_of
    near = [max(step, round(side / step) * step) for side in wanted]
    if near != list(wanted):
        raise BackendError(
            f"input size {wanted[0]}x{wanted[1]}: expected multiples of {step}."
            f" To fix: set input_width to {near[0]} and input_height to {near[1]}"
        )
    return wanted


def check_tensor(image: FloatArray, size: tuple[int, int]) -> None:
    """Raise BackendError unless `image` is float32[1, 3, height, width], C-contiguous."""
    expected = (1, 3, size[1], size[0])
    if image.shape != expected or image.dtype != np.float32 or not image.flags.c_contiguous:
        raise BackendError(
            f"network input: expected C-contiguous float32{list(expected)}, found {image.dtype}{list(image.shape)}"
        )
