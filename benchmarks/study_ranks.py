"""Coverage of the rank intervals by simulation: `python -m benchmarks.study_ranks --replicates 500 --seed 1`.

Companies have 5 to 300 sites of very unequal size, and what happens to the episodes of one site goes together. A world
is covered when every company's true ranks, all that are admissible where shares are tied, lie in its interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
import numpy.typing as npt
from scipy import special

from monitor.estimators.beta_binomial import effective_sample_size_from_se
from monitor.estimators.confidence import share_interval
from monitor.estimators.rank_intervals import arcsine_scale, effective_sample_size_from_interval, rank_intervals
from monitor.score.methods import method

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Scale = tuple[Floats, Floats]

CONFIDENCE = method().confidence
_REDRAWN = 10  # replicates on the same sites; then companies and sites are drawn anew
_MOST_SITES, _MOST_EPISODES = 300, 3000


@dataclass(frozen=True)
class World:
    """`companies` with this intra-cluster correlation of a site; all of one true share, or of a mixture of shares."""

    companies: int
    correlation: float
    alike: bool


@dataclass(frozen=True)
class Row:
    """One rule in one world: share of replicates in which all intervals hold, and their mean width in ranks."""

    world: World
    rule: str
    replicates: int
    coverage: float
    width: float


@dataclass(frozen=True)
class Sites:
    """The companies of a world: true share, number of sites and of episodes; per site its company and episodes."""

    truth: Floats
    sites: Ints
    mature: Ints
    company: Ints
    episodes: Ints

    def total(self, values: Floats) -> Floats:
        """Sum of the last axis, one entry a site, by company."""
        starts = np.concatenate([[0], np.cumsum(self.sites)[:-1]])
        return np.asarray(np.add.reduceat(values, starts, axis=-1), dtype=np.float64)

    @property
    def clusters(self) -> Floats:
        """Effective number of clusters, n^2 / sum of squares of the sites' episodes."""
        return self.mature**2 / self.total(self.episodes.astype(np.float64) ** 2)


@dataclass(frozen=True)
class Seen:
    """What one replicate shows of each company, by the rules of the method; `known`: the n of p's true variance."""

    p: Floats
    se: Floats
    low: Floats
    high: Floats
    sites: Floats
    mature: Floats
    known: Floats


def _published(seen: Seen) -> Scale:
    return arcsine_scale(
        seen.p, effective_sample_size_from_interval(seen.p, seen.low, seen.high, seen.mature, CONFIDENCE)
    )


def _at_most_sites(seen: Seen) -> Scale:
    return arcsine_scale(
        seen.p, effective_sample_size_from_interval(seen.p, seen.low, seen.high, seen.sites, CONFIDENCE)
    )


def _logit(seen: Seen) -> Scale:
    n = effective_sample_size_from_interval(seen.p, seen.low, seen.high, seen.mature, CONFIDENCE)
    drawn = (n * seen.p + 0.5) / (n + 1)
    return special.logit(drawn), 1 / np.sqrt((n + 1) * drawn * (1 - drawn))


def _from_se(seen: Seen) -> Scale:
    return arcsine_scale(seen.p, effective_sample_size_from_se(seen.p, seen.se, seen.sites, seen.mature))


RULES: Mapping[str, Callable[[Seen], Scale]] = {
    "as published: what the limits are worth": _published,
    "the same on the logit scale": _logit,
    "the same, at most one a site": _at_most_sites,
    "standard error, sites or more": _from_se,
    "the share and its standard error": lambda seen: (seen.p, seen.se),
    "clustering ignored": lambda seen: arcsine_scale(seen.p, seen.mature),
    "true variance known": lambda seen: arcsine_scale(seen.p, seen.known),
}
WORLDS = tuple(World(*given) for given in product((20, 60), (0.3, 0.0), (False, True)))


def study(replicates: int, seed: int) -> list[Row]:
    """Every rule in every world; the same rows for the same arguments."""
    return [row for place, world in enumerate(WORLDS) for row in _rows(world, replicates, seed + 1000 * place)]


def _rows(world: World, replicates: int, seed: int) -> list[Row]:
    held, width = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0.0)
    for truth, seen in _replicates(world, replicates, np.random.default_rng(seed)):
        for rule, scale in RULES.items():
            all_hold, wide = _judged(truth, *scale(seen))
            held[rule] += all_hold
            width[rule] += wide
    return [Row(world, rule, replicates, held[rule] / replicates, width[rule] / replicates) for rule in RULES]


def _judged(truth: Floats, theta: Floats, se: Floats) -> tuple[bool, float]:
    """Whether every interval holds all true ranks of its company, and the mean number of ranks in an interval."""
    found = rank_intervals(theta, se, CONFIDENCE)
    first = 1 + (truth[None, :] < truth[:, None]).sum(axis=1)
    last = (truth[None, :] <= truth[:, None]).sum(axis=1)
    holds = bool(np.all((found.low <= first) & (last <= found.high)))
    return holds, float((found.high - found.low + 1).mean())


def _replicates(world: World, replicates: int, random: np.random.Generator) -> Iterator[tuple[Floats, Seen]]:
    """(true shares, what is seen), companies in the order of the ranking."""
    for begin in range(0, replicates, _REDRAWN):
        sites = _drawn(world, random)
        table = _seen(sites, world.correlation, min(_REDRAWN, replicates - begin), random)
        for columns in zip(*table, strict=True):
            order = np.argsort(columns[0], kind="stable")
            yield sites.truth[order], Seen(*(column[order] for column in columns))


def _drawn(world: World, random: np.random.Generator) -> Sites:
    """Numbers of sites and of episodes by Pareto: half of the companies have under 11 sites, a few the most."""
    sites = np.minimum(np.floor(5 * (1 + random.pareto(0.9, world.companies))), _MOST_SITES).astype(np.int64)
    company = np.repeat(np.arange(world.companies), sites)
    episodes = np.minimum(np.floor(1 + 3 * random.pareto(1.2, company.size)), _MOST_EPISODES).astype(np.int64)
    few = np.bincount(company, episodes) < method().minimum_episodes
    episodes = np.where(few[company], 6 * episodes, episodes)
    mature = np.bincount(company, episodes).astype(np.int64)
    return Sites(_truth(world, random), sites, mature, company, episodes)


def _truth(world: World, random: np.random.Generator) -> Floats:
    """Two in three at 0.9 to 0.98, a quarter at 0.5 to 0.8, the rest at 0.2; one in five shares another's value."""
    k = world.companies
    if world.alike:
        return np.full(k, 0.93)
    kind = random.random(k)
    low = np.where(kind < 0.9, random.uniform(0.5, 0.8, k), 0.2)
    truth = np.where(kind < 0.65, random.uniform(0.9, 0.98, k), low)
    tied = random.permutation(k)[: 2 * (k // 5)].reshape(2, -1)
    truth[tied[0]] = truth[tied[1]]
    return truth


def _seen(sites: Sites, correlation: float, replicates: int, random: np.random.Generator) -> list[Floats]:
    """The columns of Seen, each (replicates, companies)."""
    own = np.broadcast_to(sites.truth[sites.company], (replicates, sites.company.size))
    if correlation:
        spread = (1 - correlation) / correlation
        own = random.beta(own * spread, (1 - own) * spread)
    x = random.binomial(sites.episodes, own).astype(np.float64)
    p = sites.total(x) / sites.mature
    squares = sites.total((x - p[:, sites.company] * sites.episodes) ** 2)
    se = np.sqrt(sites.sites / (sites.sites - 1) * squares) / sites.mature
    se[se < 1e-9] = 0.0
    known = 1 / (correlation / sites.clusters + (1 - correlation) / sites.mature)
    constant = [np.broadcast_to(column.astype(np.float64), p.shape) for column in (sites.sites, sites.mature, known)]
    return [p, se, *_limits(p, se, sites), *constant]


def _limits(p: Floats, se: Floats, sites: Sites) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return share_interval(p, se, sites.sites.astype(np.float64), sites.clusters, CONFIDENCE)


def text(rows: list[Row]) -> str:
    """A plain table, one block a world."""
    lines = []
    for world, own in groupby(rows, key=lambda row: row.world):
        kind = "all alike" if world.alike else "mixture"
        lines.append(f"{world.companies} companies, {kind}, correlation within a site {world.correlation:g}")
        lines += [f"  {row.rule:<42} covered {row.coverage:6.1%}  mean width {row.width:5.1f}" for row in own]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(text(study(given.replicates, given.seed)))
