"""Cars and vans: a lofted body with glass, wheels, lights and plates."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.mesh import Colour, Mesh, box, cylinder, grid_faces, merged, surface
from hybrid_seg_ros.scenes.noise import jitter

Array = npt.NDArray[np.float64]

_GLASS: Colour = (0.055, 0.05, 0.045)
_TYRE: Colour = (0.035, 0.035, 0.035)
_SILL = 0.24
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


_STATIONS = (12, 22, 44)
"""Cross-sections along the body, by detail."""


def car(rng: np.random.Generator, detail: int = 1) -> Mesh:
    """A parked or driving car, its front towards +x; detail 0, 1 or 2 decides how finely it is cut."""
    shape = _SHAPES[int(rng.integers(0, len(_SHAPES)))]
    paint = jitter(rng, _PAINTS[int(rng.integers(0, len(_PAINTS)))], 0.25)
    dark_bumpers = bool(rng.random() < 0.4)
    sides = (8, 14, 22)[detail]
    return merged(
        [_body(shape, paint, _STATIONS[detail]), *_wheels(shape, sides), *_fittings(shape, paint, dark_bumpers)]
    )


def _smooth(shape: _Shape, values: tuple[float, ...], at: Array) -> Array:
    """A side-view line at stations `at`, its corners rounded."""
    fine = np.linspace(-0.1, 1.1, 601)
    line = np.interp(fine, shape.stations, values)
    window = np.hanning(17)
    return np.asarray(np.interp(at, fine, np.convolve(np.pad(line, 8, "edge"), window / window.sum(), "valid")))


def _body(shape: _Shape, paint: Colour, stations: int) -> Mesh:
    """Rows are cross-sections along the car, columns run over it from the right sill to the left one."""
    at = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, stations)) * (
        0.75 + 0.25 * np.cos(np.linspace(0.0, np.pi, stations)) ** 2
    )
    x = (at - 0.5) * shape.length
    belt, roof = _smooth(shape, shape.belt, at), _smooth(shape, shape.roof, at)
    roof = np.maximum(roof, belt)
    width = shape.width / 2.0 * (1.0 - 0.15 * np.abs(2.0 * at - 1.0) ** 5)
    cabin = np.clip((roof - belt) / 0.4, 0.0, 1.0)
    shoulder = 0.97 - 0.05 * cabin
    top = shoulder - 0.20 * cabin - 0.10 * (1.0 - cabin)
    glass_low, glass_high = belt + 0.03 * cabin, np.maximum(roof - 0.07, belt)
    lean = np.divide(glass_high - belt, np.maximum(roof - belt, 1e-3))
    side = [
        (0.90 * width, np.full(stations, _SILL)), (0.985 * width, np.full(stations, _SILL + 0.10)),
        (width, 0.5 * _SILL + 0.5 * belt), (0.995 * width, 0.15 * _SILL + 0.85 * belt),
        (shoulder * width, glass_low), ((shoulder + (top - shoulder) * lean) * width, glass_high),
        (0.97 * top * width, roof - 0.02), (0.80 * top * width, roof + 0.004), (0.35 * top * width, roof + 0.012),
    ]  # fmt: skip
    ring = [np.stack([x, -y, z], axis=1) for y, z in side] + [np.stack([x, y, z], axis=1) for y, z in reversed(side)]
    points = np.stack(ring, axis=1)
    count = points.shape[1]
    shell = grid_faces(stations, count, wrap=True)
    rear = [[j, j + 1, count - 2 - j, count - 1 - j] for j in range(count // 2 - 1)]
    caps = rear + [[k + (stations - 1) * count for k in reversed(quad)] for quad in rear]
    body = surface(points.reshape(-1, 3), np.concatenate([shell, np.array(caps, np.int32)]), paint, gloss=0.75)
    column, row = np.arange(len(shell)) % count, np.arange(len(shell)) // count
    middle = (at[row] + at[row + 1]) / 2.0
    height = (cabin[row] + cabin[row + 1]) / 2.0
    rise = np.abs(np.diff(roof) / np.maximum(np.diff(x), 1e-3))[row]
    window = ((column == 4) | (column == count - 6)) & (height > 0.72) & (np.abs(middle - 0.46) > 0.012)
    if shape is _VAN:
        window &= middle > 0.58
    screen = (column >= 6) & (column <= count - 8) & (rise > 0.33) & (height > 0.12)
    albedo, gloss = body.albedo.copy(), body.gloss.copy()
    glass = np.flatnonzero(window | screen)
    albedo[glass], gloss[glass] = _GLASS, 1.0
    seam = (column >= 2) & (column <= 3) | (column >= count - 5) & (column <= count - 4)
    for door in (0.28, 0.46, 0.66):
        albedo[np.flatnonzero(seam & (np.abs(middle - door) < 0.3 / stations))] *= 0.55
    albedo[np.flatnonzero((column == 0) | (column == count - 2))] *= 0.35
    under = np.flatnonzero(column == count - 1)
    albedo[under], gloss[under] = (0.02, 0.02, 0.02), 0.0
    return replace(body, albedo=albedo, gloss=gloss)


def _wheels(shape: _Shape, sides: int) -> list[Mesh]:
    radius = 0.31 if shape is not _VAN else 0.34
    parts = []
    for along in (-0.31, 0.32):
        for side in (-1.0, 1.0):
            if sides <= 8:
                wheel = cylinder(radius, 0.14, (0.06, 0.06, 0.06), sides).turned(roll=-side * np.pi / 2)
                parts.append(wheel.moved(along * shape.length, side * (shape.width / 2 - 0.09), radius).lifted(0.5))
                continue
            at = (along * shape.length, side * (shape.width / 2 - 0.10))
            arch = cylinder(radius * 1.18, 0.13, (0.02, 0.02, 0.02), sides).turned(roll=-side * np.pi / 2)
            parts.append(arch.moved(at[0], at[1] - side * 0.02, radius + 0.02).lifted(0.45))
            tyre = cylinder(radius, 0.14, _TYRE, sides).turned(roll=-side * np.pi / 2)
            parts.append(tyre.moved(at[0], at[1], radius).lifted(0.55))
            rim = cylinder(radius * 0.62, 0.02, (0.42, 0.42, 0.42), sides, gloss=0.5).turned(roll=-side * np.pi / 2)
            parts.append(rim.moved(at[0], at[1] + side * 0.14, radius).lifted(0.65))
            hub = cylinder(radius * 0.3, 0.01, (0.12, 0.12, 0.12), 8).turned(roll=-side * np.pi / 2)
            parts.append(hub.moved(at[0], at[1] + side * 0.165, radius).lifted(0.75))
    return parts


def _fittings(shape: _Shape, paint: Colour, dark_bumpers: bool) -> list[Mesh]:
    """Lamps, plates, bumpers, mirrors; slightly proud of the body so that they are painted over it."""
    rear, front = -shape.length / 2, shape.length / 2
    half = shape.width / 2
    lamp_z = shape.belt[1] * 0.86
    parts: list[Mesh] = []
    for side in (-1.0, 1.0):
        tail = box((0.06, 0.20, 0.20 if shape is not _VAN else 0.34), (0.05, 0.04, 0.45), gloss=0.6)
        parts.append(tail.glowing((0.05, 0.06, 0.9)).moved(rear + 0.03, side * (half * 0.74), lamp_z - 0.12))
        head = box((0.16, 0.30, 0.14), (0.75, 0.74, 0.72), gloss=0.9)
        parts.append(head.glowing((1.0, 1.0, 1.0)).moved(front - 0.09, side * half * 0.66, lamp_z - 0.17))
        mirror = box((0.10, 0.16, 0.12), paint, gloss=0.5)
        parts.append(mirror.moved(0.18 * shape.length, side * (half + 0.05), shape.belt[8]))
    bumper: Colour = (0.05, 0.05, 0.05) if dark_bumpers else (paint[0] * 0.8, paint[1] * 0.8, paint[2] * 0.8)
    for x in (rear + 0.02, front - 0.04):
        parts.append(box((0.10, shape.width * 0.86, 0.15), bumper, cells=2, gloss=0.3).moved(x, 0.0, 0.30))
    parts.append(box((0.03, 0.52, 0.11), (0.12, 0.62, 0.72)).moved(rear - 0.04, 0.0, 0.52))
    parts.append(box((0.03, 0.52, 0.11), (0.75, 0.78, 0.78)).moved(front + 0.015, 0.0, 0.32))
    parts.append(box((0.03, 0.80, 0.11), (0.03, 0.03, 0.03)).moved(front - 0.01, 0.0, 0.50))
    return [part.lifted(0.15) for part in parts]
