"""Trees, hedges and fences: pictures with coverage, drawn branch by branch and leaf by leaf."""

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import Colour, Image, jitter, solid, spectral_noise, stream, to_bytes
from hybrid_seg_ros.scenes.texture import Texture, make_texture

_W, _H = 288, 320


def _premultiplied(colour: Image, coverage: Image) -> npt.NDArray[np.uint8]:
    return to_bytes(np.dstack([colour * coverage[..., None], coverage]))


@lru_cache(maxsize=32)
def tree(seed: int) -> Texture:
    """A tree in leaf or bare, uint8[320, 288, 4]; its foot is the middle of the lower edge; size 1 m (scale it)."""
    rng = stream(seed, 21)
    sheet = np.zeros((_H, _W, 4), np.uint8)
    bark = jitter(rng, (0.17, 0.20, 0.23), 0.3)
    tips = _branches(rng, sheet, bark)
    if rng.random() < 0.62:
        _leaves(rng, sheet, tips)
    return make_texture(sheet, (_W / _H, 1.0))


def _branches(rng: np.random.Generator, sheet: npt.NDArray[np.uint8], bark: Colour) -> list[tuple[float, float]]:
    tips: list[tuple[float, float]] = []
    stack = [(_W / 2, _H - 1.0, -math.pi / 2 + rng.normal(0, 0.03), _H * rng.uniform(0.2, 0.3), rng.uniform(6, 10), 0)]
    while stack:
        x, y, angle, length, width, depth = stack.pop()
        bend = angle + rng.normal(0, 0.08)
        x1, y1 = x + length * math.cos(bend), y + length * math.sin(bend)
        tone = 255.0 * rng.uniform(0.7, 1.2)
        ink = tuple(min(c * tone, 255.0) for c in bark)
        ends = [(round(x * 16), round(y * 16)), (round(x1 * 16), round(y1 * 16))]
        cv2.line(sheet, ends[0], ends[1], (*ink, 255.0), max(1, round(width)), cv2.LINE_AA, 4)
        if depth >= 2:
            tips.append((x1, y1))
        if depth >= 6 or length < 7:
            continue
        for _ in range(int(rng.integers(2, 4))):
            spread = rng.normal(0, 0.55)
            up = -0.12 * math.sin(bend + math.pi / 2)
            stack.append((x1, y1, bend + spread + up, length * rng.uniform(0.62, 0.86), width * 0.62, depth + 1))
    return tips


def _leaves(rng: np.random.Generator, sheet: npt.NDArray[np.uint8], tips: list[tuple[float, float]]) -> None:
    base = jitter(rng, (0.13, 0.30, 0.22), 0.35)
    if rng.random() < 0.2:
        base = jitter(rng, (0.12, 0.32, 0.42), 0.3)
    places = np.array(tips)
    places = places[rng.integers(0, len(places), 2600)] + rng.normal(0, 11.0, (2600, 2))
    low, high = places[:, 1].min(), places[:, 1].max()
    middle = places[:, 0].mean()
    order = np.argsort(-places[:, 1] + rng.normal(0, 25, len(places)))
    clumps = spectral_noise(rng, 64, 64, 2.0)
    for x, y in places[order]:
        depth = (high - y) / max(high - low, 1.0)
        clump = float(clumps[int(y / 5) % 64, int(x / 5) % 64])
        sun = 0.55 + 0.5 * depth + 0.16 * clump - 0.10 * (x - middle) / 80 + rng.normal(0, 0.13)
        ink = tuple(float(np.clip(c * sun * 255, 5, 250)) for c in base)
        centre = (int(np.clip(x, 4, _W - 5)), int(np.clip(y, 4, _H - 5)))
        axes = (int(rng.integers(1, 5)), int(rng.integers(1, 4)))
        cv2.ellipse(sheet, centre, axes, float(rng.uniform(0, 180)), 0, 360, (*ink, 255.0), -1, cv2.LINE_AA)


@lru_cache(maxsize=12)
def hedge(seed: int) -> Texture:
    """A strip of hedge, 4 m x 1.6 m, ragged on top."""
    rng = stream(seed, 22)
    h, w = 96, 256
    base = jitter(rng, (0.10, 0.22, 0.16), 0.4)
    leaf = spectral_noise(rng, h, w, 0.9)
    clump = spectral_noise(rng, h, w, 2.4)
    height = np.linspace(0.5, -0.5, h, dtype=np.float32)[:, None]
    colour = solid(h, w, base) * (1.0 + 0.3 * leaf + 0.25 * clump + 0.5 * height)[..., None]
    edge = 8 + 4 * spectral_noise(rng, 2, w, 1.6)[0] + 2 * leaf
    coverage = np.clip(np.arange(h, dtype=np.float32)[:, None] - edge, 0.0, 1.0)
    return make_texture(_premultiplied(np.asarray(np.clip(colour, 0, 1), np.float32), coverage), (4.0, 1.6))


@lru_cache(maxsize=16)
def fence(seed: int) -> Texture:
    """A fence panel, 3 m x 1 m (scale its height): railings, boards, pickets or wire mesh."""
    rng = stream(seed, 23)
    h, w = 80, 240
    kind = int(rng.integers(0, 4))
    coverage = np.zeros((h, w), np.float32)
    y, x = np.mgrid[0:h, 0:w]
    if kind == 0:
        colour = solid(h, w, jitter(rng, (0.08, 0.09, 0.07), 0.5))
        coverage[(x % 9) < 3] = 1.0
        coverage[(y > 8) & (y < 13) | (y > 66) & (y < 71)] = 1.0
        coverage[:4] = 0.0
    elif kind == 1:
        plank = 16
        shade = np.asarray(1 + 0.15 * rng.standard_normal(w // plank + 1), np.float32)
        colour = solid(h, w, jitter(rng, (0.22, 0.32, 0.42), 0.35)) * shade[x // plank][..., None]
        colour *= (1 + 0.12 * np.repeat(spectral_noise(rng, 2, w, 0.5)[:1], h, axis=0))[..., None]
        colour[(x % plank) == 0] *= 0.5
        coverage[:] = 1.0
    elif kind == 2:
        colour = solid(h, w, jitter(rng, (0.72, 0.76, 0.78), 0.2))
        coverage[((x % 14) < 9) & (y > 4 + np.abs((x % 14) - 4))] = 1.0
        coverage[(y > 18) & (y < 25) | (y > 58) & (y < 65)] = 1.0
    else:
        colour = solid(h, w, jitter(rng, (0.40, 0.42, 0.42), 0.3))
        coverage[((x + y) % 8 < 2) | ((x - y) % 8 < 2)] = 0.75
        coverage[:4] = coverage[-4:] = 1.0
        coverage[:, :5] = 1.0
    colour *= (1 + 0.05 * spectral_noise(rng, h, w, 1.0))[..., None]
    return make_texture(_premultiplied(np.asarray(np.clip(colour, 0, 1), np.float32), coverage), (3.0, 1.0))
