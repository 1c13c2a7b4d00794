"""The reserved label values, and the classes of CamVid-11 by name."""

from hybrid_seg_train.data.label_space import KnownClass, load_label_space
from hybrid_seg_train.data.mapping import load_mapping

__all__ = ["CAMVID11", "IDD_LITE_AS_CAMVID11", "OUTLIER", "VOID", "KnownClass"]

VOID = 255
"""Label of pixels that carry no supervision."""

OUTLIER = 254
"""Label of negative pixels: of no known class."""

CAMVID11 = load_label_space("camvid11").classes
"""The known classes of the shipped networks; a class's place is its id and its logit channel."""

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(len(CAMVID11))

IDD_LITE_AS_CAMVID11: tuple[tuple[int, ...], ...] = tuple(
    tuple(load_label_space("camvid11").names.index(name) for name in names)
    for names in load_mapping("idd_lite7_as_camvid11").classes.values()
)
"""IDD-Lite's seven classes, each the union of the CamVid classes its pixels can be."""
