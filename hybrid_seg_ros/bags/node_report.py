"""What the node says of itself on /diagnostics, as numbers."""

from collections.abc import Mapping

from hybrid_seg_ros.bags.summary import StageTime


def stage_times(values: Mapping[str, str]) -> dict[str, StageTime]:
    """Times of the stages in a camera's diagnostic values ("network p50" -> "41.20 ms")."""
    stages = [key.removesuffix(" p50") for key in values if key.endswith(" p50")]
    # In a replay the node's clock is the recording's /clock, which stands still between two messages.
    stages = [stage for stage in stages if stage != "stamp_to_published"]
    return {
        stage: StageTime(_milliseconds(values[f"{stage} p50"]), _milliseconds(values[f"{stage} p99"]))
        for stage in stages
        if f"{stage} p99" in values
    }


def camera_values(diagnostics: Mapping[str, Mapping[str, str]], image_topic: str) -> Mapping[str, str]:
    """The diagnostic values of the camera that listens to a topic; empty where the node has none."""
    for values in diagnostics.values():
        if values.get("topic") == image_topic:
            return values
    return {}


def _milliseconds(text: str) -> float:
    return float(text.removesuffix(" ms"))
