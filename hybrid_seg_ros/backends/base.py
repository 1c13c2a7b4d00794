"""What every backend promises: one network run, and nothing else."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class BackendError(RuntimeError):
    """A backend cannot be made, loaded or run; the message says what was expected and what fixes it."""


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """Raw outputs of one run; valid until the next `infer` of the same backend.

    Attributes:
        logits: float32[K, h, w], closed-set logits at stride s.
        posterior: float32[2, h, w], dataset-posterior logits (channel 1 = outlier) at stride s.
    """

    logits: FloatArray
    posterior: FloatArray


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What runs, where, and why it was chosen; goes to the log and to /diagnostics.

    Attributes:
        name: the library.
        device: "cpu", or which GPU.
        precision: fp32, fp16 or int8.
        reason: why it was chosen.
        degraded: why it is not the better one that would have been taken; "" where it is what was wanted.
        details: more for people.
        down: whether it has failed and is not running at the moment.
    """

    name: str
    device: str
    precision: str
    reason: str = ""
    degraded: str = ""
    details: dict[str, str] = field(default_factory=dict)
    down: bool = False


class Backend(Protocol):
    """One loaded network at one input size.

    `load` happens in the backend's factory (see `backends.create`): an instance that exists is loaded.
    Not thread-safe: one worker owns it. Calls after `close` raise BackendError.
    """

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of the network input, px."""
        ...

    def warm_up(self) -> None:
        """Run until timing has settled, so that the first real frame is not the slow one."""
        ...

    def infer(self, image: FloatArray) -> NetworkOutput:
        """Run the network on float32[1, 3, H, W], normalised as the manifest says."""
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...

    def describe(self) -> BackendInfo:
        """What runs, where, and why."""
        ...
