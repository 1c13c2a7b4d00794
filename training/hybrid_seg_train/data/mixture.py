"""The training stream: an endless sequence of samples, each a function of (seed, index) alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from hybrid_seg_train.data.augment import CropRecipe, LightRecipe, change_light, normalize, random_crop
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.models.backbone import IMAGENET_MEAN, IMAGENET_STD
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.paste import PasteRecipe, paste_negatives, paste_objects


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


@dataclass(frozen=True, slots=True)
class Pasting:
    """What is pasted into every crop.

    Attributes:
        negatives: objects of no known class.
        recipe: how they are pasted.
        known: objects of known classes, so that a pasted edge alone does not mean "unknown".
        known_labels: class id of each known object.
        known_share: share of crops that get one.
    """

    negatives: Sequence[Cutout]
    recipe: PasteRecipe
    known: Sequence[Cutout] = ()
    known_labels: Sequence[int] = ()
    known_share: float = 0.0


@dataclass(frozen=True)
class Mixture(Dataset[tuple[Tensor, Tensor]]):
    """Sample i of the stream: float32[3, h, w] normalised RGB and int64[h, w] labels.

    The same seed and index give the same sample in any process, so a training that resumes at iteration n goes on with
    exactly the samples it would have seen.
    """

    sources: Sequence[Source]
    crop: CropRecipe
    light: LightRecipe
    pasting: Pasting
    seed: int

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        example = self.example(index)
        image = normalize(example.image, IMAGENET_MEAN, IMAGENET_STD)
        return torch.from_numpy(image), torch.from_numpy(example.labels.astype(np.int64))

    def example(self, index: int) -> Example:
        """Sample `index` as picture and labels, before normalisation."""
        rng = np.random.default_rng((self.seed, index))
        active = [source for source in self.sources if index >= source.from_sample]
        weights = np.array([source.weight for source in active])
        source = active[int(rng.choice(len(active), p=weights / weights.sum()))]
        whole = source.examples[int(rng.integers(len(source.examples)))]
        example = random_crop(whole, self.crop, rng, scale=source.scale)
        if self.pasting.known and rng.random() < self.pasting.known_share:
            once = PasteRecipe((1, 1), self.pasting.recipe.sides, 1.0, 0.5, self.pasting.recipe.ground)
            example = paste_objects(example, self.pasting.known, self.pasting.known_labels, once, rng)
        if self.pasting.negatives:
            example = paste_negatives(example, self.pasting.negatives, self.pasting.recipe, rng)
        return Example(change_light(example.image, self.light, rng), example.labels)


class StreamSampler(Sampler[int]):
    """One process's part of the stream from sample `start` to `stop` - 1.

    Every iteration takes the next `batch` samples; of these, process `rank` of `processes` takes its equal share, so
    that the samples of an iteration do not depend on how many processes share it. Its length is that of the whole
    stream up to `stop`, because Lightning counts the batches before a checkpoint as fetched.
    """

    def __init__(self, start: int, stop: int, *, batch: int, rank: int = 0, processes: int = 1) -> None:
        if batch % processes:
            raise ValueError(f"a batch of {batch} cannot be shared equally by {processes} processes")
        self._starts = range(start, stop, batch)
        self._iterations = len(range(0, stop, batch))
        self._share = range(rank * (batch // processes), (rank + 1) * (batch // processes))

    def __iter__(self) -> Iterator[int]:
        return (first + offset for first in self._starts for offset in self._share)

    def __len__(self) -> int:
        return self._iterations * len(self._share)
