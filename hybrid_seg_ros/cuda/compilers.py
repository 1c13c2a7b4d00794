"""The two ways to compile a kernel: NVRTC (NVIDIA's wheels on PyPI), and nvcc of an installed CUDA toolkit."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.sources import Kernel, source_files

_NVCC_TIMEOUT_S = 300
# Modules, functions and objects of the bindings, which carry no types.
_Untyped: TypeAlias = Any


class KernelCompileError(DeviceError):
    """A kernel could not be compiled: no compiler, an architecture it does not know, or an error in the source."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A kernel as machine code.

    Attributes:
        cubin: ELF image for `cuModuleLoadData`.
        log: what the assembler said: registers, stack and spills of the kernel.
    """

    cubin: bytes
    log: str


@dataclass(frozen=True, slots=True)
class Compiler:
    """One way to compile.

    Attributes:
        version: name and exact version; another version makes other code.
        architectures: compute capabilities it compiles for, as 10 * major + minor.
        compile: kernel and architecture to machine code; raises KernelCompileError.
    """

    version: str
    architectures: tuple[int, ...]
    compile: Callable[[Kernel, int], Compiled]


def nvrtc_compiler() -> Compiler | str:
    """NVRTC through NVIDIA's Python bindings, or why it cannot be had."""
    try:
        # Untyped, and installed only where kernels are compiled with it.
        from cuda.bindings import nvrtc  # type: ignore[import-not-found, import-untyped, unused-ignore]

        _, major, minor = nvrtc.nvrtcVersion()
        _, architectures = nvrtc.nvrtcGetSupportedArchs()
    except (ImportError, RuntimeError) as error:  # RuntimeError: the bindings are there, the library is not
        return f"NVRTC: {str(error).strip().splitlines()[0]}"
    return Compiler(
        f"NVRTC {major}.{minor}", tuple(architectures), lambda kernel, arch: _compile_nvrtc(nvrtc, kernel, arch)
    )


def _compile_nvrtc(nvrtc: _Untyped, kernel: Kernel, arch: int) -> Compiled:
    files = source_files()
    headers = [name for name in files if name != kernel.file]
    status, program = nvrtc.nvrtcCreateProgram(
        files[kernel.file].encode(),
        kernel.file.encode(),
        len(headers),
        [files[name].encode() for name in headers],
        [name.encode() for name in headers],
    )
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        raise KernelCompileError(f"NVRTC could not take up {kernel.file}: {status.name}")
    try:
        options = [f"--gpu-architecture=sm_{arch}", "--ptxas-options=-v", *_options(kernel)]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
        log = (
            _read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode(errors="replace").strip("\0")
        )
        if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise KernelCompileError(f"NVRTC could not compile {kernel.file} for sm_{arch}: {status.name}\n{log}")
        return Compiled(_read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program), log)
    finally:
        nvrtc.nvrtcDestroyProgram(program)


def _read(size_of: _Untyped, read: _Untyped, program: _Untyped) -> bytes:
    _, size = size_of(program)
    buffer = bytearray(size)
    read(program, buffer)
    return bytes(buffer)


def _options(kernel: Kernel) -> list[str]:
    return ["--std=c++17", *(f"-D{name}={value}" for name, value in kernel.defines)]


def nvcc_compiler() -> Compiler | str:
    """Nvcc of an installed CUDA toolkit, or why it cannot be had."""
    program = _find_nvcc()
    if program is None:
        return "nvcc: not on PATH, not below $CUDA_HOME and not in /usr/local/cuda/bin"
    try:
        version = _run_nvcc([program, "--version"])
        release = re.search(r"\bV(\d+\.\d+\.\d+)", version)
        architectures = re.findall(r"compute_(\d+)\b", _run_nvcc([program, "--list-gpu-arch"]))
    except KernelCompileError as error:
        return f"nvcc: {error}"
    return Compiler(
        f"nvcc {release.group(1) if release else version.strip()}",
        tuple(int(architecture) for architecture in architectures),
        lambda kernel, arch: _compile_nvcc(program, kernel, arch),
    )


def _find_nvcc() -> str | None:
    homes = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    folders = [str(Path(home) / "bin") for home in homes if home]
    return shutil.which("nvcc") or shutil.which("nvcc", path=os.pathsep.join([*folders, "/usr/local/cuda/bin"]))


def _compile_nvcc(program: str, kernel: Kernel, arch: int) -> Compiled:
    with tempfile.TemporaryDirectory(prefix="hybrid_seg_kernels_") as folder:
        for name, text in source_files().items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        cubin = Path(folder) / "kernel.cubin"
        log = _run_nvcc(
            [program, "-cubin", f"-arch=sm_{arch}", "-Xptxas=-v", *_options(kernel), "-o", str(cubin), kernel.file],
            cwd=folder,
        )
        return Compiled(cubin.read_bytes(), log)


def _run_nvcc(arguments: list[str], cwd: str | None = None) -> str:
    """Everything nvcc says."""
    try:
        done = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, timeout=_NVCC_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelCompileError(f"{arguments[0]} could not be run: {error}") from error
    if done.returncode:
        raise KernelCompileError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout + done.stderr
