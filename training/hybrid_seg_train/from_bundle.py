"""The PyTorch network of a shipped bundle, rebuilt from its ONNX file."""

import itertools
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from hybrid_seg_ros.bundle import Bundle, image_to_tensor
from hybrid_seg_train.models import OpenSetNetwork, ladder_network
from hybrid_seg_train.models.backbone import BACKBONES

M = TypeVar("M", bound=nn.Module)


def network_from_bundle(bundle: Bundle) -> OpenSetNetwork:
    """The ladder network with the bundle's weights, in evaluation mode; it passes the bundle's golden test.

    An export folds batch norms into the convolutions before them. Here the folded weights go back into the
    convolutions, and each batch norm behind one keeps only the bias: the same function, layer by layer the network
    that was trained.

    Raises:
        ValueError: the bundle holds another network than this package's ladder.
    """
    model = bundle.file("model.onnx")
    nodes, weights = _graph(model)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    norms = [node for node in nodes if node.op_type == "BatchNormalization"]
    network = _matching(bundle, [weights[node.input[1]] for node in convolutions])
    order = _executed(network)
    followed_by = dict(itertools.pairwise(order))
    unfolded: list[nn.BatchNorm2d] = [m for m in order if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for module, node in zip(_of(order, nn.Conv2d), convolutions, strict=True):
            bias = weights[node.input[2]] if len(node.input) > 2 else None
            module.weight.copy_(weights[node.input[1]])
            if module.bias is not None and bias is not None:
                module.bias.copy_(bias)
            elif isinstance(norm := followed_by.get(module), nn.BatchNorm2d) and bias is not None:
                _bias_only(norm, bias)
                unfolded.remove(norm)
        if len(unfolded) != len(norms):
            raise ValueError(f"{model}: {len(norms)} batch norms left in the graph, expected {len(unfolded)}")
        for norm, node in zip(unfolded, norms, strict=True):
            scale, shift, mean, variance = (weights[name] for name in node.input[1:5])
            norm.load_state_dict(
                {"weight": scale, "bias": shift, "running_mean": mean, "running_var": variance}, strict=False
            )
    _check(network, bundle)
    return network


def _graph(path: Path) -> tuple[list[onnx.NodeProto], dict[str, Tensor]]:
    graph = onnx.load(path).graph
    weights = {i.name: torch.from_numpy(np.array(numpy_helper.to_array(i))) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return list(graph.node), weights


def _matching(bundle: Bundle, shapes: list[Tensor]) -> OpenSetNetwork:
    """An empty network whose convolutions, in the order they run, have exactly these shapes."""
    classes = len(bundle.manifest.classes)
    found = [tuple(weight.shape) for weight in shapes]
    # The decoder's full 3x3 convolutions keep its width; the classifier's inputs are that, or those of a detail level.
    widths = {shape[0] for shape in found if shape[0] == shape[1] and shape[2:] == (3, 3)}
    inputs = {shape[1] for shape in found if shape[0] == classes}
    for backbone in BACKBONES:
        for width, last, separable in itertools.product(sorted(widths), sorted(inputs), (1, 2)):
            options = {"width": width, "detail": 0 if last == width else last, "separable": separable}
            network = ladder_network(classes, backbone=backbone, pretrained=False, **options).eval()
            if [tuple(m.weight.shape) for m in _of(_executed(network), nn.Conv2d)] == found:
                return network
    raise ValueError(f"{bundle.path}: not a ladder network on one of {', '.join(BACKBONES)}")


def _executed(network: nn.Module) -> list[nn.Module]:
    """Convolutions and batch norms in the order they run."""
    order: list[nn.Module] = []
    leaves = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    hooks = [leaf.register_forward_hook(lambda module, _in, _out: order.append(module)) for leaf in leaves]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return order


def _of(modules: list[nn.Module], kind: type[M]) -> list[M]:
    return [module for module in modules if isinstance(module, kind)]


def _bias_only(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Make a batch norm add the bias and nothing else."""
    nn.init.zeros_(norm.running_mean)  # type: ignore[arg-type]
    nn.init.constant_(norm.running_var, 1.0 - norm.eps)  # type: ignore[arg-type]
    nn.init.ones_(norm.weight)
    norm.bias.copy_(bias)


def _check(network: nn.Module, bundle: Bundle) -> None:
    golden = bundle.golden()
    image = torch.from_numpy(image_to_tensor(golden.image, bundle.manifest.input))
    with torch.inference_mode():
        logits, posterior = network(image)
    for name, found, expected in (("logits", logits, golden.logits), ("posterior", posterior, golden.posterior)):
        difference = float(np.abs(found[0].numpy() - expected).max())
        if difference > 1e-3 * float(np.abs(expected).max()):
            raise ValueError(f"{bundle.path}: rebuilt network differs from its golden {name} by {difference:.2e}")
