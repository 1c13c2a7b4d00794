"""A labelled set of images as it lies on disk; nothing is read before it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import image_size, read_bgr

Track = Literal["anomaly", "obstacle"]
Averaging = Literal["pooled", "per_image"]
Labels = npt.NDArray[np.uint8]
Disparity = npt.NDArray[np.float32]

VOID = 255

Value = TypeVar("Value", np.uint8, np.float32)


@dataclass(frozen=True, slots=True)
class Camera:
    """The stereo camera of an image.

    Attributes:
        baseline_m: distance of the two cameras, m.
        focal_px: focal length, px; distance = baseline_m * focal_px / disparity.
    """

    baseline_m: float
    focal_px: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One image and its truth. The readers can be pickled, so that processes can share a set.

    Attributes:
        name: unique in its set; what score maps and pictures are named by. May hold "/".
        image: the image's file.
        anomaly_reader: gives what `anomaly()` gives; None: not labelled.
        labels_reader: gives what `labels()` gives; None: no class labels.
        disparity_reader: gives what `disparity()` gives; None: mono.
        image_reader: gives what `read_image()` gives, where it is made of more than the file `image`.
        camera: of the disparity; None: unknown.
        fold: which part of the set an open-set threshold is chosen on and applied to; None: the set has no folds.
        files: every file that the sample is read from, for telling whether it has changed.
    """

    name: str
    image: Path
    anomaly_reader: Callable[[], Labels] | None = None
    labels_reader: Callable[[], Labels] | None = None
    disparity_reader: Callable[[], Disparity] | None = None
    image_reader: Callable[[], npt.NDArray[np.uint8]] | None = None
    camera: Camera | None = None
    fold: int | None = None
    files: tuple[Path, ...] = ()

    def read_image(self) -> npt.NDArray[np.uint8]:
        """uint8[H, W, 3], BGR.

        Raises:
            DatasetError: the file cannot be decoded.
        """
        return self.image_reader() if self.image_reader else read_bgr(self.image)

    def anomaly(self) -> Labels | None:
        """uint8[H, W], 0 known, 1 anomaly, 255 void; None where the image has no anomaly labels.

        Raises:
            DatasetError: the file cannot be decoded, or is not of the image's size.
        """
        return self._of_image_size(self.anomaly_reader(), "anomaly labels") if self.anomaly_reader else None

    def labels(self) -> Labels | None:
        """uint8[H, W], ids of `Dataset.classes`, 255 void; None where the image has no class labels.

        Raises:
            DatasetError: as `anomaly`.
        """
        return self._of_image_size(self.labels_reader(), "class labels") if self.labels_reader else None

    def disparity(self) -> Disparity | None:
        """float32[H, W], px, 0 where it is unknown; None where the set has no stereo.

        Raises:
            DatasetError: as `anomaly`.
        """
        return self._of_image_size(self.disparity_reader(), "disparity") if self.disparity_reader else None

    def _of_image_size(self, array: npt.NDArray[Value], what: str) -> npt.NDArray[Value]:
        height, width = image_size(self.image)
        if array.shape != (height, width):
            found = "x".join(str(size) for size in array.shape[::-1])
            others = ", ".join(str(file) for file in self.files if file != self.image)
            raise DatasetError(f"{others or self.name}: {what} of {found} px, but {self.image} is {width}x{height} px")
        return array


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of samples and how its benchmark averages.

    Attributes:
        name: of the benchmark.
        samples: in a fixed order, neighbours of a drive beside each other.
        track: whose component sizes count (evaluation.components.TRACKS).
        averaging: "pooled": figures over the pixels of all images; "per_image": mean of each image's figures.
        classes: names of the ids of `Sample.labels()`; None where there are none, or none of
            the network's.
        problems: (file or class, what is wrong with it) of what is missing from the set.
    """

    name: str
    samples: Sequence[Sample]
    track: Track = "anomaly"
    averaging: Averaging = "pooled"
    classes: Sequence[str] | None = None
    problems: Sequence[tuple[str, str]] = ()
