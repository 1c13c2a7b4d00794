"""One call makes any closed-set network open-set (METHOD section 1)."""

import copy
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models.classifier import Classifier, ClassifierError, check_classifier, probe_image
from hybrid_seg_train.models.closed_set import (
    ClosedSetNetwork,
    NetworkInfo,
    as_closed_set,
    first_output,
    logits_of,
    parameters_of,
)
from hybrid_seg_train.models.head import FeatureResidual, PosteriorHead
from hybrid_seg_train.models.output import HybridOutput
from hybrid_seg_train.models.uno import NegativeLogit, uno_posterior

HeadKind = Literal["hybrid", "uno"]


class JointClassifier(nn.Module):
    """Stands where the classifier stood: the classifier and the head on the same features q.

    Attributes:
        apart: return (classifier's, head's) as a pair. Right where nothing follows the classifier; else both are
            stacked along the channels, so that what follows (upsampling, cropping) treats them alike.
        resizes: the classifier (a transposed convolution) gives logits of another size than its features; the head's
            output is brought to theirs.
    """

    def __init__(self, classifier: Classifier, head: nn.Module, residual: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier
        self.head = head
        self.residual = residual
        self.apart = False
        self.resizes = not _keeps_size(classifier)

    def forward(self, features: Tensor) -> Tensor | HybridOutput:
        """Features float32[B, C, h, w] -> float32[B, K + head's channels, h', w'] or the pair."""
        logits = self.classifier(features)
        extra = self.head(self.residual(features))
        if self.resizes:
            extra = functional.interpolate(extra, size=logits.shape[2:], mode="bilinear", align_corners=False)
        return HybridOutput(logits, extra) if self.apart else torch.cat([logits, extra], dim=1)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Everything else is the classifier's: some networks read its stride or kernel size."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("classifier"), name)


def _keeps_size(classifier: Classifier) -> bool:
    if isinstance(classifier, nn.ConvTranspose2d) or set(classifier.stride) != {1}:
        return False
    if isinstance(classifier.padding, str):
        return classifier.padding == "same" or set(classifier.kernel_size) == {1}
    windows = zip(classifier.padding, classifier.dilation, classifier.kernel_size, strict=True)
    return all(2 * padding == dilation * (kernel - 1) for padding, dilation, kernel in windows)


class OpenSetNetwork(nn.Module):
    """A closed-set network whose classifier carries an open-set head; made by `upgrade`.

    Attributes:
        network: the closed-set network with a JointClassifier in its classifier's place.
        info: about the closed-set network.
        head_kind: "hybrid" or "uno".
        frozen: the closed-set part is as it was, for good: no gradient, and evaluation mode even in training.
    """

    def __init__(self, network: nn.Module, info: NetworkInfo, head_kind: HeadKind, *, frozen: bool) -> None:
        super().__init__()
        self.network = network
        self.info = info
        self.head_kind = head_kind
        self.frozen = frozen
        if frozen:
            network.requires_grad_(False)
            self.joint.head.requires_grad_(True)
            self.joint.residual.requires_grad_(True)
            self.train(self.training)

    @property
    def joint(self) -> JointClassifier:
        """The classifier and the head."""
        return cast(JointClassifier, self.network.get_submodule(self.info.classifier))

    def forward(self, image: Tensor) -> HybridOutput:
        """float32[B, 3, H, W], normalised -> logits and posterior at the closed-set network's stride.

        With the UNO head the posterior is (LSE(s), n), see `models.uno`.
        """
        returned = self.network(image)
        output = returned if isinstance(returned, HybridOutput) else first_output(returned)
        if not isinstance(output, HybridOutput):
            stacked = cast(Tensor, output)
            output = HybridOutput(stacked[:, : self.info.classes], stacked[:, self.info.classes :])
        if self.head_kind == "uno":
            return HybridOutput(output.logits, uno_posterior(*output))
        return output

    def train(self, mode: bool = True) -> "OpenSetNetwork":
        """As nn.Module.train; what is frozen stays in evaluation mode, so that its statistics do too."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
            self.joint.head.train(mode)
            self.joint.residual.train(mode)
        return self

    def backbone_parameters(self) -> list[nn.Parameter]:
        """The trainable parameters of the pretrained part, for a lower learning rate; none where it is frozen."""
        return parameters_of(self.network, self.info.backbone)


def upgrade(
    network: nn.Module, *, classifier: str | None = None, head: HeadKind = "hybrid", frozen: bool = False
) -> OpenSetNetwork:
    """A copy of a closed-set network with an open-set head on the features q that enter its classifier.

    At this moment its logits are those of the closed-set network bit for bit, which is checked here on a random image.

    Args:
        network: a ClosedSetNetwork, or any module that returns logits (see there); stays as it is.
        classifier: dotted name of the convolution to class logits in a plain module; None takes the last that runs.
            A ClosedSetNetwork knows its own.
        head: "hybrid", the dataset posterior of two channels, or "uno", one further logit (METHOD section 1).
        frozen: train only the head g and a small residual r, as g(q + r(q)); logits and mIoU can then never change.

    Raises:
        ClassifierError: the classifier is not found, what follows it mixes its channels (softmax, another convolution,
            an argmax), or what follows cannot take the head's channels beside them.
    """
    closed = as_closed_set(network, classifier)
    info = closed.info
    opened = _joined(closed, head, frozen=frozen)
    image = probe_image(info.probe_size).to(opened.joint.classifier.weight.device)
    opened.joint.apart, expected = _ends_in_classifier(copy.deepcopy(closed.network).eval(), info, image)
    problem = _difference(opened.eval(), image, expected)
    if problem and opened.joint.apart:
        # What follows may hand a single tensor on unchanged (.contiguous()) and yet not take a pair.
        opened.joint.apart = False
        problem = _difference(opened, image, expected)
    if problem:
        raise ClassifierError(
            f"{type(closed.network).__name__}: the upgrade would change its logits: {problem}. What follows "
            f"{info.classifier!r} has to treat channels one by one (upsampling, cropping): take a softmax or the like "
            "out of the network, or name another classifier"
        )
    opened.train(network.training)
    return opened


def _joined(closed: ClosedSetNetwork, head: HeadKind, *, frozen: bool) -> OpenSetNetwork:
    """A copy of the network with a JointClassifier where its classifier was."""
    name = closed.info.classifier
    network = copy.deepcopy(closed.network)
    classifier = check_classifier(network, name, closed.info.classes)
    features = classifier.in_channels
    joint = JointClassifier(
        classifier,
        PosteriorHead(features) if head == "hybrid" else NegativeLogit(features),
        FeatureResidual(features) if frozen else nn.Identity(),
    ).to(classifier.weight.device)
    if name:
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, joint)
    else:
        network = joint
    return OpenSetNetwork(network, closed.info, head, frozen=frozen)


def _ends_in_classifier(network: nn.Module, info: NetworkInfo, image: Tensor) -> tuple[bool, Tensor]:
    """Whether a network hands its classifier's output on as it is, and its logits for `image`."""
    made: list[Tensor] = []
    hook = network.get_submodule(info.classifier).register_forward_hook(lambda _module, _in, out: made.append(out))
    with torch.inference_mode():
        logits = logits_of(network, image)
    hook.remove()
    return bool(made) and made[-1] is logits, logits


def _difference(opened: OpenSetNetwork, image: Tensor, expected: Tensor) -> str:
    """How an upgraded network's logits differ from the closed-set ones; "" where they are equal bit for bit."""
    try:
        with torch.inference_mode():
            logits, posterior = opened(image)
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        return f"it fails with {type(error).__name__}: {error}"
    if logits.shape != expected.shape or posterior.shape[1] != 2:
        return f"logits {tuple(logits.shape)}, expected {tuple(expected.shape)}; posterior {tuple(posterior.shape)}"
    if not torch.equal(logits, expected):
        return f"they differ by up to {float((logits - expected).abs().max()):.3g}"
    return ""
