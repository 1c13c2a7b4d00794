"""The one place that imports TensorRT, and only where it cannot take the process down."""

import importlib
import re
from dataclasses import dataclass
from typing import Any, Literal

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.cuda.probe import cuda_devices

Library = Literal["tensorrt", "tensorrt_rtx"]

# First version that works and first that was never seen: one code path serves what lies between.
_VERSIONS: dict[Library, tuple[tuple[int, int], tuple[int, int]]] = {
    "tensorrt": ((10, 3), (12, 0)),
    "tensorrt_rtx": ((1, 4), (2, 0)),
}
_INSTALL: dict[Library, str] = {
    "tensorrt": "install it: pip install 'tensorrt>=10.3,<12' (desktop, container), or on a Jetson: sudo apt install"
    " python3-libnvinfer, in a virtual environment made with --system-site-packages",
    "tensorrt_rtx": "install it: pip install tensorrt-rtx-cu13",
}
_LIBRARIES: dict[Library, str] = {
    "tensorrt": "install the libraries of the same version as the Python package: pip install --force-reinstall"
    " 'tensorrt>=10.3,<12', or sudo apt install tensorrt; where they lie elsewhere, name their folder in"
    " LD_LIBRARY_PATH",
    "tensorrt_rtx": "pip install --force-reinstall tensorrt-rtx-cu13",
}


@dataclass(frozen=True, slots=True)
class TensorRT:
    """A TensorRT that was found fit: its module, whose objects have no types, and its exact version."""

    module: Any
    library: Library
    version: str

    @property
    def title(self) -> str:
        """For people: "TensorRT 10.3.0"."""
        return title(self.library, self.version)


def title(library: str, version: str) -> str:
    """For people: "TensorRT 10.3.0", "TensorRT-RTX 1.7.1.116"."""
    return f"{'TensorRT-RTX' if library == 'tensorrt_rtx' else 'TensorRT'} {version}"


def load_tensorrt(library: Library = "tensorrt", *, device: bool = True) -> TensorRT:
    """Import TensorRT after asking the driver for a GPU: without one its Runtime crashes the process.

    Args:
        library: TensorRT, or TensorRT-RTX, which has the same interface.
        device: False to only parse and build with TensorRT-RTX, which needs no GPU for that; TensorRT always does.

    Raises:
        BackendError: no driver, no GPU, package or libraries missing, or a version that is not supported; says what
            to install.
    """
    if device or library == "tensorrt":
        devices, problem = cuda_devices()
        if not devices:
            raise BackendError(
                f"{library}: expected an NVIDIA GPU, found none: {problem}. To fix: install NVIDIA's driver until"
                " nvidia-smi lists the GPU (container: docker run --gpus all, on a Jetson --runtime nvidia),"
                " or choose backend onnxruntime"
            )
    try:
        module = importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise BackendError(
            f"{library}: expected the Python package, found none ({error}). To fix: {_INSTALL[library]}"
        ) from error
    except ImportError as error:
        raise BackendError(
            f"{library}: expected its shared libraries, found: {error}. To fix: {_LIBRARIES[library]}"
        ) from error
    version = str(getattr(module, "__version__", "none"))
    first, end = _VERSIONS[library]
    if not first <= _major_minor(version) < end:
        raise BackendError(
            f"{library}: expected a version from {first[0]}.{first[1]} and below {end[0]}, found {version}."
            f" To fix: {_INSTALL[library]}"
        )
    return TensorRT(module, library, version)


def _major_minor(version: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)
