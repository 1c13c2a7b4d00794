"""config/fastdds.xml: large images pass between processes, and other machines stay in reach."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from support.ros_graph import REPOSITORY, running_node

from hybrid_seg_ros.bundle import Bundle

PROFILE = REPOSITORY / "config" / "fastdds.xml"


def test_profile_has_a_large_segment_and_keeps_udp() -> None:
    root = ET.parse(PROFILE).getroot()  # noqa: S314  # our own file
    space = root.tag.removesuffix("dds")
    transports = {entry.findtext(f"{space}transport_id"): entry for entry in root.iter(f"{space}transport_descriptor")}
    kinds = {entry.findtext(f"{space}type") for entry in transports.values()}
    assert kinds == {"SHM", "UDPv4"}
    (segment,) = (int(entry.text or 0) for entry in root.iter(f"{space}segment_size"))
    assert 16 << 20 <= segment <= 32 << 20
    participant = next(root.iter(f"{space}participant"))
    assert participant.get("is_default_profile") == "true"
    used = {entry.text for entry in next(participant.iter(f"{space}userTransports"))}
    assert used == set(transports)


def test_full_hd_images_arrive_best_effort(domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> None:
    """6 MB images between two processes; with Fast DDS's own segment of 512 KB nearly all are lost."""
    profile = dict.fromkeys(("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"), str(PROFILE))
    arguments = ["--autostart", "--ros-args", "-p", f"bundle:={tiny_bundle.path}", "-p", "backend:=fake"]
    with running_node(domain, ros_log_dir, arguments, **profile) as node:
        node.wait_for_log("listening to /image")
        path = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'test'}"
        camera = subprocess.run(
            [sys.executable, "-m", "support.camera_process", "1920", "1080", "20"],
            env={**os.environ, **profile, "ROS_DOMAIN_ID": str(domain), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
    answered = int(camera.stdout.split()[0])
    assert answered >= 18, camera.stdout + camera.stderr + node.text()
