"""Cholesky factorisation of a sparse symmetric matrix that is stored by its envelope, and linear systems with it.

Each row is stored from its first entry on to the diagonal; the factor has no entries elsewhere (A. George, J. W. Liu,
Computer Solution of Large Sparse Positive Definite Systems, 1981, chapter 4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.compiled import compiled

_RIDGES = (1e-14, 1e-12, 1e-10, 1e-8, 1e-6)  # what is added to the diagonal until rounding leaves it definite


class Envelope(NamedTuple):
    """The lower half of a symmetric matrix: entry (i, j) of row i, from column `begin[i]` on, is `entry[at[i] + j]`."""

    begin: Integers
    at: Integers
    entry: Floats


@compiled
def empty_envelope(begin: Integers) -> tuple[Integers, Floats]:
    """`at` and the entries, all 0, of a matrix whose rows begin there."""
    at, room = np.empty(len(begin), np.int64), 0
    for i in range(len(begin)):
        at[i] = room - begin[i]
        room += i - begin[i] + 1
    return at, np.zeros(room)


@compiled
def solve(matrix: Envelope, values: Floats) -> Floats:
    """The inverse of a positive definite matrix applied to the values; zeros where rounding leaves it none."""
    for ridge in _RIDGES:
        factor = matrix.entry.copy()
        if _factorise(matrix.begin, matrix.at, factor, ridge):
            return _substitute(matrix.begin, matrix.at, factor, values)
    return np.zeros(len(values))


@compiled
def _factorise(begin: Integers, at: Integers, entry: Floats, ridge: float) -> bool:
    """Cholesky's factor in place of the entries; False where the matrix is not definite."""
    for i in range(len(begin)):
        own = at[i]
        square = entry[own + i] * (1.0 + ridge)
        for j in range(begin[i], i):
            other = at[j]
            value = entry[own + j]
            for k in range(max(begin[i], begin[j]), j):
                value -= entry[own + k] * entry[other + k]
            value /= entry[other + j]
            entry[own + j] = value
            square -= value * value
        if not square > 0.0:
            return False
        entry[own + i] = np.sqrt(square)
    return True


@compiled
def _substitute(begin: Integers, at: Integers, factor: Floats, values: Floats) -> Floats:
    """The solution, given the factor: forwards, then backwards."""
    result = values.copy()
    for i in range(len(begin)):
        for j in range(begin[i], i):
            result[i] -= factor[at[i] + j] * result[j]
        result[i] /= factor[at[i] + i]
    for i in range(len(begin) - 1, -1, -1):
        result[i] /= factor[at[i] + i]
        for j in range(begin[i], i):
            result[j] -= factor[at[i] + j] * result[i]
    return result
