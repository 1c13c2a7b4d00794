"""What a trained model is on disk: manifest, hashes, class table, operating points."""

from hybrid_seg_ros.bundle.copy import copy_bundle
from hybrid_seg_ros.bundle.cost import cost_text
from hybrid_seg_ros.bundle.describe import describe
from hybrid_seg_ros.bundle.errors import BundleError
from hybrid_seg_ros.bundle.find import available_bundles, find_bundle
from hybrid_seg_ros.bundle.golden import Golden
from hybrid_seg_ros.bundle.guarantee_text import guarantee_text
from hybrid_seg_ros.bundle.label_table import label_table
from hybrid_seg_ros.bundle.manifest import (
    INT8_MODEL,
    SCHEMA_VERSION,
    UINT8_MODEL,
    Accuracy,
    CalibrationMethod,
    ClassInfo,
    DomainStatistics,
    Guarantee,
    LogitStatistics,
    Manifest,
    NetworkInput,
    NetworkOutputs,
    OperatingPoint,
    Provenance,
    Quantization,
    Ranking,
    Rates,
    Score,
    ScoreKind,
)
from hybrid_seg_ros.bundle.store import MANIFEST_NAME, Bundle, load_bundle
from hybrid_seg_ros.bundle.tensor import image_to_tensor
from hybrid_seg_ros.bundle.write import seal_bundle, write_bundle

__all__ = [
    "INT8_MODEL",
    "MANIFEST_NAME",
    "SCHEMA_VERSION",
    "UINT8_MODEL",
    "Accuracy",
    "Bundle",
    "BundleError",
    "CalibrationMethod",
    "ClassInfo",
    "DomainStatistics",
    "Golden",
    "Guarantee",
    "LogitStatistics",
    "Manifest",
    "NetworkInput",
    "NetworkOutputs",
    "OperatingPoint",
    "Provenance",
    "Quantization",
    "Ranking",
    "Rates",
    "Score",
    "ScoreKind",
    "available_bundles",
    "copy_bundle",
    "cost_text",
    "describe",
    "find_bundle",
    "guarantee_text",
    "image_to_tensor",
    "label_table",
    "load_bundle",
    "seal_bundle",
    "write_bundle",
]
