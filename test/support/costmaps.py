"""What Nav2's obstacle layer and the semantic segmentation layer do with the messages they take.

Small models of the plugins: the same parameters from the same YAML, the same rules of marking, clearing, decay and
freshness, on a grid about a robot that stands at the origin.
"""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from support.consumers import (
    CLOUD,
    OBSTACLE_LAYER_CLOUD,
    SCAN,
    SEMANTIC_LAYER_CLOUD,
    Frames,
    RejectedError,
    cloud_points,
    kind_of,
    stamp_s,
    transformed,
)

FREE, LETHAL = 0, 254
SIDE_M, RESOLUTION = 60.0, 0.1


def cell_of(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """int32[N, 2], column and row of each point float64[N, >= 2]; the origin is the middle."""
    return np.floor((points[:, :2] + SIDE_M / 2) / RESOLUTION).astype(np.int32)


def inside(cells: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """bool[N], whether the cell is on the map."""
    return ((cells >= 0) & (cells < round(SIDE_M / RESOLUTION))).all(axis=1)


def empty_grid() -> npt.NDArray[np.uint8]:
    """uint8[rows, columns], all free."""
    side = round(SIDE_M / RESOLUTION)
    return np.zeros((side, side), np.uint8)


def cost_at(grid: npt.NDArray[np.uint8], x: float, y: float, radius: float = 0.0) -> int:
    """The greatest cost within `radius` m of a place."""
    (column, row), reach = cell_of(np.array([[x, y]]))[0], round(radius / RESOLUTION)
    return int(grid[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1].max())


@dataclass(frozen=True)
class Observation:
    """What one message told."""

    origin: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]
    received_s: float


@dataclass
class ObstacleLayer:
    """nav2_costmap_2d::ObstacleLayer.

    Attributes:
        parameters: of the layer, as in the YAML below `obstacle_layer`.
        frames: transforms into the global frame.
        grid: uint8, its own costmap: what is marked stays until a ray clears it.
    """

    parameters: dict[str, Any]
    frames: Frames
    grid: npt.NDArray[np.uint8] = field(default_factory=empty_grid)
    newest: dict[str, Observation] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """Names of the observation sources."""
        return str(self.parameters["observation_sources"]).split()

    def add(self, source: str, message: Any, now_s: float) -> None:
        """A message of a source's topic."""
        given = self.parameters[source]
        if kind_of(message) != {"PointCloud2": CLOUD, "LaserScan": SCAN}[given.get("data_type", "LaserScan")]:
            raise RejectedError(f"{source} subscribes {given.get('data_type', 'LaserScan')}, found {kind_of(message)}")
        frame = self.frames[message.header.frame_id]
        if kind_of(message) == SCAN:
            points = scan_points(message, inf_is_valid=bool(given.get("inf_is_valid", False)))
        else:
            values = cloud_points(OBSTACLE_LAYER_CLOUD, message)
            points = np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1)
        points = transformed(points, frame)
        low, high = given.get("min_obstacle_height", 0.0), given.get("max_obstacle_height", 0.0)
        taken = (points[:, 2] >= low) & (points[:, 2] <= high)
        origin = self.frames[given["sensor_frame"]][:3, 3] if given.get("sensor_frame") else frame[:3, 3]
        self.newest[source] = Observation(origin, points[taken], now_s)

    def current(self, now_s: float) -> bool:
        """Whether every source is as fresh as it should be; a costmap that is not stops the controller."""
        return all(
            not rate or (source in self.newest and now_s - self.newest[source].received_s <= rate)
            for source in self.sources
            if (rate := self.parameters[source].get("expected_update_rate", 0.0)) is not None
        )

    def update(self) -> npt.NDArray[np.uint8]:
        """One cycle: clear along the newest rays, mark the newest points."""
        for source, seen in self.newest.items():
            if self.parameters[source].get("clearing", False):
                self._clear(seen, float(self.parameters[source].get("raytrace_max_range", 3.0)))
        for source, seen in self.newest.items():
            if self.parameters[source].get("marking", True):
                self._mark(seen, float(self.parameters[source].get("obstacle_max_range", 2.5)))
        return self.grid

    def _clear(self, seen: Observation, reach: float) -> None:
        start = cell_of(seen.origin[None, :2])[0]
        away = seen.points[:, :2] - seen.origin[:2]
        distance = np.linalg.norm(away, axis=1, keepdims=True)
        ends = cell_of(seen.origin[:2] + away * np.minimum(1.0, reach / np.maximum(distance, 1e-9)))
        for end in ends:
            cv2.line(self.grid, start.tolist(), end.tolist(), FREE)

    def _mark(self, seen: Observation, reach: float) -> None:
        height = seen.points[:, 2]
        low, high = self.parameters.get("min_obstacle_height", 0.0), self.parameters.get("max_obstacle_height", 2.0)
        near = np.linalg.norm(seen.points[:, :2] - seen.origin[:2], axis=1) <= reach
        cells = cell_of(seen.points[near & (height >= low) & (height <= high)])
        cells = cells[inside(cells)]
        self.grid[cells[:, 1], cells[:, 0]] = LETHAL


def scan_points(scan: Any, *, inf_is_valid: bool) -> npt.NDArray[np.float64]:
    """float64[N, 3] in the scan's frame; +inf is a ray to range_max if it is valid, else nothing."""
    ranges = np.asarray(scan.ranges, np.float64)
    angles = scan.angle_min + np.arange(len(ranges)) * scan.angle_increment
    if inf_is_valid:
        ranges = np.where(np.isposinf(ranges), scan.range_max - 1e-4, ranges)
    taken = np.isfinite(ranges) & (ranges >= scan.range_min) & (ranges <= scan.range_max)
    x, y = np.cos(angles[taken]) * ranges[taken], np.sin(angles[taken]) * ranges[taken]
    return np.stack([x, y, np.zeros_like(x)], axis=1)


@dataclass
class Tile:
    """What was seen on one tile: the stamps of each class, and the class that decides its cost."""

    seen: dict[int, list[float]] = field(default_factory=dict)
    dominant: int | None = None

    def push(self, found: int, now_s: float, *, priority: bool) -> None:
        """A sighting; a class with priority wipes out the others, another one must be seen more often to take over."""
        if priority and self.dominant != found:
            self.seen, self.dominant = {}, found
        self.seen.setdefault(found, []).append(now_s)
        if self.dominant is None or len(self.seen[found]) > len(self.seen.get(self.dominant, [])):
            self.dominant = found

    def purge(self, before_s: float) -> None:
        """Forget what was seen before."""
        self.seen = {key: fresh for key, times in self.seen.items() if (fresh := [t for t in times if t >= before_s])}
        if self.dominant not in self.seen:
            self.dominant = max(self.seen, key=lambda key: len(self.seen[key]), default=None)


@dataclass
class SemanticLayer:
    """semantic_segmentation_layer::SemanticSegmentationLayer with one source and no confidence.

    Attributes:
        parameters: of the source, as in the YAML below its name.
        frame: float64[4, 4], from the cloud's frame into the global frame.
        names: class id -> name, from the label info; nothing is taken before it came.
        tiles: (column, row) -> what was seen there lately.
        grid: uint8, its own costmap: a tile keeps its cost until something is seen there again.
    """

    parameters: dict[str, Any]
    frame: npt.NDArray[np.float64]
    names: dict[int, str] = field(default_factory=dict)
    tiles: dict[tuple[int, int], Tile] = field(default_factory=dict)
    grid: npt.NDArray[np.uint8] = field(default_factory=empty_grid)

    def costs(self, found: int | None) -> dict[str, Any] | None:
        """Parameters of the class type that lists the class of this id; None for a class without."""
        name = self.names.get(-1 if found is None else found)
        kinds = (self.parameters[kind] for kind in self.parameters["class_types"])
        return next((dict(kind) for kind in kinds if name in kind["classes"]), None)

    def add(self, mask: Any, cloud: Any) -> None:
        """One matched pair: at most one sighting a tile, the dearest class first."""
        if not self.names:
            raise RejectedError("semantic segmentation layer: class map is empty, no label info came")
        values = cloud_points(SEMANTIC_LAYER_CLOUD, cloud)
        points = transformed(np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1), self.frame)
        classes = np.frombuffer(bytes(mask.data), np.uint8)
        distance = np.linalg.norm(points - self.frame[:3, 3], axis=1)
        near, far = self.parameters.get("min_obstacle_distance", 0.3), self.parameters.get("max_obstacle_distance", 5.0)
        taken = np.isfinite(points[:, 2]) & (distance > near) & (distance < far)
        best: dict[tuple[int, int], int] = {}
        for (column, row), found in zip(cell_of(points[taken]).tolist(), classes[taken].tolist(), strict=True):
            if (column, row) not in best or self._dearer(found, best[column, row]):
                best[column, row] = found
        for tile, found in best.items():
            given = self.costs(found)
            if given is not None:
                seen = self.tiles.setdefault(tile, Tile())
                seen.push(found, stamp_s(cloud), priority=bool(given.get("dominant_priority")))

    def update(self, now_s: float) -> npt.NDArray[np.uint8]:
        """One cycle: sightings decay, and tiles with any left get their cost."""
        keep = self.parameters.get("tile_map_decay_time", 5.0)
        for tile in self.tiles.values():
            tile.purge(now_s - keep)
        self.tiles = {place: tile for place, tile in self.tiles.items() if tile.seen}
        for (column, row), tile in self.tiles.items():
            given = self.costs(tile.dominant)
            if given is not None and 0 <= column < self.grid.shape[1] and 0 <= row < self.grid.shape[0]:
                enough = len(tile.seen[tile.dominant or 0]) >= given.get("samples_to_max_cost", 0)
                self.grid[row, column] = given["max_cost"] if enough else given["base_cost"]
        return self.grid

    def _dearer(self, one: int, other: int) -> bool:
        if not self.parameters.get("use_cost_selection", True):
            return False  # without confidence all are as sure: the first pixel of a tile stays
        first, second = self.costs(one), self.costs(other)
        return first is not None and (second is None or first["max_cost"] > second["max_cost"])
