"""Label spaces: which classes a set of labels knows and which stored ids stand for them; one YAML file each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.data.strict_yaml import read_yaml

LABEL_SPACES = Path(__file__).parent / "label_spaces"

VOID_NAME, OUTLIER_NAME = "void", "outlier"
"""Words of mapping files; no class may be called so."""


@dataclass(frozen=True, slots=True)
class KnownClass:
    """One class of a label space; of the space a network is trained in, its place is its id and its logit channel."""

    name: str
    color: tuple[int, int, int]
    drivable: bool = False
    obstacle: bool = False


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """The classes of a set of labels and how label files store them.

    Attributes:
        name: what mappings call it.
        classes: its classes; a class's place is its id in training.
        ids: id of each class in label files; empty = its place.
        void: stored ids without supervision.
        outlier: stored ids of labelled negatives, such as StreetHazards' anomaly.

    Raises:
        DataError: names or ids that occur twice, or a class called "void" or "outlier".
    """

    name: str
    classes: tuple[KnownClass, ...]
    ids: tuple[int, ...] = ()
    void: frozenset[int] = frozenset({255})
    outlier: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.ids:
            object.__setattr__(self, "ids", tuple(range(len(self.classes))))
        if not self.classes or len(self.ids) != len(self.classes):
            raise DataError(
                f"{self.name}: {len(self.classes)} classes and {len(self.ids)} ids, expected one id a class"
            )
        _no_duplicates(self.name, "class", self.names)
        _no_duplicates(self.name, "stored id", (*self.ids, *self.void, *self.outlier))
        for word in {VOID_NAME, OUTLIER_NAME} & set(self.names):
            raise DataError(f"{self.name}: a class is called {word!r}, a word that mappings reserve; rename it")

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, in their order."""
        return tuple(known.name for known in self.classes)

    def without(self, names: Iterable[str]) -> "LabelSpace":
        """The space of the other classes, in their order: that of a training to which `names` stay unknown.

        Raises:
            DataError: a name that is no class, or no class is left.
        """
        left_out = tuple(names)
        for name in left_out:
            if name not in self.names:
                raise DataError(f"{self.name} has no class {name!r} to hold out, expected of: {', '.join(self.names)}")
        if not left_out:
            return self
        kept = tuple(known for known in self.classes if known.name not in left_out)
        return LabelSpace(f"{self.name} without {', '.join(sorted(set(left_out)))}", kept)


def _no_duplicates(space: str, what: str, values: tuple[str, ...] | tuple[int, ...]) -> None:
    seen: set[str | int] = set()
    for value in values:
        if value in seen:
            raise DataError(f"{space}: {what} {value!r} occurs twice, expected each to stand for one thing")
        seen.add(value)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    color: tuple[int, int, int] = (0, 0, 0)
    id: int | None = Field(default=None, ge=0, le=65535)
    drivable: bool = False
    obstacle: bool = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    classes: tuple[_Entry, ...] = Field(min_length=1)
    void: tuple[int, ...] = (255,)
    outlier: tuple[int, ...] = ()


def shipped_label_spaces() -> tuple[str, ...]:
    """Names of the label spaces that come with the package."""
    return tuple(sorted(path.stem for path in LABEL_SPACES.glob("*.yaml")))


def load_label_space(name_or_path: str | Path) -> LabelSpace:
    """A shipped label space by name, or one of your own by the path of its .yaml file.

    The file says `name`, `classes` (a list of {name, color: [r, g, b], id, drivable, obstacle}; only the name is
    needed, the id defaults to the place), `void` and `outlier` (lists of stored ids; 255 and none by default).

    Raises:
        DataError: no such space, not YAML, an unknown key, a value of the wrong kind, or a name or id twice.
    """
    text = str(name_or_path)
    path = Path(text) if text.endswith((".yaml", ".yml")) else LABEL_SPACES / f"{text}.yaml"
    if not path.is_file():
        raise DataError(
            f"{text}: no such label space; expected a .yaml file or one of: {', '.join(shipped_label_spaces())}"
        )
    return _load(path)


@cache
def _load(path: Path) -> LabelSpace:
    try:
        content = _File.model_validate(read_yaml(path))
        return LabelSpace(
            content.name,
            tuple(KnownClass(entry.name, entry.color, entry.drivable, entry.obstacle) for entry in content.classes),
            tuple(place if entry.id is None else entry.id for place, entry in enumerate(content.classes)),
            frozenset(content.void),
            frozenset(content.outlier),
        )
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError, DataError) as error:
        raise DataError(f"{path}: not a label space: {error}") from error
