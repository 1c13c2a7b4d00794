"""What the numbers in the published images mean: the JSON object of ~/label_info_json, online and offline."""

from typing import Any

from hybrid_seg_ros.bundle.manifest import Manifest


def label_table(manifest: Manifest, threshold: float, mono16: tuple[float, float] | None = None) -> dict[str, Any]:
    """The table, ready for JSON.

    Args:
        manifest: class table and score of the bundle.
        threshold: what makes the mask.
        mono16: scores that become 0 and 65535 where the score is published as mono16; None: it is 32FC1.
    """
    score: dict[str, Any] = {
        "kind": manifest.score.kind,
        "encoding": "32FC1" if mono16 is None else "mono16",
        "higher_is": "more anomalous",
        "operating_points": {name: point.threshold for name, point in manifest.score.operating_points.items()},
    }
    if mono16 is not None:
        low, high = mono16
        score |= {"scale": (high - low) / 65535.0, "offset": low}
    return {
        "bundle": manifest.name,
        "threshold": threshold,
        "classes": [
            {
                "id": info.id,
                "name": info.name,
                "color_rgb": list(info.color),
                "drivable": info.drivable,
                "obstacle": info.obstacle,
            }
            for info in manifest.classes
        ],
        "score": score,
        "confidence": {"scale": 1.0 / 255.0},
    }
