"""The light of a scene and how a surface answers it."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Light:
    """A hemisphere of sky light, its bounce off the ground, and the sun.

    Attributes:
        to_sun: unit vector towards the sun, world frame.
        sun: BGR strength of direct sun on a surface that faces it; zeros under cloud.
        sky: BGR strength from straight above.
        bounce: BGR strength from below.
    """

    to_sun: tuple[float, float, float]
    sun: tuple[float, float, float]
    sky: tuple[float, float, float]
    bounce: tuple[float, float, float]

    def diffuse(self, normals: npt.ArrayLike) -> Floats:
        """Irradiance BGR [..., 3] on unit normals [..., 3]; 1 shows a surface at its own albedo."""
        n = np.asarray(normals, np.float32)
        up = (0.5 + 0.5 * n[..., 2])[..., None]
        facing = np.maximum(n @ np.asarray(self.to_sun, np.float32), 0.0)[..., None]
        ambient = up * np.asarray(self.sky, np.float32) + (1.0 - up) * np.asarray(self.bounce, np.float32)
        return np.asarray(ambient + facing * np.asarray(self.sun, np.float32), np.float32)

    def turned(self, yaw: float) -> "Light":
        """The same light in a frame turned by `yaw` about z (rad)."""
        c, s = math.cos(yaw), math.sin(yaw)
        x, y, z = self.to_sun
        return replace(self, to_sun=(c * x - s * y, s * x + c * y, z))

    def shade(self, albedo: Floats, gloss: Floats, normals: Floats, towards_eye: Floats) -> Floats:
        """Colour leaving surfaces: diffuse, a Fresnel mirror of sky and street, and a glint of sun.

        Args:
            albedo: [N, 3] BGR 0..1.
            gloss: [N], 0 matt, 1 polished.
            normals: [N, 3] unit.
            towards_eye: [N, 3] unit.

        Returns:
            float32[N, 3], not clipped.
        """
        diffuse = albedo * self.diffuse(normals)
        if not gloss.any():
            return diffuse
        cosine = np.clip(np.sum(normals * towards_eye, axis=1), 0.0, 1.0)
        mirror = 2.0 * cosine[:, None] * normals - towards_eye
        fresnel = (gloss * (0.06 + 0.5 * (1.0 - cosine) ** 4))[:, None]
        skyward = np.clip(mirror[:, 2:3] * 2.5 + 0.15, 0.0, 1.0)
        seen = skyward * np.asarray(self.sky, np.float32) + (1.0 - skyward) * 0.25 * np.asarray(self.bounce, np.float32)
        glint = np.maximum(mirror @ np.asarray(self.to_sun, np.float32), 0.0)[:, None] ** 60
        sun = np.asarray(self.sun, np.float32)
        return np.asarray(
            diffuse * (1.0 - fresnel) + fresnel * seen + gloss[:, None] * glint * sun * 0.8,
            np.float32,
        )


def direction(azimuth: float, elevation: float) -> tuple[float, float, float]:
    """Unit vector of an azimuth (rad, from x towards y) and elevation (rad)."""
    c = math.cos(elevation)
    return c * math.cos(azimuth), c * math.sin(azimuth), math.sin(elevation)
