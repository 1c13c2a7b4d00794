"""One network run: ONNX Runtime, TensorRT, or a deterministic fake."""

from hybrid_seg_ros.backends.base import Backend, BackendError, BackendInfo, NetworkOutput
from hybrid_seg_ros.backends.cores import usable_cores
from hybrid_seg_ros.backends.options import BackendKind, BackendOptions, FakeOptions
from hybrid_seg_ros.backends.select import create, on_cpu

__all__ = [
    "Backend",
    "BackendError",
    "BackendInfo",
    "BackendKind",
    "BackendOptions",
    "FakeOptions",
    "NetworkOutput",
    "create",
    "on_cpu",
    "usable_cores",
]
