"""The variance of a Kaplan-Meier curve, clustered by site: the infinitesimal jackknife summed over sites.

R: `survfit(..., cluster=, robust=TRUE)`. A site's influence at t is -S(t) (A(t) - H(t) Y(t)): A sums d/(Y-d) - H over
the ends of its own episodes up to t, Y counts its episodes still at risk. Both change only at the site's own times, so
the sums over sites of A^2, A Y and Y^2 are running sums of those changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from monitor.score.sorting import Floats, Integers, lengths, running_whole, starts
from monitor.score.survival import Steps


def variance(steps: Steps) -> Floats:
    """The variance of S at each step."""
    sums = _sums(steps)
    spread = sums.aa - 2.0 * steps.hazard * sums.ay + steps.hazard**2 * sums.yy
    return steps.survival**2 * np.maximum(spread, 0.0)


@dataclass(frozen=True)
class _Sums:
    """At each step the sums over the sites of its company of A^2, A Y and Y^2."""

    aa: Floats
    ay: Floats
    yy: Floats


def _sums(steps: Steps) -> _Sums:
    ends = steps.ends
    sites = starts(ends.company, ends.site)
    change, a = _influence(steps, sites)
    passed = running_whole(ends.ends, sites)
    each = lengths(sites, len(passed))
    y = (np.repeat(passed[sites + each - 1], each) - passed).astype(np.float64)
    a_before, y_before = a - change, y + ends.ends
    changes = (a * a - a_before * a_before, a * y - a_before * y_before, y * y - y_before * y_before)
    aa, ay, yy = (_running(steps, values) for values in changes)
    return _Sums(aa, ay, yy + _at_start(steps, y_before[sites] ** 2, ends.company[sites]))


def _influence(steps: Steps, sites: Integers) -> tuple[Floats, Floats]:
    """The change of A at each row of the Ends, and A after it: sums of whole numbers, as they pass many sites."""
    ends, rows = steps.ends, steps.rows
    scale = _scale(steps)
    step = ends.events[rows] * steps.inverse[steps.step] - ends.ends[rows] * steps.hazard[steps.step]
    change = np.empty(len(rows), dtype=np.int64)
    change[rows] = np.rint(step * scale[steps.company[steps.step]])
    unit = 1.0 / scale[ends.company]
    return change * unit, running_whole(change, sites) * unit


def _scale(steps: Steps) -> Floats:
    """Per company a power of two by which any sum of its steps can be multiplied and still be a whole number."""
    jumps = np.bincount(steps.company, steps.events * steps.inverse, steps.ends.companies)
    most = 2.0 + 2.0 * jumps  # the steps of all its sites together are no more
    return np.asarray(np.exp2(60 - np.ceil(np.log2(most))), dtype=np.float64)


def _running(steps: Steps, changes: Floats) -> Floats:
    """What rows of the Ends change, added up to the last row of each step."""
    return steps.running(np.add.reduceat(changes[steps.rows], steps.begins))


def _at_start(steps: Steps, squares: Floats, company: Integers) -> Floats:
    """At each step the sum of Y^2 before the first one."""
    return np.asarray(np.bincount(company, squares, steps.ends.companies)[steps.company], dtype=np.float64)


def limits(steps: Steps, variances: Floats, confidence: float) -> tuple[Floats, Floats]:
    """log(-log) limits of the curve at each step; where it is 0 or 1 they are not defined: low is S, high is 1."""
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    inside = (steps.survival > 0.0) & (steps.survival < 1.0)
    s = np.where(inside, steps.survival, 0.5)
    width = np.minimum(z * np.sqrt(variances) / (s * -np.log(s)), 50.0)
    bend = np.log(-np.log(s))
    low = np.exp(-np.minimum(np.exp(bend + width), 700.0))
    high = np.exp(-np.exp(bend - width))
    return np.where(inside, low, steps.survival), np.where(inside, high, 1.0)
