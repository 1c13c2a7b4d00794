"""Readers: each finds the image and label files of one published folder layout."""

from collections.abc import Callable
from pathlib import Path

from hybrid_seg_train.data.listing import Listing
from hybrid_seg_train.data.readers.a2d2 import list_a2d2
from hybrid_seg_train.data.readers.bdd100k import list_bdd100k
from hybrid_seg_train.data.readers.camvid import list_camvid
from hybrid_seg_train.data.readers.cityscapes import list_cityscapes, list_cityscapes_coarse
from hybrid_seg_train.data.readers.idd import list_idd, list_idd_lite
from hybrid_seg_train.data.readers.mapillary import list_mapillary_vistas, list_mapillary_vistas_v2
from hybrid_seg_train.data.readers.pairs import list_pairs
from hybrid_seg_train.data.readers.streethazards import list_streethazards
from hybrid_seg_train.data.readers.wilddash import list_wilddash2

Reader = Callable[[Path, str], Listing]
"""(the set's folder, split) -> what is there; raises DataError."""

READERS: dict[str, Reader] = {
    "a2d2": list_a2d2,
    "bdd100k": list_bdd100k,
    "camvid": list_camvid,
    "cityscapes": list_cityscapes,
    "cityscapes_coarse": list_cityscapes_coarse,
    "idd": list_idd,
    "idd_lite": list_idd_lite,
    "mapillary_vistas": list_mapillary_vistas,
    "mapillary_vistas_v2": list_mapillary_vistas_v2,
    "pairs": list_pairs,
    "streethazards": list_streethazards,
    "wilddash2": list_wilddash2,
}
"""Readers by the name recipes use."""
