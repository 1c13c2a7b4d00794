"""`colcon build` of the package, as a robot's workspace does it, and what it installs."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The install folder of a real colcon build from a copy-free source tree."""
    work = tmp_path_factory.mktemp("colcon")
    colcon = Path(sysconfig.get_path("scripts")) / "colcon"
    build = subprocess.run(
        [
            str(colcon), "--log-base", str(work / "log"),
            "build", "--base-paths", str(REPOSITORY), "--packages-select", "hybrid_seg_ros",
            "--build-base", str(work / "build"), "--install-base", str(work / "install"),
        ],
        cwd=work, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stdout + build.stderr
    return work / "install" / "hybrid_seg_ros"


def installed_environment(prefix: Path) -> dict[str, str]:
    site = next(prefix.glob("lib/python3*/site-packages"))
    return {**os.environ, "PYTHONPATH": str(site), "AMENT_PREFIX_PATH": str(prefix)}


def test_executables_are_where_ros2_run_looks(prefix: Path) -> None:
    for name in ("hybrid_seg_node", "hybrid-seg"):
        assert os.access(prefix / "lib/hybrid_seg_ros" / name, os.X_OK), name


def test_share_holds_what_launch_and_the_node_need(prefix: Path) -> None:
    share = prefix / "share/hybrid_seg_ros"
    for wanted in ("package.xml", "launch/detector.launch.py", "config/detector.yaml", "config/fastdds.xml"):
        assert (share / wanted).is_file(), wanted
    bundles = sorted(path.parent.name for path in (share / "engines").glob("*/manifest.yaml"))
    assert bundles == sorted(path.parent.name for path in (REPOSITORY / "engines").glob("*/manifest.yaml"))


def test_ament_index_knows_the_package(prefix: Path) -> None:
    assert (prefix / "share/ament_index/resource_index/packages/hybrid_seg_ros").is_file()


def test_installed_cli_finds_the_shipped_bundle_by_name(prefix: Path, tmp_path: Path) -> None:
    """Run the installed copy from elsewhere: the sources must not be what answers."""
    bundles = sorted((prefix / "share/hybrid_seg_ros/engines").iterdir())
    assert bundles, "no bundle was installed"
    answer = subprocess.run(
        [str(prefix / "lib/hybrid_seg_ros/hybrid-seg"), "inspect", bundles[0].name],
        env=installed_environment(prefix), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert bundles[0].name in answer.stdout


def test_installed_package_is_complete(prefix: Path) -> None:
    """Every module of the source tree is in the install."""
    site = next(prefix.glob("lib/python3*/site-packages"))
    source = {str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / "hybrid_seg_ros").rglob("*.py")}
    installed = {str(p.relative_to(site)) for p in (site / "hybrid_seg_ros").rglob("*.py")}
    assert installed == source
    assert f"python{sys.version_info[0]}.{sys.version_info[1]}" in str(site)
