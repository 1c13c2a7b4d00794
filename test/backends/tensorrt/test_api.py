import subprocess
import sys
from types import ModuleType

import pytest
from support.fake_tensorrt import VERSIONS, Faults, install, make_module

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt import api
from hybrid_seg_ros.backends.tensorrt.api import load_tensorrt


@pytest.mark.parametrize("version", VERSIONS)
def test_supported_versions_load_and_say_exactly_which_they_are(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, version)
    assert load_tensorrt().title == f"TensorRT {version}"


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0.post1", "12.0.0", "banana"])
def test_other_versions_are_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setitem(sys.modules, "tensorrt", make_module("10.3.0", Faults(), says=version))
    with pytest.raises(BackendError, match=rf"from 10\.3 and below 12, found {version}\. To fix: .*pip install"):
        load_tensorrt()


def test_without_a_gpu_tensorrt_is_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    monkeypatch.setattr(api, "cuda_devices", lambda: (0, "cuInit failed with CUDA error 999"))
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail(f"imported {name}"))
    for device in (True, False):
        with pytest.raises(BackendError, match=r"found none: cuInit failed with CUDA error 999\. To fix: .*nvidia-smi"):
            load_tensorrt(device=device)


def test_a_missing_package_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "cuda_devices", lambda: (1, ""))
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match=r"expected the Python package, found none.*python3-libnvinfer"):
        load_tensorrt()
    with pytest.raises(BackendError, match=r"pip install tensorrt-rtx-cu13"):
        load_tensorrt("tensorrt_rtx")


def test_missing_libraries_are_told_from_a_missing_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    reason = "libnvonnxparser.so.10: cannot open shared object file: No such file or directory"
    (folder / "tensorrt.py").write_text(f"raise ImportError({reason!r})")
    monkeypatch.setattr(api, "cuda_devices", lambda: (1, ""))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(BackendError, match=rf"expected its shared libraries, found: {reason}.*LD_LIBRARY_PATH"):
        load_tensorrt()


def test_rtx_may_parse_and_build_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    rtx = ModuleType("tensorrt_rtx")
    rtx.__version__ = "1.7.1.116"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", rtx)
    monkeypatch.setattr(api, "cuda_devices", lambda: (0, "no NVIDIA driver"))
    assert load_tensorrt("tensorrt_rtx", device=False).title == "TensorRT-RTX 1.7.1.116"
    with pytest.raises(BackendError, match="no NVIDIA driver"):
        load_tensorrt("tensorrt_rtx")


def test_importing_the_package_imports_no_tensorrt() -> None:
    code = "import sys, hybrid_seg_ros.backends.tensorrt; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"tensorrt", "tensorrt_rtx", "pycuda", "onnx", "cuda"} & set(loaded) == set()
