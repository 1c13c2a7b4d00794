"""golden.npz: one input and the raw outputs every backend must give for it."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle.errors import BundleError, seal_command
from hybrid_seg_ros.bundle.manifest import Manifest

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Golden:
    """The parity test of a bundle.

    Attributes:
        image: uint8[H, W, 3], BGR, at a network input size (no resizing happens to it).
        logits: float32[K, H / stride, W / stride], raw network output.
        posterior: float32[2, H / stride, W / stride], raw network output.
    """

    image: npt.NDArray[np.uint8]
    logits: FloatArray
    posterior: FloatArray


def read_golden(path: Path, manifest: Manifest) -> Golden:
    """Read golden.npz (no pickles) and check it against the manifest.

    Raises:
        BundleError: an unreadable file, a missing array, or a wrong dtype or shape.
    """
    fix = f"export the bundle again, or repair the arrays and run: {seal_command(path.parent)}"
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(path, expected="an .npz archive of plain arrays", found=str(error), fix=fix) from error
    for name in ("image", "logits", "posterior"):
        if name not in arrays:
            raise BundleError(path, expected=f"an array {name!r}", found=f"{sorted(arrays)}", fix=fix)
    golden = Golden(arrays["image"], arrays["logits"], arrays["posterior"])
    problem = _problem(golden, manifest)
    if problem is not None:
        raise BundleError(path, expected=problem[0], found=problem[1], fix=fix)
    return golden


def write_golden(path: Path, golden: Golden) -> None:
    """Write golden.npz, compressed."""
    np.savez_compressed(path, image=golden.image, logits=golden.logits, posterior=golden.posterior)


def _problem(golden: Golden, manifest: Manifest) -> tuple[str, str] | None:
    """(expected, found) of the first disagreement with the manifest, or None."""
    image, spec, stride = golden.image, manifest.input, manifest.outputs.stride
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        return "image: uint8[H, W, 3]", _form(image)
    height, width = image.shape[:2]
    fixed = (height, width) == (spec.height, spec.width)
    if height % spec.multiple_of or width % spec.multiple_of or not (fixed or spec.dynamic):
        return f"an image the network takes ({spec.width}x{spec.height})", f"{width}x{height}"
    for name, array, channels in (
        ("logits", golden.logits, len(manifest.classes)),
        ("posterior", golden.posterior, 2),
    ):
        shape = (channels, height // stride, width // stride)
        if array.shape != shape or array.dtype != np.float32:
            return f"{name}: float32{list(shape)}", _form(array)
        if not np.isfinite(array).all():
            return f"{name}: finite values", "NaN or Inf"
    return None


def _form(array: npt.NDArray[np.generic]) -> str:
    return f"{array.dtype}{list(array.shape)}"
