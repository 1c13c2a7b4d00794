"""Is there a CUDA GPU? Asked of the driver itself, before any library that would crash without one."""

import ctypes


def cuda_devices() -> tuple[int, str]:
    """(number of CUDA devices, why there is none or "").

    Only libcuda is touched, and only cuInit and cuDeviceGetCount: no context is made.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return 0, f"no NVIDIA driver ({error})"
    status = driver.cuInit(0)
    if status != 0:
        return 0, f"cuInit failed with CUDA error {status}"
    count = ctypes.c_int(0)
    status = driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0:
        return 0, f"cuDeviceGetCount failed with CUDA error {status}"
    return count.value, "" if count.value else "the driver sees no GPU"
