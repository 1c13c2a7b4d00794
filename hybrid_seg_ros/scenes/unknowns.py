"""Things that no driving data set names: what lies, stands or walks on a road and must not be hit."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hybrid_seg_ros.scenes.animals import cow, deer, dog, sheep
from hybrid_seg_ros.scenes.household import (
    ladder,
    mattress,
    rolled_carpet,
    rubbish_bags,
    sofa,
    suitcase,
    trolley,
    wheelie_bin,
    white_goods,
)
from hybrid_seg_ros.scenes.mesh import Colour, Mesh, box, cylinder, lathe, limb, merged, superellipsoid, torus
from hybrid_seg_ros.scenes.noise import jitter
from hybrid_seg_ros.scenes.patterns import RUBBER, WOOD, bands, blob, blotches, random_colour, speckle

Builder = Callable[[np.random.Generator], Mesh]

_CARDBOARD: Colour = (0.30, 0.44, 0.56)


def cardboard_box(rng: np.random.Generator) -> Mesh:
    """A cardboard box with tape, often open."""
    w, d, h = rng.uniform(0.35, 0.9, 3)
    colour = jitter(rng, _CARDBOARD, 0.2)
    body = box((w, d, h), colour, cells=8)
    tape = box((w * 1.004, 0.06, h * 1.004), (0.42, 0.55, 0.66))
    parts = [body, tape]
    if rng.random() < 0.6:
        for side in (-1.0, 1.0):
            flap = box((w, d * 0.48, 0.012), colour, cells=3).turned(roll=side * float(rng.uniform(0.2, 1.2)))
            parts.append(flap.moved(0, side * d * 0.62, h + 0.05))
    return merged(parts).painted(speckle(rng, 0.04)).grounded()


def crate(rng: np.random.Generator) -> Mesh:
    """A slatted crate."""
    w, d, h = rng.uniform(0.45, 0.9, 3)
    colour = jitter(rng, WOOD if rng.random() < 0.6 else random_colour(rng), 0.25)
    parts = [box((w * 0.94, d * 0.94, h * 0.95), (0.05, 0.07, 0.09)).lifted(-1.0)]
    count = int(rng.integers(3, 6))
    for k in range(count):
        z = h * k / count
        parts.append(box((w, d, h / count * 0.78), colour, cells=4).moved(z=z))
    return merged(parts).painted(speckle(rng, 0.10)).grounded()


def pallet(rng: np.random.Generator) -> Mesh:
    """Pallets, stacked or on edge."""
    colour = jitter(rng, WOOD, 0.3)
    boards = [box((1.2, 0.11, 0.022), colour, 3).moved(0, y, 0.122) for y in np.linspace(-0.34, 0.34, 6).tolist()]
    blocks = [box((0.14, 0.78, 0.10), colour, 3).moved(x, 0, 0.022) for x in (-0.52, 0.0, 0.52)]
    one = merged(boards + blocks)
    stack = merged([one.moved(z=0.144 * k) for k in range(int(rng.integers(1, 6)))])
    if rng.random() < 0.25:
        stack = stack.turned(pitch=float(rng.uniform(0.9, 1.4)))
    return stack.painted(speckle(rng, 0.12)).grounded()


def tyre(rng: np.random.Generator) -> Mesh:
    """A tyre standing or lying, or a stack."""
    ring = torus(0.23, 0.105, RUBBER, 26, 10, gloss=0.15).painted(bands(rng, 2, 0.05, (0.6, 0.6, 0.6)))
    pose = rng.random()
    if pose < 0.4:
        return ring.turned(roll=math.pi / 2, yaw=float(rng.uniform(0, 3))).grounded()
    count = 1 if pose < 0.6 else int(rng.integers(2, 5))
    stack = [ring.moved(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03)), 0.2 * k) for k in range(count)]
    return merged(stack).grounded()


def debris(rng: np.random.Generator) -> Mesh:
    """A heap of broken planks, plates and stones."""
    parts = []
    for _ in range(int(rng.integers(4, 12))):
        size = tuple(float(s) for s in rng.uniform(0.06, 0.7, 3) * (1.0, 0.6, 0.35))
        colour = jitter(rng, WOOD if rng.random() < 0.5 else random_colour(rng), 0.4)
        piece = box((size[0], size[1], size[2]), colour, 3).turned(*rng.uniform(-0.9, 0.9, 3).tolist())
        parts.append(
            piece.grounded().moved(float(rng.normal(0, 0.3)), float(rng.normal(0, 0.3)), float(rng.uniform(0, 0.08)))
        )
    return merged(parts).painted(speckle(rng, 0.15)).grounded()


def cone(rng: np.random.Generator) -> Mesh:
    """A traffic cone, sometimes knocked over."""
    height = float(rng.uniform(0.45, 1.0))
    radii = np.linspace(0.15, 0.03, 9) * height / 0.7
    body = lathe([(0.0, 0.03), *zip(radii.tolist(), np.linspace(0.03, height, 9).tolist(), strict=True), (0.0, height)],
                 (0.08, 0.25, 0.88), 16, 0.1)  # fmt: skip
    centre = body.centres[:, 2] / height
    albedo = body.albedo.copy()
    albedo[(centre > 0.42) & (centre < 0.68)] = (0.8, 0.82, 0.82)
    body = replace(body, albedo=albedo)
    foot = box((0.36 * height / 0.7, 0.36 * height / 0.7, 0.035), (0.06, 0.06, 0.07))
    one = merged([foot, body])
    if rng.random() < 0.2:
        return one.turned(pitch=1.45, yaw=float(rng.uniform(0, 6))).grounded()
    return one.grounded()


def ball(rng: np.random.Generator) -> Mesh:
    """A ball of two colours."""
    size = float(rng.uniform(0.22, 0.9))
    mesh = superellipsoid((size, size, size), random_colour(rng), 1.0, 15, 24, gloss=0.3)
    angle = float(rng.uniform(0, 3))
    tinted = mesh.painted(bands(rng, int(rng.integers(0, 2)), size / 2, random_colour(rng)))
    return tinted.turned(angle, angle * 0.7, angle * 0.3).grounded()


def log(rng: np.random.Generator) -> Mesh:
    """A felled trunk with stubs of branches."""
    length, radius = float(rng.uniform(0.8, 2.6)), float(rng.uniform(0.10, 0.28))
    bark = jitter(rng, (0.14, 0.20, 0.27), 0.3)
    trunk = cylinder(radius, length, bark, 14, rings=10).painted(speckle(rng, 0.16))
    cut = np.abs(trunk.centres[:, 2] / length - 0.5) > 0.499
    trunk.albedo[cut] = (0.38, 0.55, 0.66)
    parts = [trunk]
    for _ in range(int(rng.integers(0, 4))):
        z = float(rng.uniform(0.2, 0.9)) * length
        parts.append(
            limb((0, 0, z), (float(rng.normal(0, 0.5)), float(rng.normal(0, 0.5)), z + 0.3), (0.04, 0.02), bark, 6)
        )
    return merged(parts).turned(pitch=math.pi / 2).turned(yaw=float(rng.uniform(0, 3))).grounded()


def barrel(rng: np.random.Generator) -> Mesh:
    """A steel drum with rust, standing or lying."""
    profile = [(0.0, 0.0), (0.27, 0.0), (0.28, 0.02), (0.275, 0.29), (0.295, 0.30), (0.275, 0.31), (0.275, 0.59),
               (0.295, 0.60), (0.275, 0.61), (0.28, 0.87), (0.27, 0.89), (0.0, 0.88)]  # fmt: skip
    drum = lathe(profile, random_colour(rng), 18, 0.35)
    drum = drum.painted(bands(rng, 2, 0.4, random_colour(rng))).painted(blotches(rng, 0.3, (0.45, 0.6, 0.85)))
    return (drum.turned(pitch=math.pi / 2, yaw=1.0) if rng.random() < 0.35 else drum).grounded()


def rock(rng: np.random.Generator) -> Mesh:
    """A boulder."""
    size = float(rng.uniform(0.3, 1.1))
    stone = blob(rng, (size, size * 0.8, size * 0.7), jitter(rng, (0.36, 0.38, 0.40), 0.3), 0.22)
    return stone.painted(speckle(rng, 0.10)).painted(blotches(rng, size / 2, (0.7, 0.75, 0.72))).grounded()


def barrier(rng: np.random.Generator) -> Mesh:
    """A plank on two trestles, banded red and white, or a water-filled block."""
    if rng.random() < 0.5:
        plank = box((0.04, 1.8, 0.22), (0.8, 0.8, 0.82), cells=16).moved(z=0.75)
        plank = plank.painted(bands(rng, 1, 0.4, (0.12, 0.12, 0.95)))
        legs = [
            limb((x, y, 0.02), (0, y, 0.98), (0.025, 0.025), (0.1, 0.1, 0.1), 5)
            for x in (-0.25, 0.25)
            for y in (-0.8, 0.8)
        ]
        return merged([plank, *legs]).grounded()
    block = superellipsoid(
        (0.42, 1.3, 0.85), (0.12, 0.12, 0.75) if rng.random() < 0.5 else (0.8, 0.8, 0.8), 0.25, 11, 24
    )
    return block.painted(speckle(rng, 0.04)).grounded()


def traffic_island_junk(rng: np.random.Generator) -> Mesh:
    """What gathers on an islet: a kerb stone, a bent bollard, a bag, a bottle crate."""
    stone = superellipsoid((1.1, 0.7, 0.22), (0.42, 0.45, 0.46), 0.3, 7, 20).moved(z=0.1)
    post = limb((0.2, 0.05, 0.2), (0.35, 0.2, 0.95), (0.07, 0.06), (0.10, 0.45, 0.75), 10)
    bag = blob(rng, (0.4, 0.4, 0.35), random_colour(rng), 0.25).moved(-0.25, 0.1, 0.2)
    return merged([stone, post, bag]).painted(speckle(rng, 0.08)).grounded()


def assemblage(rng: np.random.Generator) -> Mesh:
    """Nothing in particular: solids of random shape, colour and pattern stuck together."""
    parts = []
    for _ in range(int(rng.integers(1, 6))):
        w, d, h = (float(s) for s in rng.uniform(0.12, 0.9, 3))
        colour = random_colour(rng)
        kind = int(rng.integers(0, 5))
        gloss = float(rng.choice([0.0, 0.0, 0.5]))
        if kind == 0:
            part = box((w, d, h), colour, 6, gloss)
        elif kind == 1:
            part = cylinder(w / 2, h, colour, int(rng.integers(3, 16)), gloss, 6)
        elif kind == 2:
            part = superellipsoid((w, d, h), colour, float(rng.uniform(0.2, 2.0)), 11, 18, gloss)
        elif kind == 3:
            part = torus(w / 2, w * 0.15, colour, 18, 8, gloss)
        else:
            part = blob(rng, (w, d, h), colour, 0.3)
        pattern = int(rng.integers(0, 4))
        if pattern == 0:
            part = part.painted(bands(rng, int(rng.integers(0, 3)), float(rng.uniform(0.1, 0.4)), random_colour(rng)))
        elif pattern == 1:
            part = part.painted(blotches(rng, float(rng.uniform(0.1, 0.5)), random_colour(rng)))
        elif pattern == 2:
            part = part.painted(speckle(rng, 0.25))
        part = part.turned(*rng.uniform(-1.0, 1.0, 3).tolist()).grounded()
        parts.append(
            part.moved(float(rng.normal(0, 0.25)), float(rng.normal(0, 0.25)), float(rng.choice([0.0, 0.0, 0.3])))
        )
    return merged(parts).grounded()


UNKNOWN_KINDS: dict[str, Builder] = {
    "box": cardboard_box, "crate": crate, "pallet": pallet, "tyre": tyre, "dog": dog, "deer": deer, "cow": cow,
    "sheep": sheep, "sofa": sofa, "mattress": mattress, "debris": debris, "cone": cone, "ball": ball, "log": log,
    "barrel": barrel, "trolley": trolley, "suitcase": suitcase, "rubbish_bags": rubbish_bags,
    "wheelie_bin": wheelie_bin, "ladder": ladder, "white_goods": white_goods, "rock": rock, "barrier": barrier,
    "carpet": rolled_carpet, "island_junk": traffic_island_junk, "assemblage": assemblage,
}  # fmt: skip
"""Builders of unknown obstacles by kind; each stands on z = 0, centred on its footprint."""
