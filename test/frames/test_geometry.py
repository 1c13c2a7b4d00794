import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.frames.geometry import Placement, axis_table, own_input_size

sides = st.integers(1, 5000)
sizes = st.tuples(sides, sides)
rules = st.sampled_from(["stretch", "letterbox"])


@given(sizes, sizes, rules, st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_to_source_inverts_to_network(
    source: tuple[int, int], network: tuple[int, int], rule: str, u: float, v: float
) -> None:
    placement = Placement.fit(source, network, rule)  # type: ignore[arg-type]
    x, y = u * source[0], v * source[1]
    back = placement.to_source(*placement.to_network(x, y))
    assert back == pytest.approx((x, y), abs=1e-9 * max(source))


@given(sizes, sizes, rules)
def test_corners_map_to_corners_of_the_content(source: tuple[int, int], network: tuple[int, int], rule: str) -> None:
    placement = Placement.fit(source, network, rule)  # type: ignore[arg-type]
    left, top = placement.pad_left, placement.pad_top
    assert placement.to_network(-0.5, -0.5) == pytest.approx((left - 0.5, top - 0.5), abs=1e-6)
    assert placement.to_network(source[0] - 0.5, source[1] - 0.5) == pytest.approx(
        (left + placement.content[0] - 0.5, top + placement.content[1] - 0.5), abs=1e-6
    )
    assert left >= 0
    assert left + placement.content[0] <= network[0]
    assert top >= 0
    assert top + placement.content[1] <= network[1]


@given(sizes, sizes)
def test_letterbox_fills_one_side_and_keeps_the_aspect(source: tuple[int, int], network: tuple[int, int]) -> None:
    placement = Placement.fit(source, network, "letterbox")
    width, height = placement.content
    assert width == network[0] or height == network[1]
    scale = min(network[0] / source[0], network[1] / source[1])
    assert abs(width - max(1, source[0] * scale)) <= 0.5 + 1e-6
    assert abs(height - max(1, source[1] * scale)) <= 0.5 + 1e-6
    assert 0 <= (network[0] - width) - 2 * placement.pad_left <= 1


def test_known_letterbox() -> None:
    placement = Placement.fit((1920, 1080), (1024, 512), "letterbox")
    assert placement.content == (910, 512)
    assert (placement.pad_left, placement.pad_top) == (57, 0)


def test_bad_sizes_and_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        Placement.fit((0, 10), (32, 32), "stretch")
    with pytest.raises(ValueError, match="'crop', expected"):
        Placement.fit((10, 10), (32, 32), "crop")  # type: ignore[arg-type]


@given(st.integers(1, 60), st.integers(1, 300))
def test_without_padding_the_table_is_opencvs_bilinear_resize(cells: int, outputs: int) -> None:
    values = np.random.default_rng(cells).normal(size=(1, cells)).astype(np.float32)
    table = axis_table(outputs=outputs, content=4 * cells, pad=0, stride=4, cells=cells)
    got = (1 - table.weight) * values[0, table.low] + table.weight * values[0, table.high]
    expected = cv2.resize(values, (outputs, 1), interpolation=cv2.INTER_LINEAR)[0]
    np.testing.assert_allclose(got, expected, atol=2e-5 * outputs / cells + 2e-5)


@given(st.integers(1, 600), st.integers(0, 300), st.integers(1, 8), st.integers(1, 900))
def test_table_reads_no_cell_centred_in_padding(content: int, pad: int, stride: int, outputs: int) -> None:
    cells = -(-(2 * pad + content) // stride)
    table = axis_table(outputs=outputs, content=content, pad=pad, stride=stride, cells=cells)
    assert ((table.low >= 0) & (table.low <= table.high) & (table.high < cells) & (table.high - table.low <= 1)).all()
    assert ((table.weight >= 0) & (table.weight <= 1)).all()
    assert (np.diff(table.low) >= 0).all()
    centres = (np.unique(np.concatenate([table.low, table.high])) + 0.5) * stride
    inside = (centres >= pad) & (centres <= pad + content)
    assert inside.all() or inside.size == 1, "only content narrower than a cell may use its nearest cell"


def test_a_picture_wider_than_allowed_is_run_narrower() -> None:
    assert own_input_size((2048, 1024), 1280) == (1280, 640)
    assert own_input_size((1280, 720), 1280) == (1280, 736)
    assert own_input_size((480, 360), 1280) == (480, 384)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(32, 4096))
def test_an_input_of_own_size_is_one_that_the_network_takes(width: int, height: int, limit: int) -> None:
    found = own_input_size((width, height), limit)
    assert found[0] % 32 == found[1] % 32 == 0
    assert 32 <= found[0] <= max(limit, 32)
    assert found[1] >= found[0] * height / width - 1e-6
