"""A deterministic stand-in for a network: for tests, and for measuring everything else."""

import threading
import time

import numpy as np

from hybrid_seg_ros.backends.base import BackendError, BackendInfo, FloatArray, NetworkOutput
from hybrid_seg_ros.backends.options import FakeOptions
from hybrid_seg_ros.backends.sizes import check_tensor, resolve_input_size
from hybrid_seg_ros.bundle import Manifest


class FakeBackend:
    """Outputs that follow the image's brightness; meaningless, but the same for the same image.

    With b the first input channel in the middle of each cell, logits[k] = 4 cos(b + k) and
    posterior = (b, -b). Told so by `FakeOptions`, it is slow, fails, returns NaN or hangs.
    """

    def __init__(
        self, manifest: Manifest, input_size: tuple[int, int] | None = None, options: FakeOptions | None = None
    ) -> None:
        self._size = resolve_input_size(manifest.input, input_size)
        self._options = options or FakeOptions()
        self._stride = manifest.outputs.stride
        self._phases = np.arange(len(manifest.classes), dtype=np.float32)[:, None, None]
        self._calls = 0
        self._closed = threading.Event()

    @property
    def input_size(self) -> tuple[int, int]:
        return self._size

    def warm_up(self) -> None:
        """Nothing to warm: timing is settled from the first call."""

    def infer(self, image: FloatArray) -> NetworkOutput:
        """The function of the class's docstring.

        Raises:
            BackendError: closed, a tensor of another shape, or told to fail.
        """
        self._refuse_closed()
        check_tensor(image, self._size)
        start = time.monotonic()
        self._calls += 1
        options = self._options
        call = self._calls if options.every is None else (self._calls - 1) % options.every + 1
        if call == options.hang_at:
            self._closed.wait(options.hang_s or None)
            self._refuse_closed()
        if call == options.fail_at:
            raise BackendError(f"fake backend: told to fail at call {call}")
        middle = self._stride // 2
        brightness = image[0, :1, middle :: self._stride, middle :: self._stride]
        logits = np.float32(4) * np.cos(brightness + self._phases)
        posterior = np.concatenate([brightness, -brightness])
        if call == options.nan_at:
            logits[0, 0, 0] = np.nan
        rest = options.delay_s - (time.monotonic() - start)
        if rest > 0:
            self._closed.wait(rest)
        return NetworkOutput(logits, posterior)

    def close(self) -> None:
        """Also ends a hanging or delayed `infer`."""
        self._closed.set()

    def describe(self) -> BackendInfo:
        return BackendInfo(
            name="fake",
            device="none",
            precision="fp32",
            reason="asked for; its results mean nothing",
            details={"delay_s": f"{self._options.delay_s:g}"},
        )

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise BackendError("fake backend: infer after close")
