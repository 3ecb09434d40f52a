"""Score, order, rank interval and standing: the lowest score first; few episodes or sites are listed, not ranked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from monitor.estimators.arrays import Floats
from monitor.estimators.beta_binomial import effective_sample_size_from_se, posterior_mean
from monitor.estimators.rank_intervals import (
    arcsine_scale,
    band_letters,
    effective_sample_size_from_interval,
    rank_intervals,
)
from monitor.estimators.rounding import SIGNIFICANT_DIGITS
from monitor.score.methods import Method
from monitor.score.table import Estimate, Standing


def rank_companies(estimates: Sequence[Estimate], method: Method) -> tuple[Estimate, ...]:
    """Companies with score, rank, its interval, band and standing: the ranked worst first, then the others by name.

    Ties in the score go to the one with more overdue, then more exposure hours, then by name. Raises
    ArithmeticError where no score can be fitted.
    """
    enough = _with_scores([e for e in estimates if _is_ranked(e, method)])
    few = [e for e in estimates if not _is_ranked(e, method)]
    enough.sort(key=lambda e: (e.score, -e.overdue, -e.exposure_hours, e.name, e.company))
    few.sort(key=lambda e: (e.name.casefold(), e.company))
    return (*_with_ranks(enough, method), *(replace(e, standing="too_few") for e in few))


def _with_scores(estimates: Sequence[Estimate]) -> list[Estimate]:
    if not estimates:
        return []
    p, se = (_column(getattr(e.on_time.lenient, name) for e in estimates) for name in ("p", "se"))
    sites, mature = _column(e.sites for e in estimates), _column(e.on_time.mature for e in estimates)
    scores = 100 * posterior_mean(p, effective_sample_size_from_se(p, se, sites, mature))
    return [
        replace(e, score=float(f"{s:.{SIGNIFICANT_DIGITS}g}")) for e, s in zip(estimates, scores.tolist(), strict=True)
    ]


def _with_ranks(estimates: Sequence[Estimate], method: Method) -> list[Estimate]:
    """The ranked companies, in order, with rank, its interval, band and standing."""
    shares = [e.on_time.lenient for e in estimates]
    p, low, high = (_column(getattr(share, name) for share in shares) for name in ("p", "low", "high"))
    sizes = effective_sample_size_from_interval(
        p, low, high, _column(e.on_time.mature for e in estimates), method.confidence
    )
    found = rank_intervals(*arcsine_scale(p, sizes), method.confidence)
    return [
        replace(
            estimate,
            rank=place + 1,
            rank_low=int(found.low[place]),
            rank_high=int(found.high[place]),
            band=band_letters(int(found.band[place])),
            standing=_standing(estimate, method),
        )
        for place, estimate in enumerate(estimates)
    ]


def _column(values: Iterable[float | None]) -> Floats:
    """One number a company; None becomes nan."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _is_ranked(estimate: Estimate, method: Method) -> bool:
    return (
        estimate.episodes >= method.minimum_episodes
        and estimate.sites >= method.minimum_sites
        and estimate.on_time.lenient.p is not None
    )


def _standing(estimate: Estimate, method: Method) -> Standing:
    low, high = estimate.on_time.lenient.low, estimate.on_time.lenient.high
    if low is not None and meets_target(low, method.target):
        return "meets"
    if high is not None and is_below_target(high, method.target):
        return "below"
    return "not_proven"


def meets_target(low: Any, target: float) -> Any:
    """Whether the interval of a share, with this lower limit as published, lies at or above the norm."""
    return low >= target


def is_below_target(high: Any, target: float) -> Any:
    """Whether the interval of a share, with this upper limit as published, lies below the norm."""
    return high < target
