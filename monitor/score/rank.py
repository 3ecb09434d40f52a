"""Order and standing: worst first by the lenient share on time; few episodes or sites are listed, not ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.score.methods import Method
from monitor.score.table import Estimate, Standing


def ranked(estimates: Sequence[Estimate], method: Method) -> tuple[Estimate, ...]:
    """Companies with rank and standing: the ranked ones worst first, then the others by name.

    Ties in the share go to the one with more overdue, then more exposure hours, then by name.
    """
    enough = [e for e in estimates if _is_ranked(e, method)]
    few = [e for e in estimates if not _is_ranked(e, method)]
    enough.sort(key=lambda e: (e.on_time.lenient.p, -e.overdue, -e.exposure_hours, e.name))
    few.sort(key=lambda e: (e.name.casefold(), e.company))
    return (
        *(replace(e, rank=place, standing=_standing(e, method)) for place, e in enumerate(enough, 1)),
        *(replace(e, standing="too_few") for e in few),
    )


def _is_ranked(estimate: Estimate, method: Method) -> bool:
    return (
        estimate.episodes >= method.minimum_episodes
        and estimate.sites >= method.minimum_sites
        and estimate.on_time.lenient.p is not None
    )


def _standing(estimate: Estimate, method: Method) -> Standing:
    low, high = estimate.on_time.lenient.low, estimate.on_time.lenient.high
    if low is not None and low >= method.target:
        return "meets"
    if high is not None and high < method.target:
        return "below"
    return "not_proven"
