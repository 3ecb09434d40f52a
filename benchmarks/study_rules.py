"""Rules for the interval of a clustered share, side by side on the same simulated sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.study_worlds import DEADLINE, METHOD, Floats, World, covered
from monitor.estimators.confidence import logit_interval, share_interval, wilson_interval

SHARES = (0.5, 0.84, 0.9, 0.95)
_NORMAL = 1e9  # degrees of freedom at which Student's t is the normal distribution


@dataclass(frozen=True)
class Sites:
    """Of one company many times: the part of the URLs at each site, and by replicate the part on time at each."""

    weight: Floats
    on_time: Floats

    @property
    def count(self) -> int:
        """How many sites."""
        return len(self.weight)

    @property
    def p(self) -> Floats:
        """The share on time."""
        return np.asarray(self.on_time @ self.weight)

    @property
    def effective(self) -> float:
        """G: as many sites of equal size would have the same sum of squares."""
        return float(1 / np.sum(self.weight**2))

    @property
    def effective_by_variance(self) -> float:
        """G*: C / (1 + squared coefficient of variation of n_c^2), correlation 1 in a site (CSS 2017)."""
        gamma = self.weight**2
        return float(gamma.sum() ** 2 / np.sum(gamma**2))


Rule = Callable[[Sites], tuple[Floats, Floats]]


def sites(world: World, replicates: int, random: np.random.Generator) -> Sites:
    """Draw them; everything is watched all the time."""
    urls = world.urls
    on_time = (world.hours(replicates, random) <= DEADLINE).astype(np.float64)
    starts = np.cumsum(urls) - urls
    return Sites(urls / urls.sum(), np.add.reduceat(on_time, starts, axis=1) / urls)


def _between(given: Sites, inflation: Floats | float = 1.0) -> Floats:
    """The standard error in force; its terms multiplied by `inflation`."""
    terms = inflation * (given.weight * (given.on_time - given.p[:, None])) ** 2
    variance = given.count / (given.count - 1) * terms.sum(axis=1)
    variance[variance < 1e-18] = 0.0
    return np.asarray(np.sqrt(variance))


def _jackknife(given: Sites) -> Floats:
    """CR3: each site left out in turn; (C - 1) / C replaces the C / (C - 1) of `_between`."""
    return (given.count - 1) / given.count * _between(given, 1 / (1 - given.weight) ** 2)


def _limits(given: Sites, se: Floats, df: float) -> tuple[Floats, Floats]:
    low, high = logit_interval(given.p, se, np.full_like(se, max(df, 1.0)), METHOD.confidence)
    wilson = wilson_interval(given.p, np.full_like(se, given.count), METHOD.confidence)
    return np.where(se == 0, wilson[0], low), np.where(se == 0, wilson[1], high)


def _bell_mccaffrey(given: Sites) -> tuple[Floats, Floats]:
    """CR2 with Satterthwaite's degrees of freedom, correlation 1 in a site (Survey Methodology 28, 2002)."""
    w, c = given.weight, given.count
    residual = np.eye(c) - np.outer(np.ones(c), w)
    unbiased = 1 - 2 * w + np.sum(w**2)
    form = residual.T @ np.diag(w**2 / unbiased) @ residual
    df = float(np.trace(form) ** 2 / np.trace(form @ form))
    return _limits(given, np.sqrt((c - 1) / c) * _between(given, 1 / unbiased), df)


def _floor(given: Sites, limits: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """No narrower than with no URL late, or all late: Wilson's limits for as many trials as sites."""
    low, high = (wilson_interval(np.array([p]), np.array([given.count]), METHOD.confidence) for p in (1.0, 0.0))
    return np.minimum(limits[0], low[0]), np.maximum(limits[1], high[1])


def in_force(given: Sites) -> tuple[Floats, Floats]:
    """The rule of the project, by its own function."""
    se = _between(given)
    count, effective = np.full_like(se, given.count), np.full_like(se, given.effective)
    return share_interval(given.p, se, count, effective, METHOD.confidence)


RULES: Mapping[str, Rule] = {
    "normal": lambda s: _limits(s, _between(s), _NORMAL),
    "t, C - 1": lambda s: _limits(s, _between(s), s.count - 1),
    "t, G - 1": lambda s: _limits(s, _between(s), s.effective - 1),
    "t, G - 1, floor": lambda s: _floor(s, _limits(s, _between(s), s.effective - 1)),
    "t, G / 2": lambda s: _limits(s, _between(s), s.effective / 2),
    "t, G* - 1": lambda s: _limits(s, _between(s), s.effective_by_variance - 1),
    "jackknife, t, C - 1": lambda s: _limits(s, _jackknife(s), s.count - 1),
    "jackknife, t, G - 1": lambda s: _limits(s, _jackknife(s), s.effective - 1),
    "Bell-McCaffrey": _bell_mccaffrey,
    "in force: t, G / 2, floor": in_force,
}


@dataclass(frozen=True)
class Judged:
    """One rule in one world: parts of the intervals that hold the true share or lie above it, and their mean width."""

    rule: str
    world: World
    coverage: float
    above: float
    width: float


def judged(world: World, replicates: int, seed: list[int]) -> list[Judged]:
    """All rules on the same draws."""
    given = sites(world, replicates, np.random.default_rng(seed))
    limits = {name: rule(given) for name, rule in RULES.items()}
    return [
        Judged(
            name, world, covered(low, high, world.share), float(np.mean(low > world.share)), float(np.mean(high - low))
        )
        for name, (low, high) in limits.items()
    ]
