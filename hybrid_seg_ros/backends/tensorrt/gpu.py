"""Which GPU an engine is for, asked of the driver without making a context."""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from hybrid_seg_ros.backends.base import BackendError

# CUdevice_attribute, cuda.h
_MULTIPROCESSORS, _MAJOR, _MINOR = 16, 75, 76
_NAME_BYTES = 256
_KERNEL_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True, slots=True)
class Gpu:
    """What TensorRT's choice of kernels depends on, and the driver it was made with.

    Attributes:
        name: as the driver says it; a MIG slice says so itself.
        compute_capability: such as "8.7".
        multiprocessors: all Orin modules are named "Orin", this tells them apart.
        cuda: the newest CUDA version that the driver knows, such as "12.6".
        driver: version of the kernel driver, or "" where the system does not tell.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)
    name: str
    compute_capability: str
    multiprocessors: int
    cuda: str
    driver: str


def describe_gpu(index: int = 0) -> Gpu:
    """The GPU that CUDA counts as `index`.

    Raises:
        BackendError: no driver, or it does not answer.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise BackendError(f"GPU {index}: no NVIDIA driver ({error}). To fix: install NVIDIA's driver") from error
    device, number = ctypes.c_int(0), ctypes.c_int(0)
    name = ctypes.create_string_buffer(_NAME_BYTES)

    def ask(function: str, *arguments: object) -> int:
        status = getattr(driver, function)(*arguments)
        if status != 0:
            raise BackendError(
                f"GPU {index}: {function} failed with CUDA error {status}. To fix: see that nvidia-smi lists the GPU"
            )
        return number.value

    ask("cuInit", 0)
    ask("cuDeviceGet", ctypes.byref(device), index)
    ask("cuDeviceGetName", name, _NAME_BYTES, device)
    major, minor, multiprocessors = (
        ask("cuDeviceGetAttribute", ctypes.byref(number), attribute, device)
        for attribute in (_MAJOR, _MINOR, _MULTIPROCESSORS)
    )
    cuda = ask("cuDriverGetVersion", ctypes.byref(number))
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{major}.{minor}",
        multiprocessors=multiprocessors,
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}",
        driver=_kernel_driver(),
    )


def _kernel_driver() -> str:
    try:
        match = re.search(r"\s(\d+\.\d+[.\d]*)\s", _KERNEL_DRIVER.read_text())
    except OSError:
        return ""
    return match[1] if match else ""
