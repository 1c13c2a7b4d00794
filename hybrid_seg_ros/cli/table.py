"""Aligned text tables for the terminal."""

from collections.abc import Sequence


def two_columns(rows: Sequence[tuple[str, str]], indent: str = "  ") -> str:
    """Rows of name and value, the values aligned."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{indent}{name:<{width}}  {value}" for name, value in rows)
