"""The images that activation ranges are taken from: training images with objects, as the deployed network sees them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import NetworkInput
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.frames.geometry import Placement
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.negatives.read import read_negatives
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.data import SourcePart
from hybrid_seg_train.samples.build import ground_of, read_source
from hybrid_seg_train.samples.pasting import class_filter
from hybrid_seg_train.unseen import WithUnseenObjects


@dataclass(frozen=True)
class CalibrationImages:
    """Network inputs, made when they are asked for; what onnxruntime.quantization calls a data reader.

    Attributes:
        images: uint8[H, W, 3] BGR of any sizes.
        spec: how an image becomes a tensor.
        source: where the images come from, in words.
    """

    images: Sequence[ByteImage]
    spec: NetworkInput
    source: str

    def __len__(self) -> int:
        return len(self.images)

    def tensors(self) -> Iterator[npt.NDArray[np.float32]]:
        """float32[1, 3, height, width] of every image at the bundle's default size, each valid until the next."""
        size = (self.spec.width, self.spec.height)
        preprocess = Preprocessor(self.spec, size)
        for image in self.images:
            yield preprocess(image, Placement.fit((image.shape[1], image.shape[0]), size, self.spec.resize))


def calibration_images(
    recipe: Recipe, data: Path, count: int, spec: NetworkInput, *, progress: bool = True
) -> CalibrationImages:
    """Images of the recipe's training sources, by their weights, with objects of the kinds that training pastes.

    Nothing that accuracy is measured on is among them: neither the validation images nor the held-out objects.

    Args:
        recipe: what the network was trained by.
        data: the data root.
        count: how many images.
        spec: the bundle's input.
        progress: show progress bars.

    Raises:
        DataError: a set is missing or not as expected.
        ValueError: fewer images than sources.
    """
    if count < len(recipe.sources):
        raise ValueError(f"--images {count}: expected at least {len(recipe.sources)}, one a training source")
    examples: list[Example] = []
    said = []
    for part, wanted in zip(recipe.sources, _shares(recipe.sources, count), strict=True):
        found = _spread(_read(part, wanted, recipe, data, progress), wanted)
        said.append(f"{len(found)} of {part.reader}" + ("" if part.reader == "scenes" else f" {part.split}"))
        examples += found
    source = ", ".join(said)
    if recipe.negatives.sets:
        one = recipe.negatives.sets[0]
        objects = read_negatives(one.kind, data / one.path, classes=class_filter(one), progress=progress)
        examples = list(WithUnseenObjects(examples, objects, ground_of(recipe), recipe.seed))
        source += ", objects of the training's kinds pasted"
    return CalibrationImages([example.image for example in examples], spec, source)


def _read(part: SourcePart, wanted: int, recipe: Recipe, data: Path, progress: bool) -> Sequence[Example]:
    few = {"in_memory": False, "seeds": (part.seeds[0], min(part.seeds[1], part.seeds[0] + wanted))}
    return read_source(part.model_copy(update=few), recipe, data, progress=progress)


def _shares(parts: Sequence[SourcePart], count: int) -> list[int]:
    """How many of `count` images each source gives: by weight, at least one each."""
    total = sum(part.weight for part in parts)
    shares = [max(1, round(count * part.weight / total)) for part in parts]
    shares[int(np.argmax(shares))] += count - sum(shares)
    return shares


def _spread(examples: Sequence[Example], wanted: int) -> list[Example]:
    """So many of them at even distances; all where there are fewer."""
    wanted = min(wanted, len(examples))
    return [examples[int(place)] for place in np.linspace(0, len(examples) - 1, wanted).round()]
