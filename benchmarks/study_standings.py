"""How often standings, intervals and ranks of method 2026.2 are wrong: `python -m benchmarks.study_standings`.

Companies whose true share on time is known: what happens to the URLs of one site goes together, and so does what
happens to the notices of one day. The figures come from the product's own estimators and its own table.
`--write docs` puts the tables into docs/study.md, between its marks.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy import special

from benchmarks.study_text import percent, table, write_between
from benchmarks.study_worlds import DEADLINE, SPREAD, URLS_A_SITE, Checks, Watched, watch
from monitor.estimators.arrays import AnyIntegers, Booleans, Floats, group_by
from monitor.estimators.clustered_share import (
    Clusters,
    independent_items,
    pooled_correlation,
    share_limits,
    sizes,
    two_way_variance,
)
from monitor.estimators.confidence import wilson_interval
from monitor.estimators.rank_intervals import Reading, certainly_worse
from monitor.estimators.rounding import round_array
from monitor.score.engine import Engine, opened, put
from monitor.score.methods import method
from monitor.score.pipeline import make_table
from monitor.score.standing import least_sites_to_prove
from monitor.score.table import CompetingEstimate, Table

METHOD = method("2026.2")
REPLICATES, SEED = 100, 1  # tables of each world
RANKED_REPLICATES = 60  # of each world that is scored as a table
BEGIN = "<!-- begin of what `python -m benchmarks.study_standings` writes -->"
END = "<!-- end of it -->"
COMPANIES, DAYS = 20, 60
SITES, SIZES, TOGETHER = (5, 10, 20, 35, 60, 200), ("equal", "zipf", "giant"), (0.1, 0.5, 0.9)
BY_DAY, SHARES = (0.0, 0.1, 0.2), (0.6, 0.8, 0.9, 0.95)
GAPS = (1.0, 4.0, 12.0, 24.0)
_SIMULATION_ERRORS = 3.0  # so many standard errors above a bar it is missed


class World(NamedTuple):
    """`COMPANIES` alike with so many sites of `sizes`, that share on time, and correlations within sites and days.

    Sizes: all equal; Zipf; `giant`: one has half of the URLs. Correlations are those of the normal variables behind the
    times: `by_day` of the variance is the day's, `together` of the rest the site's.
    """

    sites: int
    sizes: str
    together: float
    by_day: float
    share: float

    @property
    def urls(self) -> AnyIntegers:
        """URLs by site, ten a site in the mean, at least one."""
        weights = {
            "equal": np.ones(self.sites),
            "zipf": 1 / np.arange(1, self.sites + 1),
            "giant": np.append(self.sites - 1.0, np.ones(self.sites - 1)),
        }[self.sizes]
        urls = np.maximum(1, np.round(URLS_A_SITE * self.sites * weights / weights.sum()))
        return np.asarray(urls, np.int64)


WORLDS = tuple(World(*given) for given in product(SITES, SIZES, TOGETHER, BY_DAY, SHARES))


@dataclass(frozen=True)
class Drawn:
    """One row a URL: company, site and day as indices, and the normal variable behind its time to removal."""

    company: AnyIntegers
    site: AnyIntegers
    day: AnyIntegers
    normal: Floats


def draw(world: World, companies: int, random: np.random.Generator) -> Drawn:
    """Companies of one world; sites and days of one company are those of no other."""
    of_site = np.repeat(np.arange(world.sites), world.urls)
    company = np.repeat(np.arange(companies), len(of_site))
    site, day = np.tile(of_site, companies), random.integers(0, DAYS, len(company))
    sites, days = random.standard_normal((companies, world.sites)), random.standard_normal((companies, DAYS))
    own = random.standard_normal(len(company))
    rest = 1 - world.by_day
    normal = np.sqrt(rest * world.together) * sites[company, site] + np.sqrt(rest * (1 - world.together)) * own
    return Drawn(company, site, day, normal + np.sqrt(world.by_day) * days[company, day])


class Judged(NamedTuple):
    """Of one world: how many companies were drawn, and the share of them (of tables: pooled) with each finding.

    `covered`: the 95 % interval holds the truth; `below` and `meets`: so judged. `urls_...`: were URLs unrelated;
    `sites_...`: were only sites related (the standings, with Wilson's floor at the number of sites left out).
    """

    world: World
    drawn: int
    covered: float
    below: float
    meets: float
    urls_covered: float
    urls_below: float
    urls_meets: float
    sites_below: float
    sites_meets: float


def judge(world: World, tables: int, seed: Sequence[int]) -> Judged:
    """Everything watched all the time, so that nothing is left open: the standings by the limits alone."""
    drawn = draw(world, tables * COMPANIES, np.random.default_rng(seed))
    on_time = (drawn.normal <= special.ndtri(world.share)).astype(np.int64)
    keys = (drawn.site,), (drawn.day,), (drawn.site, drawn.day)
    by = [_clusters(tables * COMPANIES, drawn.company, on_time, *each) for each in keys]
    of_sites, of_days = sizes(by[0]), sizes(by[1])
    p, variance = of_sites.k / of_sites.n, two_way_variance(*by)
    rho = [np.repeat([_correlation(each, table) for table in range(tables)], COMPANIES) for each in by[:2]]
    independent = independent_items(of_sites, of_days, *rho)
    effective = np.fmin(of_sites.effective, of_days.effective)
    low, high = map(round_array, share_limits(p, variance, independent, effective, METHOD.confidence))
    alone = wilson_interval(p, of_sites.n, METHOD.confidence)
    nothing = np.full(len(p), np.inf)
    of_site = two_way_variance(by[0], by[0], by[0])
    sites_alone = share_limits(p, of_site, nothing, of_sites.effective, METHOD.confidence)
    return Judged(
        world,
        len(p),
        *_found(low, high, world.share),
        *_found(*alone, world.share),
        *_found(*sites_alone, world.share)[1:],
    )


def _clusters(companies: int, company: AnyIntegers, ones: AnyIntegers, *keys: AnyIntegers) -> Clusters:
    (of, *_rest), (size, with_it) = group_by([company, *keys], [np.ones(len(company), np.int64), ones])
    return Clusters.of(companies, of, size, with_it)


def _correlation(clusters: Clusters, table: int) -> float:
    """Pooled over the companies of one table."""
    first = table * COMPANIES
    rows = slice(*np.searchsorted(clusters.company, [first, first + COMPANIES]))
    own = Clusters(COMPANIES, clusters.company[rows] - first, *(column[rows] for column in clusters[2:]))
    return pooled_correlation(own, np.ones(COMPANIES, np.bool_))


def _found(low: Floats, high: Floats, share: float) -> tuple[float, float, float]:
    covered = (low <= share + 1e-9) & (share - 1e-9 <= high)
    return float(covered.mean()), float((high < METHOD.target).mean()), float((low >= METHOD.target).mean())


class Ranked(NamedTuple):
    """Of tables of one kind, scored whole: shares of tables with a false `certainly worse`, and in which every rank
    interval holds all true ranks; the same where ranks rest on the lenient share alone. `width`: mean, in ranks.
    """

    name: str
    tables: int
    false_worse: float
    lenient_false_worse: float
    joint: float
    width: float
    covered: float
    below: float
    meets: float


class Kind(NamedTuple):
    """Tables whose companies have that many sites; `alike` in their true share or not; checks `gaps` hours apart."""

    sites: int
    alike: bool
    gaps: tuple[float, ...]

    @property
    def name(self) -> str:
        """As the table says it."""
        gaps = "unequal gaps" if len(self.gaps) > 1 else f"{self.gaps[0]:g} h gaps"
        return f"{self.sites} sites, {'all at 80 %' if self.alike else 'at 50 to 98 %'}, {gaps}"


KINDS = (
    *(
        Kind(sites, alike, gaps)
        for alike in (True, False)
        for sites in (10, 40)
        for gaps in (*((g,) for g in GAPS), GAPS)
    ),
    *(Kind(200, alike, GAPS) for alike in (True, False)),  # enough sites to tell companies apart
)
_MIXED = np.linspace(0.5, 0.98, COMPANIES)


def rank(kind: Kind, tables: int, seed: Sequence[int]) -> Ranked:
    """Score tables of twenty companies as the product does, and compare with the truth."""
    random = np.random.default_rng(seed)
    shares = np.full(COMPANIES, 0.8) if kind.alike else _MIXED
    with opened("duckdb://") as engine:
        engine.raw_sql("SET enable_progress_bar = false")
        found = [_compared(_scored(engine, kind, shares, random), shares) for _ in range(tables)]
    means = np.mean(np.array(found, np.float64), axis=0).tolist()
    return Ranked(kind.name, tables, *means)


def _scored(engine: Engine, kind: Kind, shares: Floats, random: np.random.Generator) -> Table:
    world = World(kind.sites, "equal", 0.5, 0.1, 0.0)
    drawn = draw(world, COMPANIES, random)
    hours = DEADLINE * np.exp(SPREAD * (drawn.normal - special.ndtri(shares)[drawn.company]))
    gaps = np.resize(kind.gaps, COMPANIES)[drawn.company]
    watched = [watch(hours[gaps == gap], Checks(gap, 0.05), random) for gap in kind.gaps]
    order = np.concatenate([np.flatnonzero(gaps == gap) for gap in kind.gaps])
    seen = Watched(
        *(np.concatenate(each) for each in zip(*((w.last, w.first, w.followed) for w in watched), strict=True))
    )
    rows = put(engine, "episodes", _episodes(drawn, order, seen))
    return make_table(engine, rows, {}, {}, METHOD)[0]


def _episodes(drawn: Drawn, order: AnyIntegers, seen: Watched) -> pa.Table:
    count, company = len(order), drawn.company[order] + 1
    none, zeros = pa.nulls(count, pa.float64()), np.zeros(count, np.int64)
    return pa.table(
        {
            "company": company,
            "site": company * 1000 + drawn.site[order],
            "day": drawn.day[order],
            "last_online_h": seen.last,
            "first_offline_h": pa.array(seen.first, mask=np.isnan(seen.first)),
            "relocated_h": none,
            "destination": pa.nulls(count, pa.string()),
            "followed_h": seen.followed,
            "wall_h": seen.followed,
            "deadline_h": np.full(count, DEADLINE),
            "unverified": np.zeros(count, np.bool_),
            "scored": np.ones(count, np.bool_),
            "notices": np.ones(count, np.int64),
            "notice_days": np.ones(count, np.int64),
            **dict.fromkeys(("reappeared", "refused", "undelivered", "gone_before_notice"), zeros),
        }
    )


def _compared(table: Table, shares: Floats) -> tuple[float, ...]:
    rows = [each for each in table.companies if isinstance(each, CompetingEstimate) and each.rank]
    truth = np.array([shares[int(each.company) - 1] for each in rows])
    low, high = (np.array([getattr(each, name) for each in rows]) for name in ("rank_low", "rank_high"))
    first = 1 + (truth[None, :] < truth[:, None] - 1e-12).sum(axis=1)
    last = (truth[None, :] <= truth[:, None] + 1e-12).sum(axis=1)
    readings = [each.on_time for each in rows]
    lenient = np.array([[each.lenient.p, each.lenient.low, each.lenient.high] for each in readings], float)
    strict, strict_low = np.array([[each.strict.p, each.strict.low] for each in readings], float).T
    upper = Reading(lenient[:, 0], lenient[:, 2] - lenient[:, 0])
    worse = _worse(upper, Reading(strict, strict - strict_low))
    naive = _worse(upper, Reading(lenient[:, 0], lenient[:, 0] - lenient[:, 1]))
    untrue = truth[:, None] >= truth[None, :] - 1e-12  # row i is not truly worse than column j
    standing = np.array([each.proof for each in rows])
    return (
        float((worse & untrue).any()),
        float((naive & untrue).any()),
        float(np.all((low <= first) & (last <= high))),
        float((high - low + 1).mean()),
        float(np.mean((strict_low <= truth) & (truth <= lenient[:, 2]))),
        float(np.mean((standing == "below") & (truth >= METHOD.target))),
        float(np.mean((standing == "meets") & (truth < METHOD.target))),
    )


def _worse(lenient: Reading, strict: Reading) -> Booleans:
    """Whether i is certainly worse than j; rows are in the order of ranks."""
    companies = len(lenient.p)
    before, found = certainly_worse(lenient, strict, METHOD.confidence), np.zeros((companies, companies), np.bool_)
    for place in range(companies):
        found[:place, place] = before(place)
    return found


@dataclass(frozen=True)
class Study:
    """All that was found, with one seed."""

    replicates: int
    ranked: int
    seed: int
    judged: list[Judged]
    ranks: list[Ranked]


def study(
    replicates: int, ranked: int, seed: int, worlds: Sequence[World] = WORLDS, kinds: Sequence[Kind] = KINDS
) -> Study:
    """The same for the same arguments: every world and kind has its own stream of random numbers."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        ranks = [pool.submit(rank, kind, ranked, [seed, 2, place]) for place, kind in enumerate(kinds)]
        seeds = [[seed, 1, place] for place in range(len(worlds))]
        judged = list(pool.map(judge, worlds, repeat(replicates), seeds, chunksize=8))
        return Study(replicates, ranked, seed, judged, [each.result() for each in ranks])


def text(found: Study) -> str:
    """The tables, as Markdown."""
    drawn = found.replicates * COMPANIES
    error = 100 * np.sqrt(0.025 * 0.975 / drawn)
    covered = 100 * np.sqrt(0.95 * 0.05 / drawn)
    errors = (
        f"Standard error of a share of 2.5 %: {error:.2f} points; of a coverage of 95 %: {covered:.2f}; of 5 % of the "
        f"ranked tables: {100 * np.sqrt(0.05 * 0.95 / found.ranked):.1f}."
    )
    naive = (
        "**What naive figures say**, the worst of all worlds with these sites, %: with URLs taken as unrelated; with "
        "sites, but not days, taken as related and no floor at the number of sites"
    )
    least = least_sites_to_prove(METHOD.target, METHOD.confidence)
    parts = [
        stamp(found),
        errors,
        "**Standings and intervals, %**: the worst of 9 worlds at the norm, and of 36 for coverage",
        _standings(found.judged),
        _misses(found.judged, drawn),
        naive,
        _naive(found.judged),
        "**Power, %**: of companies with that true share, mean over all worlds with these sites",
        _power(found.judged),
        f"**Least sites**: {least} independent sites without one late are the least that prove 90 %.",
        _least(),
        "**Ranks**: tables of twenty companies with checks, 5 % of which end early, %",
        _ranks(found.ranks),
    ]
    return "\n\n".join(parts) + "\n"


def stamp(found: Study) -> str:
    """What makes the tables again."""
    return (
        f"Rules of method {METHOD.version}, seed {found.seed}, {found.replicates} tables of {COMPANIES} companies in "
        f"each of {len(found.judged)} worlds, {found.ranked} tables of each kind for the ranks."
    )


def _by_sites(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    for sizes_, sites in product(SIZES, SITES):
        own = [each for each in judged if (each.world.sizes, each.world.sites) == (sizes_, sites)]
        if own:
            named = {"equal": "all equal", "zipf": "Zipf (1/rank)", "giant": "one site has 50 %"}[sizes_]
            yield f"{sites} sites, {named}", own


def _standings(judged: Sequence[Judged]) -> str:
    head = ["sites", "coverage, least", "coverage, mean", "false below, most", "false meets, most"]
    return table(
        head,
        (
            [
                name,
                *percent(
                    min(each.covered for each in own),
                    sum(each.covered for each in own) / len(own),
                    max(each.below for each in _at_norm(own)),
                    max(each.meets for each in _at_norm(own)),
                ),
            ]
            for name, own in _by_sites(judged)
        ),
    )


def _at_norm(judged: Sequence[Judged]) -> list[Judged]:
    """The worlds at the norm: both proofs are false there, and nowhere more often."""
    return [each for each in judged if each.world.share == METHOD.target]


def _misses(judged: Sequence[Judged], drawn: int) -> str:
    """How many worlds are beyond a bar by more than the error of the simulation, and which is the worst."""
    lines = []
    for label, bar, worlds, name, sign in (
        ("coverage of at least 94 %", 0.94, judged, "covered", -1),
        ("false `below` of at most 2.5 %", 0.025, _at_norm(judged), "below", 1),
        ("false `meets` of at most 2.5 %", 0.025, _at_norm(judged), "meets", 1),
    ):
        allowed = bar + sign * _SIMULATION_ERRORS * np.sqrt(bar * (1 - bar) / drawn)
        missed = [each for each in worlds if sign * (getattr(each, name) - allowed) > 0]
        worst = max(worlds, key=lambda each: sign * getattr(each, name))
        w = worst.world
        lines.append(
            f"- {label}: missed by more than {_SIMULATION_ERRORS:g} standard errors in {len(missed)} of {len(worlds)} "
            f"worlds; the worst has {100 * getattr(worst, name):.1f} % ({w.sites} sites, {w.sizes}, correlation "
            f"{w.together:g} in a site and {w.by_day:g} in a day, true share {w.share:.0%})."
        )
    return "\n".join(lines)


def _naive(judged: Sequence[Judged]) -> str:
    head = ["sites", "unrelated: coverage", "unrelated: false below", "unrelated: false meets"]
    head += ["sites alone: false below", "sites alone: false meets"]
    names = ("urls_below", "urls_meets", "sites_below", "sites_meets")
    return table(
        head,
        (
            [
                name,
                *percent(
                    min(each.urls_covered for each in own),
                    *(max(getattr(each, field) for each in _at_norm(own)) for field in names),
                ),
            ]
            for name, own in _by_sites(judged)
        ),
    )


def _power(judged: Sequence[Judged]) -> str:
    head = ["sites", "below, true share 60 %", "below, true share 80 %", "meets, true share 95 %"]

    def mean(own: Sequence[Judged], name: str, share: float) -> float:
        values = [getattr(each, name) for each in own if each.world.share == share]
        return sum(values) / len(values) if values else float("nan")

    return table(
        head,
        (
            [name, *percent(mean(own, "below", 0.6), mean(own, "below", 0.8), mean(own, "meets", 0.95))]
            for name, own in _by_sites(judged)
        ),
    )


def lowest_with_none_late(sites: int) -> float:
    """The lower limit of the share on time of so many independent sites, one URL each, none late."""
    one, n = np.ones(1), np.full(1, float(sites))
    return float(round_array(share_limits(one, np.zeros(1), n, n, METHOD.confidence)[0])[0])


def _least() -> str:
    counts = (10, 20, 34, 35, 60)
    return table(
        ["sites", *map(str, counts)], [["lower limit", *(f"{100 * lowest_with_none_late(n):.2f}" for n in counts)]]
    )


def _ranks(ranks: Sequence[Ranked]) -> str:
    head = ["tables", "with a false `certainly worse`", "the same on lenient shares alone", "all true ranks held"]
    head += ["mean width, ranks", "share within its range", "false below", "false meets"]
    return table(
        head,
        (
            [
                each.name,
                *percent(each.false_worse, each.lenient_false_worse, each.joint),
                f"{each.width:.1f}",
                *percent(each.covered, each.below, each.meets),
            ]
            for each in ranks
        ),
    )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="How often the standings and ranks of method 2026.2 are wrong.")
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="tables of each world")
    parser.add_argument("--ranked", type=int, default=RANKED_REPLICATES, help="tables of each kind for the ranks")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, metavar="DOCS", help="the folder of study.md")
    given = parser.parse_args()
    found = study(given.replicates, given.ranked, given.seed)
    print(text(found))
    if given.write:
        write_between(text(found), given.write, BEGIN, END)


if __name__ == "__main__":
    main()
