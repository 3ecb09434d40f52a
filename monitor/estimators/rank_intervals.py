"""Rank intervals and bands: which companies are certainly worse than which, all comparisons taken together.

Tukey's honest significant difference gives simultaneous confidence intervals of ranks (Al Mohamad, Goeman, van Zwet,
Biometrics 2022, arXiv:1812.05507): with confidence c every company's true rank lies in its interval. What is compared,
and how uncertain it is taken to be, was chosen by simulation: docs/adr/0007 and benchmarks/study_ranks.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, special

from monitor.estimators.arrays import Booleans, Floats, Integers

_POINTS = 2_000  # of the trapezoidal rule, which converges exponentially here: exact to 1e-12 for up to 5,000 companies
_BEYOND = 9.0  # standard deviations beyond which there is nothing to integrate
_LARGEST_RANGE = 40.0


@dataclass(frozen=True)
class RankIntervals:
    """Per company, worst first: lowest and highest rank (1: worst) and band (0: worst)."""

    low: Integers
    high: Integers
    band: Integers


def effective_sample_size_from_interval(
    p: Floats, low: Floats, high: Floats, mature: Floats, confidence: float
) -> Floats:
    """How many independent observations the interval of each share is worth, at most one an episode; 0: none.

    It is the n for which Wilson's interval has the same limit on the side of 1/2: z^2 l (1 - l) / (p - l)^2. Limits
    hold few and unequal sites against a company, its standard error does not. A limit that is not known is nan and
    says nothing. `mature`: the episodes of the share. Arrays of one shape.
    """
    z = special.ndtri(0.5 + confidence / 2)
    limit = np.where(p >= 0.5, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = z * z * limit * (1 - limit) / (p - limit) ** 2
    return np.where(np.isnan(limit), 0.0, np.fmin(size, mature))


def arcsine_scale(p: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Shares on a scale where the error depends on n alone, 2 asin(sqrt(p)), and the standard error 1 / sqrt(n + 1).

    p is first drawn to 1/2 by one observation: shares of 0 and 1 are not certain either.
    """
    drawn = (n * p + 0.5) / (n + 1)
    return 2 * np.arcsin(np.sqrt(drawn)), 1 / np.sqrt(n + 1)


def rank_intervals(theta: Floats, se: Floats, confidence: float) -> RankIntervals:
    """Intervals and bands of companies given in the order of the ranking, worst (least theta) first.

    One is certainly worse than another when it is placed before it and their difference exceeds
    q / sqrt(2) * sqrt(se_i^2 + se_j^2). So an interval holds the company's own place. A band begins at the first
    company that some member of the band before is certainly worse than: no two in a band can be told apart.
    """
    factor = studentized_range(theta.size, confidence) / math.sqrt(2)
    return _from_worse(
        theta.size, lambda place: theta[place] - theta[:place] > factor * np.hypot(se[:place], se[place])
    )


def _from_worse(k: int, worse_than: Callable[[int], Booleans]) -> RankIntervals:
    """From who is certainly worse than the company at a place: of those before it, one truth value each."""
    low, high, band = np.ones(k, dtype=np.int64), np.full(k, k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    begin = 0
    for place in range(1, k):
        worse = worse_than(place)
        low[place] += worse.sum()
        high[:place] -= worse
        band[place] = band[place - 1]
        if worse[begin:].any():
            begin, band[place] = place, band[place] + 1
    return RankIntervals(low, high, band)


@dataclass(frozen=True)
class Reading:
    """One reading of the share of each company (arrays): the share itself, and how far its limit lies from it.

    `width` is that to the upper limit of the lenient reading, and to the lower limit of the strict one; 0 or more.
    """

    p: Floats
    width: Floats


def rank_intervals_of_readings(lenient: Reading, strict: Reading, confidence: float) -> RankIntervals:
    """Intervals and bands of companies in the order of the ranking, worst first, whatever the checks did not see.

    One is certainly worse than another that comes after it where its lenient reading lies below the strict reading of
    the other by more than q / (sqrt 2 z) times the root of the squares of both widths; q is the quantile of the
    studentized range, z the normal one that the limits have. A relation that holds from i to j and from j to k holds
    from i to k. A band begins at a company that somebody in the band before is certainly worse than: in one band nobody
    can be told apart, two of different bands need not differ.
    """
    return _from_worse(lenient.p.size, certainly_worse(lenient, strict, confidence))


def certainly_worse(lenient: Reading, strict: Reading, confidence: float) -> Callable[[int], Booleans]:
    """Of the company at a place: which of those before it are certainly worse, by their readings alone."""
    z = special.ndtri(0.5 + confidence / 2)
    factor = studentized_range(lenient.p.size, confidence) / (math.sqrt(2) * z)

    def before(place: int) -> Booleans:
        apart = factor * np.hypot(lenient.width[:place], strict.width[place])
        worse: Booleans = strict.p[place] - lenient.p[:place] > apart
        return worse

    return before


@cache
def studentized_range(k: int, confidence: float) -> float:
    """Quantile of the range of k standard normal variables; inf for fewer than two: there is nothing to compare.

    R: `qtukey(confidence, k, Inf)`. It is also `scipy.stats.studentized_range`, which takes a second to load; the two
    differ by less than 1e-11 of it.
    """
    if k < 2:
        return math.inf
    return float(optimize.brentq(lambda q: _range_probability(q, k) - confidence, 0.0, _LARGEST_RANGE, xtol=1e-13))


def _range_probability(q: float, k: int) -> float:
    """P(range of k standard normal variables <= q) = k int phi(z) (Phi(z) - Phi(z - q))^(k - 1) dz, z the largest."""
    z, step = np.linspace(-_BEYOND, q + _BEYOND, _POINTS, retstep=True)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float(k * step * (density * (special.ndtr(z) - special.ndtr(z - q)) ** (k - 1)).sum())


def band_letters(band: int) -> str:
    """Name of a band: A, B, ..., Z, AA, AB, ...; A (0) is the worst."""
    name = ""
    while band >= 0:
        band, letter = divmod(band, 26)
        name, band = chr(ord("A") + letter) + name, band - 1
    return name
