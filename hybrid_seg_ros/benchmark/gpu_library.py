"""Which library runs the network in a measurement on a GPU: the best that is there, and its name in every result."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_seg_ros.backends import BackendError, BackendOptions
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.backends.onnxruntime_device import open_onnxruntime_device
from hybrid_seg_ros.backends.tensorrt.backend import open_tensorrt
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.scenario import Context, NotMeasuredError
from hybrid_seg_ros.bundle import Bundle

TORCH_MODULE = "hybrid_seg_train.bench_gpu"
Open = Callable[[Bundle, "tuple[int, int] | None"], DeviceBackend]


@dataclass(frozen=True, slots=True)
class Library:
    """What runs the network.

    Attributes:
        name: as results name it.
        open: the bundle's network at a size, None for the bundle's own.
        open_closed: the same without the posterior head.
    """

    name: str
    open: Open
    open_closed: Open


Work = Callable[[Library, Context], dict[str, Any]]


def with_network(name: str, work: Work, context: Context) -> dict[str, Any]:
    """What `work` measures with TensorRT, else TensorRT-RTX, else ONNX Runtime's CUDA provider, else PyTorch FP16.

    Args:
        name: of the work in the module `TORCH_MODULE`: PyTorch runs in a process of its own.
        work: gets the library.
        context: of the scenario.

    Returns:
        The work's result, with "network_library" and why it was none of the better ones.

    Raises:
        NotMeasuredError: none of them works here.
    """
    reasons: list[str] = []
    for library_name, open_network in CANDIDATES.items():
        try:
            open_network(context.bundle, None).close()
        except BackendError as error:
            reasons.append(f"{library_name}: {str(error).splitlines()[0]}")
            continue
        found = work(_library(library_name, open_network, context.work_dir), context)
        return {"network_library": library_name, "not_taken": reasons, **found}
    found = _in_torch(name, context, reasons)
    return {"network_library": "torch fp16", "not_taken": reasons, **found}


def _library(name: str, open_network: Open, folder: Path) -> Library:
    return Library(
        name, open_network, lambda bundle, size: open_network(city_bundle(bundle, folder, closed=True), size)
    )


def _onnxruntime_cuda(bundle: Bundle, size: tuple[int, int] | None) -> DeviceBackend:
    try:
        made = open_onnxruntime_device(bundle, size, BackendOptions(provider="cuda"))
    except ImportError as error:
        raise BackendError(f"onnxruntime is not installed ({error})") from error
    if not isinstance(made, DeviceBackend):
        made.close()
        raise BackendError(made.describe().degraded)
    return made


CANDIDATES: dict[str, Open] = {
    "tensorrt": lambda bundle, size: open_tensorrt(bundle, size),
    "tensorrt_rtx": lambda bundle, size: open_tensorrt(bundle, size, library="tensorrt_rtx"),
    "onnxruntime CUDA": _onnxruntime_cuda,
}


def _in_torch(name: str, context: Context, reasons: list[str]) -> dict[str, Any]:
    result, said = context.work_dir / "result.json", context.work_dir / "said.txt"
    command = [sys.executable, "-m", TORCH_MODULE, name, "--bundle", str(context.bundle.path)]
    command += ["--work-dir", str(context.work_dir), "--result", str(result), "--effort", str(context.effort)]
    if not context.progress:
        command.append("--quiet")
    with said.open("wb") as stderr:
        done = subprocess.run(command, stderr=stderr, check=False)
    if done.returncode or not result.is_file():
        lines = said.read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"exit status {done.returncode}"
        raise NotMeasuredError(f"no library runs the network: {'; '.join(reasons)}; torch fp16: {last}")
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found
