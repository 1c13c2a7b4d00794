"""Networks: the project's ladder network and the hybrid head."""

from hybrid_seg_train.models.ladder import STRIDE, HybridNetwork, HybridOutput, ladder_network

__all__ = ["STRIDE", "HybridNetwork", "HybridOutput", "ladder_network"]
