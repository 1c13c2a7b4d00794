"""Who is on the street: traffic, people, and the unknown obstacles, placed so that the own car gets past them."""

import math

import numpy as np

from hybrid_seg_ros.scenes.actors import LOOKS, Actor, LanePath, footprint_radius
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.street import Street
from hybrid_seg_ros.scenes.unknowns import UNKNOWN_KINDS

_OWN_HALF_WIDTH = 0.95
_CLEARANCE = 0.5
_PARKED_REACH = 1.5
_WALK = 1.2
_CROSSED_BEFORE_S = 1.5


def _seed(rng: np.random.Generator, kind: str) -> int:
    return int(rng.integers(0, LOOKS.get(kind, 2**31)))


def unknown_at(rng: np.random.Generator, x: float, d: float, kind: str | None = None) -> Actor:
    """An unknown obstacle of a random kind standing at (x, d)."""
    name = kind if kind is not None else str(rng.choice(list(UNKNOWN_KINDS)))
    return Actor(name, _seed(rng, name), x, LanePath(d), yaw=float(rng.uniform(-math.pi, math.pi)))


def drive_actors(
    rng: np.random.Generator, street: Street, length: float, speed: float, duration: float, obstacle_gap: float
) -> tuple[Actor, ...]:
    """The actors of a drive of `length` m."""
    road = street.road
    obstacles = _obstacles(rng, road, length, obstacle_gap) if obstacle_gap > 0 else []
    swerves = _swerves(road, obstacles)
    actors = list(obstacles)
    actors.extend(_oncoming(rng, road, speed, duration))
    if rng.random() < 0.7:
        ahead = float(rng.uniform(22.0, 38.0))
        actors.append(Actor("car", _seed(rng, "car"), ahead, LanePath(road.lane, swerves), speed * 1.03))
    actors.extend(_parked(rng, street, -20.0, length + 150.0, obstacles))
    actors.extend(_people(rng, road, -10.0, length + 120.0, speed))
    return tuple(actors)


def own_path(road: Road, actors: tuple[Actor, ...]) -> LanePath:
    """The own car's course: its lane, with a swerve around every unknown obstacle in the way."""
    return LanePath(road.lane, _swerves(road, [a for a in actors if not a.known]))


def _obstacles(rng: np.random.Generator, road: Road, length: float, gap: float) -> list[Actor]:
    obstacles = []
    kinds = list(UNKNOWN_KINDS)
    order = [kinds[k] for k in rng.permutation(len(kinds))]
    x, count = 14.0, 0
    while x < length + 130.0:
        kind = order[count % len(order)]
        where = rng.random()
        probe = unknown_at(rng, x, 0.0, kind)
        radius = footprint_radius(probe)
        if where < 0.55:
            d = road.side * max(road.half_width - 0.15 - radius, road.half_width * 0.5)
        elif where < 0.75:
            d = -road.side * max(road.half_width - 0.2 - radius, road.half_width * 0.5)
        elif where < 0.85:
            d = float(rng.uniform(-0.3, 0.3))
        else:
            d = float(rng.choice([-1, 1])) * (road.half_width + float(rng.uniform(0.5, 1.4)))
        obstacles.append(Actor(kind, probe.seed, x, LanePath(d), yaw=probe.yaw))
        x += gap * float(rng.uniform(0.6, 1.4))
        count += 1
    return obstacles


def _swerves(road: Road, obstacles: list[Actor]) -> tuple[tuple[float, float, float], ...]:
    swerves = []
    for obstacle in obstacles:
        if abs(obstacle.path.d) > road.half_width + 0.2:
            continue
        need = footprint_radius(obstacle) + _OWN_HALF_WIDTH + _CLEARANCE
        gap = road.lane - obstacle.path.d
        if abs(gap) >= need:
            continue
        away = math.copysign(1.0, gap) if abs(gap) > 1e-6 else -road.side
        swerves.append((obstacle.x, away * (need - abs(gap)), 7.5))
    return tuple(swerves)


def _oncoming(rng: np.random.Generator, road: Road, speed: float, duration: float) -> list[Actor]:
    """Traffic of the other lane, spaced by when it is met."""
    actors = []
    meet = float(rng.uniform(1.0, 4.0))
    while meet < duration + 8.0:
        pace = float(rng.uniform(6.0, 12.0))
        x = speed * meet + pace * meet
        d = -road.side * (road.half_width * 0.5 + 0.35)
        kind = "bicyclist" if rng.random() < 0.2 else "car"
        if kind == "bicyclist":
            pace, d = 4.5, -road.side * (road.half_width - 0.7)
            x = (speed + pace) * meet
        actors.append(Actor(kind, _seed(rng, kind), x, LanePath(d), -pace))
        meet += float(rng.uniform(2.0, 6.0))
    if rng.random() < 0.7:
        d = road.side * (road.half_width - 0.6)
        actors.append(
            Actor("bicyclist", _seed(rng, "bicyclist"), float(rng.uniform(14, 30)), LanePath(d), max(speed - 1.5, 3.0))
        )
    return actors


def _parked(rng: np.random.Generator, street: Street, start: float, end: float, obstacles: list[Actor]) -> list[Actor]:
    """Parked cars half on the pavement, away from obstacles on the road and from what stands at the kerb."""
    road = street.road
    actors = []
    for left in (1, -1):
        if rng.random() < 0.35:
            continue
        taken = [o.x for o in obstacles if o.path.d * left > 0]
        reach = road.half_width + _PARKED_REACH
        for x, y, _ in (fixture.anchor for fixture in street.fixtures):
            if 0.0 < left * (y - road.centre(x)) < reach:
                taken.append(x)
        x = start + float(rng.uniform(0, 15))
        while x < end:
            d = left * (road.half_width + 0.35)
            free = all(abs(x - other) > 3.4 for other in taken)
            if free:
                yaw = 0.0 if left == road.side else math.pi
                actors.append(Actor("car", _seed(rng, "car"), x, LanePath(d), yaw=yaw + float(rng.normal(0, 0.02))))
            x += float(rng.choice([5.6, 6.2, 7.0, 14.0, 30.0]))
    return actors


def _people(rng: np.random.Generator, road: Road, start: float, end: float, speed: float) -> list[Actor]:
    """People on both pavements, and some on zebra crossings, who are over before the own car arrives."""
    actors = []
    for index, left in enumerate((1, -1)):
        x = start + float(rng.uniform(0, 12))
        while x < end:
            d = left * (road.half_width + road.pavements[index] * float(rng.uniform(0.5, 0.9)))
            pace = float(rng.choice([-1.3, -1.1, 1.1, 1.4, 0.0]))
            for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
                beside = LanePath(d + float(rng.normal(0, 0.3)))
                yaw = float(rng.uniform(-3, 3))
                actors.append(
                    Actor("pedestrian", _seed(rng, "pedestrian"), x + float(rng.normal(0, 0.5)), beside, pace, yaw=yaw)
                )
            x += float(rng.uniform(6, 36))
    for at in road.crossings:
        if at > 0.0 and rng.random() < 0.7:
            across = road.half_width + 1.0
            passed = at / max(speed, 1.0) - _CROSSED_BEFORE_S
            actors.append(
                Actor("pedestrian", _seed(rng, "pedestrian"), at + 1.3, LanePath(across - _WALK * passed), across=_WALK)
            )
    return actors
