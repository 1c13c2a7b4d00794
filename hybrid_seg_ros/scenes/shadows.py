"""Shadows on the ground: houses' in the sun, and soft ones under everything that stands."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.ground import GroundMap
from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.view import NEAR_M, View

Floats = npt.NDArray[np.float32]

_MOST_M = 40.0


def house_shade(road: Road, light: Light, x: Floats, d: Floats) -> Floats:
    """Share of the sun, float32 like x, that the houses' roofline leaves to ground points (x, d)."""
    run = light.to_sun[2] / max(math.hypot(light.to_sun[0], light.to_sun[1]), 1e-6)
    sideways = light.to_sun[1] / max(math.hypot(light.to_sun[0], light.to_sun[1]), 1e-6)
    if abs(sideways) < 0.05:
        return np.ones_like(x)
    index, left = (0, 1.0) if sideways > 0 else (1, -1.0)
    gap = np.maximum(road.setback[index][road.cell(x)] - np.float32(left) * d, 0.0)
    travel = gap / abs(sideways)
    shift = np.clip(travel * light.to_sun[0], -_MOST_M, _MOST_M)
    height = road.roofline[index][road.cell(x + shift)]
    margin = (travel * run - height) / np.maximum(0.03 * travel + 0.1, 0.1)
    return np.asarray(np.clip(margin + 0.5, 0.0, 1.0), np.float32)


class ShadowLayer:
    """How dark the shadows of standing things make the ground."""

    def __init__(self, view: View, light: Light, sunny: bool) -> None:
        self._view = view
        self._sunny = sunny
        to_sun = light.to_sun
        self._lean = np.array([-to_sun[0], -to_sun[1], 0.0]) / max(to_sun[2], 0.2)
        shape = (view.camera.height, view.camera.width)
        self.contact = np.zeros(shape, np.uint8)
        self.cast = np.zeros(shape, np.uint8)

    def add(self, low: npt.NDArray[np.float64], hull: npt.NDArray[np.float64]) -> None:
        """Add the shadows of a body standing on the ground.

        Args:
            low: world points [N, 3] around its lower part.
            hull: world points [M, 3] that span it.
        """
        flat = low * (1.0, 1.0, 0.0)
        middle = flat.mean(axis=0)
        self._fill(self.contact, middle + (flat - middle) * 1.08, 0.12, 190)
        if self._sunny:
            self._fill(self.cast, hull * (1.0, 1.0, 0.0) + hull[:, 2:3] * self._lean, 0.03, 255)

    def cast_only(self, points: npt.NDArray[np.float64], soft_m: float) -> None:
        """Add the sun's shadow of a body that touches no ground, world points [N, 3]."""
        self._fill(self.cast, points * (1.0, 1.0, 0.0) + points[:, 2:3] * self._lean, soft_m, 200)

    def _fill(self, layer: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], soft_m: float, dark: int) -> None:
        pixels, depth = self._view.project(points)
        if (depth < NEAR_M).any():
            return
        sigma = min(soft_m * self._view.camera.fx / float(depth.mean()), 12.0)
        margin = math.ceil(2.5 * sigma) + 1
        height, width = layer.shape
        low, high = pixels.min(axis=0) - margin, pixels.max(axis=0) + margin
        x0, y0 = max(math.floor(low[0]), 0), max(math.floor(low[1]), 0)
        x1, y1 = min(math.ceil(high[0]) + 1, width), min(math.ceil(high[1]) + 1, height)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return
        hull = cv2.convexHull(np.asarray(pixels - (x0, y0), np.float32))
        spot = np.zeros((y1 - y0, x1 - x0), np.uint8)
        fixed = np.round(np.clip(hull, -4000, 4000) * 16).astype(np.int32)
        cv2.fillConvexPoly(spot, fixed, (float(dark),), cv2.LINE_AA, 4)
        if sigma > 0.3:
            spot = np.asarray(cv2.GaussianBlur(spot, (0, 0), sigma), np.uint8)
        window = layer[y0:y1, x0:x1]
        np.maximum(window, spot, out=window)


def sunlight_share(ground: GroundMap, road: Road, light: Light, layer: ShadowLayer) -> Floats:
    """What shadows in the sun leave of daylight on the ground, BGR factors float32[h, W, 3]."""
    full = light.diffuse((0.0, 0.0, 1.0))
    shaded = full - np.asarray(light.sun, np.float32) * np.float32(max(light.to_sun[2], 0.0))
    visible = house_shade(road, light, ground.x, ground.d)
    visible *= 1.0 - layer.cast[ground.top :] * np.float32(1 / 255.0)
    ratio = (shaded / full).astype(np.float32)
    factors = [np.asarray(r + (1.0 - r) * visible, np.float32) for r in ratio]
    return np.asarray(cv2.merge(factors), np.float32)
