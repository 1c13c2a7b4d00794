"""Cars and vans: a lofted body with glass, wheels, lights and plates."""

from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.scenes.mesh import Colour, Mesh, box, cylinder, grid_faces, merged, surface
from hybrid_seg_ros.scenes.noise import jitter

_GLASS: Colour = (0.055, 0.05, 0.045)
_TYRE: Colour = (0.035, 0.035, 0.035)
_PAINTS: tuple[Colour, ...] = (
    (0.62, 0.62, 0.61), (0.36, 0.36, 0.35), (0.05, 0.05, 0.05), (0.80, 0.80, 0.80), (0.06, 0.05, 0.38),
    (0.30, 0.13, 0.05), (0.16, 0.15, 0.15), (0.12, 0.22, 0.07), (0.45, 0.30, 0.14), (0.08, 0.06, 0.22),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """Side view as fractions of length: hood and roof heights at stations from the rear (0) to the front (1)."""

    length: float
    width: float
    stations: tuple[float, ...]
    belt: tuple[float, ...]
    roof: tuple[float, ...]


_HATCH = _Shape(
    3.9, 1.68,
    (0.0, 0.02, 0.05, 0.12, 0.20, 0.36, 0.52, 0.62, 0.73, 0.84, 0.93, 0.98, 1.0),
    (0.55, 0.80, 0.90, 0.93, 0.93, 0.92, 0.91, 0.91, 0.93, 0.88, 0.78, 0.66, 0.45),
    (0.55, 0.80, 0.92, 1.30, 1.42, 1.47, 1.46, 1.36, 0.95, 0.88, 0.78, 0.66, 0.45),
)  # fmt: skip
_SALOON = _Shape(
    4.5, 1.75,
    (0.0, 0.02, 0.06, 0.14, 0.24, 0.34, 0.50, 0.60, 0.71, 0.82, 0.93, 0.98, 1.0),
    (0.55, 0.82, 0.95, 0.97, 0.95, 0.93, 0.92, 0.91, 0.93, 0.88, 0.78, 0.66, 0.45),
    (0.55, 0.82, 0.95, 0.98, 1.28, 1.43, 1.44, 1.36, 0.95, 0.88, 0.78, 0.66, 0.45),
)  # fmt: skip
_ESTATE = _Shape(
    4.5, 1.78,
    (0.0, 0.02, 0.04, 0.09, 0.15, 0.34, 0.50, 0.61, 0.72, 0.83, 0.93, 0.98, 1.0),
    (0.60, 0.88, 0.98, 1.00, 1.00, 0.98, 0.97, 0.97, 1.02, 0.97, 0.88, 0.74, 0.50),
    (0.60, 0.88, 1.00, 1.48, 1.60, 1.64, 1.63, 1.52, 1.04, 0.97, 0.88, 0.74, 0.50),
)  # fmt: skip
_VAN = _Shape(
    4.9, 1.90,
    (0.0, 0.01, 0.02, 0.04, 0.10, 0.34, 0.58, 0.68, 0.80, 0.89, 0.95, 0.985, 1.0),
    (0.55, 1.00, 1.15, 1.18, 1.18, 1.18, 1.18, 1.18, 1.16, 1.08, 0.98, 0.80, 0.50),
    (0.55, 1.00, 1.30, 1.90, 1.98, 2.00, 1.99, 1.92, 1.30, 1.08, 0.98, 0.80, 0.50),
)  # fmt: skip
_SHAPES = (_HATCH, _HATCH, _SALOON, _ESTATE, _VAN)


def car(rng: np.random.Generator) -> Mesh:
    """A parked or driving car, its front towards +x."""
    shape = _SHAPES[int(rng.integers(0, len(_SHAPES)))]
    paint = jitter(rng, _PAINTS[int(rng.integers(0, len(_PAINTS)))], 0.25)
    parts = [_body(shape, paint), *_wheels(shape), *_fittings(shape, paint, rng)]
    return merged(parts)


def _body(shape: _Shape, paint: Colour) -> Mesh:
    """Rows are stations along the car, columns run over it from the right sill to the left one."""
    half = shape.width / 2.0
    x = (np.array(shape.stations) - 0.5) * shape.length
    belt, roof = np.array(shape.belt), np.array(shape.roof)
    plan = 1.0 - 0.16 * np.abs(2.0 * np.array(shape.stations) - 1.0) ** 5
    cabin = np.clip((roof - belt) / 0.4, 0.0, 1.0)
    sill = 0.24
    rows = []
    for k in range(len(x)):
        w, b, r, c = half * plan[k], belt[k], roof[k], cabin[k]
        shoulder = 0.97 - 0.05 * c
        top = shoulder - 0.19 * c - 0.10 * (1 - c)
        one_side = [
            (0.90 * w, sill), (0.985 * w, sill + 0.10), (w, 0.45 * sill + 0.55 * b), (shoulder * w, b - 0.02 * (1 - c)),
            (top * w, max(r - 0.05, b)), (0.8 * top * w, r), (0.35 * top * w, r + 0.012),
        ]  # fmt: skip
        ring = [(-y, z) for y, z in one_side] + [(y, z) for y, z in reversed(one_side)]
        rows.append([(x[k], y, z) for y, z in ring])
    points = np.array(rows)
    count = points.shape[1]
    faces = grid_faces(len(x), count, wrap=True)
    caps = [[row * count + j, row * count + j + 1, row * count + count - 2 - j, row * count + count - 1 - j]
            for row in (0, len(x) - 1) for j in range(count // 2 - 1)]  # fmt: skip
    caps[count // 2 - 1 :] = [[a, d, c, b] for a, b, c, d in caps[count // 2 - 1 :]]
    body = surface(points.reshape(-1, 3), np.concatenate([faces, np.array(caps, np.int32)]), paint, gloss=0.75)
    column = np.arange(len(faces)) % count
    row = np.arange(len(faces)) // count
    rise = np.abs(np.diff(roof))[row] / np.maximum(np.diff(x)[row], 1e-3)
    tall = np.minimum(cabin[row], cabin[row + 1])
    any_cabin = np.maximum(cabin[row], cabin[row + 1])
    side_glass = ((column == 3) | (column == count - 5)) & (tall > 0.75)
    pillar = np.isin(row, [5])
    side_glass &= ~pillar | (shape.length > 4.8)
    if shape is _VAN:
        side_glass &= row >= 6
    screen = (column >= 4) & (column <= count - 6) & (rise > 0.35) & (any_cabin > 0.5)
    albedo, gloss = body.albedo.copy(), body.gloss.copy()
    glass = np.flatnonzero(side_glass | screen)
    albedo[glass], gloss[glass] = _GLASS, 1.0
    low = np.flatnonzero((column == 0) | (column == count - 2))
    albedo[low] *= 0.35
    under = np.flatnonzero(column == count - 1)
    albedo[under], gloss[under] = (0.02, 0.02, 0.02), 0.0
    return Mesh(body.vertices, body.faces, albedo, gloss, body.emission)


def _wheels(shape: _Shape) -> list[Mesh]:
    radius = 0.31 if shape is not _VAN else 0.34
    parts = []
    for along in (-0.31, 0.32):
        for side in (-1.0, 1.0):
            at = (along * shape.length, side * (shape.width / 2 - 0.10))
            arch = cylinder(radius * 1.18, 0.13, (0.02, 0.02, 0.02), 16).turned(roll=-side * np.pi / 2)
            parts.append(arch.moved(at[0], at[1] - side * 0.02, radius + 0.02))
            tyre = cylinder(radius, 0.14, _TYRE, 18).turned(roll=-side * np.pi / 2)
            parts.append(tyre.moved(at[0], at[1], radius))
            rim = cylinder(radius * 0.62, 0.02, (0.42, 0.42, 0.42), 12, gloss=0.5).turned(roll=-side * np.pi / 2)
            parts.append(rim.moved(at[0], at[1] + side * 0.14, radius))
            hub = cylinder(radius * 0.3, 0.01, (0.12, 0.12, 0.12), 8).turned(roll=-side * np.pi / 2)
            parts.append(hub.moved(at[0], at[1] + side * 0.165, radius))
    return parts


def _fittings(shape: _Shape, paint: Colour, rng: np.random.Generator) -> list[Mesh]:
    """Lamps, plates, bumpers, mirrors; slightly proud of the body so that they are painted over it."""
    rear, front = -shape.length / 2, shape.length / 2
    half = shape.width / 2
    lamp_z = shape.belt[1] * 0.86
    parts: list[Mesh] = []
    for side in (-1.0, 1.0):
        tail = box((0.06, 0.20, 0.20 if shape is not _VAN else 0.34), (0.05, 0.04, 0.45), gloss=0.6)
        parts.append(_glowing(tail, (0.05, 0.06, 0.9)).moved(rear + 0.03, side * (half * 0.74), lamp_z - 0.12))
        head = box((0.16, 0.30, 0.14), (0.75, 0.74, 0.72), gloss=0.9)
        parts.append(_glowing(head, (1.0, 1.0, 1.0)).moved(front - 0.09, side * half * 0.66, lamp_z - 0.17))
        mirror = box((0.10, 0.16, 0.12), paint, gloss=0.5)
        parts.append(mirror.moved(0.18 * shape.length, side * (half + 0.05), shape.belt[8]))
    bumper: Colour = (0.05, 0.05, 0.05) if rng.random() < 0.4 else (paint[0] * 0.8, paint[1] * 0.8, paint[2] * 0.8)
    for x in (rear + 0.02, front - 0.04):
        parts.append(box((0.10, shape.width * 0.86, 0.15), bumper, cells=2, gloss=0.3).moved(x, 0.0, 0.30))
    parts.append(box((0.03, 0.52, 0.11), (0.12, 0.62, 0.72)).moved(rear - 0.04, 0.0, 0.52))
    parts.append(box((0.03, 0.52, 0.11), (0.75, 0.78, 0.78)).moved(front + 0.015, 0.0, 0.32))
    parts.append(box((0.03, 0.80, 0.11), (0.03, 0.03, 0.03)).moved(front - 0.01, 0.0, 0.50))
    return parts


def _glowing(part: Mesh, emission: Colour) -> Mesh:
    return Mesh(
        part.vertices, part.faces, part.albedo, part.gloss,
        np.broadcast_to(np.asarray(emission, np.float32), part.albedo.shape).copy(),
    )  # fmt: skip
