"""Who gets whom, one to one, at the least sum of costs."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.compiled import compiled

# What the signature says; Python's own types are others than numba's.
Array: TypeAlias = Any


def assign(cost: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_], alone: float) -> npt.NDArray[np.int64]:
    """int64[N]: the row of each column, or -1.

    The sum over all columns is the least there is, where a column costs what its pair costs, or `alone`.

    Args:
        cost: float64[T, N], finite where possible.
        possible: bool[T, N].
        alone: what it costs to leave a column without a row; a pair that costs more is never made.
    """
    rows, columns = cost.shape
    # A column of its own for every column to be alone in: then all are assigned, and the problem is always solvable.
    table = np.full((columns, rows + columns), np.inf)
    table[:, :rows] = np.where(possible, cost, np.inf).T
    table[np.arange(columns), rows + np.arange(columns)] = alone
    result = _shortest_paths(table)
    return np.where(result < rows, result, -1)


@compiled("int64[::1](float64[:, ::1])")
def _shortest_paths(cost: Array) -> Array:
    """int64[N]: the column of each row of float64[N, M], N <= M; every row has a finite way.

    Shortest augmenting paths with dual variables (Jonker, Volgenant: A shortest augmenting path algorithm for dense
    and sparse linear assignment problems, 1987): O(N^2 M).
    """
    count, width = cost.shape
    of_row, of_column = np.full(count, -1, np.int64), np.full(width, -1, np.int64)
    price_row, price_column = np.zeros(count), np.zeros(width)
    length, came_from = np.empty(width), np.empty(width, np.int64)
    done = np.empty(width, np.bool_)
    for start in range(count):
        length[:] = np.inf
        done[:] = False
        row, least, end = start, 0.0, -1
        while end < 0:
            nearest, column = np.inf, -1
            for j in range(width):
                if done[j]:
                    continue
                through = least + cost[row, j] - price_row[row] - price_column[j]
                if through < length[j]:
                    length[j], came_from[j] = through, row
                if length[j] < nearest or (length[j] == nearest and column >= 0 and of_column[j] < 0):
                    nearest, column = length[j], j
            least = nearest
            done[column] = True
            if of_column[column] < 0:
                end = column
            else:
                row = of_column[column]
        for j in range(width):
            if done[j] and j != end:
                price_row[of_column[j]] += least - length[j]
                price_column[j] -= least - length[j]
        price_row[start] += least
        while end >= 0:
            row = came_from[end]
            of_column[end] = row
            of_row[row], end = end, of_row[row]
            if row == start:
                break
    return of_row
