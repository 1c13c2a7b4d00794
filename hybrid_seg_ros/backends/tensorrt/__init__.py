"""TensorRT: engines built from a bundle, kept with all they depend on, and run on a CUDA stream.

Importing this package never imports TensorRT itself; see `api`.
"""

from hybrid_seg_ros.backends.tensorrt.engine import TensorRTNetwork
from hybrid_seg_ros.backends.tensorrt.identity import EngineIdentity
from hybrid_seg_ros.backends.tensorrt.options import EngineOptions, Precision
from hybrid_seg_ros.backends.tensorrt.prepare import PreparedEngine, engine_options, prepare_engine
from hybrid_seg_ros.backends.tensorrt.progress import BuildProgress

__all__ = [
    "BuildProgress",
    "EngineIdentity",
    "EngineOptions",
    "Precision",
    "PreparedEngine",
    "TensorRTNetwork",
    "engine_options",
    "prepare_engine",
]
