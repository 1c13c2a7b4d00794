"""Pedestrians and bicyclists, with limbs that move."""

import math

import numpy as np

from hybrid_seg_ros.scenes.mesh import Colour, Mesh, limb, merged, superellipsoid, torus
from hybrid_seg_ros.scenes.noise import jitter

_COATS: tuple[Colour, ...] = (
    (0.06, 0.06, 0.06), (0.20, 0.12, 0.08), (0.10, 0.08, 0.30), (0.25, 0.25, 0.25), (0.12, 0.20, 0.26),
    (0.50, 0.50, 0.50), (0.12, 0.18, 0.08), (0.30, 0.14, 0.22), (0.10, 0.30, 0.55),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((0.05, 0.05, 0.05), (0.22, 0.14, 0.09), (0.15, 0.19, 0.22), (0.10, 0.10, 0.10))
_SKINS: tuple[Colour, ...] = ((0.38, 0.46, 0.66), (0.20, 0.28, 0.44), (0.10, 0.15, 0.26))
_HAIR: tuple[Colour, ...] = ((0.03, 0.03, 0.04), (0.08, 0.12, 0.20), (0.20, 0.32, 0.42), (0.4, 0.4, 0.4))

_SIDES = (4, 6, 10)


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return jitter(rng, colours[int(rng.integers(0, len(colours)))], 0.3)


def pedestrian(rng: np.random.Generator, phase: float = 0.0, detail: int = 1) -> Mesh:
    """A walking person facing +x.

    Args:
        rng: decides clothes and build; the same stream gives the same person.
        phase: gait cycle, rad.
        detail: 0, 1 or 2: how finely it is cut.
    """
    sides = _SIDES[detail]
    height = float(rng.uniform(1.5, 1.9))
    coat, trousers = _pick(rng, _COATS), _pick(rng, _TROUSERS)
    skin, hair = _pick(rng, _SKINS), _pick(rng, _HAIR)
    girth, long_coat, bag = float(rng.uniform(0.9, 1.25)), bool(rng.random() < 0.35), bool(rng.random() < 0.35)
    swing = 0.38 * math.sin(phase)
    parts: list[Mesh] = []
    for side, sign in ((0.09, 1.0), (-0.09, -1.0)):
        angle = sign * swing
        knee = (0.45 * math.sin(angle), side, 0.88 - 0.44 * math.cos(angle))
        bend = angle - max(0.0, 0.7 * math.cos(phase) * sign) * 0.6
        foot = (knee[0] + 0.40 * math.sin(bend), side, knee[2] - 0.38 * math.cos(bend))
        parts.append(limb((0.0, side, 0.88), knee, (0.092 * girth, 0.068), trousers, sides))
        parts.append(limb(knee, foot, (0.066, 0.05), trousers, sides))
        parts.append(
            superellipsoid((0.27, 0.10, 0.09), (0.04, 0.04, 0.05), 0.7, 5, sides).moved(foot[0] + 0.06, side, 0.05)
        )
        reach = -sign * swing * 0.9
        elbow = (0.27 * math.sin(reach), side * 2.35, 1.42 - 0.28 * math.cos(reach))
        hand = (elbow[0] + 0.24 * math.sin(reach + 0.35), side * 2.3, elbow[2] - 0.24 * math.cos(reach + 0.35))
        parts.append(limb((0.0, side * 2.1, 1.42), elbow, (0.062, 0.05), coat, sides))
        parts.append(limb(elbow, hand, (0.05, 0.04), coat, sides))
        parts.append(superellipsoid((0.08, 0.07, 0.10), skin, 1.0, 4, sides).moved(hand[0], hand[1], hand[2] - 0.05))
    parts.append(
        limb((0.0, 0.0, 0.90), (0.01, 0.0, 1.36), (0.155 * girth, 0.175 * girth), coat, sides + 2).scaled(0.75, 1.15, 1)
    )
    if long_coat:
        parts.append(limb((0.0, 0.0, 0.62), (0.0, 0.0, 1.0), (0.20, 0.16), coat, sides + 2).scaled(0.8, 1.1, 1))
    if bag:
        colour = _pick(rng, _COATS)
        parts.append(superellipsoid((0.18, 0.30, 0.42), colour, 0.5, 7, 12).moved(-0.20, 0.0, 1.22))
    parts.extend(_head(1.52, skin, hair, sides))
    return merged(parts).scaled(height / 1.72).grounded()


def _head(neck_z: float, skin: Colour, hair: Colour, sides: int, x: float = 0.0) -> list[Mesh]:
    return [
        limb((x, 0.0, neck_z - 0.08), (x, 0.0, neck_z + 0.02), (0.055, 0.055), skin, sides),
        superellipsoid((0.19, 0.155, 0.24), skin, 1.0, sides + 1, 2 * sides).moved(x + 0.01, 0.0, neck_z + 0.11),
        superellipsoid((0.20, 0.175, 0.20), hair, 1.0, sides + 1, 2 * sides).moved(x - 0.022, 0.0, neck_z + 0.15),
    ]


def bicyclist(rng: np.random.Generator, phase: float = 0.0, detail: int = 1) -> Mesh:
    """A person riding a bicycle towards +x; `phase` turns the pedals, rad; detail as for `pedestrian`."""
    sides = _SIDES[detail]
    coat, trousers = _pick(rng, _COATS), _pick(rng, _TROUSERS)
    skin, hair = _pick(rng, _SKINS), _pick(rng, _HAIR)
    metal = _pick(rng, _COATS)
    helmet = bool(rng.random() < 0.5)
    parts: list[Mesh] = []
    for x in (-0.52, 0.52):
        parts.append(torus(0.32, 0.022, (0.03, 0.03, 0.03), 3 * sides, 6).turned(roll=math.pi / 2).moved(x, 0.0, 0.342))
        for spoke in range(6):
            a = spoke * math.pi / 3
            rim = (x + 0.31 * math.cos(a), 0.0, 0.342 + 0.31 * math.sin(a))
            parts.append(limb((x, 0.0, 0.342), rim, (0.006, 0.006), (0.4, 0.4, 0.4), 4))
    tubes = [
        ((-0.52, 0.342), (-0.12, 0.32)), ((-0.12, 0.32), (-0.22, 0.88)), ((-0.12, 0.32), (0.40, 0.78)),
        ((-0.20, 0.74), (0.38, 0.84)), ((-0.52, 0.342), (-0.20, 0.76)), ((0.52, 0.342), (0.38, 0.98)),
    ]  # fmt: skip
    for (x0, z0), (x1, z1) in tubes:
        parts.append(limb((x0, 0.0, z0), (x1, 0.0, z1), (0.022, 0.022), metal, 6, gloss=0.4))
    parts.append(limb((0.36, -0.26, 1.0), (0.36, 0.26, 1.0), (0.016, 0.016), (0.05, 0.05, 0.05), 6))
    parts.append(superellipsoid((0.26, 0.15, 0.07), (0.03, 0.03, 0.03), 0.8, 6, 10).moved(-0.23, 0.0, 0.90))
    for side, turn in ((0.09, phase), (-0.09, phase + math.pi)):
        pedal = (-0.12 + 0.17 * math.cos(turn), side, 0.32 + 0.17 * math.sin(turn))
        hip = (-0.20, side, 0.96)
        knee = _joint(hip, pedal, 0.44, 0.46)
        parts.append(limb(hip, knee, (0.085, 0.065), trousers, sides))
        parts.append(limb(knee, pedal, (0.06, 0.045), trousers, sides))
        parts.append(
            superellipsoid((0.25, 0.09, 0.08), (0.05, 0.05, 0.05), 0.7, 4, sides).moved(pedal[0] + 0.05, side, pedal[2])
        )
        shoulder, hand = (0.12, side * 2.1, 1.40), (0.36, side * 2.5, 1.03)
        parts.append(limb(shoulder, hand, (0.058, 0.042), coat, sides))
        parts.append(superellipsoid((0.08, 0.08, 0.08), skin, 1.0, 4, sides).moved(*hand))
    parts.append(limb((-0.19, 0.0, 0.98), (0.10, 0.0, 1.38), (0.15, 0.17), coat, sides + 2))
    parts.extend(_head(1.56, skin, (0.15, 0.15, 0.5) if helmet else hair, sides, 0.16))
    return merged(parts).grounded()


def _joint(
    a: tuple[float, float, float], b: tuple[float, float, float], upper: float, lower: float
) -> tuple[float, float, float]:
    """Knee of a leg from hip `a` to foot `b`, bent forwards (two circles in the x-z plane)."""
    dx, dz = b[0] - a[0], b[2] - a[2]
    reach = min(math.hypot(dx, dz), upper + lower - 1e-3)
    cosine = (upper**2 + reach**2 - lower**2) / (2 * upper * reach)
    angle = math.atan2(dz, dx) + math.acos(max(-1.0, min(1.0, cosine)))
    return a[0] + upper * math.cos(angle), a[1], a[2] + upper * math.sin(angle)
