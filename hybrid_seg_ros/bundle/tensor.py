"""Image to network tensor: the formula every faster path must equal."""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle.manifest import NetworkInput


def image_to_tensor(image: npt.NDArray[np.uint8], spec: NetworkInput) -> npt.NDArray[np.float32]:
    """(pixel / 255 - mean) / std, in the network's channel order.

    Args:
        image: uint8[H, W, 3], BGR, already at a network input size.
        spec: the manifest's input section; mean and std are in the network's channel order.

    Returns:
        float32[1, 3, H, W], C-contiguous.
    """
    ordered = image[..., ::-1] if spec.color_order == "rgb" else image
    mean = np.asarray(spec.mean, np.float32)
    std = np.asarray(spec.std, np.float32)
    pixels = (ordered.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
