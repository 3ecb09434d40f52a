"""How many of those that are below the norm may be so by chance: p-values, and control of the false discovery rate."""

from __future__ import annotations

import numpy as np
from scipy import special

from monitor.estimators.arrays import Booleans, Floats


def p_value_of_below(late: Floats, variance: Floats, independent: Floats, df: Floats, target: float) -> Floats:
    """The probability of so large a share late where `target` is met exactly: the larger of a score test and t.

    The score test takes `independent` items for the share late; the other, where the variance is above 0, the number
    of items that would give that variance, with Student's t on `df` degrees. Arrays of one shape; nan where late is.
    """
    allowed = 1 - target
    excess, spread = late - allowed, target * allowed
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = special.ndtr(-excess / np.sqrt(spread / independent))
        student = special.stdtr(df, -excess / np.sqrt(spread * variance / (late * (1 - late))))
    larger: Floats = np.where(variance > 0, np.fmax(normal, student), normal)
    return larger


def benjamini_hochberg(p: Floats, level: float) -> Booleans:
    """Which hypotheses are rejected so that at most `level` of the rejected are true, in the mean (JRSS B 57, 1995).

    R: `p.adjust(p, "BH") <= level`. What is nan is not rejected, but counts among the hypotheses.
    """
    order = np.argsort(p, kind="stable")  # nan comes last
    bounds = level * np.arange(1, len(p) + 1) / max(len(p), 1)
    passed = np.flatnonzero(p[order] <= bounds)
    rejected = np.zeros(len(p), dtype=np.bool_)
    if passed.size:
        rejected[order[: passed[-1] + 1]] = True
    return rejected
