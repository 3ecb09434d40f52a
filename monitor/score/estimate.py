"""From arrays to one Estimate a company: shares with intervals, quantiles, points of the curves; rounded once, here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.cycles import gc_paused
from monitor.estimators.arrays import Floats
from monitor.estimators.confidence import loglog_interval, share_interval
from monitor.estimators.rounding import round_array, round_number
from monitor.score.aggregate import NETWORK, TIMING, Aggregates
from monitor.score.methods import Method
from monitor.score.table import (
    AgeCount,
    Bounds,
    Estimate,
    Incidence,
    Label,
    OnTime,
    Quantile,
    Relocation,
    Share,
    SurvivalPoint,
)
from monitor.score.time_estimates import TimeEstimates, estimate_times


@dataclass(frozen=True)
class _Shares:
    p: Floats
    se: Floats
    low: Floats
    high: Floats

    def at(self, index: int) -> Share:
        return Share(*(round_number(values[index]) for values in (self.p, self.se, self.low, self.high)))


def estimate(aggregates: Aggregates, labels: Mapping[int, Label], method: Method) -> dict[int, Estimate]:
    """One estimate a company id in `aggregates`; the network's is under NETWORK."""
    figures = _Figures(aggregates, estimate_times(aggregates, method), method)
    with gc_paused():  # the points of the curves are many, and in no cycle
        return {
            company: figures.estimate(index, labels.get(company) or _label(company))
            for index, company in enumerate(aggregates.companies.tolist())
        }


def _label(company: int) -> Label:
    """For the network, and for a company whose name is not known."""
    name = "network" if company == NETWORK else str(company)
    return Label(name, name)


class _Figures:
    """All arrays of one table, of which one company's figures are taken at a time, by its index."""

    def __init__(self, aggregates: Aggregates, times: TimeEstimates, method: Method) -> None:
        self._aggregates, self._times, self._method = aggregates, times, method
        self._on_time = count_on_time(aggregates.counts, method.usual_deadline_hours, method)
        self._countries: dict[int, list[tuple[str, int, list[float]]]] = {}
        relocation = times.relocation
        for (company, country), (episodes, values) in sorted(relocation.by_country.items()):
            self._countries.setdefault(company, []).append((country, episodes, values))
        se = np.sqrt(relocation.variance)
        limits = loglog_interval(relocation.incidence, se, method.confidence)
        self._incidence = (relocation.incidence, se, *limits)
        self._hours, self._curves = _curves(times)
        self._quantiles = {"half": times.npmle.quantile(0.5), "tenth": times.npmle.quantile(0.1)}

    def estimate(self, index: int, label: Label) -> Estimate:
        """Every figure of one company."""
        return Estimate(
            label.key,
            label.name,
            label.country,
            label.via_proxy,
            **self._counted(index),
            **self._timed(index),
            relocation=self._relocation(index),
            refused=self._aggregates.refused.get(int(self._aggregates.companies[index]), 0),
        )

    def _count(self, name: str, index: int) -> int:
        return int(self._aggregates.counts[name][index])

    def _counted(self, index: int) -> dict[str, Any]:
        """Plain counts and sums."""
        plain = ("episodes", "sites", "notices", "outstanding", "overdue", "unverified", "relocated", "reappeared")
        values: dict[str, Any] = {name: self._count(name, index) for name in plain}
        values["renotices"] = values["notices"] - values["episodes"]
        values["oldest_hours"] = round_number(self._aggregates.counts["oldest_hours"][index])
        values["exposure_hours"] = round_number(self._aggregates.counts["exposure_hours"][index])
        values["outstanding_by_age"] = self._ages(index)
        return values

    def _timed(self, index: int) -> dict[str, Any]:
        """Shares, quantiles, means and curves."""
        episodes = self._count("episodes", index)
        points = self._points(index) if episodes else []
        return {
            "on_time": self._on_time[index],
            "median_hours": self._quantile("half", index),
            "p90_hours": self._quantile("tenth", index),
            "mean_online_hours_7d": Bounds(
                round_number(self._times.lenient.figures["restricted_mean"][index]),
                round_number(self._times.strict.figures["restricted_mean"][index]),
            ),
            "survival": tuple(points[int(hour)] for hour in self._method.survival_hours) if points else (),
            "curve": tuple(points) if episodes >= self._method.publish_below else (),
        }

    def _quantile(self, level: str, index: int) -> Quantile:
        """Turnbull's quantile, from the lower limit of the lenient to the upper limit of the strict curve."""
        low = self._times.lenient.figures[f"low_{level}"][index]
        high = self._times.strict.figures[f"high_{level}"][index]
        return Quantile(round_number(self._quantiles[level][index]), round_number(low), round_number(high))

    def _points(self, index: int) -> list[SurvivalPoint]:
        return list(map(SurvivalPoint, self._hours, *(curve[index].tolist() for curve in self._curves)))

    def _relocation(self, index: int) -> tuple[Relocation, ...]:
        """Relocated to any country with its interval, then to each; nothing where nothing was relocated."""
        if not self._count("relocated", index):
            return ()
        company = int(self._aggregates.companies[index])
        return (
            Relocation(None, self._count("relocated", index), self._to_any_country(index)),
            *(
                Relocation(country, episodes, tuple(map(_bare_incidence, self._method.relocation_hours, values)))
                for country, episodes, values in self._countries.get(company, ())
            ),
        )

    def _to_any_country(self, index: int) -> tuple[Incidence, ...]:
        """With log(-log) limits, as `survfit` has them for a state."""
        return tuple(
            Incidence(hours, *(round_number(values[place, index]) for values in self._incidence))
            for place, hours in enumerate(self._method.relocation_hours)
        )

    def _ages(self, index: int) -> tuple[AgeCount, ...]:
        bounds = self._method.age_bounds_hours
        ends = (*bounds[1:], None)
        return tuple(
            AgeCount(start, end, self._count(f"age_{place}", index))
            for place, (start, end) in enumerate(zip(bounds, ends, strict=True))
        )


def _curves(times: TimeEstimates) -> tuple[list[float], list[Floats]]:
    """The hours, and for each company (rows) what a point of the curves has at each of them."""
    lenient, strict = times.lenient, times.strict
    hours = np.arange(lenient.survival.shape[1], dtype=np.float64)
    curves = (
        times.npmle.survival(hours),
        lenient.survival,
        np.sqrt(lenient.variance),
        strict.survival,
        np.sqrt(strict.variance),
    )
    return hours.tolist(), list(map(round_array, curves))


def count_on_time(counts: Mapping[str, Floats], deadline_hours: float, method: Method) -> list[OnTime]:
    """Of each company the three counts among its mature episodes, and both shares with their intervals."""
    lenient, strict = clustered_shares(counts, method, "late"), clustered_shares(counts, method, "on_time")
    three = zip(*(counts[name].astype(int).tolist() for name in TIMING), strict=True)
    return [
        OnTime(deadline_hours, mature, on_time, late, mature - on_time - late, lenient.at(index), strict.at(index))
        for index, (mature, on_time, late) in enumerate(three)
    ]


def clustered_shares(counts: Mapping[str, Floats], method: Method, counted: str) -> _Shares:
    """Shares among mature episodes, with the variance between sites (docs/method.md, section 3).

    The lenient share is one minus that of the late ones, the strict one that of those on time.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        n, sites = counts["mature"], counts["mature_sites"]
        share = counts[counted] / n
        squares = counts[f"{counted}_2"] - 2 * share * counts[f"{counted}_n"] + share**2 * counts["nn"]
        variance = np.where(sites > 1, sites / (sites - 1) * np.maximum(squares, 0.0) / n**2, 0.0)
        variance[variance < 1e-18] = 0.0  # what rounding leaves of a difference that is zero
        se = np.sqrt(variance)
        low, high = share_interval(share, se, sites, n**2 / counts["nn"], method.confidence)
    none = n == 0
    arrays = [np.where(none, np.nan, array) for array in (share, se, low, high)]
    if counted == "late":
        return _Shares(1 - arrays[0], arrays[1], 1 - arrays[3], 1 - arrays[2])
    return _Shares(*arrays)


def _bare_incidence(hours: float, p: float) -> Incidence:
    return Incidence(hours, round_number(p), None, None, None)
