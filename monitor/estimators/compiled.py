"""Plain loops over sorted rows, compiled to machine code (numba) where they are first called, and cached on disk.

What goes through episodes one by one, a company at a time, is easiest to read and to check as a loop; compiled, it is
also faster than the same in whole arrays, and leaves the interpreter free for other threads (docs/adr/0018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same function, compiled. Divisions by zero are as in numpy; indices are not checked, so tests check them."""
    try:
        made: Callable[_P, _R] = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder for the cache can be written to: each process compiles anew
        made = njit(nogil=True, error_model="numpy")(function)
    return made
