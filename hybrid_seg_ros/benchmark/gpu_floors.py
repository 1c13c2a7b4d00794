"""The least that a GPU can take for a frame, calculated: bytes that must move, and exponentials that must be taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hybrid_seg_ros.detector import Outputs

EXPONENTIALS_PER_CLOCK = 16
"""ex2 instructions that one SM issues a clock, from Volta on (CUDA C++ programming guide, arithmetic throughput)."""

MAP_BYTES: Mapping[Outputs, int] = MappingProxyType(
    {Outputs.LABELS: 1, Outputs.SCORE: 4, Outputs.MASK: 1, Outputs.CONFIDENCE: 1}
)
"""Bytes a pixel of each map."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What limits kernels on a GPU.

    Attributes:
        bandwidth: of device memory, bytes read and written a second.
        sms: streaming multiprocessors.
        clock_hz: of these.
    """

    bandwidth: float
    sms: int
    clock_hz: float


@dataclass(frozen=True, slots=True)
class Work:
    """What one frame asks of the two kernels.

    Attributes:
        source: (width, height) of the image and of the maps, px.
        network: (width, height) of the network input, px.
        stride: of the logits.
        classes: K.
        element: bytes of a tensor's element.
    """

    source: tuple[int, int] = (2048, 1024)
    network: tuple[int, int] = (2048, 1024)
    stride: int = 4
    classes: int = 19
    element: int = 2

    @property
    def pixels(self) -> int:
        """Of one map."""
        return self.source[0] * self.source[1]

    @property
    def image_bytes(self) -> int:
        """Of the image, 8 bit BGR."""
        return 3 * self.pixels

    def map_bytes(self, outputs: Outputs) -> int:
        """Of the maps."""
        return self.pixels * sum(size for output, size in MAP_BYTES.items() if output in outputs)

    @property
    def pre_bytes(self) -> int:
        """Image in, tensor out, each once."""
        return self.image_bytes + 3 * self.network[0] * self.network[1] * self.element

    def post_bytes(self, outputs: Outputs) -> int:
        """Both raw outputs in, the maps out, each once."""
        width, height = self.network
        cells = (width // self.stride) * (height // self.stride)
        return (self.classes + 2) * cells * self.element + self.map_bytes(outputs)

    def exponentials(self, outputs: Outputs) -> int:
        """Of the hybrid score: K for the log-sum-exp and one for the log-posterior, at every pixel; else none."""
        scoring = Outputs.SCORE in outputs or Outputs.MASK in outputs
        return (self.classes + 1) * self.pixels if scoring else 0


@dataclass(frozen=True, slots=True)
class Floor:
    """The least time of a kernel, by what bounds it.

    Attributes:
        byte_us: for its bytes, µs.
        exp_us: for its exponentials, µs.
    """

    byte_us: float
    exp_us: float

    @property
    def us(self) -> float:
        """The larger one: both go on side by side."""
        return max(self.byte_us, self.exp_us)

    @property
    def bound(self) -> str:
        """Which it is."""
        return "bytes" if self.byte_us >= self.exp_us else "exp"


def pre_floor(work: Work, speed: Speed) -> Floor:
    """Of the kernel before the network."""
    return Floor(1e6 * work.pre_bytes / speed.bandwidth, 0.0)


def post_floor(work: Work, speed: Speed, outputs: Outputs) -> Floor:
    """Of the kernel behind the network."""
    rate = speed.sms * EXPONENTIALS_PER_CLOCK * speed.clock_hz
    return Floor(1e6 * work.post_bytes(outputs) / speed.bandwidth, 1e6 * work.exponentials(outputs) / rate)
