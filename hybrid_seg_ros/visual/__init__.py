"""Pictures for people: overlays, heat maps, panels, videos."""

from hybrid_seg_ros.visual.colors import colorize_labels, heat_limits, heat_map
from hybrid_seg_ros.visual.overlay import Segmented, overlay
from hybrid_seg_ros.visual.panel import contact_sheet, panel
from hybrid_seg_ros.visual.video import VideoError, VideoWriter

__all__ = [
    "Segmented",
    "VideoError",
    "VideoWriter",
    "colorize_labels",
    "contact_sheet",
    "heat_limits",
    "heat_map",
    "overlay",
    "panel",
]
