"""What the times of episodes say where removal and relocation compete: curves, quantiles, and open episodes.

Lenient and strict curves are exact. The estimate from intervals is exact too, but for a unit with more distinct
intervals than the method allows: then its times are on a grid, left ends rounded down and right ends up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from ibis import _
from scipy import special

from monitor.estimators.arrays import (
    AnyIntegers,
    Booleans,
    Floats,
    Integers,
    count_rows,
    group_by,
    group_starts,
    sort_order,
    sum_groups,
)
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks, competing_risks
from monitor.estimators.confidence import loglog_interval
from monitor.estimators.removal_curves import RemovalCurves, removal_curves
from monitor.estimators.risk_set import NEVER, CurveInputs, RiskSet, any_event, any_event_lenient
from monitor.estimators.share_by_deadline import relocated_by_destination, shares_by_deadline
from monitor.score.clusters import OPEN, UNDELIVERED, Columns, EpisodeRows
from monitor.score.engine import (
    MICROSECONDS_PER_HOUR,
    Engine,
    Expr,
    fetch,
    integer_table,
    put,
    to_microseconds,
    to_numpy,
)
from monitor.score.methods import Method
from monitor.score.units import Units

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Any)
_THREADS, _ROWS = 2, 500_000  # parts side by side, and rows in each: what is quick and takes little memory
_SAMPLE = 200_000  # rows of a large unit that show whether its intervals are too many
_MICROSECONDS_PER_SECOND = 1_000_000
_LAST_HOUR = 168  # of the hourly curves


@dataclass(frozen=True)
class Reading:
    """One Aalen-Johansen curve of every unit: (units, hours + 1) arrays; of each unit the area and limits, in hours.

    `moved_low` and `moved_high`: limits of F of relocation at the horizons of the method.
    """

    removed: Floats
    variance: Floats
    area: Floats
    low: Floats
    high: Floats
    moved_low: Floats
    moved_high: Floats


@dataclass(frozen=True)
class Removal:
    """Of every unit: F of both causes at each hour, quantiles in hours (rows: half, nine tenths), both readings.

    `grid`: the width of the grid of the estimate in seconds, 0: exact. `horizons`: F of relocation at those of the
    method.
    """

    removed: Floats
    relocated: Floats
    quantiles: Floats
    grid: Integers
    lenient: Reading
    strict: Reading
    horizons: Floats


@dataclass(frozen=True)
class Destinations:
    """Rows of a unit and a country (an index) with the relocated episodes of it, and F of it at the horizons."""

    unit: Integers
    country: Integers
    episodes: Integers
    incidence: Floats


@dataclass(frozen=True)
class MovedRows:
    """Relocated episodes, `weight` alike, each as often as there are units they are in; `countries` by index."""

    unit: Integers
    country: Integers
    left: Integers
    relocated: Integers
    weight: Integers
    countries: tuple[str, ...]

    def part(self, begin: int, end: int) -> MovedRows:
        """Those of the units from `begin` to before `end`, numbered from 0."""
        rows = slice(*np.searchsorted(self.unit, [begin, end]))
        columns = {name: getattr(self, name)[rows] for name in ("country", "left", "relocated", "weight")}
        return MovedRows(unit=self.unit[rows] - begin, countries=self.countries, **columns)


def read_moved(engine: Engine, scored: Expr, units: Units) -> MovedRows:
    """The relocated episodes of all units, sorted by unit and country."""
    own = put(engine, "places", integer_table({"company": units.companies, "unit": units.own.astype(np.int64)}))
    moved = scored.filter(_.relocated_h.notnull() & _.first_offline_h.isnull()).join(own, "company")
    rows = moved.select(
        "unit",
        left=to_microseconds(moved.last_online_h),
        relocated=to_microseconds(moved.relocated_h),
        country=moved.destination.coalesce(""),
    )
    table = fetch(engine, rows.group_by(rows.columns).aggregate(weight=_.count()))
    names, country = np.unique(np.array(table["country"].to_pylist(), np.str_), return_inverse=True)
    columns = {name: to_numpy(table[name]) for name in ("unit", "left", "relocated", "weight")}
    copies, unit = units.copies(columns["unit"] - 1)
    found = {name: column[copies] for name, column in (columns | {"country": country.astype(np.int64)}).items()}
    found["unit"] = unit
    order = sort_order(*(found[name] for name in ("unit", "country", "left", "relocated")))
    return MovedRows(**{name: c[order] for name, c in found.items()}, countries=tuple(map(str, names.tolist())))


@dataclass(frozen=True)
class OpenRows:
    """Rows that the checks leave open, each as often as there are units it is in: see `Counted.open_rows`."""

    unit: Integers
    site: Integers
    day: Integers
    left: Integers
    right: Integers
    relocated: Integers
    deadline: Integers
    weight: Integers

    @classmethod
    def of(cls, rows: Columns, units: Units) -> OpenRows:
        """For the companies and for the units that take several; sorted, so that sums have one order."""
        copies, unit = units.copies(rows["unit"] - 1)
        columns = {name: rows[name][copies] for name in _OPEN} | {"unit": unit}
        keys = [columns["unit"], *(columns[name] + (name in _OPTIONAL) for name in _OPEN if name != "weight")]
        order = sort_order(*keys)
        return cls(**{name: column[order] for name, column in columns.items()})

    def part(self, begin: int, end: int) -> OpenRows:
        """Those of the units from `begin` to before `end`, numbered from 0."""
        rows = slice(*np.searchsorted(self.unit, [begin, end]))
        found = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return OpenRows(**(found | {"unit": found["unit"] - begin}))


_OPTIONAL = ("right", "relocated")
_OPEN = ("site", "day", "left", "right", "relocated", "deadline", "weight")


def curve_inputs(rows: EpisodeRows, companies: int) -> CurveInputs:
    """The times of all episodes, by place of the company."""
    delivered = rows.state != UNDELIVERED
    order = sort_order(rows.place) if delivered.all() else np.flatnonzero(delivered)[sort_order(rows.place[delivered])]
    times = {name: getattr(rows, name) for name in ("left", "right", "relocated")}
    step = 900 * _MICROSECONDS_PER_SECOND
    divisors = [np.gcd.reduce(time, where=time != NEVER, initial=0) for time in times.values()]
    unit = int(np.gcd.reduce([step, *divisors]))
    for name, found in times.items():
        scaled = np.where(found == NEVER, NEVER, found // unit)
        times[name] = (scaled.astype(np.int32) if scaled.max(initial=0) < 2**31 else scaled)[order]
    mature = (rows.state >= OPEN)[order].astype(np.int8)
    left, weight = times["left"], np.ones(len(order), np.int32)
    return CurveInputs(
        companies, unit, rows.place[order], rows.site[order], left, left, times["right"], times["relocated"], weight,
        mature=mature,
    )  # fmt: skip


@dataclass(frozen=True)
class _Fit:
    """The estimate of each unit of a part, in units of time; `width`: of its grid, 1: exact."""

    found: CompetingRisks
    width: Integers

    def rounded(self, group: Integers, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        width = self.width[group]
        return np.floor(left / width) * width, np.ceil(right / width) * width


@dataclass(frozen=True)
class RemovalEstimates:
    """All units in their order; their relocations by country; of the open rows the shares (a, b) of the estimate."""

    removal: Removal
    destinations: Destinations
    a: Floats
    b: Floats
    countries: tuple[str, ...]


def estimate_removal(
    inputs: CurveInputs, units: Units, rows: OpenRows, moved: MovedRows, effective: Floats, method: Method
) -> RemovalEstimates:
    """Everything that the times of the episodes say of each unit. `effective`: sites of each, if all were of a size."""
    t = special.stdtrit(np.maximum(effective / 2, 1.0), 0.5 + method.confidence / 2)

    def one(begin: int, end: int, part: CurveInputs) -> RemovalEstimates:
        found = _estimate(part, rows.part(begin, end), moved.part(begin, end), t[begin:end], method)
        shifted = replace(found.destinations, unit=found.destinations.unit + begin)
        return replace(found, destinations=shifted)

    parts = _by_unit(inputs, units, one)
    return RemovalEstimates(
        _joined([part.removal for part in parts]),
        _joined([part.destinations for part in parts]),
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        moved.countries,
    )


def _by_unit(inputs: CurveInputs, units: Units, work: Callable[[int, int, CurveInputs], _T]) -> list[_T]:
    """What `work` gives of each stretch of units, in their order: from, up to, and their inputs."""

    def together(unit: int, mask: Booleans) -> _T:
        return work(unit, unit + 1, inputs.together(mask))

    def apart(some: slice) -> _T:
        return work(1 + some.start, 1 + some.stop, inputs.part(some))

    with ThreadPoolExecutor(_THREADS) as pool:  # compiled code, and much of numpy, lets the other work meanwhile
        network, *others = [pool.submit(together, unit, mask) for unit, mask in units.masks]
        companies = [pool.submit(apart, some) for some in inputs.parts(_ROWS)]
        return [each.result() for each in (network, *companies, *others)]


def _joined(values: Sequence[_R]) -> _R:
    """Records of arrays with one entry a unit, or of such records, one after the other."""
    found = {}
    for field in fields(values[0]):
        parts = [getattr(value, field.name) for value in values]
        found[field.name] = _joined(parts) if is_dataclass(parts[0]) else np.concatenate(parts)
    joined: _R = type(values[0])(**found)
    return joined


def estimated_shares(inputs: CurveInputs, units: Units, rows: OpenRows, method: Method) -> tuple[Floats, Floats]:
    """The shares (a, b) of the open rows alone: what another deadline needs."""

    def one(begin: int, end: int, part: CurveInputs) -> tuple[Floats, Floats]:
        return _open_shares(_fit(part, method, _mature(part)), rows.part(begin, end), part.unit)

    found = _by_unit(inputs, units, one)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def _mature(inputs: CurveInputs) -> Booleans:
    assert inputs.mature is not None
    return inputs.mature > 0


def _estimate(inputs: CurveInputs, rows: OpenRows, moved: MovedRows, t: Floats, method: Method) -> RemovalEstimates:
    every, mature = _fit(inputs, method), _mature(inputs)
    of_mature = every if bool(mature.all()) else _fit(inputs, method, mature)
    shares = _open_shares(of_mature, rows, inputs.unit)
    destinations = _destinations(every, moved, inputs.unit, method)
    return RemovalEstimates(_removal(inputs, every, t, method), destinations, *shares, moved.countries)


def _destinations(fit: _Fit, moved: MovedRows, unit: int, method: Method) -> Destinations:
    left, right = fit.rounded(moved.unit, moved.left / unit, moved.relocated / unit)
    horizons = _instants(method.relocation_hours, unit)
    columns = (moved.unit, moved.country, left, right, moved.weight, horizons)
    group, country, incidence = relocated_by_destination(fit.found, *columns)
    episodes = sum_groups(moved.weight, group_starts(moved.unit, moved.country))
    return Destinations(group, country, episodes, incidence)


def _fit(inputs: CurveInputs, method: Method, chosen: Booleans | None = None) -> _Fit:
    """The estimate of the episodes, or of the chosen ones; on a grid where there are too many distinct intervals."""
    removed = inputs.right != NEVER
    relocated = ~removed & (inputs.relocated != NEVER)
    cause = np.where(removed, REMOVED, np.where(relocated, RELOCATED, CENSORED)).astype(np.int8)
    end = np.where(removed, inputs.right, np.where(relocated, inputs.relocated, inputs.left))
    columns = [inputs.company, inputs.left, end, cause]
    if chosen is not None:
        columns = [column[chosen] for column in columns]
    width = _known_width(columns, inputs, method)
    if width:
        grid = np.array([width])
        keys, count = count_rows(*_on_grid(columns, width))
    else:
        keys, count = count_rows(*columns)
        distinct = np.bincount(keys[0], minlength=inputs.companies).astype(np.float64)
        grid = method.grid_seconds(distinct) * _MICROSECONDS_PER_SECOND // inputs.unit
        if grid.any():
            keys, (count,) = group_by(_on_grid(keys, np.maximum(grid, 1)[keys[0]]), [count])
    company, left, right, ended = keys
    found = competing_risks(company, left.astype(float), right.astype(float), ended, count, inputs.companies)
    return _Fit(found, np.maximum(grid, 1))


def _known_width(columns: Sequence[AnyIntegers], inputs: CurveInputs, method: Method) -> int:
    """The width of the grid of a single unit where a part of its rows has enough distinct intervals to tell; else 0."""
    rows = len(columns[0])
    if inputs.companies > 1 or rows <= _SAMPLE:
        return 0
    distinct = len(count_rows(*(column[:_SAMPLE] for column in columns))[1])
    least, most = method.grid_seconds(np.array([distinct, rows], np.float64)).tolist()
    return least * _MICROSECONDS_PER_SECOND // inputs.unit if least == most else 0


def _on_grid(columns: Sequence[AnyIntegers], step: AnyIntegers | int) -> list[AnyIntegers]:
    """Company, left, right and cause with left ends rounded down, right ends up, and censored ones down."""
    company, left, right, cause = columns
    up = -(-right // step) * step
    return [company, left // step * step, np.where(cause == CENSORED, right // step * step, up), cause]


def _open_shares(fit: _Fit, rows: OpenRows, unit: int) -> tuple[Floats, Floats]:
    removed, relocated = rows.right != NEVER, rows.relocated != NEVER
    end = np.where(removed, rows.right, np.where(relocated, rows.relocated, rows.left)) / unit
    cause = np.where(removed, REMOVED, np.where(relocated, RELOCATED, CENSORED))
    left, right = fit.rounded(rows.unit, rows.left / unit, end)
    return shares_by_deadline(fit.found, rows.unit, left, right, cause, rows.deadline / unit)


def _removal(inputs: CurveInputs, fit: _Fit, t: Floats, method: Method) -> Removal:
    hours, horizons = _instants(range(_LAST_HOUR + 1), inputs.unit), _instants(method.relocation_hours, inputs.unit)
    lenient = _reading(any_event_lenient(inputs), t, method)
    strict = _reading(any_event(inputs), t, method)
    found = fit.found
    return Removal(
        found.incidence(REMOVED, hours),
        found.incidence(RELOCATED, hours),
        np.stack([found.quantile(REMOVED, share) for share in (0.5, 0.9)], axis=1) / _units_per_hour(inputs.unit),
        np.where(fit.width > 1, fit.width * inputs.unit // _MICROSECONDS_PER_SECOND, 0),
        lenient,
        strict,
        found.incidence(RELOCATED, horizons),
    )


def _units_per_hour(unit: int) -> float:
    return MICROSECONDS_PER_HOUR / unit


def _instants(hours: Sequence[float], unit: int) -> Floats:
    return np.array([round(hour * MICROSECONDS_PER_HOUR) / unit for hour in hours])


def _reading(risk_set: RiskSet, t: Floats, method: Method) -> Reading:
    """The limits of F of relocation are on the log(-log) scale; nan where nothing moved."""
    hours = np.arange(_LAST_HOUR + 1, dtype=np.int64) * MICROSECONDS_PER_HOUR
    horizons = np.array([round(hours * MICROSECONDS_PER_HOUR) for hours in method.relocation_hours])
    until, known = round(method.restricted_mean_hours * MICROSECONDS_PER_HOUR), np.nan_to_num(t, nan=1.0)
    found: RemovalCurves = removal_curves(risk_set, hours, horizons, until, known)
    area, low, high = (values / MICROSECONDS_PER_HOUR for values in (found.area, found.low, found.high))
    moved = found.moved if risk_set.relocations.any() else np.full(found.moved.shape, np.nan)
    z = special.ndtri(0.5 + method.confidence / 2)
    moved_se = np.sqrt(found.moved_variance) * (known / z)[:, np.newaxis]  # t in the place of z
    return Reading(found.removed, found.variance, area, low, high, *loglog_interval(moved, moved_se, method.confidence))
