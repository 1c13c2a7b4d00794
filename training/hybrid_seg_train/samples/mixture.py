"""The training stream: an endless sequence of samples, each a function of (seed, index) alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.negatives.paster import Paster
from hybrid_seg_train.samples.augment import CropRecipe, LightRecipe, change_light, normalize, random_crop


@dataclass(frozen=True, slots=True)
class Source:
    """One set of labelled images in the mixture.

    Attributes:
        examples: its images.
        weight: its share, relative to the other active sources.
        scale: factor on the crop's scale, to bring small images up to the size of the others.
        from_sample: index of the first sample of the stream that may come from it.
    """

    examples: Sequence[Example]
    weight: float
    scale: float = 1.0
    from_sample: int = 0


@dataclass(frozen=True)
class Pasting:
    """What is pasted into the samples.

    Attributes:
        negatives: each pastes objects of no known class; every sample gets those of one, chosen uniformly.
        known: pastes objects of known classes, so that a pasted edge alone does not mean "unknown".
        flow_share: share of samples whose negative is left to the flow instead (METHOD section 2, the mixture).
    """

    negatives: Sequence[Paster] = ()
    known: Sequence[Paster] = ()
    flow_share: float = 0.0


@dataclass(frozen=True)
class Mixture(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Sample i: float32[3, h, w] normalised RGB, int64[h, w] labels, and bool[]: whether its negative is the flow's.

    The same seed and index give the same sample in any process, so a training that resumes at iteration n goes on with
    exactly the samples it would have seen.

    Attributes:
        sources: where images come from.
        crop: how they are scaled, cropped and mirrored.
        light: how their colours are varied.
        pasting: what is pasted.
        seed: of everything random.
        mean, std: of the network's normalisation.
    """

    sources: Sequence[Source]
    crop: CropRecipe
    light: LightRecipe
    pasting: Pasting
    seed: int
    mean: Sequence[float] = field(default=(0.5, 0.5, 0.5))
    std: Sequence[float] = field(default=(0.5, 0.5, 0.5))

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        example, from_flow = self.example(index)
        image = normalize(example.image, self.mean, self.std)
        labels = torch.from_numpy(example.labels.astype(np.int64))
        return torch.from_numpy(image), labels, torch.tensor(from_flow)

    def example(self, index: int) -> tuple[Example, bool]:
        """Sample `index` as picture and labels before normalisation, and whether its negative is the flow's."""
        rng = np.random.default_rng((self.seed, index))
        active = [source for source in self.sources if index >= source.from_sample]
        weights = np.array([source.weight for source in active])
        source = active[int(rng.choice(len(active), p=weights / weights.sum()))]
        example = source.examples[int(rng.integers(len(source.examples)))]
        from_flow = bool(rng.random() < self.pasting.flow_share)
        pasters = [*self.pasting.known, *self._negatives(from_flow, rng)]
        example = _pasted(example, [paster for paster in pasters if paster.when == "before"], rng)
        example = random_crop(example, self.crop, rng, scale=source.scale)
        example = _pasted(example, [paster for paster in pasters if paster.when == "after"], rng)
        return Example(change_light(example.image, self.light, rng), example.labels), from_flow

    def _negatives(self, from_flow: bool, rng: np.random.Generator) -> list[Paster]:
        if from_flow or not self.pasting.negatives:
            return []
        return [self.pasting.negatives[int(rng.integers(len(self.pasting.negatives)))]]


def _pasted(example: Example, pasters: Sequence[Paster], rng: np.random.Generator) -> Example:
    for paster in pasters:
        example = paster(example, rng)
    return example
