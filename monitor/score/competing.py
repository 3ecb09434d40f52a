"""Every figure of method 2026.2 of companies, groups and the network: competing risks and two-way shares.

What is counted is counted in the engine; shares, curves and what they rest on come from small tables and sorted arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
from ibis import _

from monitor.cycles import gc_paused
from monitor.estimators.arrays import Booleans, Floats, Integers
from monitor.estimators.clustered_share import TwoWayShares
from monitor.estimators.multiple_testing import p_value_of_below
from monitor.estimators.rounding import round_array, round_known, round_number
from monitor.score.aggregate import MICROSECONDS_PER_SECOND, NETWORK, align, to_arrays
from monitor.score.clusters import Counted, count_clusters, count_of, read_rows, timing_conditions
from monitor.score.engine import Engine, Expr, to_microseconds
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import Method, is_late, is_possibly_overdue
from monitor.score.removal import (
    OpenRows,
    RemovalEstimates,
    curve_inputs,
    estimate_removal,
    estimated_shares,
    read_moved,
)
from monitor.score.table import (
    AgeCount,
    AllCases,
    Backlog,
    Bounds,
    CompetingEstimate,
    CompetingOnTime,
    Group,
    HourlyShare,
    Incidence,
    Label,
    Quantile,
    Relocation,
    Share,
    SurvivalPoint,
    Unreachable,
)
from monitor.score.two_way import EstimatedShares, estimate_shares, notices_sent, shares_of
from monitor.score.units import NETWORK_UNIT, Units, members_of_groups

_PLAIN = ("episodes", "notices", "relocated", "reappeared", "gone_before_notice", "outstanding", "overdue",
          "possibly_overdue", "unverified")  # fmt: skip
_ZERO = 1e-12  # of a share: what rounding leaves of none


@dataclass(frozen=True)
class CompetingEstimates:
    """By number of a company its estimate, NETWORK's among them; the groups; the network without small companies.

    `listed`: the companies that have an episode, an item undelivered, an episode outstanding or a notice refused.
    """

    by_company: Mapping[int, CompetingEstimate]
    listed: tuple[int, ...]
    groups: tuple[Group, ...]
    rest: CompetingEstimate | None


def estimate_competing(
    engine: Engine, scored: Expr, every: Expr, labels: Mapping[int, Label], refused: Mapping[int, int], method: Method
) -> CompetingEstimates:
    """Every figure but the ranking. `scored` and `every` as `monitor.score.refusals.with_refusals` gives them.

    `refused`: notices not accepted, by company; a company in it is listed though it has no episode.
    """
    counts, companies = _count(engine, scored, every, refused, method)
    listed = _listed(companies, counts, refused)
    groups = members_of_groups(labels, listed)
    small = np.isin(companies, listed) & (counts["episodes"] < method.publish_below)
    masks = [np.isin(companies, members) for members in groups.values()]
    units = Units(companies, (*masks, *([~small] if small.any() else [])))
    figures = _Figures(engine, scored, units, counts, labels, refused, method)
    with gc_paused():  # the points of the curves are many, and in no cycle
        found = {
            number: figures.of(1 + place, _label(number, labels)) for place, number in enumerate(companies.tolist())
        }
        network = figures.of(NETWORK_UNIT, Label("network", "network"))
        first = 1 + len(companies)
        together = [
            Group(
                key, tuple(_label(m, labels).key for m in members), figures.of(first + place, _group_label(key, labels))
            )
            for place, (key, members) in enumerate(groups.items())
        ]
        rest = figures.of(units.count - 1, Label("network", "network")) if small.any() else None
    return CompetingEstimates({NETWORK: network} | found, tuple(listed), tuple(together), rest)


def _listed(companies: Integers, counts: Mapping[str, Floats], refused: Mapping[int, int]) -> list[int]:
    """The companies that have an episode, an undelivered item, one outstanding, or a notice refused."""
    some = counts["episodes"] + counts["undelivered"] + counts["backlog_outstanding"] > 0
    return [
        number
        for number, any_row in zip(companies.tolist(), some.tolist(), strict=True)
        if number != UNATTRIBUTED and (any_row or refused.get(number))
    ]


def _label(number: int, labels: Mapping[int, Label]) -> Label:
    return labels.get(number) or Label(str(number), str(number))


def _group_label(key: str, labels: Mapping[int, Label]) -> Label:
    """That of the controlling company, whether it is listed or not."""
    return next((label for label in labels.values() if label.key == key), Label(key, key))


def _count(
    engine: Engine, scored: Expr, every: Expr, refused: Mapping[int, int], method: Method
) -> tuple[dict[str, Floats], Integers]:
    """What is counted of each company without regard to sites and days, and the companies there are."""
    of_period, backlog = to_arrays(engine, _period_counts(scored, method)), to_arrays(engine, _backlog_counts(every))
    known = [number for number in refused if number != NETWORK]
    companies = np.union1d(np.union1d(of_period["company"], backlog["company"]), known).astype(np.int64)
    merged = align(companies, of_period, 0.0) | align(companies, backlog, 0.0)
    merged["oldest_hours"] = align(companies, of_period, np.nan)["oldest_hours"]
    merged["backlog_oldest_hours"] = align(companies, backlog, np.nan)["backlog_oldest_hours"]
    return merged, companies


def _open_counts(rows: Any, prefix: str = "") -> dict[str, Any]:
    """What is outstanding, overdue (certainly, possibly) and unverified of episodes without an end; the oldest."""
    still = (rows.undelivered == 0) & rows.first_offline_h.isnull() & rows.relocated_h.isnull()
    known = still & ~rows.unverified
    return {
        f"{prefix}outstanding": count_of(known),
        f"{prefix}overdue": count_of(known & is_late(rows.last_online_h, rows.deadline_h)),
        f"{prefix}possibly_overdue": count_of(
            known & is_possibly_overdue(rows.last_online_h, rows.followed_h, rows.deadline_h)
        ),
        f"{prefix}unverified": count_of(still & rows.unverified),
        f"{prefix}oldest_hours": known.ifelse(rows.followed_h, ibis.null("float64")).max(),
    }


def _period_counts(scored: Expr, method: Method) -> Expr:
    online = to_microseconds(_.last_online_h.coalesce(0.0))
    seconds = (online / MICROSECONDS_PER_SECOND).floor().cast("int64")
    bounds = method.age_bounds_hours
    known = (scored.undelivered == 0) & scored.first_offline_h.isnull() & scored.relocated_h.isnull()
    known = known & ~scored.unverified
    ages = {
        f"age_{place}": count_of(known & (scored.followed_h >= start) & (scored.followed_h < stop))
        for place, (start, stop) in enumerate(zip(bounds, (*bounds[1:], 1e12), strict=True))
    }
    timing = timing_conditions(scored.deadline_h)
    older = scored.wall_h >= scored.deadline_h
    return scored.group_by("company").aggregate(
        episodes=count_of(_.undelivered == 0),
        undelivered=count_of(_.undelivered > 0),
        older=count_of((_.undelivered == 0) & older),
        undelivered_older=count_of((_.undelivered > 0) & older),
        **{name: count_of(timing[name]) for name in ("mature", "on_time", "late")},
        moved_in_time=count_of(timing["moved_in_time"]),
        notices=_.notices.sum(),
        relocated=count_of((_.undelivered == 0) & _.relocated_h.notnull()),
        reappeared=_.reappeared.sum(),
        gone_before_notice=_.gone_before_notice.sum(),
        exposure_s=seconds.sum(),
        exposure_rest=(online - seconds * MICROSECONDS_PER_SECOND).sum(),
        **_open_counts(scored),
        **ages,
    )


def _backlog_counts(every: Expr) -> Expr:
    return every.group_by("company").aggregate(**_open_counts(every, "backlog_"))


def _of_units(counts: Mapping[str, Floats], units: Units) -> dict[str, Floats]:
    """What was counted of each company as that of each unit."""
    return {
        name: (units.largest if name.endswith("oldest_hours") else units.summed)(values)
        for name, values in counts.items()
    }


class _Figures:
    """All arrays of one table, of which one unit's figures are taken at a time."""

    def __init__(
        self,
        engine: Engine,
        scored: Expr,
        units: Units,
        counts: Mapping[str, Floats],
        labels: Mapping[int, Label],
        refused: Mapping[int, int],
        method: Method,
    ) -> None:
        self._method, self._units = method, units
        self._counts = _of_units(counts, units)
        not_accepted = np.array([refused.get(number, 0) for number in units.companies.tolist()], np.float64)
        self._refused = units.summed(not_accepted)
        no_contact = [number in labels and labels[number].no_contact for number in units.companies.tolist()]
        self._no_contact = [bool(places) and all(no_contact[place] for place in places) for places in _places(units)]
        episodes = read_rows(engine, scored, units, scored.deadline_h)
        counted = count_clusters(episodes, units)
        inputs = curve_inputs(episodes, len(units.companies))
        del episodes  # the largest of all
        rows = OpenRows.of(counted.open_rows, units)
        moved = read_moved(engine, scored, units)
        self._times = estimate_removal(inputs, units, rows, moved, counted.effective_sites, method)
        self._sites = counted.sites
        self._moved_to = _by_unit(self._times)
        self._countries = self._times.countries
        shares = _Shares.of(counted, rows, self._times.a, self._times.b, self._counts, units, method)
        self._shares, self._sent = shares, notices_sent(counted)
        self._unreachable = shares_of(counted, "refused", method.confidence, None)
        self._curve_points = _curve_points(self._times)

    def of(self, unit: int, label: Label) -> CompetingEstimate:
        """Every figure of one unit."""
        values: dict[str, Any] = {name: self._count(name, unit) for name in _PLAIN}
        values["renotices"] = values["notices"] - values["episodes"]
        return CompetingEstimate(
            label.key,
            label.name,
            label.country,
            label.via_proxy,
            sites=int(self._sites[unit]),
            items_undelivered=self._count("undelivered", unit),
            refused=int(self._refused[unit]),
            oldest_hours=round_number(self._counts["oldest_hours"][unit]),
            exposure_hours=self._exposure(unit),
            outstanding_by_age=self._ages(unit),
            backlog=self._backlog(unit),
            unreachable=self._reached(unit),
            relocation=self._relocation(unit),
            **values,
            **self._shares.of_unit(unit),
            **self._timed(unit),
        )

    def _count(self, name: str, unit: int) -> int:
        return int(self._counts[name][unit])

    def _exposure(self, unit: int) -> float:
        whole, rest = self._counts["exposure_s"][unit], self._counts["exposure_rest"][unit]
        return round_known((whole + rest / MICROSECONDS_PER_SECOND) / 3600)

    def _ages(self, unit: int) -> tuple[AgeCount, ...]:
        bounds = self._method.age_bounds_hours
        ends = (*bounds[1:], None)
        return tuple(
            AgeCount(start, end, self._count(f"age_{place}", unit))
            for place, (start, end) in enumerate(zip(bounds, ends, strict=True))
        )

    def _backlog(self, unit: int) -> Backlog:
        names = ("outstanding", "overdue", "possibly_overdue", "unverified")
        counts = {name: self._count(f"backlog_{name}", unit) for name in names}
        return Backlog(**counts, oldest_hours=round_number(self._counts["backlog_oldest_hours"][unit]))

    def _reached(self, unit: int) -> Unreachable:
        share, sent = self._unreachable, self._sent
        return Unreachable(
            int(sent.n[unit]),
            int(sent.k[unit]),
            int(sent.clusters[unit]),
            round_number(share.p[unit]),
            round_number(share.low[unit]),
            round_number(share.high[unit]),
            self._no_contact[unit],
        )

    def _relocation(self, unit: int) -> tuple[Relocation, ...]:
        """Relocated to any country with its interval, then to each; nothing where nothing was relocated."""
        if not self._count("relocated", unit):
            return ()
        removal, hours = self._times.removal, self._method.relocation_hours
        arrays = (removal.horizons, removal.strict.moved_low, removal.lenient.moved_high)
        to_any = tuple(
            Incidence(hour, p, None, low, high)
            for hour, p, low, high in zip(
                hours, *([round_number(v) for v in each[unit]] for each in arrays), strict=True
            )
        )
        return (Relocation(None, self._count("relocated", unit), to_any), *self._to_countries(unit))

    def _to_countries(self, unit: int) -> list[Relocation]:
        found, hours = self._times.destinations, self._method.relocation_hours
        return [
            Relocation(
                self._countries[found.country[row]],
                int(found.episodes[row]),
                tuple(
                    Incidence(hour, round_number(p), None, None, None)
                    for hour, p in zip(hours, found.incidence[row].tolist(), strict=True)
                ),
            )
            for row in self._moved_to.get(unit, ())
        ]

    def _timed(self, unit: int) -> dict[str, Any]:
        """Quantiles, means, curves, and what is removed, moved and online at the times of the method."""
        episodes, removal = self._count("episodes", unit), self._times.removal
        points = self._points(unit) if episodes else []
        hours = self._method.survival_hours if episodes else ()
        removed, moved, online, left = (values[unit].tolist() for values in self._curve_points[:4])

        def at(values: Sequence[float]) -> tuple[HourlyShare, ...]:
            return tuple(HourlyShare(hour, values[int(hour)]) for hour in hours)

        return {
            "median_hours": self._quantile(0, unit),
            "p90_hours": self._quantile(1, unit),
            "mean_online_hours_7d": Bounds(
                round_number(removal.lenient.area[unit]), round_number(removal.strict.area[unit])
            ),
            "survival": tuple(points[int(hour)] for hour in hours),
            "curve": tuple(points) if episodes >= self._method.publish_below else (),
            "removed_at": at(removed),
            "moved_at": at(moved),
            "online_at": at(online),
            "not_removed_7d": left[int(self._method.restricted_mean_hours)] if episodes else None,
            "grid_seconds": int(removal.grid[unit]),
        }

    def _points(self, unit: int) -> list[SurvivalPoint]:
        curves = (self._curve_points[3], *self._curve_points[4:])
        hours = map(float, range(curves[0].shape[1]))
        return list(map(SurvivalPoint, hours, *(curve[unit].tolist() for curve in curves)))

    def _quantile(self, level: int, unit: int) -> Quantile:
        """From the estimate; the limits where that of the lenient, and of the strict, curve gets there."""
        removal = self._times.removal
        values = (removal.quantiles, removal.lenient.low, removal.strict.high)
        return Quantile(*(round_number(value[unit, level]) for value in values))


def _places(units: Units) -> list[list[int]]:
    """Of each unit the places of its companies."""
    own = [[place] for place in range(len(units.companies))]
    network, *others = (np.flatnonzero(mask).tolist() for _, mask in units.masks)
    return [network, *own, *others]


def _by_unit(times: RemovalEstimates) -> dict[int, list[int]]:
    """The rows of its destinations, by unit."""
    found: dict[int, list[int]] = {}
    for row, unit in enumerate(times.destinations.unit.tolist()):
        found.setdefault(unit, []).append(row)
    return found


def _curve_points(times: RemovalEstimates) -> list[Floats]:
    """At each hour of each unit: removed, moved, online, not removed; the same of both curves with standard errors."""
    removal = times.removal
    left = 1 - removal.removed
    readings = [(1 - each.removed, np.sqrt(each.variance)) for each in (removal.lenient, removal.strict)]
    online = np.maximum(left - removal.relocated, 0.0)
    arrays = [removal.removed, removal.relocated, online, left, *(array for pair in readings for array in pair)]
    return [round_array(np.where(np.abs(array) < _ZERO, 0.0, array)) for array in arrays]


@dataclass(frozen=True)
class _Shares:
    """The shares on time of all units, with the counts behind them."""

    counts: Mapping[str, Floats]
    lenient: TwoWayShares
    strict: TwoWayShares
    estimate: EstimatedShares
    p_below: Floats
    deadline_hours: float

    @classmethod
    def of(
        cls,
        counted: Counted,
        rows: OpenRows,
        a: Floats,
        b: Floats,
        counts: Mapping[str, Floats],
        units: Units,
        method: Method,
        deadline_hours: float | None = None,
    ) -> _Shares:
        eligible = _eligible(counted, counts, units, method)
        late = shares_of(counted, "late", method.confidence, eligible)
        p_below = p_value_of_below(late.p, late.se**2, late.independent, late.degrees, method.target)
        deadline = method.usual_deadline_hours if deadline_hours is None else deadline_hours
        on_time = shares_of(counted, "on_time", method.confidence, eligible)
        estimate = estimate_shares(counted, rows, a, b)
        return cls(counts, late.complement, on_time, estimate, p_below, deadline)

    def of_unit(self, unit: int) -> dict[str, Any]:
        """The fields of an estimate that they are."""
        mature, on_time, late, older, undelivered = (
            int(self.counts[name][unit]) for name in ("mature", "on_time", "late", "older", "undelivered_older")
        )
        cases = older + undelivered
        return {
            "on_time": CompetingOnTime(
                self.deadline_hours,
                mature,
                on_time,
                late,
                mature - on_time - late,
                _share(self.lenient, unit),
                _share(self.strict, unit),
                estimate=round_number(self.estimate.p[unit]),
                older=older,
                followed=round_number(mature / older) if older else None,
                all_cases=AllCases(
                    cases,
                    round_number(on_time / cases) if cases else None,
                    round_number(1 - late / cases) if cases else None,
                ),
            ),
            "n_eff": round_number(self.estimate.n_eff[unit]),
            "p_below": round_number(self.p_below[unit]),
        }


def _share(shares: TwoWayShares, unit: int) -> Share:
    return Share(*(round_number(values[unit]) for values in (shares.p, shares.se, shares.low, shares.high)))


def _eligible(counted: Counted, counts: Mapping[str, Floats], units: Units, method: Method) -> Booleans:
    """The companies whose intra-class correlations are pooled: with enough episodes and sites, and a mature one."""
    found: Booleans = (
        (counts["episodes"] >= method.minimum_episodes)
        & (counted.sites >= method.minimum_sites)
        & (counts["mature"] > 0)
    )
    found[NETWORK_UNIT] = False
    found[1 + len(units.companies) :] = False
    found[1:][: len(units.companies)][units.companies == UNATTRIBUTED] = False
    return found


def under_deadline(
    engine: Engine, scored: Expr, every: Expr, listed: Mapping[int, CompetingEstimate], hours: float, method: Method
) -> list[CompetingEstimate]:
    """The companies of `listed` if every episode had that deadline: other counts, shares and overdue, else the same."""
    deadline = ibis.literal(hours, "float64")
    other = scored.mutate(deadline_h=deadline)
    counts, companies = _count(engine, other, every.mutate(deadline_h=deadline), dict.fromkeys(listed, 0), method)
    units = Units(companies)
    episodes = read_rows(engine, other, units, other.deadline_h)
    counted = count_clusters(episodes, units)
    rows = OpenRows.of(counted.open_rows, units)
    a, b = estimated_shares(curve_inputs(episodes, len(companies)), units, rows, method)
    summed = _of_units(counts, units)
    shares = _Shares.of(counted, rows, a, b, summed, units, method, hours)
    places = dict(zip(companies.tolist(), units.own.tolist(), strict=True))
    return [
        replace(
            each,
            overdue=int(summed["overdue"][places[number]]),
            possibly_overdue=int(summed["possibly_overdue"][places[number]]),
            **shares.of_unit(places[number]),
        )
        for number, each in listed.items()
    ]
