"""What stands along a street and never moves."""

from typing import Protocol

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.view import View


class Fixture(Protocol):
    """A fixed thing of the street."""

    @property
    def anchor(self) -> tuple[float, float, float]:
        """Its place: the farther end of what is long."""
        ...

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        """Its patches."""
        ...
