"""Networks: any closed-set network, the project's own ladder among them, and the heads that make it open-set."""

from hybrid_seg_train.models.classifier import ClassifierError
from hybrid_seg_train.models.closed_set import ClosedSetNetwork, NetworkInfo, output_stride
from hybrid_seg_train.models.families import FAMILIES, closed_set_network
from hybrid_seg_train.models.ladder import STRIDE, ladder_network, rename_ladder_weights
from hybrid_seg_train.models.output import HybridOutput
from hybrid_seg_train.models.uno import uno_score
from hybrid_seg_train.models.upgrade import HeadKind, OpenSetNetwork, upgrade
from hybrid_seg_train.models.weights import WeightsError

__all__ = [
    "FAMILIES",
    "STRIDE",
    "ClassifierError",
    "ClosedSetNetwork",
    "HeadKind",
    "HybridOutput",
    "NetworkInfo",
    "OpenSetNetwork",
    "WeightsError",
    "closed_set_network",
    "ladder_network",
    "output_stride",
    "rename_ladder_weights",
    "uno_score",
    "upgrade",
]
