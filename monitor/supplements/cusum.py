"""Weekly CUSUM: when a company's lateness doubled in odds, as a signal for the regulator's queue. Not for publication.

A week is an ISO week (UTC); an episode belongs to that of its deadline. The unit is a site with an episode that matured
in the week; x is the sum over these sites of the share of their episodes that is late, n the number of sites.

    W = max(0, W + x ln(p1 / p0) + (n - x) ln((1 - p1) / (1 - p0))),   p0 = 0.1, p1 = 2/11: the odds doubled

W starts at 0 with the first week, and again after each signal. The signal is given at W >= h. h is not the usual 5,
which holds for independent weeks only: it is taken from a table that was simulated at each number of sites and each
correlation of sites within a week, so that a company at p0 has a false signal in at most 5 % of years.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from ibis import _

from monitor.estimators.arrays import Floats, Integers, group_starts
from monitor.estimators.rounding import round_known, round_number
from monitor.instants import DAY, HOUR, to_datetime
from monitor.score.engine import as_integer, bool_to_int, fetch, round_down, to_numpy
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import is_late, is_mature
from monitor.supplements.inputs import Inputs

P0, P1 = 0.1, 2 / 11
FALSE_SIGNALS = 0.05  # of the years of a company at P0
WEEKS = 52
WEEK = 7 * DAY
_MONDAY = 4 * DAY  # the first Monday since the epoch
SITES = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)
CORRELATIONS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
# By sites a week (rows) and correlation (columns): `python -m benchmarks.cusum_limits` makes them again, with its seed.
LIMITS = (
    (2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8),  # 1
    (3.4, 3.4, 3.4, 3.6, 3.7, 3.9, 4.3, 4.9, 5.5),  # 2
    (3.8, 3.8, 3.8, 4.0, 4.3, 4.9, 5.9, 7.1, 8.2),  # 3
    (4.2, 4.3, 4.5, 4.9, 5.6, 6.9, 8.9, 11.4, 13.6),  # 5
    (4.6, 5.0, 5.4, 6.6, 8.5, 11.4, 16.3, 22.1, 27.2),  # 10
    (5.1, 5.9, 7.2, 9.6, 13.6, 20.7, 31.2, 44.1, 54.1),  # 20
    (5.2, 6.7, 8.2, 12.6, 18.9, 29.2, 45.7, 65.7, 81.4),  # 30
    (5.2, 8.1, 10.8, 18.2, 29.2, 47.4, 75.4, 107.7, 135.6),  # 50
    (5.2, 11.3, 17.0, 32.8, 55.0, 91.9, 150.6, 216.1, 266.0),  # 100
    (5.2, 17.4, 29.2, 61.4, 106.4, 181.3, 298.1, 429.1, 545.9),  # 200
    (5.2, 35.6, 65.9, 145.1, 257.7, 447.5, 724.7, 1082.0, 1356.0),  # 500
    (5.2, 66.2, 126.5, 287.0, 513.3, 895.6, 1480.6, 2138.7, 2729.3),  # 1000
)


@dataclass(frozen=True, slots=True)
class Signal:
    """In the ISO week `week` W reached the limit."""

    week: str
    w: float


@dataclass(frozen=True, slots=True)
class CompanyCusum:
    """One company: W after the last whole week, the limit for its usual number of sites, and the signals of the period.

    `sites_a_week` is the root of the mean square. The limit is None, and there are no signals, where the correlation of
    weeks is not known.
    """

    company: str
    name: str
    weeks: int
    sites_a_week: float
    w: float
    limit: float | None
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Cusum:
    """The pooled `correlation` of sites within weeks (None: not known) and the companies with a week, by key."""

    correlation: float | None
    companies: tuple[CompanyCusum, ...]


@dataclass(frozen=True)
class _SiteWeeks:
    """One row a (company, week, site), sorted: the share late of the site's episodes that matured in the week."""

    company: Integers
    week: Integers
    late: Floats


def cusum(inputs: Inputs) -> Cusum:
    """All whole weeks up to the end of the period or the reference date; signals are those of the period's weeks."""
    rows = _site_weeks(inputs)
    correlation = week_correlation(rows.company, rows.week, rows.late)
    bounds = np.append(group_starts(rows.company), len(rows.company)).tolist()
    found = []
    for begin, end in pairwise(bounds):
        key, name = inputs.named(int(rows.company[begin]))
        found.append(_company(inputs, rows.week[begin:end], rows.late[begin:end], (key, name), correlation))
    known = None if correlation is None else round_number(correlation)
    return Cusum(known, tuple(sorted(found, key=lambda row: row.company)))


def _company(
    inputs: Inputs, week: Integers, late: Floats, named: tuple[str, str], correlation: float | None
) -> CompanyCusum:
    starts = group_starts(week)
    sites = np.diff(np.append(starts, len(week))).astype(np.float64)
    usual = float(np.sqrt((sites**2).mean()))  # large weeks move W most
    limit = None if correlation is None else limit_for(usual, correlation)
    path = list(walk(np.add.reduceat(late, starts), sites, math.inf if limit is None else limit))
    begins, (start, end) = week[starts].tolist(), inputs.request.bounds
    signals = tuple(
        Signal(_monday(at), round_known(w))
        for at, (w, signalled) in zip(begins, path, strict=True)
        if signalled and start <= at < end
    )
    w, signalled = path[-1]
    return CompanyCusum(*named, len(starts), round_known(usual), 0.0 if signalled else round_known(w), limit, signals)


def increments(late: Floats, sites: Floats) -> Floats:
    """What a week with so many of so many sites late adds to W."""
    return np.asarray(late * math.log(P1 / P0) + (sites - late) * math.log((1 - P1) / (1 - P0)))


def walk(late: Floats, sites: Floats, limit: float) -> Iterator[tuple[float, bool]]:
    """W after each week and whether it gave the signal: then the next week starts at 0."""
    w = 0.0
    for gain in increments(late, sites).tolist():
        w = max(0.0, w + gain)
        signalled = w >= limit
        yield w, signalled
        w = 0.0 if signalled else w


def limit_for(sites: float, correlation: float) -> float:
    """The limit in the table for the next larger number of sites and the next larger correlation.

    Beyond the table it grows with the number of sites, as W does where the sites of a week fall together.
    """
    row = min(int(np.searchsorted(SITES, sites - 1e-9)), len(SITES) - 1)
    column = int(np.searchsorted(CORRELATIONS, correlation - 1e-9))
    return LIMITS[row][column] * max(1.0, sites / SITES[-1])


def week_correlation(company: Integers, week: Integers, late: Floats) -> float | None:
    """The intra-class correlation of the sites of a week, pooled over companies, in [0, 1]; rows sorted by both.

    From the analysis of variance of weeks within companies (rule R3). None where no company has two weeks, no week two
    sites, or nothing varies.
    """
    if not company.size:
        return None
    starts, firms = group_starts(company, week), group_starts(company)
    size, sums = np.diff(np.append(starts, len(late))), np.add.reduceat(late, starts)
    of_company = np.searchsorted(firms, starts, side="right") - 1
    n, clusters = np.bincount(of_company, size), np.bincount(of_company)
    between, within = int((clusters - 1).sum()), int((n - clusters).sum())
    if not between or not within:
        return None
    overall = np.bincount(of_company, sums) / n
    means = sums / size
    msb = float((size * (means - overall[of_company]) ** 2).sum()) / between
    msw = float(((late - np.repeat(means, size)) ** 2).sum()) / within
    n0 = float((n - np.bincount(of_company, size.astype(np.float64) ** 2) / n).sum()) / between
    denominator = msb + (n0 - 1) * msw
    return None if denominator <= 1e-20 else min(max((msb - msw) / denominator, 0.0), 1.0)


def _site_weeks(inputs: Inputs) -> _SiteWeeks:
    end = min(inputs.request.period.end, inputs.request.as_of + 1)
    rows = inputs.every.filter((_.company != UNATTRIBUTED) & is_mature(_.followed_h, _.deadline_h))
    due = rows.start + as_integer(rows.deadline_h * float(HOUR))
    rows = rows.mutate(week=round_down(due - _MONDAY, WEEK) + _MONDAY)
    rows = rows.filter(_.week + WEEK <= end).mutate(is_late=bool_to_int(is_late(_.last_online_h, _.deadline_h)))
    grouped = rows.group_by(["company", "week", "site"]).aggregate(items=_.count(), late=_.is_late.sum())
    table = fetch(inputs.engine, grouped.order_by(["company", "week", "site"]))
    columns: list[npt.NDArray[np.int64]] = [to_numpy(table[name]) for name in ("company", "week", "late", "items")]
    return _SiteWeeks(columns[0], columns[1], columns[2] / np.maximum(columns[3], 1))


def _monday(at: int) -> str:
    year, week, _weekday = to_datetime(at).isocalendar()
    return f"{year}-W{week:02}"
