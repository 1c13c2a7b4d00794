"""What a bijection is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from torch import Tensor, nn


class Bijection(nn.Module, ABC):
    """An invertible map of float32[B, C, H, W], for any H and W."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x to z; also ln |det dz/dx| as float32[B]."""

    @abstractmethod
    def inverse(self, z: Tensor) -> Tensor:
        """The x whose image is z."""


class Chain(Bijection):
    """Bijections one after the other."""

    def __init__(self, bijections: Iterable[Bijection]) -> None:
        super().__init__()
        self.members = nn.ModuleList(bijections)

    @property
    def bijections(self) -> list[Bijection]:
        """The members, first to last."""
        return [member for member in self.members if isinstance(member, Bijection)]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x through all members; their log-determinants add up."""
        total = x.new_zeros(len(x))
        for bijection in self.bijections:
            x, log_det = bijection(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> Tensor:
        """Map z back through all members, last to first."""
        for bijection in reversed(self.bijections):
            z = bijection.inverse(z)
        return z
