"""Laying a street out: its road, and what stands along both sides."""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from hybrid_seg_ros.scenes.facades import FACADES, facade
from hybrid_seg_ros.scenes.fixture import Fixture
from hybrid_seg_ros.scenes.foliage import FENCES, HEDGES, TREES
from hybrid_seg_ros.scenes.greenery import Panel, Tree
from hybrid_seg_ros.scenes.houses import House
from hybrid_seg_ros.scenes.mesh import Colour
from hybrid_seg_ros.scenes.noise import jitter
from hybrid_seg_ros.scenes.posts import SIGN_FACES, Post, Sign
from hybrid_seg_ros.scenes.road import GRASS, KERB_M, PAVED, SIDE_ROAD, Road
from hybrid_seg_ros.scenes.surfaces import SURFACES

_FACADES_PER_STREET, _TREES_PER_STREET = 7, 5


@dataclass(frozen=True, slots=True)
class _Palette:
    """The pictures that one street repeats, as streets do."""

    facades: tuple[int, ...]
    trees: tuple[int, ...]
    hedge: int
    fence: int


def _palette(rng: np.random.Generator) -> _Palette:
    return _Palette(
        tuple(rng.choice(FACADES, _FACADES_PER_STREET, replace=False).tolist()),
        tuple(rng.choice(TREES, _TREES_PER_STREET, replace=False).tolist()),
        int(rng.integers(0, HEDGES)),
        int(rng.integers(0, FENCES)),
    )


@dataclass(frozen=True, slots=True)
class Street:
    """A road and its fixtures.

    Attributes:
        road: the road.
        fixtures: what stands along it, by growing x of the anchor.
        lamps: feet of the lamp posts, world m.
    """

    road: Road
    fixtures: tuple[Fixture, ...]
    lamps: tuple[tuple[float, float, float], ...]

    def between(self, low: float, high: float) -> tuple[Fixture, ...]:
        """The fixtures with an anchor between two x, m."""
        places = [f.anchor[0] for f in self.fixtures]
        return self.fixtures[bisect_left(places, low) : bisect_left(places, high)]


def lay_street(rng: np.random.Generator, start: float, end: float, curvature: float = 1.0, side: int = 1) -> Street:
    """A street between two x, m.

    Args:
        rng: decides everything.
        start: x of its beginning.
        end: x of its end.
        curvature: 0 straight, 1 as roads in town are.
        side: +1 left-hand traffic, -1 right-hand.
    """
    cells = math.ceil(end - start) + 1
    waves = tuple(
        (curvature * float(rng.uniform(0.2, 1.0)) * scale, scale * 100.0 * float(rng.uniform(0.8, 1.2)), float(phase))
        for scale, phase in zip((1.1, 2.3, 4.5), rng.uniform(0, 2 * math.pi, 3), strict=True)
    )
    grey = float(rng.uniform(0.24, 0.36))
    road = Road(
        waves=waves,
        half_width=float(rng.uniform(3.1, 5.2)),
        pavements=(float(rng.uniform(1.8, 4.0)), float(rng.uniform(1.8, 4.0))),
        side=side,
        start=start,
        verges=np.full((2, cells), PAVED, np.uint8),
        roofline=np.zeros((2, cells), np.float32),
        setback=np.zeros((2, cells), np.float32),
        marking=str(rng.choice(["dashes", "dashes", "dashes", "solid", "none", "lanes"])),
        edge_lines=int(rng.choice([0, 1, 2])),
        edge_yellow=bool(rng.random() < 0.7),
        crossings=tuple(float(x) for x in np.arange(start, end, 90.0) + rng.uniform(0, 80) if rng.random() < 0.5),
        tone=jitter(rng, (grey * 1.02, grey, grey * 0.98), 0.05),
        pavement_tone=jitter(rng, (0.37, 0.39, 0.40), 0.2),
        grass_tone=jitter(rng, (0.14, 0.32, 0.24), 0.25),
        surface_seed=int(rng.integers(0, SURFACES)),
    )
    if road.half_width < 4.0 and road.marking == "lanes":
        road = replace(road, marking="dashes")
    palette = _palette(rng)
    fixtures: list[Fixture] = []
    for index, left in enumerate((1, -1)):
        fixtures.extend(_line_side(rng, road, index, left, start, end, palette))
    posts, lamps = _street_lamps(rng, road, start, end)
    fixtures.extend(posts)
    fixtures.extend(_signs(rng, road, start, end))
    fixtures.sort(key=lambda f: f.anchor[0])
    return Street(road, tuple(fixtures), lamps)


def _line_side(
    rng: np.random.Generator, road: Road, index: int, left: int, start: float, end: float, palette: _Palette
) -> list[Fixture]:
    """One side of the street, block after block."""
    edge = road.half_width + road.pavements[index]
    street_trees = bool(rng.random() < 0.4)
    leafy = float(rng.uniform(0.1, 0.6))
    fixtures: list[Fixture] = []
    x = start + float(rng.uniform(0, 6))
    while x < end - 2.0:
        kind = rng.random()
        if kind < 0.10:
            length = float(rng.uniform(6.0, 10.0))
            road.verges[index, road.cell(x) : road.cell(x + length)] = SIDE_ROAD
            fixtures.append(_closing_house(rng, road, left, (x - 6.0, x + length + 6.0), edge, palette))
        elif kind < 0.10 + leafy:
            length = float(rng.uniform(14.0, 36.0))
            fixtures.extend(_garden(rng, road, index, left, x, x + length, edge, palette))
        else:
            length = 0.0
            setback = edge + float(rng.choice([0.0, 0.0, 1.5, 3.0]))
            house: House | None = None
            for _ in range(int(rng.integers(2, 7))):
                seed = int(rng.choice(palette.facades))
                width = min(facade(seed).width_m, end - x - length)
                if width < 2.0:
                    break
                house = _house(rng, road, index, left, (x + length, x + length + width), setback, seed, house)
                fixtures.append(house)
                length += width
            length += float(rng.choice([0.0, 0.0, 1.5]))
        if street_trees and kind >= 0.10:
            for at in np.arange(x + 3.0, x + length, float(rng.uniform(9.0, 16.0))).tolist():
                d = left * (road.half_width + 0.9)
                fixtures.append(_tree(rng, road, at, d, palette, (4.5, 8.0)))
        x += max(length, 2.0)
    return fixtures


def _house(
    rng: np.random.Generator, road: Road, index: int, left: int, span: tuple[float, float], d: float, seed: int,
    beside: House | None = None,
) -> House:  # fmt: skip
    cells = slice(int(road.cell(span[0])), int(road.cell(span[1])))
    front = facade(seed)
    roof = float(rng.choice([0.0, 2.2, 2.8, 3.4]))
    road.roofline[index, cells] = front.height_m + 0.6 * roof
    road.setback[index, cells] = d
    return House(
        road.point(span[0], left * d), road.point(span[1] + 0.03, left * d), left, seed, _tint(rng, 0.12),
        float(rng.uniform(7.0, 10.0)), roof, beside is None or beside.height + beside.roof_m < front.height_m + roof,
    )  # fmt: skip


def _closing_house(
    rng: np.random.Generator, road: Road, left: int, span: tuple[float, float], edge: float, palette: _Palette
) -> House:
    """A house across the end of a side road."""
    d = left * (edge + float(rng.uniform(14.0, 30.0)))
    seed = int(rng.choice(palette.facades))
    return House(road.point(span[0], d), road.point(span[1], d), left, seed, _tint(rng, 0.12), 8.0, 2.8, True)


def _garden(
    rng: np.random.Generator, road: Road, index: int, left: int, x0: float, x1: float, edge: float, palette: _Palette
) -> list[Fixture]:
    """Grass behind a fence or hedge, trees on it, perhaps a house farther back."""
    fixtures: list[Fixture] = []
    road.verges[index, road.cell(x0) : road.cell(x1)] = GRASS
    d = left * (edge + 0.1)
    green, height = bool(rng.random() < 0.4), float(rng.uniform(0.9, 1.9))
    panel = palette.hedge if green else palette.fence
    tint = _tint(rng, 0.2)
    if rng.random() < 0.85:
        at = x0
        while at < x1 - 0.5:
            until = min(at + 3.0, x1)
            fixtures.append(Panel(road.point(at, d), road.point(until, d), panel, height, green, tint))
            at = until
    if rng.random() < 0.7:
        at = x0 + float(rng.uniform(0, 4))
        setback = edge + float(rng.uniform(6.0, 12.0))
        while at < x1 - 5.0:
            seed = int(rng.choice(palette.facades))
            width = min(facade(seed).width_m, x1 - at)
            fixtures.append(_house(rng, road, index, left, (at, at + width), setback, seed))
            at += width + float(rng.choice([0.0, 3.0, 6.0]))
    for _ in range(int(rng.integers(1, 3 + int((x1 - x0) / 6)))):
        x, back = float(rng.uniform(x0, x1)), float(rng.uniform(1.2, 7.0))
        fixtures.append(_tree(rng, road, x, left * (edge + back), palette, (4.0, 11.0)))
    return fixtures


def _tree(
    rng: np.random.Generator, road: Road, x: float, d: float, palette: _Palette, heights: tuple[float, float]
) -> Tree:
    seed = int(rng.choice(palette.trees))
    return Tree(road.point(x, d), seed, float(rng.uniform(*heights)), _tint(rng, 0.2))


def _tint(rng: np.random.Generator, amount: float) -> Colour:
    return jitter(rng, (0.95, 0.95, 0.95), amount)


def _street_lamps(
    rng: np.random.Generator, road: Road, start: float, end: float
) -> tuple[list[Fixture], tuple[tuple[float, float, float], ...]]:
    seed, left = int(rng.integers(0, 8)), 1
    fixtures: list[Fixture] = []
    feet = []
    for x in np.arange(start + float(rng.uniform(0, 20)), end, float(rng.uniform(18, 32))).tolist():
        foot = road.point(x, left * (road.half_width + KERB_M + 0.35))
        fixtures.append(Post(foot, math.atan(road.slope(x)) - left * math.pi / 2, "lamp", seed))
        feet.append(foot)
        left = -left
    if rng.random() < 0.4:
        at = float(rng.uniform(start, end))
        for x in np.arange(at, min(at + 20.0, end), 2.2).tolist():
            fixtures.append(Post(road.point(x, road.half_width + 0.4), 0.0, "bollard", 0))
    return fixtures, tuple(feet)


def _signs(rng: np.random.Generator, road: Road, start: float, end: float) -> list[Fixture]:
    fixtures: list[Fixture] = []
    x = start + float(rng.uniform(5, 25))
    while x < end:
        left = 1 if rng.random() < 0.6 else -1
        d = left * (road.half_width + float(rng.uniform(0.3, 0.8)))
        kind = -1 if rng.random() < 0.2 else int(rng.integers(0, SIGN_FACES))
        fixtures.append(Sign(road.point(x, d), kind, float(rng.uniform(2.1, 2.9))))
        x += float(rng.uniform(8, 26))
    return fixtures
