"""What one parameter of the node may be, and the words that refuse anything else."""

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str | tuple[str, ...]

TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    int: "integer",
    float: "double",
    str: "string",
    tuple: "string array",
}


class ParameterError(ValueError):
    """A parameter is unknown or its value is not allowed; says what was given and what is allowed."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What one parameter may be.

    Attributes:
        name: ROS parameter name.
        type: bool, int, float, str or tuple (of str).
        default: used unless told otherwise.
        description: one or two sentences for people.
        minimum: smallest allowed number, inclusive, or None.
        maximum: largest allowed number, inclusive, or None.
        choices: the allowed strings; empty when any is.
        read_only: True when it cannot be changed while the node runs.
        group: heading it stands under in the file and in the table.
        per_camera: True when `<camera>.<name>` gives one camera a value of its own.
    """

    name: str
    type: type
    default: Value
    description: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    read_only: bool
    group: str
    per_camera: bool

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        kind = TYPE_NAMES[self.type]
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"{kind} in [{self.minimum:g}, {self.maximum:g}]"
        return kind

    def check(self, value: object) -> Value:
        """The value in the parameter's own type.

        Raises:
            ParameterError: wrong type, outside the range or not one of the choices.
        """
        found = _in_type(value, self.type)
        if found is None:
            given = type(value).__name__ if value is not None else "empty"
            raise ParameterError(f"parameter {self.name!r} is {value!r} ({given}), expected {self.allowed}")
        if self.minimum is not None and self.maximum is not None:
            number = float(found)  # type: ignore[arg-type]  # only numbers have a range
            if not self.minimum <= number <= self.maximum:
                raise ParameterError(f"parameter {self.name!r} is {found!r}, expected {self.allowed}")
        if self.choices and found not in self.choices:
            close = closest(str(found), self.choices)
            raise ParameterError(f"parameter {self.name!r} is {found!r}, expected {self.allowed}{close}")
        return found


def _in_type(value: object, wanted: type) -> Value | None:
    """`value` as `wanted` where that loses nothing (an integer serves as a double), else None."""
    if wanted is tuple:
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        return None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and wanted is not bool:
        return None
    return value if isinstance(value, wanted) else None  # type: ignore[return-value]


def closest(name: str, known: "tuple[str, ...] | list[str]") -> str:
    """'; did you mean …?' with the closest known name, or nothing when none is close."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def parameter(
    default: Value,
    group: str,
    description: str,
    *,
    between: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = True,
    per_camera: bool = False,
) -> Any:  # noqa: ANN401  # as dataclasses.field
    """A dataclass field that is a ROS parameter; see `ParameterSpec`."""
    low, high = between if between else (None, None)
    rules = {
        "description": description,
        "minimum": low,
        "maximum": high,
        "choices": choices,
        "read_only": read_only,
        "group": group,
        "per_camera": per_camera,
    }
    return dataclasses.field(default=default, metadata=rules)
