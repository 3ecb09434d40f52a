"""What may be published of a table, and nothing else: site, CSV, JSON and report all start from here.

A company with fewer episodes than the method's `publish_below` keeps its name and loses every figure. Others, or
the figures of the network, are suppressed too where they would disclose such a company
(monitor.disclosure.suppression).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, cast

from monitor.disclosure.network import Network, TotalLine, public_network, totals
from monitor.disclosure.suppression import Withheld, withheld, withheld_in_both
from monitor.figures import SEARCHED, SORTS
from monitor.score.methods import Method, method
from monitor.score.table import (
    CompetingEstimate,
    EarlierMethod,
    Estimate,
    Flow,
    Group,
    LegalEntity,
    Norm,
    OnTime,
    Quality,
    Standing,
    Table,
    sort_flows,
)
from monitor.wording.readings import Figure, Order


def shown_flows(flows: Sequence[Flow], shown: Collection[str]) -> tuple[Flow, ...]:
    """The flows from the companies `shown`; another destination is told by its country alone, as one not known is.

    The largest first, then by key and country.
    """
    counts: Counter[tuple[str, str | None, str]] = Counter()
    for flow in flows:
        if flow.origin in shown:
            counts[flow.origin, flow.destination if flow.destination in shown else None, flow.country] += flow.episodes
    return sort_flows(Flow(*ends, episodes) for ends, episodes in counts.items())


def shown_norms(norms: Sequence[Norm], shown: Collection[str]) -> tuple[Norm, ...]:
    """The same norms with the lines of the companies `shown`; what is withheld is withheld under every norm."""
    return tuple(
        replace(norm, companies=tuple(line for line in norm.companies if line.company in shown)) for norm in norms
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One company; `figures` is None where they are withheld, and then it has fewer than `below` episodes."""

    company: str
    name: str
    country: str | None
    via_proxy: bool
    standing: Standing | None
    figures: Estimate | None
    below: int
    ranked: bool
    legal: LegalEntity | None = None


@dataclass(frozen=True, slots=True)
class Unattributed:
    """What counts in the network and in no company; None where it hides a withheld company."""

    episodes: int | None
    notices: int | None


@dataclass(frozen=True, slots=True)
class PublicTable:
    """A period's publishable rows, worst first, with the network and the totals.

    Every withheld row has fewer than `below` episodes. `flows`, `norms`, `quality`, `groups` and what the `earlier`
    method says are those of the release as far as they may be shown; `hash_hits` is its other table, where it has one.
    """

    method: Method
    as_of: str
    known_at: str
    period: str
    rows: tuple[Row, ...]
    network: Network
    totals: tuple[TotalLine, ...]
    unattributed: Unattributed
    below: int
    flows: tuple[Flow, ...] | None = None
    norms: tuple[Norm, ...] | None = None
    quality: Quality | None = None
    hash_hits: PublicTable | None = None
    groups: tuple[Group, ...] | None = None
    earlier: EarlierMethod | None = None

    def find(self, key: str) -> Row | None:
        """The row of the company with that key."""
        return next((row for row in self.rows if row.company == key), None)


def public_table(table: Table) -> PublicTable:
    """What may be shown of a table; raises MonitorError where its method is not known."""
    rules = method(table.method)
    if table.hash_hits is None:
        return _public(table, rules.of_kinds(table.kinds), withheld(table, rules))
    of_notices, of_hits = withheld_in_both(table, table.hash_hits, rules)
    hits = _public(table.hash_hits, rules.of_kinds(table.hash_hits.kinds), of_hits)
    return replace(_public(table, rules, of_notices), hash_hits=hits)


def _public(table: Table, rules: Method, hidden: Withheld) -> PublicTable:
    ranked = any(company.rank is not None for company in table.companies)
    lines = totals(table, hidden)
    nobody = next(line.counts for line in lines if line.kind == "unattributed")
    shown = {company.company for company in table.companies} - hidden.companies
    return PublicTable(
        method=rules,
        as_of=table.as_of,
        known_at=table.known_at,
        period=table.period,
        rows=tuple(
            public_row(item, rules, table_is_ranked=ranked, below=hidden.bound(item.company))
            for item in table.companies
        ),
        network=public_network(table, hidden),
        totals=lines,
        unattributed=Unattributed(nobody["episodes"], nobody["notices"]),
        below=hidden.below,
        flows=None if table.flows is None else shown_flows(table.flows, shown),
        norms=None if table.norms is None else shown_norms(table.norms, shown),
        quality=table.quality,
        groups=None if table.groups is None else shown_groups(table.groups, shown),
        earlier=None if table.earlier is None else shown_earlier(table.earlier, shown),
    )


def shown_groups(groups: Sequence[Group], shown: Collection[str]) -> tuple[Group, ...]:
    """The groups of which every member is shown: those of the others, less the members shown, would tell the rest."""
    return tuple(group for group in groups if all(member in shown for member in group.members))


def shown_earlier(earlier: EarlierMethod, shown: Collection[str]) -> EarlierMethod:
    """What another method says of the companies `shown`: what is withheld is withheld under every method."""
    return replace(earlier, companies=tuple(each for each in earlier.companies if each.company in shown))


def public_row(company: Estimate, rules: Method, *, table_is_ranked: bool, below: int | None = None) -> Row:
    """What may be shown of one company; where `below` is given, that it has fewer episodes than that."""
    kept = below is None
    told = kept or _refuses_notices(company)
    unranked = not kept or company.standing == "too_few" or (table_is_ranked and company.rank is None)
    return Row(
        company=company.company,
        name=company.name,
        country=company.country,
        via_proxy=company.via_proxy,
        standing=company.standing if told else "too_few",
        figures=company if kept else None,
        below=rules.publish_below if below is None else below,
        ranked=not unranked,
        legal=company.legal,
    )


def _refuses_notices(company: Estimate) -> bool:
    """Whether it is unreachable by its notices, enough of them: that is told also of a company without figures, or to
    refuse all notices would be the best way out.
    """
    reasons = company.reasons if isinstance(company, CompetingEstimate) else ()
    return company.standing == "unreachable" and any(reason.code == "notices_refused" for reason in reasons)


Value = float | str | None
_STANDING_ORDER: Mapping[Standing, int] = {"unreachable": -1, "below": 0, "not_proven": 1, "meets": 2, "too_few": 3}
_SORTED_BY: Mapping[str, Callable[[Any], Value]] = {
    "text": str.casefold,
    "standing": _STANDING_ORDER.__getitem__,
    "share": lambda value: cast(OnTime, value).lenient.p,
    "quantile": lambda value: float("inf") if value.value is None else cast(float, value.value),  # inf: not reached
}


def value_of(figure: Figure, row: Row) -> Any:
    """The value of a figure in a row; None where it is not known, or withheld."""
    if figure.disclosure == "identity":
        return figure.of(row)
    return None if row.figures is None else figure.of(row.figures)


def sort_rows(rows: Sequence[Row], sort: str, order: Order) -> tuple[Row, ...]:
    """Rows in that order, ranked companies first, missing values last either way; equal ones keep their order.

    A median that was not reached is longer than any that was; one that is not known is missing.
    """
    keys = [(_sort_value(SORTS[sort], row), row) for row in rows]
    present = sorted((pair for pair in keys if pair[0] is not None), key=itemgetter(0), reverse=order == "desc")
    missing = [row for value, row in keys if value is None]
    return tuple(sorted([*(row for _, row in present), *missing], key=lambda row: not row.ranked))


def _sort_value(figure: Figure, row: Row) -> Any:
    value = value_of(figure, row)
    return value if value is None or figure.type not in _SORTED_BY else _SORTED_BY[figure.type](value)


def filter_rows(rows: Sequence[Row], text: str = "", standing: str = "") -> tuple[Row, ...]:
    """Rows whose key, name, legal name or number contains the text, and that have the standing, where one is given."""
    wanted = text.strip().casefold()
    return tuple(
        row
        for row in rows
        if (not wanted or any(wanted in (figure.of(row) or "").casefold() for figure in SEARCHED))
        and (not standing or row.standing == standing)
    )
