"""The class ids that label maps use: CamVid-11, and void for everything else."""

CLASS_NAMES: tuple[str, ...] = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist",
)  # fmt: skip
"""Names in the order of the ids."""

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)
VOID = 11
"""Pixels of no known class: unknown obstacles, the own bonnet."""

ANOMALY_KNOWN, ANOMALY_UNKNOWN, ANOMALY_VOID = 0, 1, 255
