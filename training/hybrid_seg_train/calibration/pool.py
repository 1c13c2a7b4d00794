"""Pixels of a whole set in bounded memory."""

from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]


class PixelPool:
    """Rows of equally long columns, gathered image by image.

    As long as they fit, all rows are kept. Whenever there are more than the limit, every row stays with a probability
    of one half, and so do those that come after: what is kept is a uniform random sample of the whole stream, the same
    for the same stream and seed.

    Attributes:
        share: probability of a row to be kept: 1, 1/2, 1/4 ...
    """

    def __init__(self, limit: int, seed: int = 0) -> None:
        if limit < 1:
            raise ValueError(f"the pool's limit is {limit} rows, expected at least 1")
        self.share = 1.0
        self._limit = limit
        self._rng = np.random.default_rng(seed)
        self._parts: list[dict[str, Column]] = []

    def __len__(self) -> int:
        return sum(len(next(iter(part.values()))) for part in self._parts)

    def add(self, **columns: Column) -> None:
        """Add rows: arrays of equal first dimension, the same names at every call."""
        self._parts.append(self._thinned(columns, self.share))
        while len(self) > self._limit:
            self.share /= 2
            self._parts = [self._thinned(part, 0.5) for part in self._parts]

    def column(self, name: str) -> Column:
        """All rows of one column, in the order they came."""
        return np.concatenate([part[name] for part in self._parts])

    def _thinned(self, columns: dict[str, Column], share: float) -> dict[str, Column]:
        if share == 1.0:
            return columns
        kept = self._rng.random(len(next(iter(columns.values())))) < share
        return {name: values[kept] for name, values in columns.items()}
