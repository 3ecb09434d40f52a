"""The publishable figures of the network as a whole, and the totals that show how they add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from monitor.score.table import Bounds, Estimate, OnTime, Quantile, Share, SurvivalPoint, Table

LineKind = Literal["shown", "withheld", "unattributed", "network"]
Counts = Mapping[str, int | None]

MEASURES: Mapping[str, Callable[[Estimate], int]] = {
    "episodes": lambda item: item.episodes,
    "notices": lambda item: item.notices,
    "on_time": lambda item: item.on_time.on_time,
    "undetermined": lambda item: item.on_time.undetermined,
    "late": lambda item: item.on_time.late,
    "outstanding": lambda item: item.outstanding,
    "overdue": lambda item: item.overdue,
    "refused": lambda item: item.refused,
    "renotices": lambda item: item.renotices,
    "unverified": lambda item: item.unverified,
    "relocated": lambda item: item.relocated,
    "reappeared": lambda item: item.reappeared,
}
_TOGETHER = ("on_time", "undetermined", "late")  # any two of these and the share give the third
_FEWEST = 3  # of one or two companies, the other could work out a figure by subtraction


@dataclass(frozen=True, slots=True)
class TotalLine:
    """One line of the totals; a count of None is withheld."""

    kind: LineKind
    companies: int | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class Network:
    """The network's publishable figures: an `Estimate` without ranks, whose counts may be withheld (None)."""

    counts: Counts
    deadline_hours: float
    mature: int | None
    lenient: Share
    strict: Share
    median_hours: Quantile
    p90_hours: Quantile
    mean_online_hours_7d: Bounds
    survival: tuple[SurvivalPoint, ...]
    curve: tuple[SurvivalPoint, ...]


def hidden_measures(table: Table, below: int) -> frozenset[str]:
    """The counts of the network that would betray a company with fewer than `below` episodes."""
    small = [company for company in table.companies if company.episodes < below]
    hidden = {name for name, measure in MEASURES.items() if _betrays(small, measure)}
    if small and sum(company.episodes for company in small) >= len(small) * (below - 1):
        hidden.add("episodes")
    if hidden.intersection(_TOGETHER):
        hidden.update(_TOGETHER)
    return frozenset(hidden)


def _betrays(small: Sequence[Estimate], measure: Callable[[Estimate], int]) -> bool:
    """A sum over one or two gives each away to the other; a sum of zero gives all away."""
    return bool(small) and (len(small) < _FEWEST or sum(measure(company) for company in small) == 0)


def totals(table: Table, below: int) -> tuple[TotalLine, ...]:
    """Companies shown, companies withheld, what has no company, and the network: these add up."""
    hidden = hidden_measures(table, below)
    shown = [company for company in table.companies if company.episodes >= below]
    small = [company for company in table.companies if company.episodes < below]

    def counts(total: Callable[[str, Callable[[Estimate], int]], int | None]) -> Counts:
        return {name: total(name, measure) for name, measure in MEASURES.items()}

    lines = [
        TotalLine("shown", len(shown), counts(lambda _, get: sum(map(get, shown)))),
        TotalLine("withheld", len(small), counts(lambda name, get: None if name in hidden else sum(map(get, small)))),
        TotalLine("unattributed", None, counts(lambda _, get: get(table.network) - sum(map(get, table.companies)))),
        TotalLine(
            "network",
            len(table.companies),
            counts(lambda name, get: None if name in hidden else get(table.network)),
        ),
    ]
    return tuple(line for line in lines if line.kind != "withheld" or small)


def public_network(table: Table, below: int) -> Network:
    """The network, with the counts withheld and the shares rounded that would betray a small company."""
    item, hidden = table.network, hidden_measures(table, below)
    coarse = bool(hidden.intersection(_TOGETHER))
    on_time: OnTime = item.on_time
    return Network(
        counts={name: None if name in hidden else measure(item) for name, measure in MEASURES.items()},
        deadline_hours=on_time.deadline_hours,
        mature=None if coarse else on_time.mature,
        lenient=_rounded(on_time.lenient) if coarse else on_time.lenient,
        strict=_rounded(on_time.strict) if coarse else on_time.strict,
        median_hours=item.median_hours,
        p90_hours=item.p90_hours,
        mean_online_hours_7d=item.mean_online_hours_7d,
        survival=tuple(map(_rounded, item.survival)) if coarse else item.survival,
        curve=tuple(map(_rounded, item.curve)) if coarse else item.curve,
    )


Figures = TypeVar("Figures", Share, SurvivalPoint)


def _rounded(value: Figures) -> Figures:
    """Shares to whole percents."""
    changes: dict[str, Any] = {
        field.name: round(number, 2)
        for field in fields(value)
        if field.name != "t" and (number := getattr(value, field.name)) is not None
    }
    return replace(value, **changes)
