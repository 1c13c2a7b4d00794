"""Kernel launches of one frame, from plain numbers and addresses: the same on the device and in the host build."""

from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.bundle import NetworkInput
from hybrid_seg_ros.cuda.sources import device_color
from hybrid_seg_ros.frames.geometry import Placement

_POST_BLOCK = 128
_PRE_BLOCK = (32, 8)
_INT_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel launch.

    Attributes:
        kernel: name of the entry point.
        grid: blocks along x, y, z.
        block: threads of a block along x, y, z.
        arguments: the kernel's parameters, each of its exact type; addresses are np.uint64.
    """

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    arguments: tuple[np.generic, ...]


@dataclass(frozen=True, slots=True)
class DeviceTaps:
    """A `taps.Taps` in device memory: the addresses of its arrays, and how many output pixels it has."""

    first: int
    weights: int
    count: int


@dataclass(frozen=True, slots=True)
class DeviceAxis:
    """A `geometry.AxisTable` in device memory: the addresses of its arrays, and how many output pixels it has."""

    low: int
    high: int
    weight: int
    count: int


@dataclass(frozen=True, slots=True)
class DeviceRuns:
    """The result of `taps.column_runs` in device memory, and how many runs it holds (one less than its entries)."""

    starts: int
    count: int


@dataclass(frozen=True, slots=True)
class Normalisation:
    """channel = pixel * scale + offset, per channel in the network's order.

    Attributes:
        rgb: whether the network's order is R, G, B; else B, G, R.
        scale: three factors.
        offset: three summands.
    """

    rgb: bool
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]

    @classmethod
    def of(cls, spec: NetworkInput) -> "Normalisation":
        """(pixel / 255 - mean) / std of the manifest, as `detector.preprocess.Preprocessor` computes it."""
        first, second, third = (1 / (255 * std) for std in spec.std)
        offset = tuple(-mean / std for mean, std in zip(spec.mean, spec.std, strict=True))
        return cls(spec.color_order == "rgb", (first, second, third), (offset[0], offset[1], offset[2]))


def preprocess_launch(
    *,
    encoding: str,
    image: int,
    pitch: int,
    columns: DeviceTaps,
    rows: DeviceTaps,
    tensor: int,
    placement: Placement,
    normalisation: Normalisation,
    statistics: int = 0,
) -> Launch:
    """Camera image to network tensor, by the kernel that `sources.preprocess_kernel` names for these taps.

    Args:
        encoding: of the image; the one the kernel was made for.
        image: address of the raw image, `PixelFormat.rows(height)` rows.
        pitch: bytes from row to row of the image.
        columns: taps along x, source width to content width.
        rows: taps along y, source height to content height.
        tensor: address of the tensor [3, h, w], of the kernel's element type, aligned to 8 bytes.
        placement: where the image goes.
        normalisation: of the network's input.
        statistics: address of the frame's statistics to empty, see `statistics.py`; 0 where none are kept.

    Raises:
        ValueError: taps of other sizes than the placement's, or an image that the kernel cannot address.
    """
    (source_width, source_height), (width, height) = placement.source, placement.network
    if (columns.count, rows.count) != placement.content:
        raise ValueError(f"taps are for {columns.count}x{rows.count}, expected the content's {placement.content}")
    taken = source_height * 3 // 2 if device_color(encoding) in ("nv12", "nv21") else source_height
    if pitch * taken >= _INT_LIMIT or 3 * width * height >= _INT_LIMIT:
        raise ValueError(f"{taken} rows of {pitch} bytes to {width}x{height}: expected less than 2 GiB each")
    _check_addresses(8, tensor=tensor)
    arguments: tuple[np.generic, ...] = (
        np.uint64(image), np.int32(pitch), np.int32(source_width), np.int32(source_height),
        np.uint64(columns.first), np.uint64(columns.weights), np.uint64(rows.first), np.uint64(rows.weights),
        np.uint64(tensor), np.int32(width), np.int32(height),
        np.int32(placement.pad_left), np.int32(placement.pad_top),
        np.int32(placement.content[0]), np.int32(placement.content[1]),
        np.int32(2 if normalisation.rgb else 0),
        *(np.float32(value) for value in (*normalisation.scale, *normalisation.offset)),
        np.uint64(statistics),
    )  # fmt: skip
    across, down = _PRE_BLOCK
    grid = (_ceil_div(_ceil_div(width, 2), across), _ceil_div(height, down), 1)
    return Launch("hsr_preprocess", grid, (across, down, 1), arguments)


def postprocess_launch(
    *,
    logits: int,
    posterior: int,
    grid_size: tuple[int, int],
    rows: DeviceAxis,
    columns: DeviceAxis,
    runs: DeviceRuns,
    threshold: float,
    temperature: float = 1.0,
    labels: int = 0,
    score: int = 0,
    mask: int = 0,
    confidence: int = 0,
    confidence_table: int = 0,
    statistics: int = 0,
) -> Launch:
    """Raw network outputs to maps of `columns.count` x `rows.count`, by the kernel of `sources.postprocess_kernel`.

    Args:
        logits: address of [K, h, w], of the kernel's element type.
        posterior: address of [2, h, w], of the same type.
        grid_size: (w, h) of both.
        rows: sampling of the h rows.
        columns: sampling of the w columns.
        runs: `taps.column_runs` of the columns.
        threshold: mask = score > threshold.
        temperature: divides the logits for the confidence only.
        labels: address of uint8[H, W]; like the next three 0 where not wanted, else aligned to 8 bytes.
        score: address of float32[H, W].
        mask: address of uint8[H, W].
        confidence: address of uint8[H, W].
        confidence_table: address of uint8[256], see `detector.confidence.lookup_table`; 0 for none.
        statistics: address of the frame's statistics, emptied before, see `statistics.py`; 0 where none are kept.

    Raises:
        ValueError: an output that is not aligned, or one that the kernel cannot address.
    """
    if rows.count * columns.count >= _INT_LIMIT:
        raise ValueError(f"maps of {columns.count}x{rows.count}: expected less than 2^31 pixels")
    _check_addresses(8, labels=labels, score=score, mask=mask, confidence=confidence)
    arguments: tuple[np.generic, ...] = (
        np.uint64(logits), np.uint64(posterior),
        np.uint64(rows.low), np.uint64(rows.high), np.uint64(rows.weight),
        np.uint64(runs.starts), np.uint64(columns.low), np.uint64(columns.high), np.uint64(columns.weight),
        np.int32(runs.count), np.int32(grid_size[1]), np.int32(grid_size[0]),
        np.int32(rows.count), np.int32(columns.count),
        np.uint64(labels), np.uint64(score), np.uint64(mask), np.uint64(confidence),
        np.float32(threshold), np.float32(1 / temperature), np.uint64(confidence_table), np.uint64(statistics),
    )  # fmt: skip
    blocks = _ceil_div(runs.count * rows.count, _POST_BLOCK)
    return Launch("hsr_postprocess", (blocks, 1, 1), (_POST_BLOCK, 1, 1), arguments)


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def _check_addresses(alignment: int, **addresses: int) -> None:
    for name, address in addresses.items():
        if address % alignment:
            raise ValueError(f"{name} lies at {address:#x}, expected an address aligned to {alignment} bytes")
