"""Polygon meshes: the primitives every car, person and piece of rubbish is put together from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Colour = tuple[float, float, float]
Painter = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Mesh:
    """Closed surfaces of convex quadrilaterals.

    Attributes:
        vertices: float32[V, 3], m; object frame: x ahead, y left, z up, standing on z = 0.
        faces: int32[F, 4] counter-clockwise seen from outside; a triangle repeats its last corner.
        albedo: float32[F, 3] BGR 0..1.
        gloss: float32[F] 0..1.
        emission: float32[F, 3] BGR, light given off by night.
        lift: float32[F] m, how much nearer than it is a face counts when faces are painted from far to near.
    """

    vertices: Floats
    faces: npt.NDArray[np.int32]
    albedo: Floats
    gloss: Floats
    emission: Floats
    lift: Floats

    @property
    def centres(self) -> Floats:
        """Face centres float32[F, 3]."""
        return np.asarray(self.vertices[self.faces].mean(axis=1), np.float32)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Mesh":
        return replace(self, vertices=self.vertices + np.array([x, y, z], np.float32))

    def turned(self, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> "Mesh":
        """Turned about the origin: roll (about x), then pitch (about y), then yaw (about z), rad."""
        return replace(self, vertices=np.asarray(self.vertices @ rotation(yaw, pitch, roll).T, np.float32))

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> "Mesh":
        """Stretched by positive factors."""
        return replace(
            self, vertices=self.vertices * np.array([x, x if y is None else y, x if z is None else z], np.float32)
        )

    def painted(self, painter: Painter) -> "Mesh":
        """Albedo multiplied by `painter(centres)` -> [F, 3]."""
        return replace(self, albedo=np.asarray(np.clip(self.albedo * painter(self.centres), 0.0, 1.0), np.float32))

    def coloured(self, colour: Colour, gloss: float | None = None) -> "Mesh":
        albedo = np.broadcast_to(np.asarray(colour, np.float32), self.albedo.shape).copy()
        shine = self.gloss if gloss is None else np.full_like(self.gloss, gloss)
        return replace(self, albedo=albedo, gloss=shine)

    def lifted(self, lift: float) -> "Mesh":
        """Painted as though `lift` metres nearer: for what sits flush in a surface."""
        return replace(self, lift=np.full_like(self.lift, lift))

    def glowing(self, emission: Colour) -> "Mesh":
        """Giving off light by night."""
        return replace(self, emission=np.broadcast_to(np.asarray(emission, np.float32), self.emission.shape).copy())

    def grounded(self) -> "Mesh":
        """Lifted or lowered to stand on z = 0, centred on its footprint."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        middle = (low + high) / 2.0
        return self.moved(-float(middle[0]), -float(middle[1]), -float(low[2]))


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> npt.NDArray[np.float64]:
    """Rz(yaw) Ry(pitch) Rx(roll), float64[3, 3]."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    rz = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    ry = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    rx = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    return np.asarray(rz @ ry @ rx)


def merged(parts: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    offsets = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    return Mesh(
        np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.faces + np.int32(o) for p, o in zip(parts, offsets, strict=True)]).astype(np.int32),
        np.concatenate([p.albedo for p in parts]),
        np.concatenate([p.gloss for p in parts]),
        np.concatenate([p.emission for p in parts]),
        np.concatenate([p.lift for p in parts]),
    )


def surface(vertices: npt.ArrayLike, faces: npt.ArrayLike, colour: Colour, gloss: float = 0.0) -> Mesh:
    """A mesh of one colour, its faces turned so that they enclose a positive volume."""
    v = np.asarray(vertices, np.float32)
    f = np.asarray(faces, np.int32)
    a, b, c, d = (v[f[:, k]] for k in range(4))
    volume = float(np.sum(np.cross(a, b) * c) + np.sum(np.cross(a, c) * d))
    if volume < 0:
        f = f[:, [1, 0, 3, 2]]
    albedo = np.broadcast_to(np.asarray(colour, np.float32), (len(f), 3)).copy()
    none = np.zeros(len(f), np.float32)
    return Mesh(v, f, albedo, none + np.float32(gloss), np.zeros((len(f), 3), np.float32), none)


def grid_faces(rows: int, columns: int, wrap: bool) -> npt.NDArray[np.int32]:
    """Quads of a rows x columns vertex grid; `wrap` joins the last column to the first."""
    j = np.arange(columns if wrap else columns - 1)
    i = np.arange(rows - 1)[:, None]
    k = (j + 1) % columns
    quads = np.stack([i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j], axis=-1)
    return np.asarray(quads.reshape(-1, 4), np.int32)


def lathe(profile: Sequence[tuple[float, float]], colour: Colour, sides: int = 14, gloss: float = 0.0) -> Mesh:
    """A solid of revolution about z from (radius, height) pairs; radius 0 at the ends closes it."""
    radius, height = (np.array(column) for column in zip(*profile, strict=True))
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    ring = np.stack(
        [
            radius[:, None] * np.cos(angle),
            radius[:, None] * np.sin(angle),
            np.broadcast_to(height[:, None], (len(radius), sides)),
        ],
        axis=-1,
    )
    return surface(ring.reshape(-1, 3), grid_faces(len(radius), sides, wrap=True), colour, gloss)


def cylinder(radius: float, height: float, colour: Colour, sides: int = 14, gloss: float = 0.0, rings: int = 1) -> Mesh:
    """An upright closed cylinder on z = 0."""
    side = [(radius, float(h)) for h in np.linspace(0.0, height, rings + 1)]
    return lathe([(0.0, 0.0), *side, (0.0, height)], colour, sides, gloss)


def superellipsoid(
    size: tuple[float, float, float],
    colour: Colour,
    squareness: float = 1.0,
    rows: int = 9,
    columns: int = 16,
    gloss: float = 0.0,
) -> Mesh:
    """Between an ellipsoid (squareness 1) and a rounded box (towards 0) of full extents `size`, centred."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rows)[:, None]
    longitude = np.linspace(-np.pi, np.pi, columns, endpoint=False)[None, :]

    def power(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.sign(value) * np.abs(value) ** squareness)

    x = power(np.cos(latitude)) * power(np.cos(longitude))
    y = power(np.cos(latitude)) * power(np.sin(longitude))
    z = power(np.sin(latitude)) + 0.0 * longitude
    points = np.stack([x * size[0], y * size[1], z * size[2]], axis=-1).reshape(-1, 3) / 2.0
    return surface(points, grid_faces(rows, columns, wrap=True), colour, gloss)


def box(size: tuple[float, float, float], colour: Colour, cells: int = 1, gloss: float = 0.0) -> Mesh:
    """A box of full extents `size` standing on z = 0, each side cut into cells x cells faces."""
    step = np.linspace(-0.5, 0.5, cells + 1)
    a, b = (m.ravel() for m in np.meshgrid(step, step, indexing="ij"))
    half = np.full_like(a, 0.5)
    sides = [(half, a, b), (-half, b, a), (b, half, a), (a, -half, b), (a, b, half), (b, a, -half)]
    vertices = np.concatenate([np.stack(side, axis=-1) for side in sides])
    cell = grid_faces(cells + 1, cells + 1, wrap=False)
    faces = np.concatenate([cell + k * (cells + 1) ** 2 for k in range(6)])
    points = (vertices + np.array([0.0, 0.0, 0.5])) * np.asarray(size)
    return surface(points, faces, colour, gloss)


def torus(ring: float, tube: float, colour: Colour, sides: int = 20, around: int = 8, gloss: float = 0.0) -> Mesh:
    """A ring about the z axis, centred; `ring` and `tube` are radii."""
    a = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)[:, None]
    b = np.linspace(0.0, 2.0 * np.pi, around, endpoint=False)[None, :]
    reach = ring + tube * np.cos(b)
    points = np.stack([reach * np.cos(a), reach * np.sin(a), tube * np.sin(b) + 0.0 * a], axis=-1)
    closed = np.concatenate([points, points[:1]])
    return surface(closed.reshape(-1, 3), grid_faces(sides + 1, around, wrap=True), colour, gloss)


def limb(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radii: tuple[float, float],
    colour: Colour,
    sides: int = 8,
    gloss: float = 0.0,
) -> Mesh:
    """A tapered tube between two points; its ends are rounded when it has more than 5 sides."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    axis = b - a
    length = max(float(np.linalg.norm(axis)), 1e-6)
    r0, r1 = radii
    profile = [
        (0.0, -0.9 * r0), (0.7 * r0, -0.6 * r0), (r0, 0.0), (0.5 * (r0 + r1), length / 2),
        (r1, length), (0.7 * r1, length + 0.6 * r1), (0.0, length + 0.9 * r1),
    ]  # fmt: skip
    if sides <= 5:
        profile = [(0.0, -0.4 * r0), (r0, 0.0), (r1, length), (0.0, length + 0.4 * r1)]
    tube = lathe(profile, colour, sides, gloss)
    w = axis / length
    helper = np.array([1.0, 0.0, 0.0]) if abs(w[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    u = np.cross(helper, w)
    u /= np.linalg.norm(u)
    frame = np.stack([u, np.cross(w, u), w])
    return replace(tube, vertices=np.asarray(tube.vertices @ frame + a, np.float32))
