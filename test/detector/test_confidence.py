from dataclasses import replace

import numpy as np
import pytest

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Outputs, open_detector, reference
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.confidence import lookup_table
from hybrid_seg_ros.detector.fused import FusedPostProcessor
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.tiled import TiledPostProcessor
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.geometry import Placement

KNOTS = ((0.2, 0.1), (0.6, 0.3), (0.6001, 0.8), (1.0, 0.9))


def test_the_table_is_the_piecewise_linear_map_at_every_8_bit_value() -> None:
    table = lookup_table(KNOTS)
    assert table is not None
    assert (table.dtype, table.shape) == (np.uint8, (256,))
    assert set(table[:52]) == {26}  # 0.1 up to the first knot, 51 / 255
    assert table[102] == 51  # 0.4 is halfway from 0.2 to 0.6
    assert table[153] == round(255 * 0.3 + 1e-9)
    assert table[154] > 200
    assert table[255] == 230
    assert (np.diff(table.astype(int)) >= 0).all()
    assert lookup_table(None) is None
    np.testing.assert_array_equal(lookup_table(((0.0, 0.0), (1.0, 1.0))), np.arange(256))


@pytest.mark.parametrize("processor", [FusedPostProcessor, TiledPostProcessor])
def test_the_table_changes_the_confidence_and_nothing_else(processor: type) -> None:
    plan = Plan.make(Placement.fit((150, 90), (160, 96), "letterbox"), "source", 4)
    rng = np.random.default_rng(0)
    output = NetworkOutput(
        rng.normal(scale=2, size=(5, 24, 40)).astype(np.float32), rng.normal(size=(2, 24, 40)).astype(np.float32)
    )
    bands, table = Bands(2), lookup_table(KNOTS)
    plain, mapped = (
        processor(Formula("hybrid", 1.4, knots), bands)(output, plan.rows, plan.columns, Outputs.ALL, 0.0)
        for knots in (None, KNOTS)
    )
    bands.close()
    assert table is not None
    np.testing.assert_array_equal(mapped.confidence, table[plain.confidence])
    assert (mapped.confidence != plain.confidence).any()
    for name in ("labels", "score", "mask"):
        np.testing.assert_array_equal(getattr(mapped, name), getattr(plain, name))
    formula = Formula("hybrid", 1.4, KNOTS)
    expected = reference.segment(output.logits, output.posterior, plan.rows, plan.columns, formula, 0.0).confidence
    assert expected is not None
    assert (mapped.confidence == expected).mean() > 0.99  # the 8 bit value before the table may be one off


def test_the_detector_takes_the_table_from_the_manifest(tiny_bundle: Bundle) -> None:
    manifest = tiny_bundle.manifest
    score = manifest.score.model_copy(update={"confidence_table": KNOTS})
    mapped = replace(tiny_bundle, manifest=manifest.model_copy(update={"score": score}))
    image = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    with open_detector(tiny_bundle, "onnxruntime") as first, open_detector(mapped, "onnxruntime") as second:
        before, after = (detector(Frame(image), Outputs.CONFIDENCE).confidence for detector in (first, second))
    table = lookup_table(KNOTS)
    assert before is not None
    assert table is not None
    np.testing.assert_array_equal(after, table[before])
