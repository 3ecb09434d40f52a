"""Volume: the episodes of a company set beside its size. For display only: it is never mixed into speed."""

from __future__ import annotations

from monitor.estimators.rounding import round_number
from monitor.score.table import Estimate

PER_ADDRESSES = 10_000


def volume(item: Estimate) -> float | None:
    """Episodes of the period per 10,000 announced IPv4 addresses; None where no address is known to be announced."""
    return round_number(item.episodes * PER_ADDRESSES / item.announced_ipv4) if item.announced_ipv4 else None
