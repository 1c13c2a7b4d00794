"""Which classes may be pasted as unknown: the class filter, and what looks like a known class of road scenes."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import DataError

COCO_ROAD_KINDS = frozenset(
    {"person", "bicycle", "car", "motorcycle", "bus", "train", "truck", "traffic light", "stop sign"}
)
"""COCO's road classes."""

COCO_PLANT_KINDS = frozenset({"potted plant", "broccoli"})
"""They look like the known class Tree."""

COCO_HELD_OUT_KINDS = frozenset({"dog", "suitcase", "sports ball", "bottle", "chair", "teddy bear"})
"""Never pasted in training, only for choosing thresholds."""

_COCO = {
    "person": "person,clothes",  # crowd-sourced "clothes" are often persons whose outline was left incomplete
    "two-wheeler": "bicycle,motorcycle",
    "vehicle": "car,bus,train,truck",
    "sign": "stop sign,street sign,traffic light,banner",
    "pole": "light",
    "vegetation": "potted plant,broccoli,tree,tree-merged,bush,plant-other,branch,leaves,flower,moss,straw",
    "terrain": "grass,grass-merged,hill,mountain,mountain-merged,dirt,dirt-merged,mud,gravel,ground-other,sand,snow,"
    "playingfield",
    "sky": "sky-other,sky-other-merged,clouds,fog",
    "building": "building-other,building-other-merged,house,skyscraper,roof,bridge,stairs,structural-other,wall-brick,"
    "wall-concrete,wall-other,wall-other-merged,wall-panel,wall-stone,wall-tile,wall-wood,window,window-blind,"
    "window-other,door,door-stuff,ceiling-other,ceiling-tile,ceiling-merged",
    "fence": "fence,fence-merged,railing,cage,net",
    "road": "road,railroad,pavement,pavement-merged,platform,floor-marble,floor-other,floor-other-merged,floor-stone,"
    "floor-tile,floor-wood",
}
_VOC = {
    "person": "person",
    "two-wheeler": "bicycle,motorbike",
    "vehicle": "bus,car,train",
    "vegetation": "pottedplant",
}
_ADE = {
    "person": "person,apparel",
    "two-wheeler": "bicycle,minibike",
    "vehicle": "car,bus,truck,van",
    "sign": "signboard,traffic light,trade name,poster,bulletin board",
    "pole": "pole,streetlight",
    "vegetation": "tree,plant,palm,flower",
    "terrain": "grass,earth,field,land,sand,mountain,hill",
    "sky": "sky",
    "building": "wall,building,house,skyscraper,hovel,tower,bridge,column,windowpane,door,screen door,blind,awning,"
    "canopy,booth,grandstand,stairs,stairway,step,ceiling",
    "fence": "fence,railing,bannister",
    "road": "road,runway,path,dirt track,floor,sidewalk",
}
# Beyond the 150 classes; for open vocabularies, where a name's last word counts too (office building, street sign).
_OPEN = {
    "person": "people,pedestrian,man,woman,child,boy,girl,rider,clothes,clothing",
    "two-wheeler": "bike,motorbike,motorcycle,scooter",
    "vehicle": "vehicle,taxi,train,tram,tramway,streetcar,locomotive,wagon,trailer,lorry,camper,motorhome",
    "sign": "sign,billboard,placard,banner,signpost",
    "pole": "post,lamppost,streetlamp,pillar,mast",
    "vegetation": "trees,bush,bushes,shrub,shrubs,hedge,leaf,leaves,vegetation,branch,trunk,pottedplant",
    "terrain": "ground,soil,gravel,mud,dirt,snow,lawn",
    "sky": "cloud,clouds,fog",
    "building": "buildings,roof,facade,window,shutter,gate,doorway,arch,balcony,chimney,garage,shop,store,"
    "church,tunnel",
    "fence": "guardrail,handrail,barrier,grille,grating,net",
    "road": "street,roadway,pavement,crosswalk,curb,kerb,alley,highway,railroad,track,rails,platform,parking",
}

CONCEPTS = tuple(_COCO)
"""What road scenes hold that a label space can know; sign includes traffic lights, road includes sidewalks."""

_VOC_HELD_OUT = frozenset({"dog", "bottle", "chair"})
# In ADE20K's 150 classes a dog is an animal, a suitcase a bag and a teddy bear a plaything.
_ADE_HELD_OUT = frozenset({"chair", "armchair", "swivel chair", "bottle", "ball", "bag", "animal", "plaything"})
_OPEN_HELD_OUT = frozenset({"dog", "suitcase", "luggage", "bear", "toy"})

OPEN_VOCABULARIES = frozenset({"ade20k", "folder", "transparent"})
"""Formats without a fixed list of classes."""

_TABLES: dict[str, tuple[tuple[dict[str, str], ...], frozenset[str]]] = {
    **dict.fromkeys(("coco_instances", "coco_panoptic", "coco_stuff", "yolo"), ((_COCO,), COCO_HELD_OUT_KINDS)),
    "voc": ((_VOC,), _VOC_HELD_OUT),
    "ade20k_2016": ((_ADE,), _ADE_HELD_OUT),
    "ade20k": ((_ADE, _OPEN), _ADE_HELD_OUT | _OPEN_HELD_OUT),
    **dict.fromkeys(
        ("folder", "transparent"),
        ((_COCO, _VOC, _ADE, _OPEN), COCO_HELD_OUT_KINDS | _ADE_HELD_OUT | _OPEN_HELD_OUT),
    ),
}


@dataclass(frozen=True, slots=True)
class ClassFilter:
    """Which classes of a set are taken.

    Attributes:
        without: names left out; each must be a class of the set.
        only: the only names taken, all when None; each must be a class of the set.
        alike: names left out where they occur.
        last_words: the last word of a name is looked up in `alike` too, as "office building" and "town/building" are
            buildings.
    """

    without: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    alike: frozenset[str] = frozenset()
    last_words: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.without and self.only is None and not self.alike

    def chosen(self, names: Sequence[str], listed: Collection[str], where: str) -> npt.NDArray[np.bool_]:
        """Which of the classes found in a set are taken.

        Args:
            names: classes found.
            listed: classes of the format, found or not.
            where: the set, for messages.

        Returns:
            bool[len(names)].

        Raises:
            DataError: `without` or `only` holds a name that neither the set nor its format has.
        """
        classes = {*names, *listed}
        for name in sorted(self.without | (self.only or frozenset())):
            if name not in classes:
                near = difflib.get_close_matches(name, sorted(classes), n=3, cutoff=0.5)
                hint = (
                    f"did you mean {', '.join(map(repr, near))}?"
                    if near
                    else f"it has {', '.join(sorted(classes)[:8])} ..."
                )
                raise DataError(f"{where}: has no class {name!r}; {hint}")
        return np.array([self.takes(name) for name in names], bool)

    def takes(self, name: str) -> bool:
        """Whether objects of the class are taken."""
        if name in self.without or (self.only is not None and name not in self.only):
            return False
        return not (
            name in self.alike or (self.last_words and name.lower().replace("/", " ").split(" ")[-1] in self.alike)
        )


def known_names(kind: str, concepts: Collection[str] = CONCEPTS) -> frozenset[str]:
    """Names in sets of format `kind` that are, or look like, what the concepts hold.

    Raises:
        ValueError: no such format or concept.
    """
    if kind not in _TABLES:
        raise ValueError(f"no format {kind!r}, there are {', '.join(_TABLES)}")
    if strange := sorted(set(concepts) - set(CONCEPTS)):
        raise ValueError(f"no concepts {', '.join(strange)}, there are {', '.join(CONCEPTS)}")
    lists = [table[concept] for table in _TABLES[kind][0] for concept in concepts if concept in table]
    return frozenset(name for names in lists for name in names.split(","))


def held_out_names(kind: str) -> frozenset[str]:
    """Names in sets of format `kind` of the classes of COCO_HELD_OUT_KINDS, or that may hold them."""
    if kind not in _TABLES:
        raise ValueError(f"no format {kind!r}, there are {', '.join(_TABLES)}")
    return _TABLES[kind][1]


def unknown_classes(
    kind: str,
    *,
    concepts: Collection[str] = CONCEPTS,
    held_out: bool = False,
    without: Collection[str] = (),
    only: Collection[str] | None = None,
) -> ClassFilter:
    """The filter for training negatives: no class that looks known, none of those that calibration pastes.

    Args:
        kind: format of the set.
        concepts: what the label space knows; everything road scenes hold unless told otherwise.
        held_out: take the classes held out for calibration as well.
        without: further class names to leave out; they must exist.
        only: nothing but these names, which must exist and not be among those left out.

    Raises:
        ValueError: no such format or concept.
        DataError: `only` asks for names that look known or are held out.
    """
    alike = known_names(kind, concepts) | (frozenset() if held_out else held_out_names(kind))
    chosen = None if only is None else frozenset(only)
    taken = ClassFilter(frozenset(without), chosen, alike, kind in OPEN_VOCABULARIES)
    if refused := sorted(name for name in chosen or () if not taken.takes(name)):
        raise DataError(
            f"negatives of format {kind}: {', '.join(map(repr, refused))} cannot be pasted as unknown: left out, like "
            "a class of road scenes, or held out for calibration"
        )
    return taken
