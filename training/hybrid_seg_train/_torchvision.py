"""Makes torchvision importable beside a PyTorch build whose version it was not compiled for.

timm and torchmetrics import torchvision, and this package uses nothing of torchvision's compiled operators. A
torchvision wheel built against another PyTorch cannot load its C++ library and then fails at import, because its Python
side registers shape functions for operators that do not exist. Declaring those operators' schemas first makes
the import pass; calling one of them still fails, with PyTorch's own message. Where the C++ library loads, nothing is
declared. Import this module before timm or lightning.
"""

import importlib.util
from pathlib import Path

import torch

# The two operators for which torchvision registers shape functions at import without asking whether they exist.
_SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Whether torchvision is absent or its compiled operators load in this process."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    library = next(Path(spec.origin).parent.glob("_C.*"), None)
    if library is None:
        return False
    try:
        torch.ops.load_library(str(library))
    except OSError:
        return False
    return True


def _declare_missing_operators() -> torch.library.Library | None:
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name, schema in _SCHEMAS.items():
        library.define(name + schema)
    return library


# The declarations live as long as the library object does.
_LIBRARY = _declare_missing_operators()
