"""What a user may choose about a backend."""

from dataclasses import dataclass, field
from typing import Literal

BackendKind = Literal["auto", "onnxruntime", "tensorrt", "fake"]
ProviderKind = Literal["cpu", "cuda", "tensorrt"]


@dataclass(frozen=True, slots=True)
class FakeOptions:
    """How the fake backend misbehaves; call numbers count `infer` from 1.

    Attributes:
        delay_s: every `infer` takes at least this long.
        fail_at: the call that raises BackendError; later ones work again.
        nan_at: the call that returns NaN.
        hang_at: the call that does not return until `close`.
    """

    delay_s: float = 0.0
    fail_at: int | None = None
    nan_at: int | None = None
    hang_at: int | None = None


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How a network is run; raises ValueError for threads below 1.

    Attributes:
        threads: threads of the network run; None = the usable physical cores.
        provider: ONNX Runtime's execution provider; None = CPU, or under "auto" the best that works.
        fake: misbehaviour of the fake backend.
    """

    threads: int | None = None
    provider: ProviderKind | None = None
    fake: FakeOptions = field(default_factory=FakeOptions)

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}, expected at least 1, or None for the usable physical cores")
