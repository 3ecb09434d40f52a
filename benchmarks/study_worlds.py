"""Invented companies whose true time to removal is known: sites of unequal size, checks, and what scoring makes of it.

The logarithm of the time to removal is normal: a part of the site, shared by all its URLs, and a part of the URL. So a
share S(t) is known exactly, whatever the sizes of the sites, which are fixed and say nothing about the site's speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from monitor.score.aggregate import aggregate
from monitor.score.engine import connect
from monitor.score.estimate import estimate
from monitor.score.methods import method
from monitor.score.table import Estimate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

METHOD = method()
DEADLINE = METHOD.deadlines_hours["hotline_notice"]
SPREAD = 1.5  # standard deviation of the logarithm of hours
URLS_A_SITE = 10
_READ = replace(METHOD, restricted_mean_hours=DEADLINE, survival_hours=(DEADLINE,), publish_below=10**9)
_AT_ONCE = 500  # replicates in one table


@dataclass(frozen=True)
class World:
    """`sites` of sizes `equal`, `zipf` (1/rank), `half` or `most` (one site has 50 or 80 % of the URLs).

    `share` of the URLs is removed within 24 h; `together`: the part of the variance that the URLs of a site have in
    common.
    """

    sites: int
    sizes: str
    share: float = 0.84
    together: float = 0.9

    @property
    def urls(self) -> Ints:
        """URLs by site, ten a site in the mean, at least one."""
        rest = np.ones(self.sites - 1)
        weights = {
            "equal": np.ones(self.sites),
            "zipf": 1 / np.arange(1, self.sites + 1),
            "half": np.append(self.sites - 1, rest),
            "most": np.append(4 * (self.sites - 1), rest),
        }[self.sizes]
        return np.asarray(np.maximum(1, np.round(URLS_A_SITE * self.sites * weights / weights.sum())), np.int64)

    @property
    def median(self) -> float:
        """Hours in which half of the URLs are removed."""
        return float(DEADLINE * np.exp(-SPREAD * stats.norm.ppf(self.share)))

    @property
    def mean(self) -> float:
        """Mean hours to removal."""
        return float(self.median * np.exp(SPREAD**2 / 2))

    def hours(self, replicates: int, random: np.random.Generator) -> Floats:
        """Times to removal, (replicates, URLs), the URLs in the order of their sites."""
        urls = self.urls
        of_site = np.repeat(random.standard_normal((replicates, self.sites)), urls, axis=1)
        of_url = random.standard_normal((replicates, urls.sum()))
        common, own = np.sqrt(self.together), np.sqrt(1 - self.together)
        hours: Floats = self.median * np.exp(SPREAD * (common * of_site + own * of_url))
        return hours


@dataclass(frozen=True)
class Checks:
    """A check about every `gap` hours (0: watched all the time); `stopped`: part of the URLs whose checks end early."""

    gap: float
    stopped: float


@dataclass(frozen=True)
class Watched:
    """What the checks show, in hours: last seen online, first seen offline (nan: never), followed until as_of."""

    last: Floats
    first: Floats
    followed: Floats


WATCHED_ALWAYS = Checks(0.0, 0.0)


def watch(hours: Floats, checks: Checks, random: np.random.Generator) -> Watched:
    """Checks begin at a random moment of the first gap, each up to a quarter of a gap early or late."""
    followed = random.uniform(DEADLINE, 14 * 24.0, hours.shape)
    stops = random.random(hours.shape) < checks.stopped
    until = np.where(stops, np.minimum(followed, random.uniform(0.0, 72.0, hours.shape)), followed)
    if checks.gap == 0:
        return Watched(np.minimum(hours, until), np.where(hours <= until, hours, np.nan), followed)
    end = np.minimum(hours, until)
    phase = random.uniform(0.0, checks.gap, hours.shape)
    before = np.floor((end - phase) / checks.gap)
    last, first = np.zeros(hours.shape), np.full(hours.shape, np.inf)
    for step in (-1, 0, 1, 2):
        early = random.uniform(-0.25, 0.25, hours.shape)
        moment = np.where(before + step < 0, 0.0, phase + (before + step + early) * checks.gap)
        last = np.where(moment < end, np.maximum(last, moment), last)
        first = np.where(moment >= hours, np.minimum(first, moment), first)
    return Watched(last, np.where(first <= until, first, np.nan), followed)


def episodes(watched: Watched, urls: Ints, *, clustered: bool) -> pa.Table:
    """One company a replicate, numbered from 1; not clustered: every URL is a site of its own."""
    replicates, total = watched.last.shape
    rows = replicates * total
    company = np.repeat(np.arange(1, replicates + 1), total)
    site = np.tile(np.repeat(np.arange(len(urls)), urls), replicates) + len(urls) * company
    first = watched.first.ravel()
    return pa.table(
        {
            "company": company,
            "site": site if clustered else np.arange(1, rows + 1),
            "last_online_h": watched.last.ravel(),
            "first_offline_h": pa.array(first, mask=np.isnan(first)),
            "relocated_h": pa.nulls(rows, pa.float64()),
            "followed_h": watched.followed.ravel(),
            "deadline_h": np.full(rows, DEADLINE),
            "notices": np.ones(rows, dtype=np.int64),
            "reappeared": np.zeros(rows, dtype=np.int64),
            "destination": pa.nulls(rows, pa.string()),
            "unverified": np.zeros(rows, dtype=bool),
        }
    )


@dataclass(frozen=True)
class Scored:
    """What the project's own code says, one entry a replicate; a curve's value is S(24 h). inf: not reached.

    `lenient` and `strict` have the columns p, low, high; `median` value, low, high; `curves` lenient, Turnbull, strict.
    """

    lenient: Floats
    strict: Floats
    median: Floats
    curves: Floats


def scored(watched: Watched, urls: Ints, *, clustered: bool = True) -> Scored:
    """Aggregate and estimate the replicates, as if each were a company of one table."""
    parts = []
    for begin in range(0, len(watched.last), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        some = Watched(watched.last[part], watched.first[part], watched.followed[part])
        parts.append(_read(_estimates(episodes(some, urls, clustered=clustered))))
    return Scored(*(np.concatenate([getattr(p, name) for p in parts]) for name in Scored.__dataclass_fields__))


def _estimates(table: pa.Table) -> list[Estimate]:
    engine = connect("duckdb://")
    rows = engine.create_table("episodes", table)
    estimates = estimate(aggregate(engine, rows, rows, _READ), {}, _READ)
    engine.disconnect()
    return [estimates[company] for company in sorted(estimates) if company > 0]


def _read(estimates: list[Estimate]) -> Scored:
    points = [next(p for p in e.survival if p.t == DEADLINE) for e in estimates]
    shares = [e.on_time for e in estimates]
    return Scored(
        _columns((s.lenient.p, s.lenient.low, s.lenient.high) for s in shares),
        _columns((s.strict.p, s.strict.low, s.strict.high) for s in shares),
        _columns((e.median_hours.value, e.median_hours.low, e.median_hours.high) for e in estimates),
        _columns((p.lenient, p.npmle, p.strict) for p in points),
    )


def _columns(rows: Iterable[tuple[float | None, ...]]) -> Floats:
    return np.array([[np.inf if value is None else value for value in row] for row in rows])


def covered(low: Floats, high: Floats, truth: float) -> float:
    """The part of the intervals that hold the truth; limits at ten digits may end on it."""
    return float(np.mean((low <= truth + 1e-9) & (truth - 1e-9 <= high)))
