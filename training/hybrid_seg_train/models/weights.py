"""Weights from local files, read so that nothing in them is executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class WeightsError(ValueError):
    """Weights cannot be had or do not fit; the message names the file and what was expected."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Parameter name -> tensor of a .safetensors or PyTorch file, without the prefixes that wrappers leave.

    Raises:
        WeightsError: no such file, not readable without executing code, or not a dictionary of tensors.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; expected weights as .safetensors or .pth")
    try:
        stored = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # each library has its own
        # Without PyTorch's own words, which advise to let the file run its code.
        raise WeightsError(
            f"{path}: not readable as weights alone ({type(error).__name__}); save it as .safetensors"
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(stored, dict) and isinstance(stored.get(key), dict):
            stored = stored[key]
    if not isinstance(stored, dict) or not stored or not all(isinstance(v, Tensor) for v in stored.values()):
        raise WeightsError(f"{path}: expected a dictionary of tensors, found {type(stored).__name__}")
    return {name.removeprefix("module."): tensor for name, tensor in stored.items()}


def load_weights(network: nn.Module, path: Path, *, classifier: str = "", ignore: tuple[str, ...] = ()) -> None:
    """Load a file's weights into `network`, every parameter of it.

    Args:
        network: changed in place.
        path: see `read_weights`.
        classifier: name of the classifier, which stays as it is where the file's has another number of classes.
        ignore: prefixes of names in the file that are left out (auxiliary heads).

    Raises:
        WeightsError: a parameter is missing, unknown or of another shape.
    """
    found = {name: tensor for name, tensor in read_weights(path).items() if not name.startswith(ignore)}
    wanted = network.state_dict()
    for name in [n for n in found if classifier and n.startswith(f"{classifier}.") and n in wanted]:
        if found[name].shape != wanted[name].shape:
            found[name] = wanted[name]
    problems = [f"{name} is missing" for name in wanted if name not in found]
    problems += [f"{name} is unknown" for name in found if name not in wanted]
    problems += [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise WeightsError(f"{path}: not the weights of this {type(network).__name__}: {'; '.join(problems[:5])}{more}")
    network.load_state_dict(found)


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into an error that says what can be done without a network.

    Raises:
        WeightsError: from any error of the libraries that load weights: huggingface_hub, urllib and httpx have their
            own.
    """
    try:
        yield
    except Exception as error:
        reason = (str(error) or "no message").splitlines()[0][:200]
        raise WeightsError(
            f"{what}: weights cannot be loaded ({type(error).__name__}: {reason}). Where there is no network to "
            "download them, set pretrained to false, or weights to a local .safetensors or .pth file of this network"
        ) from error
