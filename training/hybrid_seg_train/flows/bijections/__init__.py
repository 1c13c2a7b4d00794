"""The invertible steps a flow is made of, each with its log-determinant."""

from hybrid_seg_train.flows.bijections.actnorm import ActNorm
from hybrid_seg_train.flows.bijections.base import Bijection, Chain
from hybrid_seg_train.flows.bijections.conv1x1 import InvertibleConv1x1
from hybrid_seg_train.flows.bijections.coupling import AffineCoupling
from hybrid_seg_train.flows.bijections.cross_unit import CrossUnitCoupling
from hybrid_seg_train.flows.bijections.dequantize import dequantize, to_pixels
from hybrid_seg_train.flows.bijections.squeeze import Squeeze

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "Bijection",
    "Chain",
    "CrossUnitCoupling",
    "InvertibleConv1x1",
    "Squeeze",
    "dequantize",
    "to_pixels",
]
