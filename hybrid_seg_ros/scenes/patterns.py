"""Colours, patterns and lumps that unknown things are made of."""

import math
from dataclasses import replace

import numpy as np

from hybrid_seg_ros.scenes.mesh import Colour, Floats, Mesh, Painter, superellipsoid

WOOD: Colour = (0.22, 0.36, 0.48)
RUBBER: Colour = (0.05, 0.05, 0.05)


def random_colour(rng: np.random.Generator) -> Colour:
    """Any colour: dull ones are common, as on real rubbish, vivid ones are not rare."""
    hue, bright = rng.random(3), float(rng.uniform(0.3, 1.0))
    vivid = float(rng.random()) ** 1.5
    b, g, r = (0.03 + 0.8 * bright * (vivid * float(h) + (1.0 - vivid) * 0.7) for h in hue)
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
