"""From arrays to the table's rows: shares with intervals, quantiles, points of the curves; rounded once, here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.cycles import gc_paused
from monitor.score.counts import TIMING
from monitor.score.digits import number, rounded
from monitor.score.gather import Gathered
from monitor.score.intervals import loglog_interval, share_interval
from monitor.score.label import Label
from monitor.score.methods import Method
from monitor.score.sorting import Floats
from monitor.score.table import (
    AgeCount,
    Bounds,
    Estimate,
    Incidence,
    OnTime,
    Quantile,
    Relocation,
    Share,
    SurvivalPoint,
)
from monitor.score.timed import Timed


@dataclass(frozen=True)
class _Shares:
    p: Floats
    se: Floats
    low: Floats
    high: Floats

    def at(self, index: int) -> Share:
        return Share(*(number(values[index]) for values in (self.p, self.se, self.low, self.high)))


def assemble(
    gathered: Gathered, labels: Mapping[int, Label], refused: Mapping[int, int], method: Method
) -> dict[int, Estimate]:
    """One estimate a company id in `gathered`; the network's is under NETWORK."""
    readings = _Readings(gathered, method)
    with gc_paused():  # the points of the curves are many, and in no cycle
        return {
            company: readings.estimate(index, labels.get(company) or _unnamed(company), refused.get(company, 0))
            for index, company in enumerate(gathered.companies.tolist())
        }


def _unnamed(company: int) -> Label:
    return Label(str(company), str(company))


class _Readings:
    """All arrays of one table, read off at one company's index at a time."""

    def __init__(self, gathered: Gathered, method: Method) -> None:
        self._gathered, self._method = gathered, method
        self._on_time = timings(gathered.counts, method.usual_deadline_hours, method)
        self._countries: dict[int, list[tuple[str, int, list[float]]]] = {}
        for (owner, country), (k, values) in sorted(gathered.timed.moves.by_country.items()):
            self._countries.setdefault(owner, []).append((country, k, values))
        moves = gathered.timed.moves
        self._moved_se = np.sqrt(moves.variance)
        self._moved_low, self._moved_high = loglog_interval(moves.incidence, self._moved_se, method.confidence)
        self._hours, self._curves = _curves(gathered.timed)
        self._quantiles = {"half": gathered.timed.npmle.quantile(0.5), "tenth": gathered.timed.npmle.quantile(0.1)}

    def estimate(self, index: int, label: Label, refused: int) -> Estimate:
        """All that is said of one company."""
        return Estimate(
            label.key,
            label.name,
            label.country,
            label.via_proxy,
            **self.counted(index),
            **self.timed(index),
            relocation=self.relocation(index),
            refused=refused,
        )

    def _count(self, name: str, index: int) -> int:
        return int(self._gathered.counts[name][index])

    def counted(self, index: int) -> dict[str, Any]:
        """Plain counts and sums."""
        plain = ("episodes", "sites", "notices", "outstanding", "overdue", "unverified", "relocated", "reappeared")
        values: dict[str, Any] = {name: self._count(name, index) for name in plain}
        values["renotices"] = values["notices"] - values["episodes"]
        values["oldest_hours"] = number(self._gathered.counts["oldest_hours"][index])
        values["exposure_hours"] = number(self._gathered.counts["exposure_hours"][index])
        values["outstanding_by_age"] = self._ages(index)
        return values

    def timed(self, index: int) -> dict[str, Any]:
        """Shares, quantiles, means and curves."""
        episodes = self._count("episodes", index)
        points = self._points(index) if episodes else []
        return {
            "on_time": self._on_time[index],
            "median_hours": self._quantile("half", index),
            "p90_hours": self._quantile("tenth", index),
            "mean_online_hours_7d": Bounds(
                number(self._gathered.timed.lenient.readings["restricted_mean"][index]),
                number(self._gathered.timed.strict.readings["restricted_mean"][index]),
            ),
            "survival": tuple(points[int(hour)] for hour in self._method.survival_hours) if points else (),
            "curve": tuple(points) if episodes >= self._method.publish_below else (),
        }

    def _quantile(self, level: str, index: int) -> Quantile:
        """Turnbull's quantile, from the lower limit of the lenient to the upper limit of the strict curve."""
        low = self._gathered.timed.lenient.readings[f"low_{level}"][index]
        high = self._gathered.timed.strict.readings[f"high_{level}"][index]
        return Quantile(number(self._quantiles[level][index]), number(low), number(high))

    def _points(self, index: int) -> list[SurvivalPoint]:
        return list(map(SurvivalPoint, self._hours, *(curve[index].tolist() for curve in self._curves)))

    def relocation(self, index: int) -> tuple[Relocation, ...]:
        """Relocated to any country with its interval, then to each; nothing where nothing was relocated."""
        if not self._count("relocated", index):
            return ()
        company = int(self._gathered.companies[index])
        return (
            Relocation(None, self._count("relocated", index), self._to_any_country(index)),
            *(
                Relocation(country, k, tuple(map(_bare_incidence, self._method.relocation_hours, values)))
                for country, k, values in self._countries.get(company, ())
            ),
        )

    def _to_any_country(self, index: int) -> tuple[Incidence, ...]:
        """With log(-log) limits, as `survfit` has them for a state."""
        columns = (self._gathered.timed.moves.incidence, self._moved_se, self._moved_low, self._moved_high)
        return tuple(
            Incidence(hours, *(number(values[place, index]) for values in columns))
            for place, hours in enumerate(self._method.relocation_hours)
        )

    def _ages(self, index: int) -> tuple[AgeCount, ...]:
        bounds = self._method.age_bounds_hours
        ends = (*bounds[1:], None)
        return tuple(
            AgeCount(start, end, self._count(f"age_{place}", index))
            for place, (start, end) in enumerate(zip(bounds, ends, strict=True))
        )


def _curves(timed: Timed) -> tuple[list[float], list[Floats]]:
    """The hours, and for each company (rows) what a point of the curves has at each of them."""
    lenient, strict = timed.lenient, timed.strict
    hours = np.arange(lenient.survival.shape[1], dtype=np.float64)
    curves = (
        timed.npmle.survival(hours),
        lenient.survival,
        np.sqrt(lenient.variance),
        strict.survival,
        np.sqrt(strict.variance),
    )
    return hours.tolist(), list(map(rounded, curves))


def timings(counts: Mapping[str, Floats], deadline_hours: float, method: Method) -> list[OnTime]:
    """Of each company the three counts among its mature episodes, and both shares with their intervals."""
    lenient, strict = shares(counts, method, "late"), shares(counts, method, "on_time")
    three = zip(*(counts[name].astype(int).tolist() for name in TIMING), strict=True)
    return [
        OnTime(deadline_hours, mature, on_time, late, mature - on_time - late, lenient.at(index), strict.at(index))
        for index, (mature, on_time, late) in enumerate(three)
    ]


def shares(counts: Mapping[str, Floats], method: Method, counted: str) -> _Shares:
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
    return Incidence(hours, number(p), None, None, None)
