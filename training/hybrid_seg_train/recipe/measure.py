"""The parts of a recipe that say what is measured and what is exported."""

from pydantic import Field

from hybrid_seg_train.recipe.data import NegativeSetPart
from hybrid_seg_train.recipe.part import Part


class CalibrationPart(Part):
    """Objects of kinds that training never pastes, pasted into the validation images; see `calibrate`."""

    objects: NegativeSetPart | None = Field(default=None, description="None: the held-out kinds of COCO")
    width: int = Field(default=480, ge=32, multiple_of=32, description="network input")
    height: int = Field(default=352, ge=32, multiple_of=32)


class EvaluationPart(Part):
    """What `evaluate` measures."""

    closed_set: str = Field(default="test", description="split of the validation set's reader for mIoU")
    inputs: tuple[tuple[int, int], ...] = Field(
        default=((480, 352), (480, 384)), description="network inputs (width, height) for mIoU"
    )
    anomaly_root: str = Field(default="anomaly_val", description="folder below the data root")
    anomaly_sets: tuple[str, ...] = ("RoadAnomaly21", "fs_static", "FS_LostFound_30")
    anomaly_max_width: int = Field(default=1280, ge=32)


class ExportPart(Part):
    """What the bundle says of itself."""

    width: int = Field(default=480, ge=32, multiple_of=32, description="default network input")
    height: int = Field(default=352, ge=32, multiple_of=32)
    operating_point: str = Field(default="best_f1", description="the threshold used unless told otherwise")
