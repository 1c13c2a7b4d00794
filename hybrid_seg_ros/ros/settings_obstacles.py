"""Parameters of what counts as an obstacle, and since when."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.gate import Gate, GateOptions, Polygon, encloses
from hybrid_seg_ros.ros.parameter_spec import parameter

_OBSTACLES, _GATE, _FILTER = "Obstacles", "Gates", "Time filter"

HOOD_LEAVES = 0.05
"""Share of the image that the own car leaves at least: less is a mask the wrong way round, and all would seem clear."""
SMALLEST_REGION = 0.005
"""Share of the image in which obstacles count at least; a lane far ahead takes more."""
_DRAWN_AT = (1000, 750)  # px; a line, which draws as one pixel, is far less than the smallest region


@dataclass(frozen=True)
class ObstacleSettings:
    """From the mask to obstacles."""

    obstacle_known_classes: bool = parameter(
        False,
        _OBSTACLES,
        "Also count the classes that the bundle names obstacles (cars, people), not only what is foreign.",
    )
    obstacle_min_pixels: int = parameter(
        20, _OBSTACLES, "Smaller ones are not obstacles, px of the published mask.", between=(1, 1e6)
    )
    obstacle_min_width_m: float = parameter(
        0.25, _OBSTACLES, "Narrower ones are not obstacles, m; needs the camera's pose.", between=(0, 10)
    )
    obstacle_min_height_m: float = parameter(
        0.2, _OBSTACLES, "Lower ones are not obstacles, m; needs the camera's pose.", between=(0, 10)
    )
    obstacle_min_area_m2: float = parameter(
        0.0,
        _OBSTACLES,
        "Those of which the mask shows less are not obstacles, m² as the camera sees them; needs the camera's pose. "
        "Kerbs and specks show little, but so do small things nearby: for thresholds low enough to show things whole.",
        between=(0, 10),
    )
    obstacle_max_distance_m: float = parameter(
        50.0, _OBSTACLES, "Those farther away are left out, m; needs the camera's pose.", between=(1, 1000)
    )
    mask_output: str = parameter(
        "filtered",
        _OBSTACLES,
        "What ~/obstacle_mask shows: 'filtered' by gates, minimum sizes and the time filter, 'gated' without the time "
        "filter, 'threshold' all that is above the threshold, as ~/obstacle_mask_raw always does.",
        choices=("filtered", "gated", "threshold"),
    )
    # --- gates
    gate_drivable: bool = parameter(
        True,
        _GATE,
        "Only what stands on or beside drivable ground counts: most false alarms lie off the road.",
        per_camera=True,
    )
    gate_drivable_margin: float = parameter(
        0.005,
        _GATE,
        "How far beside the drivable ground an obstacle may stand, share of the image's width.",
        between=(0, 1),
        per_camera=True,
    )
    gate_horizon: bool = parameter(
        True, _GATE, "Only what reaches below the horizon counts; needs the camera's pose.", per_camera=True
    )
    gate_region: str = parameter(
        "",
        _GATE,
        "Polygon outside of which nothing counts, 'x,y x,y x,y ...' in shares of width and height from the upper left; "
        "empty: the whole image.",
        per_camera=True,
    )
    gate_hood: str = parameter(
        "",
        _GATE,
        "Polygon of the own car in the image, in which nothing counts; as gate_region.",
        per_camera=True,
    )
    gate_hood_image: str = parameter(
        "",
        _GATE,
        "Image file (PNG) of any size over the camera's whole view in which the own car is not black; nothing counts "
        "there. Beside gate_hood.",
        per_camera=True,
    )
    # --- filter
    filter_hits: int = parameter(
        2,
        _FILTER,
        "An obstacle counts once it was seen in this many of the last filter_window images; the filter delays it by "
        "filter_hits - 1 images and never by more. 1 lets all through.",
        between=(1, 63),
    )
    filter_window: int = parameter(3, _FILTER, "See filter_hits.", between=(1, 63))
    filter_drop_after: int = parameter(
        5,
        _FILTER,
        "An obstacle that was not seen in this many images in a row must be confirmed anew.",
        between=(1, 63),
    )
    filter_hysteresis: float = parameter(
        0.0,
        _FILTER,
        "What counts already goes on to count while its score is above the threshold less this.",
        between=(0, 100),
    )
    filter_max_speed_mps: float = parameter(
        40.0, _FILTER, "The greatest speed of anything relative to the camera, m/s.", between=(0.1, 200)
    )

    def obstacle_problems(self) -> list[str]:
        """What is wrong between these."""
        found = []
        if self.filter_hits > self.filter_window:
            found.append(
                f"filter_hits is {self.filter_hits} and filter_window is {self.filter_window}, expected hits <= window"
            )
        unread = []
        for name, read in (("gate_region", polygon), ("gate_hood", polygon), ("gate_hood_image", hood_image)):
            try:
                read(getattr(self, name))
            except ValueError as error:
                unread.append(f"{name}: {error}")
        return [*found, *(unread or self._gate_problems())]

    def _gate_problems(self) -> list[str]:
        """Gates that leave next to nothing of the image: whatever stands there, all would seem clear."""
        region, hood, image = polygon(self.gate_region), polygon(self.gate_hood), hood_image(self.gate_hood_image)
        found = []
        for name, left, expected in (
            ("gate_hood", _left(hood=hood), "the polygon of the own car"),
            ("gate_hood_image", _left(image=image), "an image that is black but for the own car"),
        ):
            if left < HOOD_LEAVES:
                found.append(
                    f"{name} leaves {left:.1%} of the image for obstacles, expected {expected} and at least "
                    f"{HOOD_LEAVES:.0%} left"
                )
        inside = _left(region)
        if inside < SMALLEST_REGION:
            found.append(f"gate_region holds {inside:.2%} of the image, expected at least {SMALLEST_REGION:.1%}")
        left = _left(region, hood, image)
        if not found and left < SMALLEST_REGION:
            found.append(
                f"gate_region, gate_hood and gate_hood_image together leave {left:.2%} of the image for obstacles, "
                f"expected at least {SMALLEST_REGION:.1%}"
            )
        return found


def _left(region: Polygon = (), hood: Polygon = (), image: npt.NDArray[np.uint8] | None = None) -> float:
    """The share of the image in which obstacles count, as the gate itself draws it, 0..1."""
    codes = Gate(GateOptions(region=region, hood=hood), _DRAWN_AT, hood_mask=image).codes
    return 1.0 if codes is None else 1.0 - np.count_nonzero(codes) / codes.size


def hood_image(path: str) -> npt.NDArray[np.uint8] | None:
    """uint8[h, w] of an image file, None for an empty path.

    Raises:
        ValueError: no such file, or no image.
    """
    if not path:
        return None
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"{file} is not there, expected an image file")
    image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"{file} is no image that OpenCV can read, expected PNG")
    return np.asarray(image, np.uint8)


def polygon(text: str) -> Polygon:
    """The corners that 'x,y x,y x,y ...' names, in shares of width and height; none for an empty text.

    Raises:
        ValueError: not a list of pairs, fewer than three, or outside 0..1.
    """
    corners = []
    for pair in text.split():
        parts = pair.split(",")
        try:
            x, y = (float(part) for part in parts)
        except ValueError:
            raise ValueError(f"found {pair!r} in {text!r}, expected corners 'x,y x,y x,y'") from None
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise ValueError(
                f"corner {pair!r} lies outside of the image, expected shares of its width and height, 0..1"
            )
        corners.append((x, y))
    if corners and len(corners) < 3:
        raise ValueError(f"{text!r} has {len(corners)} corners, expected at least three")
    if corners and not encloses(tuple(corners)):
        raise ValueError(f"the corners {text!r} lie on one line, expected a polygon that encloses something")
    return tuple(corners)
