"""The golden test of a network that runs at one size only, in any precision."""

from collections.abc import Callable

import numpy as np

from hybrid_seg_ros.backends.base import FloatArray, NetworkOutput
from hybrid_seg_ros.backends.golden import ALLOWED, Precision, compare, compare_reduced
from hybrid_seg_ros.bundle import Bundle, image_to_tensor
from hybrid_seg_ros.frames.resize import resize_image


def check_at(
    infer: Callable[[FloatArray], NetworkOutput], bundle: Bundle, size: tuple[int, int], precision: Precision
) -> dict[str, str]:
    """Compare a network with what FP32 gives at the same size.

    At the golden image's own size that is golden.npz. At any other, ONNX Runtime runs model.onnx on the CPU, once,
    on the golden image resized: an engine is built for one size and cannot run another.

    Args:
        infer: runs float32[1, 3, H, W].
        bundle: whose golden.npz counts.
        size: (width, height) the network runs at, px.
        precision: the network's.

    Returns:
        What was found, for `BackendInfo.details`.

    Raises:
        BackendError: further from FP32 than the precision is allowed to be.
        BundleError: golden.npz is unreadable.
    """
    golden = bundle.golden()
    expected, reference = NetworkOutput(golden.logits, golden.posterior), "golden.npz"
    image = golden.image
    if (image.shape[1], image.shape[0]) != size:
        image = resize_image(image, size)
        found = _by_onnxruntime(bundle, image_to_tensor(image, bundle.manifest.input))
        if found is None:
            return {"golden test": f"not run at {size[0]}x{size[1]}: pip install onnxruntime"}
        expected, reference = found, "model.onnx on the CPU"
    output = infer(image_to_tensor(image, bundle.manifest.input))
    what = f"golden test of {bundle.path} in {precision} at {size[0]}x{size[1]} against {reference}"
    if precision == "fp32":
        return {"golden_difference": f"{compare(output, expected, what, FP32_ON_DEVICE):.2e}"}
    equal, drift = compare_reduced(output, expected, what, ALLOWED[precision])
    return {"golden labels equal": f"{equal:.2%}", "golden score drift": f"{drift:.2e} standard deviations"}


FP32_ON_DEVICE = 5e-3
"""Relative tolerance of FP32 on a GPU, whose convolutions may multiply in TF32 (10 bits of mantissa)."""


def _by_onnxruntime(bundle: Bundle, tensor: FloatArray) -> NetworkOutput | None:
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(str(bundle.file("model.onnx")), providers=["CPUExecutionProvider"])
    names = bundle.manifest.outputs
    logits, posterior = session.run([names.logits, names.posterior], {bundle.manifest.input.name: tensor})
    return NetworkOutput(np.asarray(logits[0], np.float32), np.asarray(posterior[0], np.float32))
