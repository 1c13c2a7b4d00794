"""Fixtures every room's tests may use."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from support.bundles import make_bundle
from support.host_kernels import needs_compiler
from support.kernel_runners import DeviceRunner, HostRunner, Runner
from support.real_gpu import require_gpu

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.driver import Driver

# How long an example takes is the machine's business, not the code's: others may be at work on it.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small real bundle (11 classes, 128x96, letterbox); read it, never write to it."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Bundle:
    """A small real bundle of the test's own, to break."""
    return make_bundle(tmp_path / "tiny")


@pytest.fixture(scope="session")
def gpu_driver() -> Iterator[Driver]:
    """The real GPU, with its context current in the tests' own thread; skips where there is none."""
    require_gpu()
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture(
    scope="session",
    params=[pytest.param("host", marks=needs_compiler), pytest.param("gpu", marks=pytest.mark.gpu)],
)
def runner(request: pytest.FixtureRequest) -> Runner:
    """Where kernels run: the same tests for their host build and for the GPU."""
    return HostRunner() if request.param == "host" else DeviceRunner(request.getfixturevalue("gpu_driver"))
