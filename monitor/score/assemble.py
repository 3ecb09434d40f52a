"""From arrays to the table's rows: shares with intervals, quantiles, points of the curves; rounded once, here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.score.counts import TIMING
from monitor.score.gather import Gathered
from monitor.score.intervals import loglog_interval, share_interval
from monitor.score.methods import Method
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

Floats = npt.NDArray[np.float64]

SIGNIFICANT = 10  # digits kept: what engines and orders of summation agree on
_EXACT_POWER = 22  # up to here a power of ten is a double
_UP = 1 + 1e-12  # a share such as 3/2048 lies between two roundings: it goes up, whatever its last bits say


@dataclass(frozen=True)
class Label:
    """How a company is shown."""

    key: str
    name: str
    country: str | None = None
    via_proxy: bool = False


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
    result = {}
    for index, identifier in enumerate(gathered.companies.tolist()):
        label = labels.get(identifier, Label(str(identifier), str(identifier)))
        result[identifier] = Estimate(
            label.key,
            label.name,
            label.country,
            label.via_proxy,
            **readings.counted(index),
            **readings.timed(index),
            relocation=readings.relocation(index),
            refused=refused.get(identifier, 0),
        )
    return result


class _Readings:
    """All arrays of one table, read off at one company's index at a time."""

    def __init__(self, gathered: Gathered, method: Method) -> None:
        self._gathered, self._method = gathered, method
        self._on_time = timings(gathered.counts, method.usual_deadline_hours, method)
        self._countries: dict[int, list[tuple[str, int, list[float]]]] = {}
        for (owner, country), (k, values) in sorted(gathered.timed.moves.by_country.items()):
            self._countries.setdefault(owner, []).append((country, k, values))
        hours = gathered.timed.lenient.survival.shape[1]
        self._npmle = gathered.timed.npmle.survival(np.arange(hours, dtype=np.float64))
        self._quantiles = {"half": gathered.timed.npmle.quantile(0.5), "tenth": gathered.timed.npmle.quantile(0.1)}

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
        lenient, strict = self._gathered.timed.lenient, self._gathered.timed.strict
        arrays = (
            self._npmle[index],
            lenient.survival[index],
            np.sqrt(lenient.variance[index]),
            strict.survival[index],
            np.sqrt(strict.variance[index]),
        )
        columns = map(numbers, arrays)
        return [SurvivalPoint(float(hour), *row) for hour, row in enumerate(zip(*columns, strict=True))]

    def relocation(self, index: int) -> tuple[Relocation, ...]:
        """Relocated to any country with its interval, then to each; nothing where nothing was relocated."""
        if not self._count("relocated", index):
            return ()
        moves, company = self._gathered.timed.moves, int(self._gathered.companies[index])
        any_country = tuple(
            _incidence(hours, f[index], v[index], self._method.confidence)
            for hours, f, v in zip(self._method.relocation_hours, moves.incidence, moves.variance, strict=True)
        )
        return (
            Relocation(None, self._count("relocated", index), any_country),
            *(
                Relocation(country, k, tuple(map(_bare_incidence, self._method.relocation_hours, values)))
                for country, k, values in self._countries.get(company, ())
            ),
        )

    def _ages(self, index: int) -> tuple[AgeCount, ...]:
        bounds = self._method.age_bounds_hours
        ends = (*bounds[1:], None)
        return tuple(
            AgeCount(start, end, self._count(f"age_{place}", index))
            for place, (start, end) in enumerate(zip(bounds, ends, strict=True))
        )


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


def _incidence(hours: float, p: float, variance: float, confidence: float) -> Incidence:
    """With log(-log) limits, as `survfit` has them for a state."""
    low, high = loglog_interval(np.array([p]), np.sqrt([variance]), confidence)
    return Incidence(hours, number(p), number(math.sqrt(variance)), number(low[0]), number(high[0]))


def _bare_incidence(hours: float, p: float) -> Incidence:
    return Incidence(hours, number(p), None, None, None)


def numbers(values: Floats) -> list[float | None]:
    """Each of the values as `number` gives it, many times as fast."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shift = SIGNIFICANT - 1 - np.floor(np.log10(np.abs(values)))
        easy = (shift >= 0) & (shift <= _EXACT_POWER)
        power = 10.0 ** np.where(easy, shift, 0.0)
        rounded = np.rint(values * _UP * power) / power  # the power is exact: the nearest double to those digits
    return [
        r if fits else number(value) for r, fits, value in zip(rounded.tolist(), easy, values.tolist(), strict=True)
    ]


def number(value: float) -> float | None:
    """A finite number at SIGNIFICANT digits, or None."""
    return float(f"{value * _UP:.{SIGNIFICANT}g}") if math.isfinite(value) else None
