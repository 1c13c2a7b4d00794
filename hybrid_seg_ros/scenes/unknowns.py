"""Things that no driving data set names: what lies, stands or walks on a road and must not be hit."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hybrid_seg_ros.scenes.mesh import (
    Colour, Floats, Mesh, Painter, box, cylinder, lathe, limb, merged, superellipsoid, torus,
)  # fmt: skip
from hybrid_seg_ros.scenes.noise import jitter

Builder = Callable[[np.random.Generator], Mesh]

_CARDBOARD: Colour = (0.30, 0.44, 0.56)
_WOOD: Colour = (0.22, 0.36, 0.48)
_RUBBER: Colour = (0.05, 0.05, 0.05)
_FURS: tuple[Colour, ...] = ((0.14, 0.24, 0.36), (0.06, 0.07, 0.09), (0.55, 0.62, 0.66), (0.22, 0.34, 0.46))


def random_colour(rng: np.random.Generator) -> Colour:
    """Any colour, more often a vivid one than not."""
    hue, grey = rng.random(3), rng.random()
    vivid = rng.uniform(0.2, 1.0)
    b, g, r = (float(0.04 + 0.8 * (vivid * h + (1 - vivid) * grey)) for h in hue)
    return b, g, r


def speckle(rng: np.random.Generator, amount: float) -> Painter:
    """Each face a little lighter or darker."""
    seed = int(rng.integers(2**31))

    def paint(centres: Floats) -> Floats:
        values = np.random.default_rng(seed).normal(1.0, amount, len(centres))
        return np.repeat(np.asarray(values, np.float32)[:, None], 3, axis=1)

    return paint


def bands(rng: np.random.Generator, axis: int, period: float, colour: Colour) -> Painter:
    """Stripes across an axis, tinted by `colour`."""
    phase = float(rng.uniform(0, period))

    def paint(centres: Floats) -> Floats:
        striped = ((centres[:, axis] + phase) % period < period / 2)[:, None]
        return np.where(striped, np.asarray(colour, np.float32), np.float32(1.0)).astype(np.float32)

    return paint


def blotches(rng: np.random.Generator, scale: float, colour: Colour) -> Painter:
    """Patches of another tint, as on a cow or a rusty sheet."""
    waves = rng.normal(0, 1.0 / scale, (5, 3))
    phases = rng.uniform(0, 2 * math.pi, 5)
    level = float(rng.uniform(0.2, 0.9))

    def paint(centres: Floats) -> Floats:
        field = np.sin(centres @ waves.T * 2.0 + phases).sum(axis=1)
        return np.where((field > level)[:, None], np.asarray(colour, np.float32), np.float32(1.0)).astype(np.float32)

    return paint


def blob(rng: np.random.Generator, size: tuple[float, float, float], colour: Colour, rough: float) -> Mesh:
    """A lump: an ellipsoid pushed in and out."""
    mesh = superellipsoid(size, colour, float(rng.uniform(0.5, 1.0)), 13, 20)
    waves = rng.normal(0, 2.2, (6, 3)) / np.array(size) * 1.5
    phases = rng.uniform(0, 2 * math.pi, 6)
    push = 1.0 + rough * np.sin(mesh.vertices @ waves.T + phases).mean(axis=1) * 1.6
    vertices = np.asarray(mesh.vertices * push[:, None], np.float32)
    return replace(mesh, vertices=vertices).grounded()


def cardboard_box(rng: np.random.Generator) -> Mesh:
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
    w, d, h = rng.uniform(0.45, 0.9, 3)
    colour = jitter(rng, _WOOD if rng.random() < 0.6 else random_colour(rng), 0.25)
    parts = [box((w * 0.94, d * 0.94, h * 0.95), (0.05, 0.07, 0.09))]
    count = int(rng.integers(3, 6))
    for k in range(count):
        z = h * k / count
        parts.append(box((w, d, h / count * 0.78), colour, cells=4).moved(z=z))
    return merged(parts).painted(speckle(rng, 0.10)).grounded()


def pallet(rng: np.random.Generator) -> Mesh:
    colour = jitter(rng, _WOOD, 0.3)
    boards = [box((1.2, 0.11, 0.022), colour, 3).moved(0, y, 0.122) for y in np.linspace(-0.34, 0.34, 6).tolist()]
    blocks = [box((0.14, 0.78, 0.10), colour, 3).moved(x, 0, 0.022) for x in (-0.52, 0.0, 0.52)]
    one = merged(boards + blocks)
    stack = merged([one.moved(z=0.144 * k) for k in range(int(rng.integers(1, 6)))])
    if rng.random() < 0.25:
        stack = stack.turned(pitch=float(rng.uniform(0.9, 1.4)))
    return stack.painted(speckle(rng, 0.12)).grounded()


def tyre(rng: np.random.Generator) -> Mesh:
    ring = torus(0.23, 0.105, _RUBBER, 26, 10, gloss=0.15).painted(bands(rng, 2, 0.05, (0.6, 0.6, 0.6)))
    pose = rng.random()
    if pose < 0.4:
        return ring.turned(roll=math.pi / 2, yaw=float(rng.uniform(0, 3))).grounded()
    count = 1 if pose < 0.6 else int(rng.integers(2, 5))
    stack = [ring.moved(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03)), 0.2 * k) for k in range(count)]
    return merged(stack).grounded()


def _quadruped(
    rng: np.random.Generator, length: float, height: float, girth: float, colour: Colour, neck: float, head: float
) -> Mesh:
    """An animal on four legs, facing +x; `neck` is its rise and `head` its length, m."""
    leg = height - girth * 0.9
    body_z = leg + girth * 0.45
    stride = float(rng.uniform(-0.3, 0.3))
    parts = [
        superellipsoid((length, girth * 0.85, girth), colour, 0.85, 11, 18).moved(z=body_z),
        superellipsoid((length * 0.45, girth * 0.92, girth * 1.08), colour, 1.0, 9, 14).moved(length * 0.24, 0, body_z),
    ]
    for x, sign in ((0.33, 1.0), (-0.36, -1.0)):
        for side in (-1.0, 1.0):
            hip = (x * length, side * girth * 0.27, body_z - girth * 0.15)
            shift = stride * leg * sign * side
            knee = (hip[0] + 0.4 * shift, hip[1], leg * 0.5)
            parts.append(limb(hip, knee, (girth * 0.19, girth * 0.10), colour, 7))
            parts.append(limb(knee, (hip[0] + shift, hip[1], 0.03), (girth * 0.10, girth * 0.065), colour, 7))
    chest = (length * 0.42, 0.0, body_z + girth * 0.2)
    nape = (length * 0.42 + max(neck, 0.1) * 0.6 + 0.05, 0.0, body_z + girth * 0.2 + neck)
    parts.append(limb(chest, nape, (girth * 0.30, girth * 0.18), colour, 9))
    nose = (nape[0] + head, 0.0, nape[2] - head * 0.35)
    parts.append(limb(nape, nose, (girth * 0.21, girth * 0.10), colour, 9))
    for side in (-1.0, 1.0):
        tip = (nape[0] - 0.02, side * girth * 0.26, nape[2] + girth * 0.30)
        parts.append(limb((nape[0], side * girth * 0.13, nape[2]), tip, (girth * 0.07, girth * 0.03), colour, 6))
    end = (-length * 0.5 - 0.25 * length * float(rng.uniform(0.3, 1.0)), 0.0, body_z + girth * float(rng.uniform(-0.6, 0.6)))
    parts.append(limb((-length * 0.46, 0.0, body_z + girth * 0.2), end, (girth * 0.07, girth * 0.04), colour, 6))
    return merged(parts)


def dog(rng: np.random.Generator) -> Mesh:
    fur = jitter(rng, _FURS[int(rng.integers(0, len(_FURS)))], 0.3)
    size = float(rng.uniform(0.7, 1.2))
    mesh = _quadruped(rng, 0.75, 0.62, 0.27, fur, 0.16, 0.22).scaled(size)
    return mesh.painted(blotches(rng, 0.3, random_colour(rng)) if rng.random() < 0.3 else speckle(rng, 0.08)).grounded()


def deer(rng: np.random.Generator) -> Mesh:
    mesh = _quadruped(rng, 1.25, 1.0, 0.44, jitter(rng, (0.16, 0.28, 0.42), 0.25), 0.55, 0.28)
    horns = [
        limb((0.83, s * 0.05, 1.6), (0.75, s * 0.22, 1.95), (0.018, 0.012), (0.2, 0.3, 0.36), 5) for s in (-1.0, 1.0)
    ]
    return merged([mesh, *horns]).painted(speckle(rng, 0.07)).grounded()


def cow(rng: np.random.Generator) -> Mesh:
    mesh = _quadruped(rng, 1.9, 1.35, 0.80, (0.70, 0.74, 0.76), 0.15, 0.42)
    return mesh.painted(blotches(rng, 0.55, (0.10, 0.10, 0.12))).painted(speckle(rng, 0.04)).grounded()


def sheep(rng: np.random.Generator) -> Mesh:
    wool = blob(rng, (1.0, 0.55, 0.55), (0.62, 0.68, 0.70), 0.16).moved(z=0.28)
    body = _quadruped(rng, 0.8, 0.62, 0.34, (0.10, 0.11, 0.12), 0.12, 0.2)
    return merged([body, wool]).painted(speckle(rng, 0.10)).grounded()


def sofa(rng: np.random.Generator) -> Mesh:
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
    slab = superellipsoid((1.9, 1.2, 0.2), (0.68, 0.72, 0.74), 0.18, 9, 28)
    slab = slab.painted(bands(rng, 1, 0.16, random_colour(rng))).painted(speckle(rng, 0.05))
    return slab.turned(pitch=float(rng.choice([0.0, 1.1])), roll=float(rng.uniform(-0.15, 0.15))).grounded()


def debris(rng: np.random.Generator) -> Mesh:
    """A heap of broken planks, plates and stones."""
    parts = []
    for _ in range(int(rng.integers(4, 12))):
        size = tuple(float(s) for s in rng.uniform(0.06, 0.7, 3) * (1.0, 0.6, 0.35))
        colour = jitter(rng, _WOOD if rng.random() < 0.5 else random_colour(rng), 0.4)
        piece = box((size[0], size[1], size[2]), colour, 3).turned(*rng.uniform(-0.9, 0.9, 3).tolist())
        parts.append(piece.grounded().moved(float(rng.normal(0, 0.3)), float(rng.normal(0, 0.3)), float(rng.uniform(0, 0.2))))
    return merged(parts).painted(speckle(rng, 0.15)).grounded()


def cone(rng: np.random.Generator) -> Mesh:
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
    size = float(rng.uniform(0.22, 0.9))
    mesh = superellipsoid((size, size, size), random_colour(rng), 1.0, 15, 24, gloss=0.3)
    angle = float(rng.uniform(0, 3))
    tinted = mesh.painted(bands(rng, int(rng.integers(0, 2)), size / 2, random_colour(rng)))
    return tinted.turned(angle, angle * 0.7, angle * 0.3).grounded()


def log(rng: np.random.Generator) -> Mesh:
    length, radius = float(rng.uniform(0.8, 2.6)), float(rng.uniform(0.10, 0.28))
    bark = jitter(rng, (0.14, 0.20, 0.27), 0.3)
    trunk = cylinder(radius, length, bark, 14, rings=10).painted(speckle(rng, 0.16))
    ends = cylinder(radius * 0.9, length * 1.004, (0.38, 0.55, 0.66), 14)
    parts = [ends.moved(z=-length * 0.002), trunk]
    for _ in range(int(rng.integers(0, 4))):
        z = float(rng.uniform(0.2, 0.9)) * length
        parts.append(limb((0, 0, z), (float(rng.normal(0, 0.5)), float(rng.normal(0, 0.5)), z + 0.3), (0.04, 0.02), bark, 6))
    return merged(parts).turned(pitch=math.pi / 2).turned(yaw=float(rng.uniform(0, 3))).grounded()


def barrel(rng: np.random.Generator) -> Mesh:
    profile = [(0.0, 0.0), (0.27, 0.0), (0.28, 0.02), (0.275, 0.29), (0.295, 0.30), (0.275, 0.31), (0.275, 0.59),
               (0.295, 0.60), (0.275, 0.61), (0.28, 0.87), (0.27, 0.89), (0.0, 0.88)]  # fmt: skip
    drum = lathe(profile, random_colour(rng), 18, 0.35)
    drum = drum.painted(bands(rng, 2, 0.4, random_colour(rng))).painted(blotches(rng, 0.3, (0.45, 0.6, 0.85)))
    return (drum.turned(pitch=math.pi / 2, yaw=1.0) if rng.random() < 0.35 else drum).grounded()


def trolley(rng: np.random.Generator) -> Mesh:
    steel: Colour = (0.55, 0.55, 0.54)
    parts = []
    for z in (0.42, 0.60, 0.78, 0.96):
        wide, deep = 0.22 + 0.08 * (z - 0.4), 0.34 + 0.22 * (z - 0.4)
        ring = [(deep, -wide), (deep, wide), (-deep, wide), (-deep, -wide), (deep, -wide)]
        for (x0, y0), (x1, y1) in zip(ring, ring[1:], strict=False):
            parts.append(limb((x0, y0, z), (x1, y1, z), (0.012, 0.012), steel, 4, gloss=0.5))
    for x in np.linspace(-0.34, 0.34, 7).tolist():
        for side in (-1.0, 1.0):
            parts.append(limb((x, side * 0.22, 0.42), (x * 1.3, side * 0.265, 0.96), (0.009, 0.009), steel, 4))
    for x in (-0.34, 0.34):
        for side in (-0.2, 0.2):
            parts.append(limb((x * 0.9, side, 0.42), (x, side, 0.12), (0.016, 0.016), steel, 5))
            parts.append(cylinder(0.06, 0.04, _RUBBER, 10).turned(roll=math.pi / 2).moved(x, side, 0.06))
    parts.append(limb((-0.52, -0.27, 1.0), (-0.52, 0.27, 1.0), (0.022, 0.022), random_colour(rng), 6))
    return merged(parts).grounded()


def suitcase(rng: np.random.Generator) -> Mesh:
    shell = superellipsoid((0.28, 0.46, 0.66), random_colour(rng), 0.28, 11, 24, gloss=0.3)
    shell = shell.painted(bands(rng, 1, 0.07, (0.8, 0.8, 0.8))).moved(z=0.40)
    handle = [limb((0, y, 0.7), (0, y, 1.0), (0.012, 0.012), (0.3, 0.3, 0.3), 5) for y in (-0.12, 0.12)]
    bar = limb((0, -0.13, 1.0), (0, 0.13, 1.0), (0.018, 0.018), (0.1, 0.1, 0.1), 6)
    whole = merged([shell, *handle, bar])
    return (whole.turned(pitch=math.pi / 2) if rng.random() < 0.4 else whole).turned(float(rng.uniform(0, 6))).grounded()


def rubbish_bags(rng: np.random.Generator) -> Mesh:
    colour: Colour = (0.05, 0.05, 0.05) if rng.random() < 0.6 else random_colour(rng)
    bags = []
    for _ in range(int(rng.integers(1, 5))):
        size = float(rng.uniform(0.4, 0.75))
        bag = blob(rng, (size, size, size * 0.9), colour, 0.28)
        knot = limb((0, 0, size * 0.8), (0.02, 0, size * 1.02), (0.05, 0.07), colour, 6)
        bags.append(merged([bag, knot]).moved(float(rng.normal(0, 0.35)), float(rng.normal(0, 0.35))))
    whole = merged(bags)
    return replace(whole, gloss=np.full_like(whole.gloss, 0.5)).painted(speckle(rng, 0.15)).grounded()


def wheelie_bin(rng: np.random.Generator) -> Mesh:
    choices: tuple[Colour, ...] = ((0.12, 0.22, 0.06), (0.30, 0.18, 0.05), (0.08, 0.08, 0.08), (0.12, 0.25, 0.38))
    colour = jitter(rng, choices[int(rng.integers(0, 4))], 0.3)
    body = box((0.58, 0.50, 0.90), colour, cells=5, gloss=0.15)
    taper = 0.78 + 0.22 * body.vertices[:, 2:3] / 0.9
    vertices = np.concatenate([body.vertices[:, :2] * taper, body.vertices[:, 2:]], axis=1).astype(np.float32)
    body = replace(body, vertices=vertices).moved(z=0.08)
    lid = superellipsoid((0.70, 0.58, 0.16), colour, 0.4, 7, 18, gloss=0.2).moved(0.02, 0, 1.02)
    wheels = [cylinder(0.10, 0.05, _RUBBER, 12).turned(roll=math.pi / 2).moved(-0.24, s * 0.24, 0.10) for s in (-1, 1)]
    whole = merged([body, lid, *wheels])
    return (whole.turned(pitch=1.5, yaw=1.2) if rng.random() < 0.25 else whole.turned(float(rng.uniform(0, 6)))).grounded()


def ladder(rng: np.random.Generator) -> Mesh:
    metal: Colour = (0.6, 0.6, 0.6) if rng.random() < 0.5 else jitter(rng, _WOOD, 0.2)
    rails = [limb((-1.2, y, 0.05), (1.2, y, 0.05), (0.04, 0.04), metal, 6) for y in (-0.2, 0.2)]
    rungs = [limb((x, -0.2, 0.05), (x, 0.2, 0.05), (0.02, 0.02), metal, 5) for x in np.linspace(-1.05, 1.05, 8).tolist()]
    return merged(rails + rungs).turned(float(rng.uniform(0, 6))).grounded()


def white_goods(rng: np.random.Generator) -> Mesh:
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


def rock(rng: np.random.Generator) -> Mesh:
    size = float(rng.uniform(0.3, 1.1))
    stone = blob(rng, (size, size * 0.8, size * 0.7), jitter(rng, (0.36, 0.38, 0.40), 0.3), 0.22)
    return stone.painted(speckle(rng, 0.10)).painted(blotches(rng, size / 2, (0.7, 0.75, 0.72))).grounded()


def barrier(rng: np.random.Generator) -> Mesh:
    """A plank on two trestles, banded red and white, or a water-filled block."""
    if rng.random() < 0.5:
        plank = box((0.04, 1.8, 0.22), (0.8, 0.8, 0.82), cells=16).moved(z=0.75)
        plank = plank.painted(bands(rng, 1, 0.4, (0.12, 0.12, 0.95)))
        legs = [limb((x, y, 0.02), (0, y, 0.98), (0.025, 0.025), (0.1, 0.1, 0.1), 5) for x in (-0.25, 0.25) for y in (-0.8, 0.8)]
        return merged([plank, *legs]).grounded()
    block = superellipsoid((0.42, 1.3, 0.85), (0.12, 0.12, 0.75) if rng.random() < 0.5 else (0.8, 0.8, 0.8), 0.25, 11, 24)
    return block.painted(speckle(rng, 0.04)).grounded()


def rolled_carpet(rng: np.random.Generator) -> Mesh:
    roll = cylinder(0.16, 1.8, random_colour(rng), 14, rings=14)
    roll = roll.painted(bands(rng, 2, 0.3, random_colour(rng)))
    return roll.turned(pitch=math.pi / 2).turned(float(rng.uniform(0, 3))).grounded()


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
        parts.append(part.moved(float(rng.normal(0, 0.25)), float(rng.normal(0, 0.25)), float(rng.choice([0.0, 0.0, 0.3]))))
    return merged(parts).grounded()


UNKNOWN_KINDS: dict[str, Builder] = {
    "box": cardboard_box, "crate": crate, "pallet": pallet, "tyre": tyre, "dog": dog, "deer": deer, "cow": cow,
    "sheep": sheep, "sofa": sofa, "mattress": mattress, "debris": debris, "cone": cone, "ball": ball, "log": log,
    "barrel": barrel, "trolley": trolley, "suitcase": suitcase, "rubbish_bags": rubbish_bags,
    "wheelie_bin": wheelie_bin, "ladder": ladder, "white_goods": white_goods, "rock": rock, "barrier": barrier,
    "carpet": rolled_carpet, "island_junk": traffic_island_junk, "assemblage": assemblage,
}  # fmt: skip
"""Builders of unknown obstacles by kind; each stands on z = 0, centred on its footprint."""
