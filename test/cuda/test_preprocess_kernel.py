"""The pre-processing kernel, on the host and on a GPU, against decoding, resizing and normalising on the host."""

import numpy as np
import pytest
from support.kernel_runners import Runner

from hybrid_seg_ros.bundle import NetworkInput
from hybrid_seg_ros.cuda import statistics
from hybrid_seg_ros.cuda.launch import DeviceTaps, Normalisation, preprocess_launch
from hybrid_seg_ros.cuda.sources import Element, preprocess_kernel
from hybrid_seg_ros.cuda.taps import STAGE_ERROR, resize_taps, stages
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.frames.encodings import camera_format, decode
from hybrid_seg_ros.frames.geometry import Placement

ENCODINGS = (
    "bgr8", "rgb8", "bgra8", "rgba8", "mono8", "yuv422_yuy2", "yuv422", "nv12", "nv21",
    "bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8",
)  # fmt: skip
SPEC = NetworkInput(width=64, height=64, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
# What one resize of 8 bit images is off, in units of the tensor.
STAGE = STAGE_ERROR / 255 / min(SPEC.std)


def raw_image(encoding: str, size: tuple[int, int], seed: int = 0) -> tuple[np.ndarray, int]:
    """Random bytes, rows 5 bytes further apart than they are long; and the step."""
    fmt = camera_format(encoding)
    step = size[0] * fmt.pixel_bytes + 5
    return np.random.default_rng(seed).integers(0, 256, fmt.rows(size[1]) * step, np.uint8), step


def preprocess(
    runner: Runner, raw: np.ndarray, step: int, encoding: str, placement: Placement, element: Element = "float",
    order: str = "rgb", slots: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """The tensor [3, h, w] that the kernel makes of a raw image, by the launch that the device would get."""
    (width, height), content = placement.network, placement.content
    columns, rows = (resize_taps(a, b) for a, b in zip(placement.source, content, strict=True))
    tensor = np.full((3, height, width), 77, np.float16 if element == "half" else np.float32)
    launch = preprocess_launch(
        encoding=encoding,
        image=runner.address(raw),
        pitch=step,
        columns=DeviceTaps(runner.address(columns.first), runner.address(columns.weights), content[0]),
        rows=DeviceTaps(runner.address(rows.first), runner.address(rows.weights), content[1]),
        tensor=runner.address(tensor),
        placement=placement,
        normalisation=Normalisation.of(SPEC.model_copy(update={"color_order": order})),
        statistics=runner.address(slots),
    )
    kernel = preprocess_kernel(
        encoding=encoding, element=element, column_taps=columns.weights.shape[1], row_taps=rows.weights.shape[1]
    )
    runner.run(kernel, launch)
    return tensor


def expected_tensor(raw: np.ndarray, step: int, encoding: str, placement: Placement, order: str = "rgb") -> np.ndarray:
    width, height = placement.source
    image = decode(raw, width=width, height=height, encoding=encoding, step=step)
    return Preprocessor(SPEC.model_copy(update={"color_order": order}), placement.network)(image, placement)[0]


@pytest.mark.parametrize("size", [(64, 48), (6, 4), (130, 94)])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_colours_are_those_of_the_host_to_the_last_bit(runner: Runner, encoding: str, size: tuple[int, int]) -> None:
    raw, step = raw_image(encoding, size)
    placement = Placement.fit(size, size, "stretch")
    got = preprocess(runner, raw, step, encoding, placement)
    np.testing.assert_array_equal(got, expected_tensor(raw, step, encoding, placement))


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if "bayer" in name or name == "bgr8"])
def test_odd_sizes(runner: Runner, encoding: str) -> None:
    raw, step = raw_image(encoding, (67, 43))
    placement = Placement.fit((67, 43), (67, 43), "stretch")
    got = preprocess(runner, raw, step, encoding, placement)
    np.testing.assert_array_equal(got, expected_tensor(raw, step, encoding, placement))


@pytest.mark.parametrize("rule", ["stretch", "letterbox"])
@pytest.mark.parametrize("network", [(128, 96), (96, 64), (64, 96), (63, 33)])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_resize_and_padding(runner: Runner, rule: str, network: tuple[int, int], order: str) -> None:
    raw, step = raw_image("bgr8", (131, 93))
    placement = Placement.fit((131, 93), network, rule)  # type: ignore[arg-type]
    got = preprocess(runner, raw, step, "bgr8", placement, order=order)
    steps = max(len(stages(a, b)) - 1 for a, b in zip(placement.source, placement.content, strict=True))
    assert np.abs(got - expected_tensor(raw, step, "bgr8", placement, order)).max() <= steps * STAGE
    padding = np.ones(got.shape[1:], bool)
    left, top, (width, height) = placement.pad_left, placement.pad_top, placement.content
    padding[top : top + height, left : left + width] = False
    assert (got[:, padding] == 0).all()


@pytest.mark.parametrize("encoding", ["nv12", "yuv422", "bayer_grbg8"])
def test_resize_of_converted_colours(runner: Runner, encoding: str) -> None:
    raw, step = raw_image(encoding, (160, 92))
    placement = Placement.fit((160, 92), (96, 64), "letterbox")
    got = preprocess(runner, raw, step, encoding, placement)
    assert np.abs(got - expected_tensor(raw, step, encoding, placement)).max() <= STAGE


@pytest.mark.parametrize(("encoding", "size"), [("bgr8", (131, 93)), ("nv12", (130, 92)), ("bayer_gbrg8", (131, 93))])
def test_half_is_float_rounded_to_the_nearest(runner: Runner, encoding: str, size: tuple[int, int]) -> None:
    raw, step = raw_image(encoding, size)
    placement = Placement.fit(size, (96, 64), "letterbox")
    full, half = (preprocess(runner, raw, step, encoding, placement, element) for element in ("float", "half"))
    np.testing.assert_array_equal(half, full.astype(np.float16))


def test_it_empties_the_statistics(runner: Runner) -> None:
    raw, step = raw_image("bgr8", (64, 48))
    slots = np.full(statistics.SHAPE, 5, np.int32)
    preprocess(runner, raw, step, "bgr8", Placement.fit((64, 48), (64, 48), "stretch"), slots=slots)
    np.testing.assert_array_equal(slots, statistics.empty())


def test_taps_of_another_size_are_refused() -> None:
    _, step = raw_image("bgr8", (64, 48))
    with pytest.raises(ValueError, match=r"taps are for 3x48, expected the content's \(64, 48\)"):
        preprocess_launch(
            encoding="bgr8", image=0, pitch=step, columns=DeviceTaps(0, 0, 3), rows=DeviceTaps(0, 0, 48),
            tensor=0, placement=Placement.fit((64, 48), (64, 48), "stretch"), normalisation=Normalisation.of(SPEC),
        )  # fmt: skip


def test_an_encoding_that_the_host_converts_is_refused() -> None:
    with pytest.raises(ValueError, match="'mono16' is not converted on the device"):
        preprocess_kernel(encoding="mono16", element="half", column_taps=2, row_taps=2)
