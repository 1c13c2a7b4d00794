import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt import gpu
from hybrid_seg_ros.backends.tensorrt.gpu import Gpu, describe_gpu

CDLL = ctypes.CDLL

# The four functions of the driver that are asked, with NVIDIA's signatures (cuda.h).
DRIVER = r"""
#include <string.h>
int cuInit(unsigned flags) { return STATUS; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal + 40; return 0; }
int cuDeviceGetName(char *name, int length, int device) {
    strncpy(name, device == 40 ? "Orin" : "another", length);
    return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 8 : attribute == 76 ? 7 : attribute == 16 ? 14 : -1;
    return device == 40 ? 0 : 101;
}
int cuDriverGetVersion(int *version) { *version = 12060; return 0; }
"""
KERNEL_DRIVER = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build  (buildbrain)\n"


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> None:
    """Let `ctypes.CDLL("libcuda.so.1")` load a real library with DRIVER's functions."""
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler here")
    (folder / "driver.c").write_text(DRIVER.replace("STATUS", str(status)))
    library = folder / f"libcuda_{status}.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(folder / "driver.c")], check=True)
    loaded = CDLL(str(library))
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name: {"libcuda.so.1": loaded}[name])


def test_what_the_driver_says_of_its_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    (tmp_path / "version").write_text(KERNEL_DRIVER)
    monkeypatch.setattr(gpu, "_KERNEL_DRIVER", tmp_path / "version")
    assert describe_gpu() == Gpu("Orin", "8.7", 14, "12.6", "540.4.0")
    monkeypatch.setattr(gpu, "_KERNEL_DRIVER", tmp_path / "none")
    assert describe_gpu().driver == ""


def test_a_driver_that_refuses_is_an_error_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    with pytest.raises(BackendError, match="GPU 1: cuDeviceGetAttribute failed with CUDA error 101"):
        describe_gpu(1)
    stand_in(tmp_path, monkeypatch, status=999)
    with pytest.raises(BackendError, match="cuInit failed with CUDA error 999"):
        describe_gpu()


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(BackendError, match=r"no NVIDIA driver \(libcuda.so.1: cannot open"):
        describe_gpu()
