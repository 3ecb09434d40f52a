"""Standings and ranking of method 2026.2: two proofs and no default, each with direction and reasons as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from monitor.estimators.arrays import Floats
from monitor.estimators.beta_binomial import posterior_mean
from monitor.estimators.multiple_testing import benjamini_hochberg
from monitor.estimators.rank_intervals import Reading, band_letters, rank_intervals_of_readings
from monitor.estimators.rounding import round_known
from monitor.score.methods import Method
from monitor.score.table import CompetingEstimate, Direction, Estimate, Group, Proof, Reason, Standing

_LEAST_GAIN = 1e-7  # of the log likelihood, for a prior that is no point


def rank_competing(estimates: Iterable[Estimate], method: Method) -> tuple[CompetingEstimate, ...]:
    """Companies with score, rank, its interval, band, mark and standing: the ranked worst first, then others by name.

    Ties in the score go to the one with more overdue, then more exposure hours, then by name. Raises ArithmeticError
    where no score can be fitted.
    """
    listed = [each for each in estimates if isinstance(each, CompetingEstimate)]  # all of them
    enough = _scored([each for each in listed if is_ranked(each, method)])
    few = [each for each in listed if not is_ranked(each, method)]
    enough.sort(key=lambda pair: (pair[0], *_ties(pair[1])))
    few.sort(key=lambda e: (e.name.casefold(), e.company))
    return (*_with_ranks(enough, method), *(judged(each, method) for each in few))


def _ties(estimate: CompetingEstimate) -> tuple[int, float, str, str]:
    """What orders companies of one score."""
    return -estimate.overdue, -estimate.exposure_hours, estimate.name, estimate.company


def judged_groups(groups: Iterable[Group], method: Method) -> tuple[Group, ...]:
    """The groups with their standings: thresholds apply to a group as to a company; it has no score and no rank."""
    return tuple(replace(group, figures=judged(group.figures, method)) for group in groups)


def is_ranked(estimate: CompetingEstimate, method: Method) -> bool:
    """Whether it has enough episodes and sites, a mature episode and an estimate."""
    return (
        estimate.episodes >= method.minimum_episodes
        and estimate.sites >= method.minimum_sites
        and estimate.on_time.mature > 0
        and estimate.on_time.estimate is not None
    )


def _scored(estimates: Sequence[CompetingEstimate]) -> list[tuple[float, CompetingEstimate]]:
    """Each company with its score."""
    if not estimates:
        return []
    p, n = _column(e.on_time.estimate for e in estimates), _column(e.n_eff for e in estimates)
    scores = 100 * posterior_mean(p, n, _LEAST_GAIN)
    return [(round_known(score), each) for score, each in zip(scores.tolist(), estimates, strict=True)]


def _with_ranks(scored: Sequence[tuple[float, CompetingEstimate]], method: Method) -> list[CompetingEstimate]:
    estimates = [each for _score, each in scored]
    lenient, strict = ([getattr(e.on_time, reading) for e in estimates] for reading in ("lenient", "strict"))
    upper, lower = _column(share.p for share in lenient), _column(share.p for share in strict)
    widths = (_column(share.high for share in lenient) - upper, lower - _column(share.low for share in strict))
    found = rank_intervals_of_readings(Reading(upper, widths[0]), Reading(lower, widths[1]), method.confidence)
    level = method.false_discovery_rate or 0.0
    marks = benjamini_hochberg(_column(e.p_below for e in estimates), level).tolist()
    return [
        judged(
            each,
            method,
            mark=marks[place],
            score=score,
            rank=place + 1,
            rank_low=int(found.low[place]),
            rank_high=int(found.high[place]),
            band=band_letters(int(found.band[place])),
        )
        for place, (score, each) in enumerate(scored)
    ]


def _column(values: Iterable[float | None]) -> Floats:
    """One number a company; None becomes nan."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def judged(estimate: CompetingEstimate, method: Method, *, mark: bool = False, **rank: Any) -> CompetingEstimate:
    """With standing, proof, direction and reasons, and the fields of its `rank`.

    `mark`: that of Benjamini and Hochberg, which stands on `below`.
    """
    proof, direction = _proof(estimate, method), _direction(estimate, method)
    unreachable = tuple(_unreachable(estimate, method))
    few = tuple(_too_few(estimate, method))
    standing: Standing = "unreachable" if unreachable else "too_few" if few else proof or "not_proven"
    reasons = (*unreachable, *few, *(_unproven(estimate, proof, direction, method) if not few else ()))
    bh = mark and proof == "below"
    return replace(estimate, standing=standing, proof=proof, direction=direction, reasons=reasons, bh=bh, **rank)


def _proof(estimate: CompetingEstimate, method: Method) -> Proof | None:
    """What is proven of the norm; None without a mature episode."""
    counts, target = estimate.on_time, method.target
    if counts.mature == 0 or counts.strict.low is None or counts.lenient.high is None:
        return None
    if counts.lenient.high < target:
        return "below"
    return "meets" if counts.strict.low >= target and _is_followed(estimate, method) else "not_proven"


def _is_followed(estimate: CompetingEstimate, method: Method) -> bool:
    """In tenths, without division: 10 mature >= 9 episodes older than their deadline."""
    least = round(100 * (method.minimum_followed or 0.0))
    return 100 * estimate.on_time.mature >= least * estimate.on_time.older


def _direction(estimate: CompetingEstimate, method: Method) -> Direction | None:
    lenient, strict = estimate.on_time.lenient.p, estimate.on_time.strict.p
    if lenient is None or strict is None:
        return None
    return "above" if strict >= method.target else "below" if lenient < method.target else "open"


def _unreachable(estimate: CompetingEstimate, method: Method) -> Iterator[Reason]:
    found = estimate.unreachable
    enough = found.notices >= (method.unreachable_notices or 0) and found.sites >= (method.unreachable_sites or 0)
    if enough and found.low is not None and found.low > (method.unreachable_share or 0.0):
        yield Reason("notices_refused", found.refused, found.notices)
    if found.no_contact and estimate.outstanding:
        yield Reason("no_contact", estimate.outstanding, None)


def _too_few(estimate: CompetingEstimate, method: Method) -> Iterator[Reason]:
    if estimate.episodes < method.minimum_episodes:
        yield Reason("too_few_episodes", estimate.episodes, method.minimum_episodes)
    if estimate.sites < method.minimum_sites:
        yield Reason("too_few_sites_to_judge", estimate.sites, method.minimum_sites)
    if estimate.on_time.mature == 0:
        yield Reason("none_mature", 0, estimate.episodes)


def _unproven(
    estimate: CompetingEstimate, proof: Proof | None, direction: Direction | None, method: Method
) -> Iterator[Reason]:
    """Why neither is proven, and what to know of the order; of a proof that is there, only the latter."""
    counts = estimate.on_time
    if proof == "not_proven":
        if not _is_followed(estimate, method):
            yield Reason("not_followed", (counts.older) - counts.mature, counts.older)
        if direction == "open":
            yield Reason("checks_open", counts.undetermined, counts.mature)
        needed = least_sites_to_prove(method.target, method.confidence)
        if direction == "above" and (counts.strict.low or 0.0) < method.target:
            code = "too_few_sites_to_prove" if estimate.sites < needed else "interval_too_wide"
            yield Reason(code, estimate.sites, needed if estimate.sites < needed else None)
        if direction == "below":
            yield Reason("interval_too_wide", estimate.sites, None)
    if counts.estimate is None:
        yield Reason("all_relocated", estimate.relocated, estimate.episodes)
    elif counts.on_time == 0 and counts.late == 0:
        yield Reason("order_not_known", counts.undetermined, counts.mature)


def least_sites_to_prove(target: float, confidence: float) -> int:
    """So many independent sites without one late have Wilson's lower limit at the target: 35 for 90 % at 95 %."""
    z: Any = special.ndtri(0.5 + confidence / 2)
    return int(np.ceil(round(float(z * z * target / (1 - target)), 9)))
