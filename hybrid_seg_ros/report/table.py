"""A table of words and figures, as text; the page shows the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are shown.

    Attributes:
        caption: what it is a table of; empty where what stands around it says so.
        columns: one heading a column.
        rows: as many cells each as there are columns.
        text_columns: how many of the first columns hold words; the others hold figures and align right.
        note: a sentence under it.
        bars: share of 0..1 a row, drawn as a bar on the page; empty: none.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    note: str = ""
    bars: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a row that is shorter or longer than the heading."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.caption!r}: {len(row)} cells in {row}, expected {len(self.columns)}")


def as_text(table: Table, indent: str = "  ") -> str:
    """The table with aligned columns, a line each row."""
    widths = [max(len(cell) for cell in column) for column in zip(table.columns, *table.rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        parts = [
            f"{cell:<{width}}" if index < table.text_columns else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return (indent + "  ".join(parts)).rstrip()

    lines = [table.caption] if table.caption else []
    lines += [line(table.columns), *(line(row) for row in table.rows)]
    if table.note:
        lines.append(indent + table.note)
    return "\n".join(lines)
