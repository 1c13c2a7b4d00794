"""Animals that stray onto a road."""

import numpy as np

from hybrid_seg_ros.scenes.mesh import Colour, Mesh, limb, merged, superellipsoid
from hybrid_seg_ros.scenes.noise import jitter
from hybrid_seg_ros.scenes.patterns import blob, blotches, random_colour, speckle

_FURS: tuple[Colour, ...] = ((0.14, 0.24, 0.36), (0.06, 0.07, 0.09), (0.55, 0.62, 0.66), (0.22, 0.34, 0.46))


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
    end = (
        -length * 0.5 - 0.25 * length * float(rng.uniform(0.3, 1.0)),
        0.0,
        body_z + girth * float(rng.uniform(-0.6, 0.6)),
    )
    parts.append(limb((-length * 0.46, 0.0, body_z + girth * 0.2), end, (girth * 0.07, girth * 0.04), colour, 6))
    return merged(parts)


def dog(rng: np.random.Generator) -> Mesh:
    """A dog."""
    fur = jitter(rng, _FURS[int(rng.integers(0, len(_FURS)))], 0.3)
    size = float(rng.uniform(0.7, 1.2))
    mesh = _quadruped(rng, 0.75, 0.62, 0.27, fur, 0.16, 0.22).scaled(size)
    return mesh.painted(blotches(rng, 0.3, random_colour(rng)) if rng.random() < 0.3 else speckle(rng, 0.08)).grounded()


def deer(rng: np.random.Generator) -> Mesh:
    """A deer with antlers."""
    mesh = _quadruped(rng, 1.25, 1.0, 0.44, jitter(rng, (0.16, 0.28, 0.42), 0.25), 0.55, 0.28)
    horns = [
        limb((0.83, s * 0.05, 1.6), (0.75, s * 0.22, 1.95), (0.018, 0.012), (0.2, 0.3, 0.36), 5) for s in (-1.0, 1.0)
    ]
    return merged([mesh, *horns]).painted(speckle(rng, 0.07)).grounded()


def cow(rng: np.random.Generator) -> Mesh:
    """A piebald cow."""
    mesh = _quadruped(rng, 1.9, 1.35, 0.80, (0.70, 0.74, 0.76), 0.15, 0.42)
    return mesh.painted(blotches(rng, 0.55, (0.10, 0.10, 0.12))).painted(speckle(rng, 0.04)).grounded()


def sheep(rng: np.random.Generator) -> Mesh:
    """A sheep."""
    wool = blob(rng, (1.0, 0.55, 0.55), (0.62, 0.68, 0.70), 0.16).moved(z=0.28)
    body = _quadruped(rng, 0.8, 0.62, 0.34, (0.10, 0.11, 0.12), 0.12, 0.2)
    return merged([body, wool]).painted(speckle(rng, 0.10)).grounded()
