"""Household things that people lose or dump on a road."""

import itertools
import math
from dataclasses import replace

import numpy as np

from hybrid_seg_ros.scenes.mesh import Colour, Mesh, box, cylinder, limb, merged, superellipsoid, torus
from hybrid_seg_ros.scenes.noise import jitter
from hybrid_seg_ros.scenes.patterns import RUBBER, WOOD, bands, blob, random_colour, speckle


def sofa(rng: np.random.Generator) -> Mesh:
    """An armchair or sofa, sometimes on its back."""
    width = float(rng.choice([0.95, 1.5, 2.0]))
    colour = jitter(rng, random_colour(rng), 0.2)
    parts = [
        superellipsoid((0.85, width, 0.34), colour, 0.25, 9, 20).moved(z=0.24),
        superellipsoid((0.24, width, 0.80), colour, 0.3, 9, 20).moved(-0.36, 0, 0.48),
    ]
    for side in (-1.0, 1.0):
        parts.append(superellipsoid((0.85, 0.22, 0.56), colour, 0.3, 9, 20).moved(0, side * (width / 2 - 0.06), 0.34))
    seats = max(1, round(width / 0.7) - 1)
    for k in range(seats):
        y = (k + 0.5) / seats * (width - 0.4) - (width - 0.4) / 2
        cushion = superellipsoid((0.62, (width - 0.42) / seats, 0.18), colour, 0.4, 7, 16)
        parts.append(cushion.coloured((colour[0] * 1.1, colour[1] * 1.1, colour[2] * 1.1)).moved(0.08, y, 0.46))
    return merged(parts).painted(speckle(rng, 0.05)).turned(pitch=float(rng.choice([0.0, 0.0, 1.4]))).grounded()


def mattress(rng: np.random.Generator) -> Mesh:
    """A striped mattress, flat or propped up."""
    slab = box((1.9, 1.2, 0.2), (0.68, 0.72, 0.74), cells=15)
    slab = slab.painted(bands(rng, 1, 0.16, random_colour(rng))).painted(speckle(rng, 0.05))
    return slab.turned(pitch=float(rng.choice([0.0, 1.1])), roll=float(rng.uniform(-0.15, 0.15))).grounded()


def suitcase(rng: np.random.Generator) -> Mesh:
    """A suitcase, standing or lying."""
    shell = superellipsoid((0.28, 0.46, 0.66), random_colour(rng), 0.28, 11, 24, gloss=0.3)
    shell = shell.painted(bands(rng, 1, 0.07, (0.8, 0.8, 0.8))).moved(z=0.40)
    handle = [limb((0, y, 0.7), (0, y, 1.0), (0.012, 0.012), (0.3, 0.3, 0.3), 5) for y in (-0.12, 0.12)]
    bar = limb((0, -0.13, 1.0), (0, 0.13, 1.0), (0.018, 0.018), (0.1, 0.1, 0.1), 6)
    whole = merged([shell, *handle, bar])
    return (
        (whole.turned(pitch=math.pi / 2) if rng.random() < 0.4 else whole).turned(float(rng.uniform(0, 6))).grounded()
    )


def white_goods(rng: np.random.Generator) -> Mesh:
    """A washing machine or refrigerator."""
    tall = float(rng.choice([0.85, 1.5]))
    body = superellipsoid((0.6, 0.6, tall), (0.78, 0.79, 0.78), 0.12, 11, 24, gloss=0.4)
    if tall < 1.0:
        door = torus(0.19, 0.03, (0.45, 0.45, 0.45), 20, 6, gloss=0.5).turned(pitch=math.pi / 2).moved(0.30, 0, 0.02)
        glass = cylinder(0.17, 0.02, (0.06, 0.05, 0.05), 16, gloss=0.9).turned(pitch=math.pi / 2).moved(0.295, 0, 0.02)
        parts = [body, door, glass]
    else:
        parts = [body, box((0.02, 0.56, 0.02), (0.2, 0.2, 0.2)).moved(0.30, 0, 0.15)]
    whole = merged(parts)
    lying = rng.random() < 0.3
    return (whole.turned(pitch=math.pi / 2) if lying else whole).turned(float(rng.uniform(0, 6))).grounded()


def rolled_carpet(rng: np.random.Generator) -> Mesh:
    """A rolled-up carpet."""
    roll = cylinder(0.16, 1.8, random_colour(rng), 14, rings=14)
    roll = roll.painted(bands(rng, 2, 0.3, random_colour(rng)))
    return roll.turned(pitch=math.pi / 2).turned(float(rng.uniform(0, 3))).grounded()


def ladder(rng: np.random.Generator) -> Mesh:
    """A ladder lying flat."""
    metal: Colour = (0.6, 0.6, 0.6) if rng.random() < 0.5 else jitter(rng, WOOD, 0.2)
    rails = [limb((-1.2, y, 0.05), (1.2, y, 0.05), (0.04, 0.04), metal, 6) for y in (-0.2, 0.2)]
    rungs = [
        limb((x, -0.2, 0.05), (x, 0.2, 0.05), (0.02, 0.02), metal, 5) for x in np.linspace(-1.05, 1.05, 8).tolist()
    ]
    return merged(rails + rungs).turned(float(rng.uniform(0, 6))).grounded()


def trolley(rng: np.random.Generator) -> Mesh:
    """A shopping trolley of wire."""
    steel: Colour = (0.55, 0.55, 0.54)
    parts = []
    for z in (0.42, 0.60, 0.78, 0.96):
        wide, deep = 0.22 + 0.08 * (z - 0.4), 0.34 + 0.22 * (z - 0.4)
        ring = [(deep, -wide), (deep, wide), (-deep, wide), (-deep, -wide), (deep, -wide)]
        for (x0, y0), (x1, y1) in itertools.pairwise(ring):
            parts.append(limb((x0, y0, z), (x1, y1, z), (0.012, 0.012), steel, 4, gloss=0.5))
    for x in np.linspace(-0.34, 0.34, 7).tolist():
        for side in (-1.0, 1.0):
            parts.append(limb((x, side * 0.22, 0.42), (x * 1.3, side * 0.265, 0.96), (0.009, 0.009), steel, 4))
    for x in (-0.34, 0.34):
        for side in (-0.2, 0.2):
            parts.append(limb((x * 0.9, side, 0.42), (x, side, 0.12), (0.016, 0.016), steel, 5))
            parts.append(cylinder(0.06, 0.04, RUBBER, 10).turned(roll=math.pi / 2).moved(x, side, 0.06))
    parts.append(limb((-0.52, -0.27, 1.0), (-0.52, 0.27, 1.0), (0.022, 0.022), random_colour(rng), 6))
    return merged(parts).grounded()


def wheelie_bin(rng: np.random.Generator) -> Mesh:
    """A wheeled bin, sometimes knocked over."""
    choices: tuple[Colour, ...] = ((0.12, 0.22, 0.06), (0.30, 0.18, 0.05), (0.08, 0.08, 0.08), (0.12, 0.25, 0.38))
    colour = jitter(rng, choices[int(rng.integers(0, 4))], 0.3)
    body = box((0.58, 0.50, 0.90), colour, cells=5, gloss=0.15)
    taper = 0.78 + 0.22 * body.vertices[:, 2:3] / 0.9
    vertices = np.concatenate([body.vertices[:, :2] * taper, body.vertices[:, 2:]], axis=1).astype(np.float32)
    body = replace(body, vertices=vertices).moved(z=0.08)
    lid = superellipsoid((0.70, 0.58, 0.16), colour, 0.4, 7, 18, gloss=0.2).moved(0.02, 0, 1.02)
    wheels = [cylinder(0.10, 0.05, RUBBER, 12).turned(roll=math.pi / 2).moved(-0.24, s * 0.24, 0.10) for s in (-1, 1)]
    whole = merged([body, lid, *wheels])
    return (
        whole.turned(pitch=1.5, yaw=1.2) if rng.random() < 0.25 else whole.turned(float(rng.uniform(0, 6)))
    ).grounded()


def rubbish_bags(rng: np.random.Generator) -> Mesh:
    """One to four bags of rubbish."""
    colour: Colour = (0.05, 0.05, 0.05) if rng.random() < 0.6 else random_colour(rng)
    bags = []
    for _ in range(int(rng.integers(1, 5))):
        size = float(rng.uniform(0.4, 0.75))
        bag = blob(rng, (size, size, size * 0.9), colour, 0.28)
        knot = limb((0, 0, size * 0.8), (0.02, 0, size * 1.02), (0.05, 0.07), colour, 6)
        bags.append(merged([bag, knot]).moved(float(rng.normal(0, 0.35)), float(rng.normal(0, 0.35))))
    whole = merged(bags)
    return replace(whole, gloss=np.full_like(whole.gloss, 0.5)).painted(speckle(rng, 0.15)).grounded()
