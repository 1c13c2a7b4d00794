from hybrid_seg_ros.bags.node_report import camera_values, stage_times
from hybrid_seg_ros.bags.summary import StageTime


def test_stage_times_are_found_among_other_values() -> None:
    values = {"topic": "/image", "network p50": "41.20 ms", "network p99": "50.00 ms", "stamp_to_published p50": "0 ms"}
    assert stage_times(values) == {"network": StageTime(41.2, 50.0)}
    assert stage_times({}) == {}


def test_the_camera_is_found_by_its_topic() -> None:
    diagnostics = {"node": {"state": "active"}, "front": {"topic": "/front"}, "rear": {"topic": "/rear", "bad": "2"}}
    assert camera_values(diagnostics, "/rear")["bad"] == "2"
    assert camera_values(diagnostics, "/side") == {}
