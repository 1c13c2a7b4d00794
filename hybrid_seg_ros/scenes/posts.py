"""Lamp posts, bollards, traffic signs and traffic lights."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hybrid_seg_ros.scenes.classes import POLE, SIGN
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import Colour, box, cylinder, limb, merged
from hybrid_seg_ros.scenes.noise import stream, to_bytes
from hybrid_seg_ros.scenes.patch import Patch
from hybrid_seg_ros.scenes.quads import TexturedQuad, draw_quad
from hybrid_seg_ros.scenes.solids import Solid, draw_solid, make_solid
from hybrid_seg_ros.scenes.texture import Texture, make_texture
from hybrid_seg_ros.scenes.vectors import add, scale
from hybrid_seg_ros.scenes.view import View


@dataclass(frozen=True, slots=True)
class Post:
    """A lamp post, traffic light or plain pole.

    Attributes:
        anchor: foot, world m.
        yaw: heading of its arm, rad.
        kind: "lamp", "bollard" or "pole".
        seed: which one.
    """

    anchor: tuple[float, float, float]
    yaw: float
    kind: str
    seed: int

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        mesh = _post(self.kind, self.seed)
        patch = draw_solid(view, mesh, self.anchor, self.yaw, light, POLE, night=night)
        return [] if patch is None else [patch]


@lru_cache(maxsize=32)
def _post(kind: str, seed: int) -> Solid:
    rng = stream(seed, 42)
    tone = float(rng.choice([0.10, 0.22, 0.34, 0.42]))
    colour: Colour = (tone, tone * 1.02, tone)
    if kind == "bollard":
        return make_solid(limb((0, 0, 0.05), (0, 0, 0.95), (0.075, 0.065), (0.06, 0.06, 0.06), 10, 0.2))
    if kind == "pole":
        return make_solid(limb((0, 0, 0.0), (0, 0, 3.0), (0.05, 0.045), colour, 8, 0.2))
    height = float(rng.uniform(5.5, 8.5))
    parts = [
        limb((0, 0, 0), (0, 0, 1.2), (0.11, 0.10), colour, 10, 0.2),
        limb((0, 0, 1.1), (0, 0, height), (0.07, 0.05), colour, 8, 0.2),
        limb((0, 0, height), (1.3, 0, height + 0.35), (0.045, 0.04), colour, 6, 0.2),
    ]
    head = box((0.7, 0.24, 0.14), (0.5, 0.5, 0.5), gloss=0.3).moved(1.5, 0, height + 0.28)
    parts.append(head.glowing((0.55, 0.85, 1.0)))
    return make_solid(merged(parts))


@dataclass(frozen=True, slots=True)
class Sign:
    """A traffic sign or traffic light on its pole.

    Attributes:
        anchor: foot, world m.
        kind: index of the sign face, or -1 for a traffic light.
        height_m: height of the face's middle.
    """

    anchor: tuple[float, float, float]
    kind: int
    height_m: float

    def draw(self, view: View, light: Light, night: bool) -> list[Patch]:
        order = view.order(self.anchor)
        pole = draw_solid(view, _sign_pole(round(self.height_m, 1)), self.anchor, 0.0, light, POLE, order)
        if self.kind < 0:
            head = draw_solid(
                view, _traffic_light(), add(self.anchor, (-0.12, 0.0, self.height_m - 0.3)), 0.0, light, SIGN,
                order - 0.2, night=night,
            )  # fmt: skip
        else:
            face = sign_face(self.kind)
            w, h = face.size_m
            corner = add(self.anchor, (-0.08, w / 2, self.height_m + h / 2))
            quad = TexturedQuad(corner, (0.0, -w, 0.0), (0.0, 0.0, -h), face, (-0.6, 0.0, 0.8))
            head = draw_quad(view, quad, light, SIGN, order - 0.2)
        return [p for p in (pole, head) if p is not None]


@lru_cache(maxsize=16)
def _sign_pole(height: float) -> Solid:
    return make_solid(limb((0, 0, 0), (0, 0, height + 0.25), (0.045, 0.04), (0.36, 0.37, 0.36), 8, 0.2))


@lru_cache(maxsize=1)
def _traffic_light() -> Solid:
    parts = [box((0.2, 0.34, 0.95), (0.04, 0.04, 0.04), 2)]
    lamps: tuple[tuple[float, Colour, float], ...] = (
        (0.78, (0.05, 0.05, 0.35), 0.1), (0.48, (0.05, 0.25, 0.35), 0.1), (0.18, (0.45, 0.85, 0.15), 1.0),
    )  # fmt: skip
    for z, colour, shine in lamps:
        lamp = cylinder(0.1, 0.03, colour, 12).turned(pitch=-math.pi / 2).moved(-0.11, 0, z)
        parts.append(lamp.glowing(scale(colour, shine)).lifted(0.1))
    return make_solid(merged(parts))


SIGN_FACES = 8
"""How many sign faces there are."""


@lru_cache(maxsize=SIGN_FACES)
def sign_face(kind: int) -> Texture:
    """The picture on a sign: speed limit, give way, warning, no entry, direction, parking, boards."""
    size = 96
    face = np.zeros((size, size, 4), np.uint8)
    white, red, blue, ink = (235, 238, 238, 255), (30, 25, 190, 255), (150, 80, 20, 255), (25, 25, 25, 255)
    middle = (size // 2, size // 2)
    metres = (0.7, 0.7)
    if kind in (0, 1):
        cv2.circle(face, middle, 46, red, -1, cv2.LINE_AA)
        cv2.circle(face, middle, 34, white, -1, cv2.LINE_AA)
        cv2.putText(face, "30" if kind == 0 else "20", (24, 60), cv2.FONT_HERSHEY_DUPLEX, 1.3, ink, 3, cv2.LINE_AA)
    elif kind == 2:
        points = np.array([[2, 6], [94, 6], [48, 90]], np.int32)
        cv2.fillConvexPoly(face, points, red, cv2.LINE_AA)
        cv2.fillConvexPoly(face, np.array([[20, 16], [76, 16], [48, 68]], np.int32), white, cv2.LINE_AA)
    elif kind == 3:
        cv2.fillConvexPoly(face, np.array([[48, 4], [94, 88], [2, 88]], np.int32), red, cv2.LINE_AA)
        cv2.fillConvexPoly(face, np.array([[48, 26], [76, 78], [20, 78]], np.int32), white, cv2.LINE_AA)
        cv2.line(face, (48, 42), (48, 62), ink, 6)
        cv2.circle(face, (48, 71), 4, ink, -1)
    elif kind == 4:
        cv2.circle(face, middle, 46, red, -1, cv2.LINE_AA)
        cv2.rectangle(face, (16, 40), (80, 56), white, -1)
    elif kind == 5:
        cv2.circle(face, middle, 46, blue, -1, cv2.LINE_AA)
        cv2.arrowedLine(face, (24, 26), (70, 70), white, 9, cv2.LINE_AA, 0, 0.4)
    elif kind == 6:
        face[:] = blue
        cv2.putText(face, "P", (24, 74), cv2.FONT_HERSHEY_DUPLEX, 2.4, white, 6, cv2.LINE_AA)
    else:
        face[:] = (70, 110, 20, 255)
        for y in (24, 48, 72):
            cv2.line(face, (12, y), (80 - (y * 7) % 30, y), white, 7)
        metres = (1.3, 0.9)
    alpha = face[..., 3:].astype(np.float32) / 255.0
    picture = np.dstack([face[..., :3].astype(np.float32) / 255.0 * 0.85 * alpha, alpha])
    return make_texture(to_bytes(np.asarray(picture, np.float32)), metres)
