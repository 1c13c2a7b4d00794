"""The known classes, the reserved label values, and how coarse classes sum fine ones."""

from dataclasses import dataclass

VOID = 255
"""Label of pixels that carry no supervision."""

OUTLIER = 254
"""Label of negative pixels: of no known class."""


@dataclass(frozen=True, slots=True)
class KnownClass:
    """One class the network knows; its place in CAMVID11 is its id and its logit channel."""

    name: str
    color: tuple[int, int, int]
    drivable: bool = False
    obstacle: bool = False


# CamVid-11 with the colours of the data set's own label pictures (RGB).
CAMVID11 = (
    KnownClass("Sky", (128, 128, 128)),
    KnownClass("Building", (128, 0, 0)),
    KnownClass("Pole", (192, 192, 128)),
    KnownClass("Road", (128, 64, 128), drivable=True),
    KnownClass("Pavement", (60, 40, 222)),
    KnownClass("Tree", (128, 128, 0)),
    KnownClass("SignSymbol", (192, 128, 128)),
    KnownClass("Fence", (64, 64, 128)),
    KnownClass("Car", (64, 0, 128), obstacle=True),
    KnownClass("Pedestrian", (64, 64, 0), obstacle=True),
    KnownClass("Bicyclist", (0, 128, 192), obstacle=True),
)
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(len(CAMVID11))

# IDD-Lite's seven classes, each the union of the CamVid classes its pixels can be. A label c of IDD-Lite is stored as
# len(CAMVID11) + c, and the loss supervises the sum of the probabilities of row c.
IDD_LITE_AS_CAMVID11: tuple[tuple[int, ...], ...] = (
    (ROAD,),  # drivable
    (PAVEMENT, TREE),  # non-drivable: sidewalks, and unpaved ground that CamVid counts as vegetation
    (PEDESTRIAN, BICYCLIST),  # living things: persons and riders
    (CAR, BICYCLIST),  # vehicles: two-wheelers are CamVid's Bicyclist
    (BUILDING, POLE, PAVEMENT, SIGN, FENCE),  # roadside objects: walls, kerbs, guard rails, poles, boards
    (BUILDING, TREE),  # far objects: buildings and vegetation
    (SKY,),
)
