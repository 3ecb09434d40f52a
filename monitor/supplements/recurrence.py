"""Recurrence: sites from which material was removed, and which are noticed again with other material.

A company may remove each item in time and still host the same site month after month. A site enters at its first
removal at the company in the period, t1; it recurs within h where the first notice of another item of that site at that
company was sent in (t1, t1 + h]. Only sites of which h has passed are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from ibis import _

from monitor.instants import DAY
from monitor.score.aggregate import NETWORK
from monitor.score.engine import Expr, keep
from monitor.score.facts import UNATTRIBUTED
from monitor.supplements.inputs import Inputs
from monitor.supplements.shares import NOTHING, ClusteredShare, clustered_shares, read_cells

WINDOWS_DAYS = (30, 90)


@dataclass(frozen=True, slots=True)
class Recurred:
    """Of the sites of which so many days have passed since the first removal: those noticed again within them."""

    days: int
    sites: ClusteredShare


@dataclass(frozen=True, slots=True)
class SiteRecurrence:
    """One company; a window that has passed for no site yet has no share."""

    company: str
    name: str
    windows: tuple[Recurred, ...]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The companies with a removal in the period, and all together."""

    companies: tuple[SiteRecurrence, ...]
    network: tuple[Recurred, ...]


def recurrence(inputs: Inputs) -> Recurrence:
    """The sites of the period, by company."""
    entered = keep(_entered(inputs))
    shares = {days: _shares(inputs, entered, days) for days in WINDOWS_DAYS}
    numbers = sorted(set(inputs.engine.to_pyarrow(entered.company.name("company")).to_pylist()))
    companies = (SiteRecurrence(*inputs.named(number), _windows(shares, number)) for number in numbers)
    return Recurrence(tuple(sorted(companies, key=lambda row: row.company)), _windows(shares, NETWORK))


def _windows(shares: dict[int, dict[int, ClusteredShare]], number: int) -> tuple[Recurred, ...]:
    return tuple(Recurred(days, found.get(number, NOTHING)) for days, found in shares.items())


def _entered(inputs: Inputs) -> Expr:
    """(company, site, at): each site with its first removal in the period."""
    start, end = inputs.request.bounds
    removed = inputs.every.filter((_.company != UNATTRIBUTED) & (_.removed >= start) & (_.removed < end))
    return removed.group_by(["company", "site"]).aggregate(at=_.removed.min())


def _shares(inputs: Inputs, entered: Expr, days: int) -> dict[int, ClusteredShare]:
    """What was removed at t1 was noticed by then, so that whatever is first noticed later is another item."""
    passed = entered.filter(_.at + days * DAY <= inputs.request.as_of)
    first = inputs.every.group_by(["company", "site", "content"]).aggregate(first=_.start.min())
    again = passed.join(first, ["company", "site"])
    again = again.filter((_.first > _.at) & (_.first <= _.at + days * DAY)).select("company", "site").distinct()
    marked = passed.left_join(again.mutate(again=True), ["company", "site"])
    rows = marked.select("company", "site", "at", one=marked.again.notnull())
    return clustered_shares(read_cells(inputs.engine, rows), inputs.rules)
