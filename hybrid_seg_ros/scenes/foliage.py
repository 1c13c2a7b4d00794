"""Trees, hedges and fences: pictures with coverage, drawn branch by branch and leaf by leaf."""

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import Colour, Image, jitter, solid, spectral_noise, stream, to_bytes
from hybrid_seg_ros.scenes.texture import Texture, make_texture

TREES, HEDGES, FENCES = 28, 6, 10
"""How many pictures of each kind streets choose from."""

_SHEET = 560
_LEAVES = 6500


def _premultiplied(colour: Image, coverage: Image) -> npt.NDArray[np.uint8]:
    return to_bytes(np.dstack([colour * coverage[..., None], coverage]))


@lru_cache(maxsize=TREES)
def tree(seed: int) -> Texture:
    """A tree in leaf or bare, uint8[h, w, 4]; its foot is the middle of the lower edge; 1 m tall (scale it)."""
    rng = stream(seed, 21)
    sheet = np.zeros((_SHEET, _SHEET, 4), np.uint8)
    bark = jitter(rng, (0.17, 0.20, 0.23), 0.3)
    tips = _branches(rng, sheet, bark)
    if rng.random() < 0.62:
        _leaves(rng, sheet, tips)
    rows, columns = np.flatnonzero(sheet[..., 3].any(axis=1)), np.flatnonzero(sheet[..., 3].any(axis=0))
    half = int(max(_SHEET // 2 - columns[0], columns[-1] - _SHEET // 2)) + 2
    left, right = max(_SHEET // 2 - half, 0), min(_SHEET // 2 + half, _SHEET)
    cut = np.ascontiguousarray(sheet[max(int(rows[0]) - 2, 0) :, left:right])
    return make_texture(cut, (cut.shape[1] / cut.shape[0], 1.0))


def _branches(rng: np.random.Generator, sheet: npt.NDArray[np.uint8], bark: Colour) -> list[tuple[float, float]]:
    """Grow a tree upwards from the middle of the sheet's lower edge; returns the ends of its twigs."""
    tips: list[tuple[float, float]] = []
    trunk, thickness = _SHEET * rng.uniform(0.15, 0.2), rng.uniform(9, 14)
    stack = [(_SHEET / 2, _SHEET - 1.0, -math.pi / 2 + rng.normal(0, 0.03), trunk, thickness, 0)]
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
        if depth >= 7 or length < 8:
            continue
        for _ in range(int(rng.integers(2, 4))):
            turn = bend + rng.normal(0, 0.5)
            turn += 0.15 * math.sin(-math.pi / 2 - turn)
            stack.append((x1, y1, turn, length * rng.uniform(0.66, 0.86), width * 0.64, depth + 1))
    return tips


def _leaves(rng: np.random.Generator, sheet: npt.NDArray[np.uint8], tips: list[tuple[float, float]]) -> None:
    """Cover the twigs with leaves, those lit from above last."""
    base = jitter(rng, (0.13, 0.30, 0.22), 0.35)
    if rng.random() < 0.2:
        base = jitter(rng, (0.12, 0.32, 0.42), 0.3)
    places = np.array(tips)
    places = places[rng.integers(0, len(places), _LEAVES)] + rng.normal(0, 13.0, (_LEAVES, 2))
    inside = (places > 8).all(axis=1) & (places[:, 0] < _SHEET - 8) & (places[:, 1] < _SHEET * 0.82)
    places = places[inside]
    if len(places) == 0:
        return
    low, high = float(places[:, 1].min()), float(places[:, 1].max())
    middle = float(places[:, 0].mean())
    places = places[np.argsort(-places[:, 1] + rng.normal(0, 30, len(places)))]
    clumps = spectral_noise(rng, 64, 64, 2.0)
    depth = (high - places[:, 1]) / max(high - low, 1.0)
    clump = clumps[(places[:, 1] / 7).astype(int) % 64, (places[:, 0] / 7).astype(int) % 64]
    sun = 0.5 + 0.55 * depth + 0.17 * clump - 0.08 * (places[:, 0] - middle) / 120 + rng.normal(0, 0.13, len(places))
    inks = np.clip(sun[:, None] * base * 255.0, 4.0, 250.0)
    sizes, angles = rng.integers(1, 5, (len(places), 2)), rng.uniform(0, 180, len(places))
    for (x, y), ink, (long, short), angle in zip(
        places.astype(int).tolist(), inks.tolist(), sizes.tolist(), angles.tolist(), strict=True
    ):
        cv2.ellipse(sheet, (x, y), (long, min(long, short)), angle, 0, 360, (*ink, 255.0), -1, cv2.LINE_AA)


@lru_cache(maxsize=HEDGES)
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


@lru_cache(maxsize=FENCES)
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
