"""What GPUs are measured against, and the page about them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.benchmark.gpu_device import spread
from hybrid_seg_ros.benchmark.gpu_floors import Speed, Work, post_floor, pre_floor
from hybrid_seg_ros.benchmark.performance import SCENARIOS, page, write_performance
from hybrid_seg_ros.detector import Outputs

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
H100 = Speed(3.35e12, 132, 1.98e9)
MASK = Outputs.LABELS | Outputs.MASK


def test_bytes_and_exponentials_of_a_frame() -> None:
    """By hand: 2048 x 1024 pixels, 512 x 256 cells of 19 + 2 halves."""
    work = Work()
    assert work.image_bytes == 6_291_456
    assert work.pre_bytes == 6_291_456 + 12_582_912
    assert work.post_bytes(MASK) == 5_505_024 + 4_194_304
    assert work.post_bytes(Outputs.ALL) == 5_505_024 + 14_680_064
    assert work.exponentials(MASK) == 41_943_040
    assert work.exponentials(Outputs.LABELS | Outputs.CONFIDENCE) == 0


def test_floors_of_a_known_gpu() -> None:
    assert pre_floor(Work(), H100).us == pytest.approx(5.63, abs=0.01)
    post = post_floor(Work(), H100, MASK)
    assert post.byte_us == pytest.approx(2.90, abs=0.01)
    assert post.exp_us == pytest.approx(10.03, abs=0.01)
    assert (post.us, post.bound) == (post.exp_us, "exp")
    labels = post_floor(Work(), H100, Outputs.LABELS)
    assert (labels.us, labels.bound) == (labels.byte_us, "bytes")


@given(
    outputs=st.integers(1, Outputs.ALL.value).map(Outputs),
    more=st.integers(1, Outputs.ALL.value).map(Outputs),
    faster=st.floats(1, 10),
)
def test_more_work_never_takes_less_and_a_faster_gpu_never_more(outputs: Outputs, more: Outputs, faster: float) -> None:
    work, quick = Work(), Speed(H100.bandwidth * faster, H100.sms, H100.clock_hz * faster)
    floor = post_floor(work, H100, outputs).us
    assert post_floor(work, H100, outputs | more).us >= floor
    assert post_floor(work, quick, outputs).us == pytest.approx(floor / faster)


def test_spread() -> None:
    assert spread([float(i) for i in range(101)]) == {"p50": 50.0, "p99": 99.0, "runs": 101}


def test_the_page_says_when_nothing_was_measured(tmp_path: Path) -> None:
    text = page({})
    assert "No GPU has run these measurements yet. There are no measured figures on this page" in text
    assert not any(f"### {name}" in text for name in SCENARIOS)
    assert "| H100 SXM | 3.35 | 5.6 | 10.0 (exp) | 10.0 (exp) | 15.7 |" in text
    write_performance(tmp_path / "nothing here", tmp_path / "performance.md")
    assert (tmp_path / "performance.md").read_text(encoding="utf-8") == text


def test_the_page_in_docs_is_that_of_the_results_in_docs(tmp_path: Path) -> None:
    """To fix: hybrid-seg bench gpu_kernels --out docs/benchmarks, with or without a GPU."""
    write_performance(DOCS / "benchmarks", tmp_path / "performance.md")
    assert (tmp_path / "performance.md").read_text() == (DOCS / "performance.md").read_text()
