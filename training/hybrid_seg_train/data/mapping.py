"""Mappings: what each class of one label space is in another; one YAML file each.

An entry says one class (a fine label), a list of classes (a coarse label, supervised as the sum of their
probabilities), `void` (no supervision) or `outlier` (a labelled negative).
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybrid_seg_train.data.label_space import OUTLIER_NAME, VOID_NAME, LabelSpace, load_label_space
from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.data.strict_yaml import read_yaml

MAPPINGS = Path(__file__).parent / "mappings"

HUB = "cityscapes19"
"""Where no file maps one space to another, its mapping to this space is followed by the one from this space."""

VOIDED: tuple[str, ...] = ()
"""Targets of a class without supervision."""

NEGATIVE: tuple[str, ...] = (OUTLIER_NAME,)
"""Targets of a class whose pixels are labelled negatives."""


@dataclass(frozen=True)
class ClassMapping:
    """What every class of a native label space is in a target space.

    Attributes:
        source: where it was read, for messages.
        native: name of the space it maps from.
        target: name of the space it maps to.
        classes: native class -> names of target classes, VOIDED or NEGATIVE.
    """

    source: str
    native: str
    target: str
    classes: dict[str, tuple[str, ...]]

    def then(self, second: "ClassMapping") -> "ClassMapping":
        """This mapping followed by `second`: unions of unions.

        A class any part of which has no supervision afterwards has none: the sum would miss that part.
        """
        classes = {name: _follow(targets, second) for name, targets in self.classes.items()}
        return ClassMapping(f"{self.source}, then {second.source}", self.native, second.target, classes)


def _follow(targets: tuple[str, ...], second: ClassMapping) -> tuple[str, ...]:
    if targets in (VOIDED, NEGATIVE):
        return targets
    parts = [second.classes[name] for name in targets]
    if any(part in (VOIDED, NEGATIVE) for part in parts):
        return NEGATIVE if all(part == NEGATIVE for part in parts) else VOIDED
    return tuple(dict.fromkeys(name for part in parts for name in part))


def hold_out(space: LabelSpace, names: Sequence[str], *, negative: bool = False) -> ClassMapping:
    """The mapping from a space to the same without some classes, which become void, or labelled negatives.

    Raises:
        DataError: a name that is no class of the space, or no class is left.
    """
    left_out = NEGATIVE if negative else VOIDED
    classes = {name: left_out if name in names else (name,) for name in space.names}
    return ClassMapping("held out", space.name, space.without(names).name, classes)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    native: str = Field(min_length=1)
    target: str = Field(min_length=1)
    classes: dict[str, str | tuple[str, ...]] = Field(min_length=1)


def shipped_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with the package."""
    return tuple(sorted(path.stem for path in MAPPINGS.glob("*.yaml")))


def load_mapping(name_or_path: str | Path) -> ClassMapping:
    """A shipped mapping by name, or one of your own by the path of its .yaml file.

    The file says `native` and `target` (names of label spaces) and `classes`: native class -> target class, list of
    target classes, `void` or `outlier`.

    Raises:
        DataError: no such mapping, not YAML, an unknown key, or an empty list.
    """
    text = str(name_or_path)
    path = Path(text) if text.endswith((".yaml", ".yml")) else MAPPINGS / f"{text}.yaml"
    if not path.is_file():
        raise DataError(f"{text}: no such mapping; expected a .yaml file or one of: {', '.join(shipped_mappings())}")
    try:
        content = _File.model_validate(read_yaml(path))
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a mapping: {error}") from error
    classes = {name: _targets(path, name, entry) for name, entry in content.classes.items()}
    return ClassMapping(str(path), content.native, content.target, classes)


def _targets(path: Path, name: str, entry: str | tuple[str, ...]) -> tuple[str, ...]:
    names = (entry,) if isinstance(entry, str) else entry
    if names == (VOID_NAME,):
        return VOIDED
    if not names or (len(names) > 1 and {VOID_NAME, OUTLIER_NAME} & set(names)) or len(set(names)) < len(names):
        raise DataError(
            f"{path}: classes.{name}: expected a class, a list of different classes, `void` or `outlier`, "
            f"found {entry!r}"
        )
    return names


def resolve_mapping(native: LabelSpace, target: LabelSpace, mapping: str | None = None) -> ClassMapping:
    """The mapping from one space to another, complete and with targets that exist.

    Args:
        native: the space of the label files.
        target: the space of the training.
        mapping: name or path of a mapping. None takes the identity where both are the same space, else the shipped
            `<native>_as_<target>`, else the way over `HUB`. One whose native space is not that of the label files
            is preceded by the shipped mapping to its native space.

    Raises:
        DataError: there is none, it leads elsewhere, leaves out a native class, or names an unknown target class.
    """
    if mapping is None:
        return _default(native, target)
    last = load_mapping(mapping)
    if last.target != target.name:
        raise DataError(f"{last.source}: target: is {last.target!r}, expected {target.name!r}, the training's classes")
    if last.native == native.name:
        return _checked(last, native, target)
    between = _space(last.native, last.source)
    return _default(native, between).then(_checked(last, between, target))


def _default(native: LabelSpace, target: LabelSpace) -> ClassMapping:
    if native.name == target.name:
        same = ClassMapping("identity", native.name, target.name, {name: (name,) for name in native.names})
        return _checked(same, native, target)
    direct = f"{native.name}_as_{target.name}"
    if direct in shipped_mappings():
        return _checked(load_mapping(direct), native, target)
    to_hub, from_hub = f"{native.name}_as_{HUB}", f"{HUB}_as_{target.name}"
    if {to_hub, from_hub} <= set(shipped_mappings()):
        hub = load_label_space(HUB)
        return _checked(load_mapping(to_hub), native, hub).then(_checked(load_mapping(from_hub), hub, target))
    raise DataError(
        f"no mapping from {native.name} to {target.name} is shipped ({', '.join(shipped_mappings())}); write a .yaml "
        f"with native: {native.name}, target: {target.name} and an entry for each of: {', '.join(native.names)}"
    )


def _space(name: str, source: str) -> LabelSpace:
    try:
        return load_label_space(name)
    except DataError as error:
        raise DataError(f"{source}: native: {error}") from error


def _checked(mapping: ClassMapping, native: LabelSpace, target: LabelSpace) -> ClassMapping:
    for name in native.names:
        if name not in mapping.classes:
            near = _near(name, tuple(mapping.classes))
            raise DataError(f"{mapping.source}: classes: no entry for {name!r} of {native.name}{near}")
    known = set(target.names)
    for name in native.names:
        for wanted in mapping.classes[name]:
            if wanted not in known and wanted != OUTLIER_NAME:
                near = _near(wanted, target.names)
                raise DataError(f"{mapping.source}: classes.{name}: {target.name} has no class {wanted!r}{near}")
    return mapping


def _near(name: str, candidates: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, candidates, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
