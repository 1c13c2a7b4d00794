"""Fixtures every room's tests may use."""

from pathlib import Path

import pytest
from support.bundles import make_bundle

from hybrid_seg_ros.bundle import Bundle


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small real bundle (11 classes, 128x96, letterbox); read it, never write to it."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Bundle:
    """A small real bundle of the test's own, to break."""
    return make_bundle(tmp_path / "tiny")
