"""Libraries that only some networks need."""

import importlib
from types import ModuleType

import hybrid_seg_train._torchvision  # noqa: F401  (must come before whatever imports torchvision)


def require(module: str, package: str) -> ModuleType:
    """Import `module` of `package`.

    Raises:
        ModuleNotFoundError: it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{package} is not installed ({error}): pip install "hybrid-seg-train[zoo]"', name=error.name
        ) from error
