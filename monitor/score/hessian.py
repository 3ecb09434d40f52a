"""The matrix of Newton's steps for Turnbull's estimate: blocks that are a band with a border, solved as such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg

from monitor.score.sorting import Flags, Floats, Integers, totals

_WIDEST = 20_000_000  # numbers in a band: above that the sparse solver is asked


@dataclass(frozen=True, slots=True)
class Hessian:
    """A symmetric matrix, positive definite: its diagonal, and the `entries` at (low, high) with low < high."""

    diagonal: Floats
    low: Integers
    high: Integers
    entries: Floats

    def solve(self, values: Floats, last: Flags) -> Floats:
        """Its inverse applied to the values; `last` are the variables that end a block.

        Checks are hours apart: an interval spans a few variables only, or goes on to the last, which never ends.
        So each block is a band with a border, but for odd intervals that make the band wide.
        """
        border = last[self.high]
        width = int(np.max(self.high - self.low, where=~border, initial=0)) + 1
        if width * len(values) <= _WIDEST:
            try:
                return self._bordered(values, last, border, width)
            except np.linalg.LinAlgError:
                pass  # rounding left it not quite definite
        return self._sparse(values)

    def _bordered(self, values: Floats, last: Flags, border: Flags, width: int) -> Floats:
        size, low, inside = len(values), self.low, ~border
        band = totals((self.high - low)[inside] * size + low[inside], self.entries[inside], width * size)
        band = band.reshape(width, size)
        band[0] = np.where(last, 1.0, self.diagonal)
        coupled = totals(low[border], self.entries[border], size)
        sides = np.stack([np.where(last, 0.0, values), coupled], axis=1)
        own, through = linalg.solveh_banded(band, sides, lower=True, overwrite_ab=True, check_finite=False).T
        block = np.cumsum(np.append(0, last[:-1]))
        blocks = int(block[-1]) + 1
        ends = values[last] - totals(block, coupled * own, blocks)
        ends /= self.diagonal[last] - totals(block, coupled * through, blocks)
        return np.asarray(np.where(last, ends[block], own - through * ends[block]))

    def _sparse(self, values: Floats) -> Floats:
        size, every = len(values), np.arange(len(values))
        entries = np.concatenate([self.diagonal, self.entries, self.entries])
        places = np.concatenate([every, self.low, self.high]), np.concatenate([every, self.high, self.low])
        matrix = sparse.coo_matrix((entries, places), shape=(size, size)).tocsc()
        options = {"SymmetricMode": True}
        solver = sparse_linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        return np.asarray(solver.solve(values))
