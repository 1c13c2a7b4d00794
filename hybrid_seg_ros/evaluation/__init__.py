"""Exact metrics: pixel ranking metrics, components, operating points, confusion and IoU."""

from hybrid_seg_ros.evaluation.components import ComponentMetrics, Track, best_f1_threshold, component_metrics
from hybrid_seg_ros.evaluation.confusion import confusion_matrix, iou_per_class, mean_iou
from hybrid_seg_ros.evaluation.operating import RatedThreshold, operating_points
from hybrid_seg_ros.evaluation.pixel import PixelMetrics, auroc, average_precision, fpr_at_tpr, pixel_metrics
from hybrid_seg_ros.evaluation.ranking import RankingCurve, labelled_pixels, ranking_curve

__all__ = [
    "ComponentMetrics",
    "PixelMetrics",
    "RankingCurve",
    "RatedThreshold",
    "Track",
    "auroc",
    "average_precision",
    "best_f1_threshold",
    "component_metrics",
    "confusion_matrix",
    "fpr_at_tpr",
    "iou_per_class",
    "labelled_pixels",
    "mean_iou",
    "operating_points",
    "pixel_metrics",
    "ranking_curve",
]
