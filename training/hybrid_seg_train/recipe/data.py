"""The parts of a recipe that say what is read and how it is varied."""

from typing import Any, Literal

from pydantic import Field, model_validator

from hybrid_seg_train.recipe.part import Part


class SourcePart(Part):
    """One labelled set; see `samples.build.read_source`."""

    reader: str = Field(description="name of a reader, or `scenes` for generated streets")
    path: str = Field(default="", description="folder below the data root")
    split: str = Field(default="train", description="the set's own split")
    mapping: str | None = Field(default=None, description="its classes -> known classes; None: the shipped one")
    in_memory: bool = Field(default=True, description="decode once and keep; otherwise decode at every use")
    weight: float = Field(default=1.0, gt=0, description="share of the samples, relative to the other sources")
    scale: float = Field(default=1.0, gt=0, description="factor on the crops' scale, for sets with small images")
    from_iteration: int = Field(default=0, ge=0, description="the source joins at this iteration")
    seeds: tuple[int, int] = Field(default=(1000, 1300), description="scenes only: first and last + 1 scene seed")


class CropPart(Part):
    """Crops; see `samples.augment.CropRecipe`."""

    width: int = Field(default=448, ge=32, multiple_of=32, description="px")
    height: int = Field(default=320, ge=32, multiple_of=32, description="px")
    scales: tuple[float, float] = Field(default=(0.5, 2.0), description="range of the scale")
    law: Literal["log_uniform", "uniform"] = Field(
        default="log_uniform", description="how the scale is drawn from the range"
    )
    rare: tuple[int, ...] = Field(default=(), description="label ids around which crops are centred")
    rare_share: float = Field(default=0.0, ge=0, le=1, description="share of crops that are")


class LightPart(Part):
    """Photometric augmentation; see `samples.augment.LightRecipe`."""

    color: float = Field(
        default=0.8, ge=0, le=1, description="share of images with other brightness, contrast, gamma and saturation"
    )
    night: float = Field(default=0.12, ge=0, le=1, description="share darkened, with a colour cast and noise")
    blur: float = Field(default=0.2, ge=0, le=1, description="share with defocus or motion blur")
    noise: float = Field(default=0.2, ge=0, le=1, description="share with sensor noise")


class NegativeSetPart(Part):
    """One auxiliary set whose objects are pasted as unknown; see `negatives.read_negatives`."""

    kind: str = Field(
        default="yolo", description="form of the set, such as ade20k, coco_panoptic, voc, yolo, folder, transparent"
    )
    path: str = Field(description="folder below the data root")
    exclude: tuple[str, ...] = Field(default=(), description="names left out beside those that look like known classes")
    only: tuple[str, ...] | None = Field(default=None, description="nothing but these names")


CAMVID_OBJECTS = {
    "person": "Pedestrian",
    "bicycle": "Bicyclist",
    "car": "Car",
    "motorcycle": "Bicyclist",
    "bus": "Car",
    "truck": "Car",
}
"""What COCO's road objects are in CamVid."""


class FlowNegativesPart(Part):
    """Negatives sampled from a normalising flow that trains along (METHOD section 2); see `joint`."""

    start: str = Field(description="run folder or checkpoint of the pre-trained flow")
    share: float = Field(default=1.0, gt=0, le=1, description="probability that an image's negative is the flow's")
    sizes: tuple[int, int] = Field(default=(16, 216), description="smallest and largest side of a sample, px; step 8")
    jsd_weight: float = Field(default=0.03, ge=0, description="of the divergence from undecided, beside bits/dim")
    update_segmenter: bool = Field(default=False, description="whether the divergence also trains the segmenter")
    lr: float = Field(default=1e-5, gt=0, description="Adamax's rate of the flow")


class NegativesPart(Part):
    """What is pasted as unknown, and how; no set and no flow: nothing is pasted."""

    sets: tuple[NegativeSetPart, ...] = Field(
        default=(), description="auxiliary sets; a sample takes its negatives from one of them"
    )
    flow: FlowNegativesPart | None = Field(
        default=None, description="a flow that draws negatives, alone or beside the sets"
    )
    recipe: Literal["objects", "published", "segments"] = Field(
        default="objects", description="objects: cut-outs; published: the paper's patch; segments: the later recipe"
    )
    count: tuple[int, int] = Field(default=(1, 3), description="objects: least and largest number an image")
    sides: tuple[float, float] = Field(default=(12.0, 220.0), description="objects, segments: range of sides, px")
    patch: int = Field(default=192, ge=16, description="published: side of the patch, px")
    ground_share: float = Field(default=0.5, ge=0, le=1, description="objects: share that stands on the ground")
    blend_share: float = Field(default=0.5, ge=0, le=1, description="objects: share with a softened edge")
    match_light: float = Field(
        default=0.0, ge=0, le=1, description="objects: share whose colours move towards their surroundings"
    )
    perspective: float = Field(default=0.0, ge=0, le=1, description="objects: share sized by where they stand")
    enlarge: float | None = Field(default=None, gt=0, description="objects: at most so many times their own size")
    known_share: float = Field(default=0.0, ge=0, le=1, description="share of images that also get a known object")
    known: dict[str, str] = Field(default=CAMVID_OBJECTS, description="class of the first set -> known class")

    @model_validator(mode="before")
    @classmethod
    def _path_is_one_yolo_set(cls, content: Any) -> Any:  # noqa: ANN401  (pydantic's own signature)
        """`path: FOLDER` is short for one set of YOLO polygons, `path: ""` for none."""
        if isinstance(content, dict) and "path" in content:
            path = content["path"]
            others = {key: value for key, value in content.items() if key != "path"}
            return {**others, "sets": [{"kind": "yolo", "path": path}] if path else []}
        return content
