"""Normalising flows that generate negatives (METHOD section "Negatives from a jointly trained normalising flow")."""

from hybrid_seg_train.flows.checkpoint import load_flow
from hybrid_seg_train.flows.config import PRESETS, FlowConfig, flow_config
from hybrid_seg_train.flows.denseflow import DenseFlow
from hybrid_seg_train.flows.joint import FlowBoundary, FlowLoss, joint_flow_loss, jsd_to_uniform
from hybrid_seg_train.flows.paste import PATCH_SIDES, Pasted, draw_patch_size, draw_places, paste_samples

__all__ = [
    "PATCH_SIDES",
    "PRESETS",
    "DenseFlow",
    "FlowBoundary",
    "FlowConfig",
    "FlowLoss",
    "Pasted",
    "draw_patch_size",
    "draw_places",
    "flow_config",
    "joint_flow_loss",
    "jsd_to_uniform",
    "load_flow",
    "paste_samples",
]
