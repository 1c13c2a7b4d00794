"""The pinhole camera that took a frame, and what resizing does to it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class CameraModel:
    """Pinhole intrinsics in pixels, with the distortion as the driver published it.

    Pixel coordinates are continuous with pixel *centres* at integers, as in ROS and OpenCV:
    the image covers [-0.5, width - 0.5].

    Attributes:
        width: image width, px.
        height: image height, px.
        fx: focal length along x, px.
        fy: focal length along y, px.
        cx: principal point x, px.
        cy: principal point y, px.
        distortion: coefficients D of sensor_msgs/CameraInfo, empty when there is none.
        distortion_model: name of the model D belongs to ("plumb_bob", "equidistant", ...).
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    distortion_model: str = "plumb_bob"

    def resized(self, width: int, height: int) -> "CameraModel":
        """The same camera after its image was stretched to width x height (pixel-centre convention)."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )
