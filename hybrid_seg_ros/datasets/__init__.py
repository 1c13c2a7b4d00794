"""Benchmark sets as they lie on disk: images, anomaly labels, class labels, saved score maps."""

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.registry import DATASETS, DatasetKind, open_dataset
from hybrid_seg_ros.datasets.sample import Camera, Dataset, Sample
from hybrid_seg_ros.datasets.score_maps import ScoreMaps, open_score_maps, read_score_map, write_score_map

__all__ = [
    "DATASETS",
    "Camera",
    "Dataset",
    "DatasetError",
    "DatasetKind",
    "Sample",
    "ScoreMaps",
    "open_dataset",
    "open_score_maps",
    "read_score_map",
    "write_score_map",
]
