"""How the obstacle loops are compiled: when they are imported, never while a frame waits."""

import contextlib
from collections.abc import Callable
from typing import Any

from numba import njit

Function = Callable[..., Any]


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile for one numba signature, without the GIL; the machine code is kept on disk where that can be written.

    A compiled function calls none of another file: numba's cache notices changes of its own file only.
    """

    def compile_now(function: Function) -> Function:
        with contextlib.suppress(RuntimeError):  # "cannot cache function": a read-only install
            return njit(signature, cache=True, nogil=True, error_model="numpy")(function)
        return njit(signature, nogil=True, error_model="numpy")(function)

    return compile_now
