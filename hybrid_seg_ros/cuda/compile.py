"""Kernels as machine code of one GPU architecture: from the cache, else by NVRTC, else by nvcc."""

import re
from dataclasses import dataclass
from pathlib import Path

from hybrid_seg_ros.cuda import cubin_cache
from hybrid_seg_ros.cuda.compilers import Compiler, KernelCompileError, nvcc_compiler, nvrtc_compiler
from hybrid_seg_ros.cuda.sources import Kernel

ARCHITECTURES = (87, 89, 90, 110, 120)
"""The usual ones: Orin, Ada, Hopper, Thor (CUDA 13 and newer), Blackwell; any other that the compiler knows works."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What one thread of a kernel takes, by the assembler's report.

    Attributes:
        registers: 32 bit registers.
        stack: bytes of stack.
        spills: bytes stored and loaded because registers did not suffice.
    """

    registers: int
    stack: int
    spills: int


def find_compiler(arch: int) -> Compiler:
    """The first compiler that is there and knows the architecture.

    Args:
        arch: compute capability, 10 * major + minor.

    Raises:
        KernelCompileError: there is none; the message says what was tried and what to install.
    """
    reasons = []
    for find in (nvrtc_compiler, nvcc_compiler):
        found = find()
        if isinstance(found, str):
            reasons.append(found)
        elif arch in found.architectures:
            return found
        else:
            known = ", ".join(map(str, found.architectures))
            reasons.append(f"{found.version}: compiles for {known}")
    major = "13" if arch >= 100 else "12"
    library = "nvidia-cuda-nvrtc" if major == "13" else "nvidia-cuda-nvrtc-cu12"
    raise KernelCompileError(
        f"no compiler for kernels of compute capability {arch / 10:.1f} found. "
        + "; ".join(reasons)
        + f". To fix: pip install 'cuda-bindings=={major}.*' {library}, or install CUDA toolkit {major} with nvcc"
    )


def compile_kernel(kernel: Kernel, arch: int, *, cache: Path | None) -> bytes:
    """Machine code (cubin) of a kernel.

    Args:
        kernel: from `sources.preprocess_kernel` or `sources.postprocess_kernel`.
        arch: compute capability of the GPU, 10 * major + minor.
        cache: folder that keeps compiled kernels, made where missing; None to compile always.

    Raises:
        KernelCompileError: no compiler, or the kernel does not compile.
    """
    compiler = find_compiler(arch)
    if cache is None:
        return compiler.compile(kernel, arch).cubin
    key = cubin_cache.cache_key(kernel, arch, compiler.version)
    cubin = cubin_cache.load(cache, key)
    if cubin is None:
        cubin = compiler.compile(kernel, arch).cubin
        cubin_cache.store(cache, key, cubin)
    return cubin


def resources(log: str) -> Resources:
    """Registers, stack and spills in the log of `compilers.Compiled`."""
    registers = re.search(r"Used (\d+) registers", log)
    memory = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", log)
    if registers is None or memory is None:
        raise ValueError(f"expected the assembler's report on registers and spills, found {log!r}")
    stack, stores, loads = map(int, memory.groups())
    return Resources(int(registers.group(1)), stack, stores + loads)
