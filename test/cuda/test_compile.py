"""Compiling the kernels for every architecture, and the cache of what was compiled."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_seg_ros.cuda import compile as compiling
from hybrid_seg_ros.cuda import cubin_cache
from hybrid_seg_ros.cuda.compile import ARCHITECTURES, compile_kernel, find_compiler, resources
from hybrid_seg_ros.cuda.compilers import Compiled, Compiler, KernelCompileError, nvcc_compiler, nvrtc_compiler
from hybrid_seg_ros.cuda.sources import Kernel, postprocess_kernel, preprocess_kernel

POST = postprocess_kernel(classes=19, kind="hybrid", element="half", grid_size=(512, 256))
KERNELS = {
    **{
        f"post-{classes}-{element}": postprocess_kernel(classes=classes, kind="hybrid", element=element, grid_size=grid)
        for classes in (11, 19)
        for element in ("half", "float")
        for grid in ((512, 256),)
    },
    "post-any-size": postprocess_kernel(classes=19, kind="hybrid", element="half"),
    "post-many-classes": postprocess_kernel(classes=150, kind="entropy", element="float"),
    "pre-bgr": preprocess_kernel(encoding="bgr8", element="half", column_taps=2, row_taps=2),
    "pre-nv12": preprocess_kernel(encoding="nv12", element="half", column_taps=4, row_taps=4),
    "pre-bayer": preprocess_kernel(encoding="bayer_rggb8", element="float", column_taps=2, row_taps=2),
}


@pytest.fixture(scope="module", params=["nvrtc", "nvcc"])
def compiler(request: pytest.FixtureRequest) -> Compiler:
    found = {"nvrtc": nvrtc_compiler, "nvcc": nvcc_compiler}[request.param]()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def compiled(compiler: Compiler, kernel: Kernel, arch: int) -> Compiled:
    if arch not in compiler.architectures:
        pytest.skip(f"{compiler.version} does not know {arch}")
    return compiler.compile(kernel, arch)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_post_kernel_needs_no_memory_for_its_registers(compiler: Compiler, arch: int) -> None:
    """On every architecture; 96 registers leave room for 20 warps on a multiprocessor."""
    found = compiled(compiler, POST, arch)
    assert found.cubin[:4] == b"\x7fELF"
    assert POST.entry.encode() in found.cubin
    report = resources(found.log)
    assert (report.stack, report.spills) == (0, 0)
    assert report.registers <= 96


@pytest.mark.parametrize("arch", [75, 86])
def test_older_architectures_compile_too(compiler: Compiler, arch: int) -> None:
    assert resources(compiled(compiler, POST, arch).log).spills == 0


@pytest.mark.parametrize("name", KERNELS)
def test_no_kernel_spills(name: str) -> None:
    try:
        compiler = find_compiler(90)
    except KernelCompileError as error:
        pytest.skip(str(error))
    report = resources(compiled(compiler, KERNELS[name], 90).log)
    assert (report.stack, report.spills) == (0, 0)


def test_an_error_in_the_source_is_shown(compiler: Compiler) -> None:
    with pytest.raises(KernelCompileError, match="no_such_type"):
        compiled(compiler, Kernel(POST.entry, POST.file, (*POST.defines[:2], ("HSR_ELEMENT", "no_such_type"))), 90)


class CountingCompiler:
    """Counts how often it compiles, which any compiler would do for it."""

    def __init__(self, version: str = "test 1") -> None:
        self.calls = 0
        self.compiler = Compiler(version, ARCHITECTURES, self._compile)

    def _compile(self, kernel: Kernel, arch: int) -> Compiled:
        self.calls += 1
        return Compiled(f"{kernel.defines} {arch}".encode(), "")


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> CountingCompiler:
    counter = CountingCompiler()
    monkeypatch.setattr(compiling, "nvrtc_compiler", lambda: counter.compiler)
    return counter


def test_the_cache_compiles_once(counting: CountingCompiler, tmp_path: Path) -> None:
    first, second = (compile_kernel(POST, 90, cache=tmp_path / "new" / "folder") for _ in range(2))
    assert first == second
    assert counting.calls == 1
    compile_kernel(POST, 87, cache=tmp_path / "new" / "folder")
    assert counting.calls == 2


def test_without_a_cache_it_compiles_always(counting: CountingCompiler) -> None:
    for _ in range(2):
        compile_kernel(POST, 90, cache=None)
    assert counting.calls == 2


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_file_is_compiled_again(
    counting: CountingCompiler, tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    expected = compile_kernel(POST, 90, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert compile_kernel(POST, 90, cache=tmp_path) == expected
    assert counting.calls == 2
    assert "damaged" in caplog.text
    assert compile_kernel(POST, 90, cache=tmp_path) == expected
    assert counting.calls == 2


def test_a_folder_that_cannot_be_written_costs_only_time(
    counting: CountingCompiler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert compile_kernel(POST, 90, cache=blocked / "cache")
    assert "not kept" in caplog.text


def test_the_key_covers_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    other = postprocess_kernel(classes=11, kind="hybrid", element="half", grid_size=(512, 256))
    keys = {
        cubin_cache.cache_key(POST, 90, "a 1"),
        cubin_cache.cache_key(POST, 87, "a 1"),
        cubin_cache.cache_key(POST, 90, "a 2"),
        cubin_cache.cache_key(other, 90, "a 1"),
    }
    monkeypatch.setattr(cubin_cache, "source_files", lambda: {"postprocess.cu": "other text"})
    keys.add(cubin_cache.cache_key(POST, 90, "a 1"))
    assert len(keys) == 5


@pytest.mark.parametrize(
    ("arch", "fix"),
    [(87, "'cuda-bindings==12.*' nvidia-cuda-nvrtc-cu12"), (110, "'cuda-bindings==13.*' nvidia-cuda-nvrtc")],
)
def test_no_compiler_says_what_to_install(monkeypatch: pytest.MonkeyPatch, arch: int, fix: str) -> None:
    old = Compiler("nvcc 11.4", (75, 86), lambda kernel, arch: Compiled(b"", ""))
    monkeypatch.setattr(compiling, "nvrtc_compiler", lambda: "NVRTC: No module named 'cuda'")
    monkeypatch.setattr(compiling, "nvcc_compiler", lambda: old)
    with pytest.raises(KernelCompileError) as info:
        find_compiler(arch)
    assert "NVRTC: No module named 'cuda'; nvcc 11.4: compiles for 75, 86." in str(info.value)
    assert f"To fix: pip install {fix}," in str(info.value)


def test_a_toolkit_that_does_not_answer_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "nvcc"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert shutil.which("nvcc") == str(broken)
    reason = nvcc_compiler()
    assert isinstance(reason, str)
    assert "ended with 3" in reason
    assert "out of order" in reason


def test_nothing_of_cuda_is_imported_before_it_is_needed() -> None:
    code = "import sys, hybrid_seg_ros.cuda.compile, hybrid_seg_ros.cuda.launch; print('cuda' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
