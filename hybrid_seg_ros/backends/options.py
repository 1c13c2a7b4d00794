"""What a user may choose about a backend."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hybrid_seg_ros.backends.golden import Precision

_log = logging.getLogger(__name__)

BackendKind = Literal["auto", "onnxruntime", "tensorrt", "fake"]
ProviderKind = Literal["cpu", "cuda", "tensorrt"]


@dataclass(frozen=True, slots=True)
class FakeOptions:
    """How the fake backend misbehaves; call numbers count `infer` from 1.

    Attributes:
        delay_s: every `infer` takes at least this long.
        fail_at: the call that raises BackendError; later ones work again.
        nan_at: the call that returns NaN.
        hang_at: the call that hangs.
        hang_s: how long it hangs; 0: until `close`.
        every: the numbers count anew after so many calls; None: once and for all.
    """

    delay_s: float = 0.0
    fail_at: int | None = None
    nan_at: int | None = None
    hang_at: int | None = None
    hang_s: float = 0.0
    every: int | None = None


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How a network is run; raises ValueError for threads or a workspace below 1.

    Attributes:
        precision: which of the bundle's files is run; None = FP16 on a GPU where the bundle has it, else FP32. INT8
            costs accuracy and is never taken unasked.
        threads: threads of the network run; None = the usable physical cores.
        provider: ONNX Runtime's execution provider; None = CPU, or under "auto" the best that works.
        engine_cache: where TensorRT's engines are kept; None = beside the bundle where that can be written, else in
            the user's cache.
        workspace_mb: device memory that TensorRT's kernels may use for scratch, MiB.
        on_progress: told every few seconds while a backend takes its time, from whichever thread.
        cancel: set to end the building of an engine.
        fake: misbehaviour of the fake backend.
    """

    precision: Precision | None = None
    threads: int | None = None
    provider: ProviderKind | None = None
    engine_cache: Path | None = None
    workspace_mb: int = 1024
    on_progress: Callable[[str], None] = _log.info
    cancel: threading.Event | None = None
    fake: FakeOptions = field(default_factory=FakeOptions)

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}, expected at least 1, or None for the usable physical cores")
        if self.workspace_mb < 1:
            raise ValueError(f"workspace_mb is {self.workspace_mb}, expected at least 1")
