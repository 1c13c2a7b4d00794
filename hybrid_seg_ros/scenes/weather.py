"""Weather and time of day: what they do to light, air, road and lens."""

import math
from dataclasses import dataclass, replace

import numpy as np

from hybrid_seg_ros.scenes.light import Light, direction

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Weather:
    """Conditions of a scene.

    Attributes:
        light: daylight; by night, the light under which the scene is painted before it is dimmed.
        cloud: 0 blue sky .. 1 overcast.
        sky_top: BGR 0..1 of the zenith.
        sky_low: BGR 0..1 of the sky above the roofs; also the colour of haze.
        visibility_m: distance at which haze leaves 1/e of the contrast.
        wetness: 0 dry .. 1 mirror-like road.
        rain: density of falling streaks, 0..1.
        night: whether lamps and headlights light the scene.
        noise: deviation of sensor noise at mid grey, grey levels.
        defocus: blur of the lens, fraction of the image width.
        motion: blur along the road's flow, fraction of the image width.
        exposure: brightness the camera aims at, relative to middle grey.
    """

    light: Light
    cloud: float
    sky_top: Colour
    sky_low: Colour
    visibility_m: float = 400.0
    wetness: float = 0.0
    rain: float = 0.0
    night: bool = False
    noise: float = 2.0
    defocus: float = 0.0008
    motion: float = 0.0
    exposure: float = 1.0

    @property
    def sunny(self) -> bool:
        """Whether the sun casts shadows."""
        return max(self.light.sun) > 0.05 and not self.night


def _overcast(rng: np.random.Generator) -> Weather:
    level = float(rng.uniform(0.85, 1.15))
    sky: Colour = (1.04 * level, 1.0 * level, 0.96 * level)
    light = Light(direction(float(rng.uniform(-3.1, 3.1)), 1.0), (0.0, 0.0, 0.0), sky, (0.42, 0.43, 0.44))
    top = float(rng.uniform(0.56, 0.92))
    return Weather(light, 1.0, (top, top * 0.97, top * 0.94), (0.93, 0.92, 0.90), float(rng.uniform(250, 600)))


def _clear(rng: np.random.Generator) -> Weather:
    azimuth, elevation = float(rng.uniform(-math.pi, math.pi)), math.radians(float(rng.uniform(18, 55)))
    sun = float(rng.uniform(0.75, 1.05))
    light = Light(
        direction(azimuth, elevation), (0.82 * sun, 0.93 * sun, 1.0 * sun), (0.64, 0.61, 0.57), (0.28, 0.29, 0.30)
    )
    deep = float(rng.uniform(0.0, 1.0))
    top: Colour = (0.88 - 0.06 * deep, 0.70 - 0.12 * deep, 0.55 - 0.20 * deep)
    return Weather(light, float(rng.uniform(0.2, 0.75)), top, (0.97, 0.95, 0.91), float(rng.uniform(350, 900)))


def _rain(rng: np.random.Generator) -> Weather:
    base = _overcast(rng)
    light = replace(base.light, sky=(0.74, 0.71, 0.68), bounce=(0.30, 0.30, 0.30))
    return replace(
        base, light=light, sky_top=(0.60, 0.58, 0.56), sky_low=(0.74, 0.73, 0.71),
        visibility_m=float(rng.uniform(70, 160)), wetness=float(rng.uniform(0.5, 1.0)),
        rain=float(rng.uniform(0.3, 1.0)), noise=3.0, defocus=0.0012,
    )  # fmt: skip


def _night(rng: np.random.Generator) -> Weather:
    base = _overcast(rng)
    light = replace(base.light, sky=(0.95, 0.95, 0.95), bounce=(0.6, 0.6, 0.6))
    return replace(
        base, light=light, night=True, sky_top=(0.10, 0.06, 0.045), sky_low=(0.10, 0.10, 0.11),
        visibility_m=500.0, noise=float(rng.uniform(4.0, 7.0)), defocus=0.0011,
    )  # fmt: skip


def _blurred(rng: np.random.Generator) -> Weather:
    base = _overcast(rng) if rng.random() < 0.5 else _clear(rng)
    defocus, motion = float(rng.uniform(0.002, 0.0045)), float(rng.uniform(0.006, 0.016))
    kind = rng.random()
    return replace(base, defocus=defocus if kind < 0.6 else 0.001, motion=motion if kind > 0.4 else 0.0)


_MAKERS = {"clear": _clear, "overcast": _overcast, "rain": _rain, "night": _night, "blur": _blurred}

WEATHERS: tuple[str, ...] = (*_MAKERS, "rainy_night")
"""Names that `make_weather` knows."""


def make_weather(name: str, rng: np.random.Generator) -> Weather:
    """Conditions of the named kind.

    Raises:
        ValueError: for a name that is not in WEATHERS.
    """
    if name == "rainy_night":
        wet = _rain(rng)
        return replace(_night(rng), wetness=wet.wetness, rain=wet.rain, visibility_m=200.0)
    if name not in _MAKERS:
        raise ValueError(f"weather must be one of {', '.join(WEATHERS)}, found {name!r}")
    made = _MAKERS[name](rng)
    return replace(made, exposure=(0.45 if made.night else 1.0) * float(rng.uniform(0.8, 1.2)))
