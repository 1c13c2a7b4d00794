import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.bags import RunSummary, spread


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=200))
def test_spread_is_numpys(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.count == len(values)
    np.testing.assert_allclose([found.p50, found.p99], np.percentile(values, [50, 99]), atol=1e-3)
    assert abs(found.max - max(values)) < 1e-3


def test_spread_of_nothing_is_none() -> None:
    assert spread([]) is None


def test_the_summary_is_json(tmp_path: Path) -> None:
    summary = RunSummary(
        source="bag",
        image_topic="/image",
        frames_in=4,
        frames_out=3,
        rejected=1,
        dropped=0,
        latency_ms=spread([1.0, 2.0, 3.0]),
        stages_ms={"network": spread([1.0])},  # type: ignore[dict-item]
        wall_s=1.0,
        rate_hz=4.0,
    )
    summary.write(tmp_path / "deep" / "summary.json")
    read = json.loads((tmp_path / "deep" / "summary.json").read_text())
    assert read["answered"] == 0.75
    assert read["latency_ms"]["p50"] == 2.0
