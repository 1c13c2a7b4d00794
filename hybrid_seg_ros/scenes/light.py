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
        bounce = np.asarray(self.bounce, np.float32)
        irradiance = bounce + up * (np.asarray(self.sky, np.float32) - bounce)
        if max(self.sun) > 0.0:
            facing = np.maximum(n @ np.asarray(self.to_sun, np.float32), 0.0)[..., None]
            irradiance += facing * np.asarray(self.sun, np.float32)
        return np.asarray(irradiance, np.float32)

    def on(self, normal: tuple[float, float, float]) -> tuple[float, float, float]:
        """`diffuse` of a single unit normal, BGR."""
        up = 0.5 + 0.5 * normal[2]
        facing = max(sum(n * s for n, s in zip(normal, self.to_sun, strict=True)), 0.0)
        blue, green, red = (
            up * sky + (1.0 - up) * bounce + facing * sun
            for sky, bounce, sun in zip(self.sky, self.bounce, self.sun, strict=True)
        )
        return blue, green, red

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
        cosine = np.clip(np.einsum("ij,ij->i", normals, towards_eye), 0.0, 1.0)
        mirror = 2.0 * cosine[:, None] * normals - towards_eye
        fresnel = (gloss * (0.06 + 0.5 * (1.0 - cosine) ** 4))[:, None]
        skyward = np.clip(mirror[:, 2:3] * 2.5 + 0.15, 0.0, 1.0)
        seen = skyward * np.asarray(self.sky, np.float32) + (1.0 - skyward) * 0.25 * np.asarray(self.bounce, np.float32)
        polished = np.asarray(diffuse + fresnel * (seen - diffuse), np.float32)
        if max(self.sun) > 0.0:
            glint = np.maximum(mirror @ np.asarray(self.to_sun, np.float32), 0.0) ** 60
            polished += (0.8 * gloss * glint)[:, None] * np.asarray(self.sun, np.float32)
        return polished


def direction(azimuth: float, elevation: float) -> tuple[float, float, float]:
    """Unit vector of an azimuth (rad, from x towards y) and elevation (rad)."""
    c = math.cos(elevation)
    return c * math.cos(azimuth), c * math.sin(azimuth), math.sin(elevation)
