"""package.xml, setup.py and the package itself tell the same story."""

import importlib.metadata
import xml.etree.ElementTree as ET
from pathlib import Path

import hybrid_seg_ros

REPOSITORY = Path(__file__).resolve().parents[2]


def package_xml() -> ET.Element:
    return ET.parse(REPOSITORY / "package.xml").getroot()  # noqa: S314 - our own file


def test_versions_agree() -> None:
    assert package_xml().findtext("version") == hybrid_seg_ros.__version__
    assert importlib.metadata.version("hybrid_seg_ros") == hybrid_seg_ros.__version__


def test_package_is_ament_python_format_3() -> None:
    root = package_xml()
    assert root.get("format") == "3"
    assert root.findtext("export/build_type") == "ament_python"


def test_every_ros_package_the_node_imports_is_declared() -> None:
    """A robot installs what package.xml names: an undeclared import fails only there."""
    declared = {element.text for element in package_xml().iter("exec_depend")}
    imported = set()
    for path in (REPOSITORY / "hybrid_seg_ros").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in {"import", "from"} and not words[1].startswith("."):
                imported.add(words[1].split(".")[0])
    ros = {name for name in imported if name == "rclpy" or name.endswith("_msgs") or name == "ament_index_python"}
    optional = {"vision_msgs"}  # used where it is installed, never required
    assert ros - optional <= declared


def test_extras_promised_by_the_readme_exist() -> None:
    extras = set(importlib.metadata.metadata("hybrid_seg_ros").get_all("Provides-Extra") or [])
    assert {"ros-wheels", "cpu", "gpu", "tensorrt", "dev"} <= extras
