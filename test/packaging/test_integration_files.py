"""Configurations and layouts for consumers: well formed, and about topics that the node has."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
PAGES = sorted((REPOSITORY / "docs" / "integration").glob("*.md"))


def published() -> set[str]:
    """Topics that the security policy lets the node publish; a test holds the policy to the running node."""
    root = ET.parse(CONFIG / "sros2" / "hybrid_seg.policy.xml").getroot()  # noqa: S314  # our own file
    groups = [group for group in root.iter("topics") if group.get("publish") == "ALLOW"]
    return {str(topic.text).replace("~", "/hybrid_seg") for group in groups for topic in group}


def topics_in(value: Any) -> set[str]:
    """Every absolute topic of the node anywhere in a YAML or JSON document, keys included."""
    if isinstance(value, dict):
        return set().union(*map(topics_in, value.keys()), *map(topics_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(topics_in, value))
    return {match.group() for match in re.finditer(r"/hybrid_seg/\w+|/diagnostics", str(value))}


@pytest.mark.parametrize(
    "name",
    [
        "nav2_obstacle_layer.yaml",
        "nav2_collision_monitor.yaml",
        "nav2_semantic_layer.yaml",
        "hybrid_seg.rviz",
        "foxglove_layout.json",
    ],
)
def test_every_topic_is_one_that_the_node_publishes(name: str) -> None:
    used = topics_in(yaml.safe_load((CONFIG / name).read_text(encoding="utf-8")))
    assert used
    assert used <= published()


def test_every_topic_on_the_pages_is_one_that_the_node_publishes() -> None:
    assert len(PAGES) == 4
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        used = {name.replace("~", "/hybrid_seg") for name in re.findall(r"(?:~|/hybrid_seg)/[a-z_]+", text)}
        assert used <= published(), page.name


def leaves(tree: Any) -> list[str]:
    return [tree] if isinstance(tree, str) else leaves(tree["first"]) + leaves(tree["second"])


def test_the_foxglove_layout_shows_every_panel_it_configures() -> None:
    layout = json.loads((CONFIG / "foxglove_layout.json").read_text(encoding="utf-8"))
    assert sorted(leaves(layout["layout"])) == sorted(layout["configById"])


def test_rviz_hears_the_node_whatever_its_reliability_is_set_to() -> None:
    displays = yaml.safe_load((CONFIG / "hybrid_seg.rviz").read_text(encoding="utf-8"))["Visualization Manager"]
    topics = [each["Topic"] for each in displays["Displays"] if "Topic" in each]
    assert len(topics) == 6
    for topic in topics:
        assert (topic["Reliability Policy"], topic["Durability Policy"]) == ("Best Effort", "Volatile"), topic["Value"]


@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "docs" / "security.md"], ids=lambda page: page.name)
def test_links_of_the_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
