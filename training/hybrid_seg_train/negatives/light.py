"""Matching a pasted object's colours to the place it is pasted at, so that exposure alone does not give it away."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage

STRENGTH = (0.3, 0.9)
"""Range of how far an object's lightness goes towards its surroundings'; its colours go half as far."""

CONTRAST = (0.6, 1.6)
"""Limits of the change of an object's contrast: flat road must not flatten what stands on it."""


def match_light(
    patch: ByteImage, alpha: ByteImage, scene: ByteImage, corner: tuple[int, int], strength: float
) -> ByteImage:
    """The patch with the mean and spread of its colours moved towards those of the scene around it.

    Mean and standard deviation of the CIE Lab channels, after Reinhard et al., "Color Transfer between Images", 2001
    (there in the space of Ruderman).

    Args:
        patch: uint8[h, w, 3] BGR.
        alpha: uint8[h, w], nonzero inside the object.
        scene: uint8[H, W, 3] BGR.
        corner: left and top of the patch in the scene; parts may lie outside.
        strength: 0 leaves the lightness as it is, 1 gives it the surroundings' mean; colours go half as far.

    Returns:
        uint8[h, w, 3]; the patch itself where no part of the scene is around it.
    """
    around = _surroundings(scene, corner, alpha.shape)
    inside = alpha > 127
    if not around.size or not inside.any():
        return patch
    ours, theirs = _lab(patch), _lab(around).reshape(-1, 3)
    mean, spread = ours[inside].mean(axis=0), ours[inside].std(axis=0)
    towards = np.array([strength, strength / 2, strength / 2])
    contrast = 1 + strength * (np.clip(theirs.std(axis=0) / np.maximum(spread, 1e-3), *CONTRAST) - 1)
    contrast[1:] = 1  # a grey road would take all colour from what stands on it
    moved = (ours - mean) * contrast + mean + towards * (theirs.mean(axis=0) - mean)
    back = cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_Lab2BGR)
    return np.asarray(np.clip(np.round(back * 255), 0, 255), np.uint8)


def _surroundings(scene: ByteImage, corner: tuple[int, int], shape: tuple[int, ...]) -> ByteImage:
    """The scene within the patch's box, widened by half its size on every side."""
    height, width = shape
    left, top = max(corner[0] - width // 2, 0), max(corner[1] - height // 2, 0)
    right, bottom = max(corner[0] + width + width // 2, 0), max(corner[1] + height + height // 2, 0)
    return scene[top:bottom, left:right]


def _lab(image: ByteImage) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2Lab), np.float32)
