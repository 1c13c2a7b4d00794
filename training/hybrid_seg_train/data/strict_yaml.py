"""YAML files in which every key may occur once."""

from collections.abc import Hashable
from pathlib import Path

import yaml


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which by itself takes the last of two equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        content: dict[Hashable, object] = super().construct_mapping(node, deep=deep)
        if len(content) < len(node.value):
            keys = [key.value for key, _ in node.value]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} occurs twice", node.start_mark)
        return content


def read_yaml(path: Path) -> object:
    """The content of a YAML file.

    Raises:
        yaml.YAMLError: not YAML, a tag that makes objects, or a key twice in one mapping.
        UnicodeDecodeError: not UTF-8.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  (a safe loader)
