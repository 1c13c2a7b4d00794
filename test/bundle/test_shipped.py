"""The bundles in engines/ are what the rest of this repository promises."""

from pathlib import Path

import pytest

from hybrid_seg_ros.backends import create
from hybrid_seg_ros.bundle import describe, find, load_bundle

ENGINES = Path(find.__file__).parents[2] / "engines"
SHIPPED = sorted(file.parent for file in ENGINES.glob("*/manifest.yaml"))


def test_one_ships() -> None:
    assert SHIPPED


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_is_whole_small_and_passes_its_golden_test(path: Path) -> None:
    bundle = load_bundle(path)
    assert bundle.name == path.name
    assert sum(file.stat().st_size for file in path.iterdir()) <= 25e6
    assert bundle.file("MODEL_CARD.md").read_text(encoding="utf-8").strip()
    assert bundle.name in describe(bundle)
    info = create("onnxruntime", bundle).describe()
    assert float(info.details["golden_difference"]) < 1e-3
