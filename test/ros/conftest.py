"""Real nodes in processes of their own, each test or module on a ROS domain of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_seg_ros.bags.domain import private_domain


@pytest.fixture(scope="session")
def ros_log_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Discovery on this machine only, logs in a temporary directory; for this process and its children."""
    folder = tmp_path_factory.mktemp("ros")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setitem(os.environ, "ROS_LOG_DIR", str(folder))
        yield folder


@pytest.fixture
def domain(ros_log_dir: Path) -> Iterator[int]:
    """A ROS_DOMAIN_ID for one test."""
    with private_domain() as number:
        yield number


@pytest.fixture(scope="module")
def module_domain(ros_log_dir: Path) -> Iterator[int]:
    """A ROS_DOMAIN_ID for one module."""
    with private_domain() as number:
        yield number
