"""What may move or must not be hit: cars, people, and unknown obstacles, each with its path."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hybrid_seg_ros.scenes.classes import BICYCLIST, CAR, PEDESTRIAN, VOID
from hybrid_seg_ros.scenes.noise import stream
from hybrid_seg_ros.scenes.people import bicyclist, pedestrian
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.solids import Solid, make_solid
from hybrid_seg_ros.scenes.unknowns import UNKNOWN_KINDS
from hybrid_seg_ros.scenes.vehicles import car

KNOWN_KINDS: dict[str, int] = {"car": CAR, "pedestrian": PEDESTRIAN, "bicyclist": BICYCLIST}
"""Class ids of the known kinds."""

LOOKS: dict[str, int] = {"car": 96, "pedestrian": 48, "bicyclist": 24}
"""How many different ones of each known kind there are; of the unknown there is no end."""

_GAIT_STEPS = 10
_TURNS_PER_M = {"pedestrian": 0.75, "bicyclist": 0.22}


@dataclass(frozen=True, slots=True)
class LanePath:
    """A course along the road: a constant d with swerves around what lies in the way.

    Attributes:
        d: distance from the centre line, m, left positive.
        swerves: (x, shift of d, length) of smooth detours, m.
    """

    d: float
    swerves: tuple[tuple[float, float, float], ...] = ()

    def at(self, x: float) -> float:
        """D at x."""
        return self.d + sum(s * math.exp(-(((x - at) / w) ** 2)) for at, s, w in self.swerves if abs(x - at) < 5 * w)

    def slope(self, x: float) -> float:
        """Change of d per metre at x."""
        return sum(
            -2.0 * (x - at) / w**2 * s * math.exp(-(((x - at) / w) ** 2))
            for at, s, w in self.swerves
            if abs(x - at) < 5 * w
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Something on the street with a place for every time.

    Attributes:
        kind: "car", "pedestrian", "bicyclist" or a kind of unknown obstacle.
        seed: decides its looks.
        x: place along the road at time 0, m.
        path: its d.
        speed: m/s along x; negative comes towards the camera.
        across: m/s to the left, on top of the path.
        yaw: heading of what does not move, relative to the road, rad.
    """

    kind: str
    seed: int
    x: float
    path: LanePath
    speed: float = 0.0
    across: float = 0.0
    yaw: float = 0.0

    @property
    def known(self) -> bool:
        return self.kind in KNOWN_KINDS

    @property
    def label(self) -> int:
        """Class id; void for the unknown."""
        return KNOWN_KINDS.get(self.kind, VOID)

    def place(self, road: Road, time_s: float) -> tuple[tuple[float, float, float], float]:
        """World position of its foot, m, and heading, rad."""
        x = self.x + self.speed * time_s
        d = self.path.at(x) + self.across * time_s
        slope = road.slope(x) + self.path.slope(x)
        if self.speed == 0.0 and self.across == 0.0:
            return road.point(x, d), math.atan(road.slope(x)) + self.yaw
        return road.point(x, d), math.atan2(self.speed * slope + self.across, self.speed)

    def solid(self, time_s: float, detail: int = 1) -> Solid:
        """Its shape at a time; `detail` 0 is for what is small in the image, 2 for what is large."""
        pace = math.hypot(self.speed, self.across)
        turns = _TURNS_PER_M.get(self.kind, 0.0) * pace * time_s + (self.seed % 97) / 97.0
        step = int(turns * _GAIT_STEPS) % _GAIT_STEPS if self.kind in _TURNS_PER_M else 0
        return _shape(self.kind, self.seed, step, detail if self.known else 1)


@lru_cache(maxsize=2048)
def _shape(kind: str, seed: int, step: int, detail: int) -> Solid:
    rng = stream(seed, 51)
    phase = 2.0 * math.pi * step / _GAIT_STEPS
    if kind == "car":
        return make_solid(car(rng, detail))
    if kind == "pedestrian":
        return make_solid(pedestrian(rng, phase, detail))
    if kind == "bicyclist":
        return make_solid(bicyclist(rng, phase, detail))
    return make_solid(UNKNOWN_KINDS[kind](rng))


def footprint_radius(actor: Actor) -> float:
    """Radius of the circle around its foot that holds its footprint, m."""
    return float(np.hypot(*actor.solid(0.0).mesh.vertices[:, :2].T).max())
