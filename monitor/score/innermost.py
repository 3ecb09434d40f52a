"""Where Turnbull's estimate may have mass: the innermost intervals ("cells") of one group's observations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.score.compiled import compiled
from monitor.score.sorting import Floats, Integers


class Problem(NamedTuple):
    """Observations by cells: row i has mass in the cells from `first[i]` to before `last[i]`; weights sum to 1.

    Cell k is (left[k], right[k]], or the one time where both are the same.
    """

    first: Integers
    last: Integers
    weight: Floats
    left: Floats
    right: Floats


@compiled
def innermost(left: Floats, right: Floats, weight: Integers) -> Problem:
    """From rows sorted by `left`, then `right`: a cell is a beginning that is followed by an end.

    Of what is at one time, an exact time comes first, then what ends, then what begins after it.
    """
    rows, cells, begun, latest = len(left), 0, False, 0.0
    first, last = np.empty(rows, np.int64), np.empty(rows, np.int64)
    begin, end = np.empty(rows), np.empty(rows)
    following = 0
    for row in np.argsort(right):
        until = right[row]
        while following < rows and _comes_first(left[following], right[following], until):
            first[following], latest, begun = cells, left[following], True
            following += 1
        if begun:
            begin[cells], end[cells], begun = latest, until, False
            cells += 1
        last[row] = cells
    return Problem(first, last, weight / weight.sum(), begin[:cells].copy(), end[:cells].copy())


@compiled
def _comes_first(left: float, right: float, until: float) -> bool:
    """Whether an observation begins before another ends."""
    return left < until or (left == until and left == right)
