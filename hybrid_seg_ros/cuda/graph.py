"""A frame's kernels as one CUDA graph: one launch instead of dozens, by cuda-python on pycuda's stream."""

import importlib
from collections.abc import Callable
from typing import Any

from hybrid_seg_ros.cuda.driver import Stream
from hybrid_seg_ros.cuda.errors import DeviceError


class Graph:
    """Work recorded from a stream, launched as a whole; close it in the thread that made it.

    Addresses and numbers are those of the recording: whatever changes between frames must lie in device memory.

    Args:
        stream: pycuda's stream, idle; never the default one, which cannot be recorded.
        record: starts the work on that stream; nothing in it may wait or allocate.

    Raises:
        DeviceError: no cuda-python (see `available`), or what was started cannot be recorded.
    """

    def __init__(self, stream: Stream, record: Callable[[], None]) -> None:
        self._api = _bindings()
        if self._api is None:
            raise DeviceError("CUDA graph: no cuda-python. To fix: pip install cuda-python")
        mode = self._api.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self._call("cuStreamBeginCapture", stream.handle, mode)
        try:
            record()
        finally:
            # Also after an error: a stream left in recording would refuse all further work.
            status, graph = self._api.cuStreamEndCapture(stream.handle)
        self._check("cuStreamEndCapture", status)
        try:
            self._executable: Any = self._call("cuGraphInstantiate", graph, 0)
        finally:
            self._call("cuGraphDestroy", graph)

    def launch(self, stream: Stream) -> None:
        """Start the recorded work; returns at once."""
        self._call("cuGraphLaunch", self._executable, stream.handle)

    def close(self) -> None:
        """Give the graph back; may be called twice."""
        if self._executable is not None:
            executable, self._executable = self._executable, None
            self._call("cuGraphExecDestroy", executable)

    def _call(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401  # cuda-python has no types
        status, *results = getattr(self._api, name)(*arguments)
        self._check(name, status)
        return results[0] if results else None

    def _check(self, name: str, status: Any) -> None:  # noqa: ANN401
        if int(status) != 0:
            raise DeviceError(f"CUDA graph: {name} failed with {getattr(status, 'name', status)}")


def available() -> bool:
    """Whether cuda-python is installed."""
    return _bindings() is not None


def _bindings() -> Any:  # noqa: ANN401  # cuda-python has no types
    # cuda.bindings since 12.8, cuda.cuda before.
    for name in ("cuda.bindings.driver", "cuda.cuda"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
