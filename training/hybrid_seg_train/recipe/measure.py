"""The parts of a recipe that say what is measured and what is exported."""

from typing import Literal

from pydantic import Field

from hybrid_seg_train.recipe.data import NegativeSetPart
from hybrid_seg_train.recipe.part import Part


class CalibrationPart(Part):
    """Objects of kinds that training never pastes, pasted into the validation images; see `calibrate`."""

    seed: int = Field(default=0, description="of the pasting")
    objects: NegativeSetPart | None = Field(default=None, description="None: the held-out kinds of COCO")
    width: int = Field(default=480, ge=32, multiple_of=32, description="network input")
    height: int = Field(default=352, ge=32, multiple_of=32, description="network input")


class EvaluationPart(Part):
    """What `evaluate` measures."""

    closed_set: str = Field(default="test", description="split of the validation set's reader for mIoU")
    inputs: tuple[tuple[int, int], ...] = Field(
        default=((480, 352), (480, 384)), description="network inputs (width, height) for mIoU"
    )
    anomaly_root: str = Field(default="anomaly_val", description="folder below the data root")
    anomaly_sets: tuple[str, ...] = Field(
        default=("RoadAnomaly21", "fs_static", "FS_LostFound_30"),
        description="folders there with images/ and labels_masks/",
    )
    anomaly_max_width: int = Field(default=1280, ge=32, description="wider images are run at this width, px")
    pasted: bool = Field(default=True, description="also measure on the closed-set images with unseen objects pasted")
    components: dict[str, Literal["anomaly", "obstacle"]] = Field(
        default={"RoadAnomaly21": "anomaly", "FS_LostFound_30": "obstacle"}, description="set -> track of its sizes"
    )


class DataSetPart(Part):
    """A data set, what it was used for, and its terms."""

    name: str = Field(description="as people know it")
    use: str = Field(description="what it was used for")
    license: str = Field(description="its terms")


class CardPart(Part):
    """What only people know of a training, for manifest and model card."""

    datasets: tuple[DataSetPart, ...] = Field(min_length=1, description="all that shaped the weights or thresholds")
    purpose: str = Field(description="what the network is for, and what it is not")
    limits: tuple[str, ...] = Field(min_length=1, description="where it fails")
    closed_set: str = Field(description="which images mIoU was measured on")


class ExportPart(Part):
    """What the bundle says of itself."""

    width: int = Field(default=480, ge=32, multiple_of=32, description="default network input")
    height: int = Field(default=352, ge=32, multiple_of=32, description="default network input")
    operating_point: str = Field(default="best_f1", description="the threshold used unless told otherwise")
    card: CardPart | None = Field(default=None, description="for manifest and model card; an export needs it")
