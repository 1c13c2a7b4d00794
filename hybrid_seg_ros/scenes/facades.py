"""House fronts: brick, render and stone, with windows, doors, shops; and the roofs over them."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import Colour, Image, blur, jitter, modulate, solid, spectral_noise, stream, to_bytes
from hybrid_seg_ros.scenes.surfaces import brick_wall
from hybrid_seg_ros.scenes.texture import Texture, make_texture

PX_PER_M = 40
"""Resolution of a house front."""

_BRICKS: tuple[Colour, ...] = ((0.20, 0.25, 0.42), (0.26, 0.36, 0.48), (0.30, 0.40, 0.50), (0.16, 0.18, 0.30))
_RENDERS: tuple[Colour, ...] = (
    (0.72, 0.78, 0.80), (0.60, 0.70, 0.76), (0.50, 0.55, 0.58), (0.60, 0.64, 0.66), (0.45, 0.58, 0.68),
)  # fmt: skip
_PAINTS: tuple[Colour, ...] = (
    (0.10, 0.08, 0.30), (0.30, 0.16, 0.06), (0.10, 0.22, 0.08), (0.06, 0.06, 0.06), (0.55, 0.55, 0.55),
    (0.12, 0.35, 0.50), (0.40, 0.30, 0.10), (0.12, 0.10, 0.45),
)  # fmt: skip
_TRIM: tuple[Colour, ...] = ((0.78, 0.80, 0.80), (0.62, 0.66, 0.68), (0.20, 0.20, 0.22))


@dataclass(frozen=True, slots=True)
class Facade:
    """A house front.

    Attributes:
        texture: the front by day.
        lights: what its windows give off by night.
        wall: plain wall of the same house, for its sides.
        gable: triangle of the same wall, for under the roof.
        roof: its tiles.
        width_m: width.
        height_m: height of the eaves.
    """

    texture: Texture
    lights: Texture
    wall: Texture
    gable: Texture
    roof: Texture
    width_m: float
    height_m: float


FACADES = 48
"""How many house fronts streets choose from."""


@lru_cache(maxsize=FACADES)
def facade(seed: int) -> Facade:
    """The house front of a seed."""
    rng = stream(seed, 11)
    floors = int(rng.choice([2, 2, 3, 3, 4]))
    storey = float(rng.uniform(2.7, 3.3))
    bays = int(rng.integers(2, 6))
    bay = float(rng.uniform(2.0, 3.0))
    width_m, height_m = bays * bay, floors * storey + float(rng.uniform(0.3, 0.9))
    w, h = round(width_m * PX_PER_M), round(height_m * PX_PER_M)
    wall, side = _walls(rng, h, w)
    lights = np.zeros((h, w, 3), np.float32)
    trim = jitter(rng, _TRIM[int(rng.choice([0, 0, 1, 2]))], 0.1)
    shop = bool(rng.random() < 0.35)
    _weather(rng, wall)
    window_w = int(min(rng.uniform(0.9, 1.7), bay - 0.5) * PX_PER_M)
    window_h = int(rng.uniform(1.3, 1.8) * PX_PER_M)
    bars = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    for floor in range(floors):
        bottom = h - int((floor * storey + 0.85) * PX_PER_M)
        if floor == 0 and shop:
            _shopfront(rng, wall, lights, h - int(storey * PX_PER_M), h)
            continue
        door_bay = int(rng.integers(0, bays)) if floor == 0 else -1
        for k in range(bays):
            x = int((k + 0.5) * bay * PX_PER_M) - window_w // 2
            if k == door_bay:
                _door(rng, wall, int((k + 0.5) * bay * PX_PER_M), h, trim)
                continue
            tall = min(window_h, bottom - 4)
            _window(rng, wall, lights, (x, bottom - tall, window_w, tall), trim, bars)
    wall[: max(2, PX_PER_M // 8)] *= 0.45
    if rng.random() < 0.7:
        x = int(rng.choice([3, w - 7]))
        wall[:, x : x + 3] = np.asarray(trim, np.float32) * 0.45
    size = (width_m, height_m)
    return Facade(
        make_texture(to_bytes(blur(wall, 0.5)), size),
        make_texture(to_bytes(lights), size),
        make_texture(to_bytes(side), (8.0, 8.0)),
        make_texture(_gable(side), (8.0, 3.0)),
        make_texture(to_bytes(_tiles(rng)), (8.0, 5.0)),
        width_m,
        height_m,
    )


def _gable(side: Image) -> npt.NDArray[np.uint8]:
    h, w = 3 * PX_PER_M, side.shape[1]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    cover = np.clip((y + 0.5) * (w / 2 / h) - np.abs(x - (w - 1) / 2) + 0.5, 0.0, 1.0)
    return to_bytes(np.dstack([side[:h] * cover[..., None], cover]))


def _walls(rng: np.random.Generator, h: int, w: int) -> tuple[Image, Image]:
    side_px = 8 * PX_PER_M
    kind = rng.random()
    if kind < 0.55:
        brick = jitter(rng, _BRICKS[int(rng.integers(0, len(_BRICKS)))], 0.25)
        return brick_wall(rng, h, w, brick), brick_wall(rng, side_px, side_px, brick)
    colour = jitter(rng, _RENDERS[int(rng.integers(0, len(_RENDERS)))], 0.2)
    front, side = solid(h, w, colour), solid(side_px, side_px, colour)
    front = modulate(front, _noise(rng, h, w, 0.8), 0.035)
    if kind > 0.8:
        y, x = np.mgrid[0:h, 0:w]
        row = y // 14
        joint = (y % 14 == 0) | ((x + (row % 2) * 16) % 32 == 0)
        shade = np.asarray(1 + 0.08 * rng.standard_normal((61, 53)), np.float32)
        front = front * shade[row % 61, ((x + (row % 2) * 16) // 32) % 53][..., None]
        front[joint] *= 0.78
    return front, modulate(side, _noise(rng, side_px, side_px, 1.5), 0.06)


def _noise(rng: np.random.Generator, h: int, w: int, beta: float) -> Image:
    """Noise of any size, cut from a tile of powers of two."""
    tile = spectral_noise(rng, 256, 256, beta)
    repeats = (-(-h // 256), -(-w // 256))
    return np.tile(tile, repeats)[:h, :w]


def _weather(rng: np.random.Generator, wall: Image) -> None:
    """Soot and rain on a wall: large stains, streaks that run down, a dark foot."""
    h, w = wall.shape[:2]
    streaks = np.asarray(rng.standard_normal((max(h // 80, 2), max(w // 3, 2))), np.float32)
    grown = np.asarray(cv2.resize(streaks, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)
    factor = 1.0 + 0.07 * _noise(rng, h, w, 3.0) + 0.035 * grown
    factor[-PX_PER_M // 2 :] *= np.linspace(1.0, 0.75, PX_PER_M // 2, dtype=np.float32)[:, None]
    wall *= np.clip(factor, 0.5, 1.4)[..., None]


def _glass(rng: np.random.Generator, h: int, w: int) -> Image:
    """A pane: dark room, pale curtains perhaps, and the sky on top of it."""
    pane = solid(h, w, jitter(rng, (0.13, 0.12, 0.11), 0.4))
    if rng.random() < 0.45:
        cloth = np.asarray(jitter(rng, (0.55, 0.58, 0.60), 0.3), np.float32)
        part = int(w * rng.uniform(0.15, 0.4))
        folds = (0.85 + 0.15 * np.sin(np.arange(w) * 1.3)).astype(np.float32)[None, :, None]
        for columns in (slice(0, part), slice(w - part, w)):
            pane[:, columns] = (cloth * folds)[:, columns]
    elif rng.random() < 0.3:
        pane[: int(h * rng.uniform(0.2, 0.7))] = jitter(rng, (0.6, 0.65, 0.66), 0.2)
    height = np.linspace(1.0, 0.0, h, dtype=np.float32)[:, None, None]
    mirror = np.float32(rng.uniform(0.1, 0.5)) * height ** np.float32(rng.uniform(0.7, 2.0))
    sky = np.asarray((0.92, 0.86, 0.80), np.float32)
    skyline = (_noise(rng, 256, 256, 2.5)[:1, :w] > rng.uniform(-0.3, 0.8)).astype(np.float32)[..., None]
    return np.asarray(pane * (1 - mirror) + sky * mirror * (0.7 + 0.3 * skyline), np.float32)


def _window(
    rng: np.random.Generator,
    wall: Image,
    lights: Image,
    place: tuple[int, int, int, int],
    trim: Colour,
    bars: tuple[int, int],
) -> None:
    x, y, w, h = place
    x, y = max(x, 2), max(y, 4)
    w, h = min(w, wall.shape[1] - x - 2), min(h, wall.shape[0] - y - 4)
    if w < 8 or h < 8:
        return
    frame = np.asarray(trim, np.float32)
    wall[y - 4 : y, max(x - 3, 0) : x + w + 3] *= np.float32(rng.uniform(0.8, 1.25))
    wall[y : y + h, x : x + w] = frame
    wall[y : y + h, x : x + 1] *= 0.6
    pane_w, pane_h = (w - 4) // bars[0], (h - 4) // bars[1]
    pane = _glass(rng, h, w)
    lit = rng.random() < 0.35
    glow = np.asarray(jitter(rng, (0.35, 0.62, 0.85), 0.3), np.float32)
    for i in range(bars[1]):
        for j in range(bars[0]):
            top, left = y + 2 + i * pane_h, x + 2 + j * pane_w
            window = np.s_[top : top + pane_h - 1, left : left + pane_w - 1]
            wall[window] = pane[top - y : top - y + pane_h - 1, left - x : left - x + pane_w - 1]
            if lit:
                lights[window] = glow * np.linspace(0.5, 1.0, pane_h - 1, dtype=np.float32)[:, None, None]
    wall[y : y + 3, x : x + w] *= 0.55
    sill = min(y + h + 3, wall.shape[0])
    wall[y + h : sill, max(x - 3, 0) : x + w + 3] = frame * 0.9
    wall[sill : sill + 5, max(x - 3, 0) : x + w + 3] *= np.linspace(0.65, 1.0, 5, dtype=np.float32)[:, None, None][
        : max(wall.shape[0] - sill, 0)
    ]


def _door(rng: np.random.Generator, wall: Image, centre: int, ground: int, trim: Colour) -> None:
    half, tall = int(0.5 * PX_PER_M), int(2.15 * PX_PER_M)
    paint = np.asarray(jitter(rng, _PAINTS[int(rng.integers(0, len(_PAINTS)))], 0.3), np.float32)
    x0, x1, y0 = max(centre - half, 2), centre + half, max(ground - tall, 4)
    wall[y0 - 3 : ground, x0 - 3 : x1 + 3] = np.asarray(trim, np.float32) * 0.85
    wall[y0:ground, x0:x1] = paint
    wall[y0 : y0 + 14, x0 + 3 : x1 - 3] = _glass(rng, 14, x1 - x0 - 6)
    for top in (y0 + 20, y0 + 50):
        wall[top : min(top + 24, ground - 4), x0 + 5 : centre - 2] *= 0.75
        wall[top : min(top + 24, ground - 4), centre + 2 : x1 - 5] *= 0.75
    wall[y0 : y0 + 2, x0:x1] *= 0.5


def _shopfront(rng: np.random.Generator, wall: Image, lights: Image, top: int, ground: int) -> None:
    w = wall.shape[1]
    paint = np.asarray(jitter(rng, _PAINTS[int(rng.integers(0, len(_PAINTS)))], 0.4), np.float32)
    fascia = int(0.65 * PX_PER_M)
    wall[top:ground] = paint * 0.8
    wall[top : top + fascia] = paint
    letters = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWY &"), int(rng.integers(5, 12))).tolist())
    ink = (0.85, 0.88, 0.9) if float(paint.mean()) < 0.4 else (0.1, 0.1, 0.12)
    face = int(rng.choice([cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    board = np.zeros((min(fascia, wall.shape[0] - top), w), np.uint8)
    cv2.putText(board, letters, (int(w * 0.1), fascia - 7), face, 0.6, (255.0,), 1, cv2.LINE_AA)
    cover = board.astype(np.float32)[..., None] / 255.0
    wall[top : top + fascia] += cover * (np.asarray(ink, np.float32) - wall[top : top + fascia])
    riser = ground - int(0.5 * PX_PER_M)
    glass_top = top + fascia + 4
    panes = int(rng.integers(2, 5))
    for k in range(panes):
        x0, x1 = w * k // panes + 4, w * (k + 1) // panes - 3
        pane = _glass(rng, riser - glass_top, x1 - x0) * 0.8
        for _ in range(int(rng.integers(2, 7))):
            bx, by = int(rng.integers(0, max(x1 - x0 - 8, 1))), int(rng.integers(0, max(riser - glass_top - 8, 1)))
            bw, bh = rng.integers(5, 24, 2)
            goods = np.float32(rng.uniform(0.1, 0.7)) * np.asarray(rng.uniform(0.6, 1.0, 3), np.float32)
            pane[by : by + bh, bx : bx + bw] = 0.65 * pane[by : by + bh, bx : bx + bw] + 0.35 * goods
        pane = blur(np.asarray(pane, np.float32), 1.0)
        wall[glass_top:riser, x0:x1] = pane
        lights[glass_top:riser, x0:x1] = np.clip(pane * 1.6 + (0.25, 0.38, 0.45), 0, 1) * 0.8
    wall[top + fascia : top + fascia + 5] *= 0.45
    if rng.random() < 0.3:
        stripe = (np.arange(w) // 12 % 2).astype(np.float32)[None, :, None]
        reach = int(0.8 * PX_PER_M)
        cloth = paint * stripe + np.asarray((0.8, 0.82, 0.83), np.float32) * (1 - stripe)
        wall[top + fascia : top + fascia + reach] = cloth * 0.9
        wall[top + fascia + reach : top + fascia + reach + 6] *= 0.5


def _tiles(rng: np.random.Generator) -> Image:
    """A roof of slates or clay tiles, 8 m x 5 m."""
    h, w = 5 * PX_PER_M, 8 * PX_PER_M
    palette: tuple[Colour, ...] = ((0.30, 0.29, 0.28), (0.22, 0.26, 0.40), (0.25, 0.26, 0.28))
    colour = jitter(rng, palette[int(rng.integers(0, 3))], 0.2)
    y, x = np.mgrid[0:h, 0:w]
    row = y // 8
    column = (x + (row % 2) * 5) // 10
    table = np.asarray(1.0 + 0.10 * rng.standard_normal((71, 67)), np.float32)
    roof = solid(h, w, colour) * table[row % 71, column % 67][..., None]
    roof[(y % 8) == 7] *= 0.7
    return modulate(np.asarray(roof, np.float32), _noise(rng, h, w, 3.0), 0.10)
