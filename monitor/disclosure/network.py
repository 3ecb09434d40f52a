"""The publishable figures of the network as a whole, and the totals that show how they add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from monitor.disclosure.suppression import MEASURES, Counts, Withheld, unattributed_counts
from monitor.errors import MonitorError
from monitor.score.table import (
    Bounds,
    CompetingEstimate,
    Estimate,
    HourlyShare,
    Quantile,
    Share,
    SurvivalPoint,
    Table,
)
from monitor.wording.language import Language
from monitor.wording.readings import READERS, Figure, Reading

LineKind = Literal["shown", "withheld", "unattributed", "network"]


@dataclass(frozen=True, slots=True)
class TotalLine:
    """One line of the totals; a count of None is withheld."""

    kind: LineKind
    companies: int | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class Network:
    """The network's publishable figures: an `Estimate` without ranks, whose counts may be withheld (None).

    Where it `gives_way`, all but the counts is made without the companies that are withheld.
    """

    counts: Counts
    deadline_hours: float
    mature: int
    lenient: Share
    strict: Share
    median_hours: Quantile
    p90_hours: Quantile
    mean_online_hours_7d: Bounds
    survival: tuple[SurvivalPoint, ...]
    curve: tuple[SurvivalPoint, ...]
    gives_way: bool = False

    def has(self, figure: Figure) -> bool:
        """Whether this release tells the figure of all companies together."""
        return figure.total in self.counts if figure.total else not figure.later or hasattr(self, _name(figure))

    def value(self, figure: Figure) -> Any:
        """The value of a figure of all companies together; of a count None where it is withheld."""
        if figure.total:
            return self.counts[figure.total]
        return self if figure.type == "share" else getattr(self, _name(figure))  # it has both readings of the share

    def read(self, figure: Figure, language: Language) -> Reading:
        """The same in words."""
        return READERS[figure.type](self.value(figure), language)


def _name(figure: Figure) -> str:
    """The field of a network that holds a figure: those of the share on time stand beside it."""
    return figure.field or figure.key


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetingNetwork(Network):
    """The same since method 2026.2, with the estimate between both readings, and what was removed, moved and online.

    What counts items or notices that came back, and what is open of all periods, is told of companies with figures only
    (docs/adr/0036).
    """

    estimate: float | None
    older: int
    followed: float | None
    removed_at: tuple[HourlyShare, ...]
    moved_at: tuple[HourlyShare, ...]
    online_at: tuple[HourlyShare, ...]
    not_removed_7d: float | None
    grid_seconds: int


_CURVES = ("median_hours", "p90_hours", "mean_online_hours_7d", "survival", "curve")
_SINCE_2026_2 = ("removed_at", "moved_at", "online_at", "not_removed_7d", "grid_seconds")


def totals(table: Table, hidden: Withheld) -> tuple[TotalLine, ...]:
    """Companies shown, companies withheld, what has no company, and the network: these add up."""
    kept = [company for company in table.companies if company.company not in hidden.companies]
    small = [company for company in table.companies if company.company in hidden.companies]
    nobody, states = unattributed_counts(table), hidden.states
    lines = [
        TotalLine("shown", len(kept), _summed(kept)),
        TotalLine("withheld", len(small), {n: c if states[n] == "shown" else None for n, c in _summed(small).items()}),
        TotalLine("unattributed", None, {n: c if hidden.tells_nobodys(n) else None for n, c in nobody.items()}),
        TotalLine("network", len(table.companies), _network_counts(table, hidden)),
    ]
    return tuple(line for line in lines if line.kind != "withheld" or small)


def _summed(companies: list[Estimate]) -> Mapping[str, int]:
    return {name: sum(map(get, companies)) for name, get in MEASURES.items()}


def _network_counts(table: Table, hidden: Withheld) -> Counts:
    return {n: None if hidden.states[n] == "hidden" else get(table.network) for n, get in MEASURES.items()}


def public_network(table: Table, hidden: Withheld) -> Network:
    """The network without what would disclose a withheld company: `gives_way`: it leaves those out."""
    gives_way = hidden.timing == "hidden"
    item = table.rest if gives_way else table.network
    if item is None:
        raise MonitorError("the table has no figures without its smallest companies; score it again")
    values: dict[str, Any] = {
        "counts": _network_counts(table, hidden),
        **{name: getattr(item.on_time, name) for name in ("deadline_hours", "mature", "lenient", "strict")},
        **{name: getattr(item, name) for name in _CURVES},
        "gives_way": gives_way,
    }
    if not isinstance(item, CompetingEstimate):
        return Network(**values)
    values |= {name: getattr(item.on_time, name) for name in ("estimate", "older", "followed")}
    return CompetingNetwork(**values, **{name: getattr(item, name) for name in _SINCE_2026_2})
