"""The device kernels built by the host's C++ compiler: the very same bodies, run over host memory.

A `Launch` means here what it means on the device, its addresses being those of numpy arrays.
"""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.sources import Kernel, source_files

COMPILER = shutil.which("g++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no g++ here: apt install g++")

_C_TYPES = {
    np.dtype(np.uint64): ctypes.c_uint64,
    np.dtype(np.int32): ctypes.c_int32,
    np.dtype(np.float32): ctypes.c_float,
}


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Sources and builds of this process, removed at its end."""
    folder = tempfile.TemporaryDirectory(prefix="host_kernels_")
    for name, text in source_files().items():
        (Path(folder.name) / name).write_text(text, encoding="utf-8")
    return folder


@functools.cache
def build(kernel: Kernel) -> ctypes.CDLL:
    """The kernel as a library for this machine; contraction stays off, as on the device where it matters."""
    folder = Path(_folder().name)
    library = folder / f"kernel_{build.cache_info().currsize}_{abs(hash(kernel)):x}.so"
    options = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fno-strict-aliasing"]
    defines = [f"-D{name}={value}" for name, value in kernel.defines]
    subprocess.run(
        [str(COMPILER), *options, *defines, "-shared", "-fPIC", "-x", "c++", kernel.file, "-o", str(library)],
        cwd=folder,
        check=True,
        timeout=120,
    )
    return ctypes.CDLL(str(library))


def run(kernel: Kernel, launch: Launch) -> None:
    """Every thread of the launch, one after the other."""
    function = getattr(build(kernel), launch.kernel)
    function.restype = None
    dimensions = ctypes.c_uint * 3
    function(
        dimensions(*launch.grid),
        dimensions(*launch.block),
        *(_C_TYPES[argument.dtype](argument.item()) for argument in launch.arguments),
    )


def address(array: np.ndarray | None) -> int:
    """Where an array's first element lies; 0 for none."""
    return 0 if array is None else array.ctypes.data
