"""Arithmetic of single vectors as plain floats, for which numpy is slow."""

import math

from hybrid_seg_ros.scenes.view import Vector


def perpendicular(near: Vector, far: Vector, outward: int) -> Vector:
    """Unit vector square to a front from `near` to `far`; `outward` +1 turns it to the left of its run, -1 right."""
    dx, dy = far[0] - near[0], far[1] - near[1]
    length = math.hypot(dx, dy) or 1.0
    return -dy / length * outward, dx / length * outward, 0.0


def add(a: Vector, b: Vector) -> Vector:
    """A + b."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def subtract(a: Vector, b: Vector) -> Vector:
    """A - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def scale(a: Vector, k: float) -> Vector:
    """K * a."""
    return a[0] * k, a[1] * k, a[2] * k
