"""docs/recipes.md: every entry of a recipe, from the recipe's own definition.

python -m hybrid_seg_train.recipe.reference docs/recipes.md
"""

import inspect
import sys
import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hybrid_seg_train.recipe.load import Recipe
from hybrid_seg_train.recipe.part import Part

_HEAD = """\
# Recipes

Every entry of a recipe, its kind, its default and what it means. Written by
`python -m hybrid_seg_train.recipe.reference docs/recipes.md` from the definition that also checks the files: an unknown
key or a value of another kind is an error that names the file and the entry. `base: NAME` starts from another recipe,
whose entries the file then replaces. On the command line, `--set section.key=value` changes one entry; the value is
YAML.
"""


def reference() -> str:
    """The page as Markdown: the recipe itself, then every part in the order it is first named."""
    parts: list[type[Part]] = [Recipe]
    for part in parts:
        named = dict.fromkeys(p for field in part.model_fields.values() for p in _parts_of(field.annotation))
        parts += [one for one in named if one not in parts]
    return "\n".join([_HEAD, *(_section(part) for part in parts)])


def _section(part: type[Part]) -> str:
    text = inspect.cleandoc(part.__doc__ or "").split("\n\n")
    rows = [
        f"| `{name}` | {_kind(field.annotation)} | {_default(field)} | {field.description or ''} |"
        for name, field in part.model_fields.items()
    ]
    title = "Recipe" if part is Recipe else part.__name__.removesuffix("Part")
    table = "\n".join(["| entry | kind | default | meaning |", "|---|---|---|---|", *rows])
    return "\n\n".join([f"## {title}", *(" ".join(paragraph.split()) for paragraph in text), table]) + "\n"


def _parts_of(annotation: Any) -> list[type[Part]]:  # noqa: ANN401  (a type)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for inner in typing.get_args(annotation) for part in _parts_of(inner)]


def _kind(annotation: Any) -> str:  # noqa: ANN401  (a type)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_kind(one) for one in inner)
    if origin is tuple:
        return f"list of {_kind(inner[0])}" if inner[-1] is Ellipsis else ", ".join(_kind(one) for one in inner)
    if origin is dict:
        return f"{_kind(inner[0])} → {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Part):
        name = annotation.__name__.removesuffix("Part")
        return f"[{name}](#{name.lower()})"
    names = {int: "integer", float: "number", str: "text", bool: "yes or no", type(None): "nothing", Any: "anything"}
    return names[annotation]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "–" if field.default_factory is None else "none"
    if isinstance(field.default, Part):
        return "its defaults"
    if field.default is None or field.default in ((), "", {}):
        return "none"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{value}`".replace("'", "").replace("True", "true").replace("False", "false")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
