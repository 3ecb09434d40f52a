"""All that is estimated from the times of episodes: curves and their figures, Turnbull's estimate, relocation."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import special

from monitor.estimators.aalen_johansen import CumulativeIncidence, aalen_johansen, incidence_by_cause
from monitor.estimators.arrays import Floats, Integers, group_by
from monitor.estimators.kaplan_meier import kaplan_meier
from monitor.estimators.risk_set import NEVER, CurveInputs, RiskSet, any_event, lenient, strict
from monitor.estimators.turnbull import Turnbull, turnbull
from monitor.score.aggregate import Aggregates
from monitor.score.engine import MICROSECONDS_PER_HOUR, to_numpy
from monitor.score.methods import Method

_THREADS, _ROWS = 2, 500_000  # parts side by side, and rows in each: what is quick and takes little memory

ByCountry = dict[tuple[int, str], tuple[int, list[float]]]


@dataclass(frozen=True)
class Curve:
    """One Kaplan-Meier curve of every company: (companies, hours + 1) arrays, and its figures by name, in hours."""

    survival: Floats
    variance: Floats
    figures: dict[str, Floats]


@dataclass(frozen=True)
class RelocationIncidence:
    """(horizons, companies) arrays of incidence and variance; by (company, country) the episodes and incidences."""

    incidence: Floats
    variance: Floats
    by_country: ByCountry


@dataclass(frozen=True)
class TimeEstimates:
    """What the times say of some companies."""

    lenient: Curve
    strict: Curve
    npmle: Turnbull
    relocation: RelocationIncidence


def estimate_times(aggregates: Aggregates, method: Method) -> TimeEstimates:
    """The estimates of all companies, in their order; that of the network comes first."""
    companies, grid, inputs = aggregates.companies, aggregates.grid, aggregates.inputs

    def network() -> TimeEstimates:
        return _estimate(inputs.pooled(int(grid[0])), companies[:1], grid[:1], aggregates.relocations, method)

    def part(some: slice) -> TimeEstimates:
        return _estimate(inputs.part(some), companies[1:][some], grid[1:][some], aggregates.relocations, method)

    with ThreadPoolExecutor(_THREADS) as pool:  # compiled code, and much of numpy, lets the other work meanwhile
        first = pool.submit(network)
        rest = pool.map(part, inputs.parts(_ROWS))
        return _concatenate([first.result(), *rest])


def _estimate(
    inputs: CurveInputs, companies: Integers, grid: Integers, relocations: pa.Table | None, method: Method
) -> TimeEstimates:
    """The estimates of `companies` with their grids in microseconds; `relocations` None: there are none."""
    return TimeEstimates(
        _curve(lenient(inputs), grid, method),
        _curve(strict(inputs), grid, method),
        _turnbull(inputs),
        _relocation(inputs, companies, relocations, method),
    )


def _concatenate(parts: Sequence[TimeEstimates]) -> TimeEstimates:
    """The companies of all parts, in their order."""
    relocation = [part.relocation for part in parts]
    return TimeEstimates(
        _concatenate_curves([part.lenient for part in parts]),
        _concatenate_curves([part.strict for part in parts]),
        Turnbull.concatenate([part.npmle for part in parts]),
        RelocationIncidence(
            np.concatenate([part.incidence for part in relocation], axis=1),
            np.concatenate([part.variance for part in relocation], axis=1),
            dict(item for part in relocation for item in part.by_country.items()),
        ),
    )


def _concatenate_curves(parts: Sequence[Curve]) -> Curve:
    return Curve(
        np.concatenate([part.survival for part in parts]),
        np.concatenate([part.variance for part in parts]),
        {name: np.concatenate([part.figures[name] for part in parts]) for name in parts[0].figures},
    )


def _curve(risk_set: RiskSet, grid: Integers, method: Method) -> Curve:
    """Figures of what was rounded up to a grid are rounded outwards; it ended half a step before, in the mean."""
    last = int(max(method.restricted_mean_hours, *method.survival_hours))
    hours = np.arange(last + 1) * MICROSECONDS_PER_HOUR
    until = round(method.restricted_mean_hours * MICROSECONDS_PER_HOUR)
    times = np.unique(np.append(hours, until))
    found = kaplan_meier(risk_set, times, until, float(special.ndtri(0.5 + method.confidence / 2)))
    ended = 1.0 - found.survival[:, np.searchsorted(times, until)]
    (low_half, low_tenth), (high_half, high_tenth) = found.low.T - grid, found.high.T
    figures = {"low_half": low_half, "high_half": high_half, "low_tenth": low_tenth, "high_tenth": high_tenth}
    figures["restricted_mean"] = found.area - grid / 2 * ended
    places = np.searchsorted(times, hours)
    return Curve(
        found.survival[:, places],
        found.variance[:, places],
        {name: values / MICROSECONDS_PER_HOUR for name, values in figures.items()},
    )


def _turnbull(inputs: CurveInputs) -> Turnbull:
    """On the same grid: exact where that is affordable. What has no end comes last, as `turnbull` sorts."""
    ends, units_per_hour = inputs.round_up(inputs.right), MICROSECONDS_PER_HOUR / inputs.unit
    endless = ends.max(initial=0) + 1
    keys = [inputs.company, inputs.begin // inputs.width * inputs.width, np.where(ends == NEVER, endless, ends)]
    (company, left, right), (weight,) = group_by(keys, [inputs.weight])
    end = np.where(right == endless, np.inf, right / units_per_hour)
    return turnbull(company, left / units_per_hour, end, weight, inputs.companies)


def _relocation(
    inputs: CurveInputs, companies: Integers, relocations: pa.Table | None, method: Method
) -> RelocationIncidence:
    """Nothing is computed where nothing was relocated: every incidence is 0, without an error."""
    horizons = [round(hours * MICROSECONDS_PER_HOUR) for hours in method.relocation_hours]
    if relocations is None:
        nothing = np.zeros((len(horizons), len(companies)))
        return RelocationIncidence(nothing, nothing, {})
    risk_set = any_event(inputs)
    found = aalen_johansen(risk_set, np.array(horizons))
    by_country = _by_country(found, risk_set, companies, relocations, horizons)
    return RelocationIncidence(found.value, found.variance, by_country)


def _by_country(
    found: CumulativeIncidence, risk_set: RiskSet, companies: Integers, relocations: pa.Table, horizons: Sequence[int]
) -> ByCountry:
    """By (company, country) the relocations in all, and the incidence at each horizon."""
    company, times, episodes = (to_numpy(relocations[name]) for name in ("company", "t", "episodes"))
    countries, country = np.unique(relocations["country"].to_pylist(), return_inverse=True)
    rows = np.flatnonzero(np.isin(company, companies))
    rows = rows[np.lexsort((times[rows], country[rows], company[rows]))]
    index = np.searchsorted(companies, company[rows])
    parts = incidence_by_cause(found, risk_set, index, country[rows], times[rows], episodes[rows], horizons)
    names = countries[parts.cause].tolist()
    keys = zip(companies[parts.company].tolist(), names, strict=True)
    values = zip(parts.relocations.tolist(), parts.incidence.tolist(), strict=True)
    return dict(zip(keys, values, strict=True))
