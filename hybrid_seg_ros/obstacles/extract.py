"""From a mask to obstacles: components, gates, contact points, sizes in metres."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.assemble import classes_below, contacts_of, obstacles_of, runs_of
from hybrid_seg_ros.obstacles.contact import stand
from hybrid_seg_ros.obstacles.edges import Edges, Flags, lower_edges
from hybrid_seg_ros.obstacles.gate import REASONS, DrivableArea, Gate
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.measure import Measures, measure
from hybrid_seg_ros.obstacles.runs import Components, Mask, fill, find_components
from hybrid_seg_ros.obstacles.types import Floats, Obstacles


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """Which components are obstacles, and how exact their contact points are.

    Sizes in metres hold for obstacles that touch the ground in sight; each limit stands for itself.

    Attributes:
        min_pixels: smaller components are none, px.
        min_width_m: narrower ones are none, m.
        min_height_m: lower ones are none, m.
        min_area_m2: those whose pixels show less, seen from the camera, are none, m².
        max_distance_m: those farther from the vehicle frame's origin are left out, m.
        max_obstacles: of more, the ones with the most pixels are kept.
        clearance_m: what hangs higher between an obstacle's feet does not close the way below, m.
        pixel_sigma: one standard deviation of a contact's pixel, px.
        pitch_sigma: of the camera's pitch, rad.
        height_sigma: of its height over ground, m.
    """

    min_pixels: int = 16
    min_width_m: float = 0.0
    min_height_m: float = 0.0
    min_area_m2: float = 0.0
    max_distance_m: float = math.inf
    max_obstacles: int = 256
    clearance_m: float = 2.5
    pixel_sigma: float = 1.0
    pitch_sigma: float = 0.0
    height_sigma: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for limits that let nothing through or mean nothing."""
        for name in ("min_pixels", "max_obstacles"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected >= 1")
        if not self.max_distance_m > 0.0:
            raise ValueError(f"max_distance_m is {self.max_distance_m}, expected > 0 m")
        names = ("min_width_m", "min_height_m", "min_area_m2", "clearance_m", "pixel_sigma")
        for name in (*names, "pitch_sigma", "height_sigma"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected >= 0")


def extract(
    mask: Mask,
    score: Floats | None,
    labels: Mask | None,
    *,
    gate: Gate | None,
    drivable: Flags | None,
    ground: GroundProjection | None,
    options: ExtractOptions,
    stamp_ns: int,
    reasons: Mask | None = None,
) -> Obstacles:
    """The obstacles of one image.

    Contacts are listed obstacle by obstacle, by column: only columns with a contact on the ground, and where the
    drivable gate acts only those above drivable ground. An obstacle without any (no ground given, or its lower edge at
    the horizon) lists the lower edges of all its columns, with NaN for metres.

    Args:
        mask: uint8[H, W], not 0 = above the threshold.
        score: float32[H, W], or None.
        labels: uint8[H, W], class ids; None: the drivable gate is off.
        gate: of this size; None: no gates.
        drivable: bool[K] by class id; None: the drivable gate is off.
        ground: the camera over the ground; None: no metres.
        options: what counts.
        stamp_ns: of the image.
        reasons: uint8[H, W], into which is painted why pixels of the mask are no obstacle (`REASONS`; other pixels are
            left as they are). Costs milliseconds, so None unless somebody looks.

    Raises:
        ValueError: arrays or a gate of another size than the mask.
    """
    size = (mask.shape[1], mask.shape[0])
    _check_sizes(size, gate, {"score": score, "labels": labels, "reasons": reasons})
    codes = None if gate is None else gate.codes
    components = find_components(mask, codes)
    fate = np.where(components.pixels < options.min_pixels, REASONS["too_small"], 0).astype(np.uint8)
    edges = lower_edges(components, fate == 0, score)
    area = None
    if gate is not None:
        _condemn(fate, edges, edges.any(gate.below_horizon(edges.column, edges.bottom)), "horizon")
        if labels is not None and drivable is not None:
            area = gate.drivable_area(labels, drivable)
    if area is not None:
        # What no column touches cannot stand on it; who does is known once its feet are.
        _condemn(fate, edges, edges.any(area.contains(edges.column, edges.bottom)), "drivable")
    _keep_largest(fate, components, options.max_obstacles)
    edges = edges.only(fate[edges.number] == 0)

    feet = stand(edges, ground, clearance_m=options.clearance_m, pixel_sigma=options.pixel_sigma)
    if area is not None:
        feet = replace(feet, listed=feet.listed & area.contains(edges.column, np.floor(feet.row).astype(np.int32)))
        _condemn(fate, edges, edges.any(feet.listed), "drivable")
    measures = measure(edges, feet, components, ground)
    if ground is not None:
        _condemn(fate, edges, _near_enough(measures, options), "too_far")
        _condemn(fate, edges, _large_enough(measures, edges, components, options), "too_small")
    if reasons is not None:
        _explain(reasons, mask, codes, components, fate)
    kept = fate[edges.number] == 0
    index = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    contacts = contacts_of(
        edges, feet, index, ground,
        pixel_sigma=options.pixel_sigma, pitch_sigma=options.pitch_sigma, height_sigma=options.height_sigma,
    )  # fmt: skip
    below = classes_below(contacts, labels, int(kept.sum()))
    return Obstacles(
        stamp_ns,
        size,
        obstacles_of(components, edges, index, measures, below),
        contacts,
        runs_of(components, edges, index),
        _removed(components, fate, gate, area),
    )


def paint(obstacles: Obstacles, keep: Collection[int] | None = None) -> Mask:
    """The mask of obstacles: uint8[H, W], 255 on their pixels.

    Args:
        obstacles: of one image.
        keep: indices into `obstacles.obstacles` of those to paint; None: all.

    Raises:
        IndexError: an index that no obstacle has.
    """
    width, height = obstacles.size
    image = np.zeros((height, width), np.uint8)
    runs = obstacles.runs
    if keep is None:
        value = np.full(runs.row.size, 255, np.uint8)
    else:
        painted = np.zeros(len(obstacles.obstacles), np.uint8)
        painted[list(keep)] = 255
        value = painted[runs.obstacle]
    fill(runs.row, runs.start, runs.stop, value, image)
    return image


def _check_sizes(size: tuple[int, int], gate: Gate | None, arrays: Mapping[str, npt.NDArray[Any] | None]) -> None:
    width, height = size
    for name, array in arrays.items():
        if array is not None and array.shape != (height, width):
            raise ValueError(f"{name} has shape {list(array.shape)}, expected the mask's, [{height}, {width}]")
    if gate is not None and gate.size != size:
        raise ValueError(f"the gate is for {gate.size[0]}x{gate.size[1]} px, found a mask of {width}x{height} px")


def _condemn(fate: Mask, edges: Edges, stays: Flags, reason: str) -> None:
    """The components that do not stay (bool[C]) and that nothing removed before are removed for a reason."""
    out = edges.number[~stays]
    fate[out[fate[out] == 0]] = REASONS[reason]


def _keep_largest(fate: Mask, components: Components, count: int) -> None:
    alive = np.flatnonzero(fate == 0)
    if alive.size > count:
        order = np.argsort(-components.pixels[alive], kind="stable")
        fate[alive[order[count:]]] = REASONS["too_many"]


def _near_enough(measures: Measures, options: ExtractOptions) -> Flags:
    """An obstacle at the horizon, whose distance is not known, is farther than any limit."""
    if math.isinf(options.max_distance_m):
        return np.ones(measures.distance.size, bool)
    return np.asarray(measures.distance <= options.max_distance_m)


def _large_enough(measures: Measures, edges: Edges, components: Components, options: ExtractOptions) -> Flags:
    columns = np.diff(edges.starts)
    area = components.pixels[edges.number] * (measures.width / np.maximum(columns, 1)) ** 2
    # A size that is not known is not below a limit.
    small = measures.width < options.min_width_m
    small |= measures.height < options.min_height_m
    small |= area < options.min_area_m2
    return ~small


def _explain(reasons: Mask, mask: Mask, codes: Mask | None, components: Components, fate: Mask) -> None:
    if codes is not None:
        np.copyto(reasons, codes, where=(mask != 0) & (codes != 0))
    fill(components.row, components.start, components.stop, fate[components.component], reasons)


def _removed(components: Components, fate: Mask, gate: Gate | None, area: DrivableArea | None) -> dict[str, int]:
    """Pixels by what removed them: gates that act, and the rest where it removed any."""
    pixels = np.bincount(fate, components.pixels, minlength=256).astype(np.int64) + components.removed
    acting = {*(() if gate is None else gate.acting), "too_small"}
    if area is not None:
        acting.add("drivable")
    return {name: int(pixels[code]) for name, code in REASONS.items() if name in acting or pixels[code]}
