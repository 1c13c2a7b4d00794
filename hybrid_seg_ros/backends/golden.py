"""The parity test every backend must pass before it runs its first frame."""

from collections.abc import Callable

import numpy as np

from hybrid_seg_ros.backends.base import BackendError, FloatArray, NetworkOutput
from hybrid_seg_ros.bundle import Bundle, image_to_tensor

FP32_TOLERANCE = 1e-3


def check(infer: Callable[[FloatArray], NetworkOutput], bundle: Bundle, *, tolerance: float = FP32_TOLERANCE) -> float:
    """Run the golden input and compare with the golden outputs.

    Args:
        infer: runs float32[1, 3, H, W] at the golden image's size.
        bundle: whose golden.npz counts.
        tolerance: allowed |difference|, relative to the largest |value| of that output.

    Returns:
        The largest relative difference.

    Raises:
        BackendError: an output of another shape, or further away than the tolerance.
        BundleError: golden.npz is unreadable.
    """
    golden = bundle.golden()
    output = infer(image_to_tensor(golden.image, bundle.manifest.input))
    worst = 0.0
    for name, expected, found in (
        ("logits", golden.logits, output.logits),
        ("posterior", golden.posterior, output.posterior),
    ):
        if found.shape != expected.shape:
            raise BackendError(
                f"golden test of {bundle.path}: expected {name} of shape {list(expected.shape)}, found"
                f" {list(found.shape)}. To fix: export the bundle again, so that model and golden.npz belong together"
            )
        scale = max(float(np.abs(expected).max()), 1e-30)
        difference = float(np.abs(found - expected).max()) / scale
        if not difference <= tolerance:  # NaN fails too
            raise BackendError(
                f"golden test of {bundle.path}: expected {name} within {tolerance:g} of golden.npz (relative to its"
                f" largest value), found a difference of {difference:.3g}. To fix: export the bundle again; if it"
                " passes on another machine, update or replace this one's runtime: pip install --upgrade onnxruntime"
            )
        worst = max(worst, difference)
    return worst
