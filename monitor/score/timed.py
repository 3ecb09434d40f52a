"""All that follows from the times of episodes: curves and their readings, Turnbull's estimate, relocation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from monitor.score import cells, clustered, relocation
from monitor.score.cells import NEVER, Cells, Ends
from monitor.score.methods import Method
from monitor.score.sorting import Floats, Integers, grouped
from monitor.score.survival import Steps, survival
from monitor.score.turnbull import Turnbull, turnbull
from monitor.score.whole import TICKS


@dataclass(frozen=True)
class Curve:
    """One Kaplan-Meier curve of every company: (companies, hours + 1) arrays, and its readings by name, in hours."""

    survival: Floats
    variance: Floats
    readings: dict[str, Floats]


@dataclass(frozen=True)
class Moves:
    """Relocation: (horizons, companies) arrays of incidence and variance, and the same by (company, country)."""

    incidence: Floats
    variance: Floats
    by_country: dict[tuple[int, str], tuple[int, list[float]]]


@dataclass(frozen=True)
class Timed:
    """What the times say of some companies."""

    lenient: Curve
    strict: Curve
    npmle: Turnbull
    moves: Moves


def timed(found: Cells, companies: Integers, grid: Integers, moved: pa.Table | None, method: Method) -> Timed:
    """The estimates of `companies` with their grids in ticks; `moved`: rows of `relocation.moves`, or nothing moved."""
    return Timed(
        _curve(cells.lenient, found, grid, method),
        _curve(cells.strict, found, grid, method),
        _turnbull(found),
        _moves(found, companies, moved, method),
    )


def joined(parts: Sequence[Timed]) -> Timed:
    """The companies of all parts, in their order."""
    moves = [part.moves for part in parts]
    return Timed(
        _curves([part.lenient for part in parts]),
        _curves([part.strict for part in parts]),
        Turnbull.of([part.npmle for part in parts]),
        Moves(
            np.concatenate([part.incidence for part in moves], axis=1),
            np.concatenate([part.variance for part in moves], axis=1),
            dict(item for part in moves for item in part.by_country.items()),
        ),
    )


def _curves(parts: Sequence[Curve]) -> Curve:
    return Curve(
        np.concatenate([part.survival for part in parts]),
        np.concatenate([part.variance for part in parts]),
        {name: np.concatenate([part.readings[name] for part in parts]) for name in parts[0].readings},
    )


def _curve(reading: Callable[[Cells], Ends], found: Cells, grid: Integers, method: Method) -> Curve:
    steps = survival(reading(found))
    variances = clustered.variance(steps)
    hours = np.arange(int(max(method.restricted_mean_hours, *method.survival_hours)) + 1)
    at = steps.latest(hours * TICKS)
    readings = _quantiles(steps, variances, grid, method) | {"restricted_mean": _mean(steps, grid, method)}
    return Curve(
        _at(steps.survival, at, 1.0),
        _at(variances, at, 0.0),
        {name: values / TICKS for name, values in readings.items()},
    )


def _quantiles(steps: Steps, variances: Floats, grid: Integers, method: Method) -> dict[str, Floats]:
    """Where the confidence limits reach 1/2 and 1/10, rounded outwards on a grid."""
    low, high = clustered.limits(steps, variances, method.confidence)
    return {
        "low_half": steps.first_time(low, 0.5) - grid,
        "high_half": steps.first_time(high, 0.5),
        "low_tenth": steps.first_time(low, 0.1) - grid,
        "high_tenth": steps.first_time(high, 0.1),
    }


def _mean(steps: Steps, grid: Integers, method: Method) -> Floats:
    """The restricted mean; what was rounded up to a grid ended half a step before, in the mean."""
    until = round(method.restricted_mean_hours * TICKS)
    ended = 1.0 - _at(steps.survival, steps.latest(np.array([until])), 1.0)[:, 0]
    mean: Floats = steps.area(until) - grid / 2 * ended
    return mean


def _at(values: Floats, place: Integers, before: float) -> Floats:
    """The value at each place, or that before the first one where the place is -1."""
    return np.append(values, before)[place]


def _turnbull(found: Cells) -> Turnbull:
    """On the same grid: exact where that is affordable."""
    keys = [found.company, found.begin, found.right - NEVER]
    (company, left, right), (weight,) = grouped(keys, [found.weight])
    hours = TICKS / found.unit
    end = np.where(right == 0, np.inf, (right + NEVER) / hours)
    return turnbull(company, left / hours, end, weight, found.companies)


def _moves(found: Cells, companies: Integers, moved: pa.Table | None, method: Method) -> Moves:
    """Nothing is computed where nothing was relocated: every incidence is 0, without an error."""
    hours = method.relocation_hours
    if moved is None:
        nothing = np.zeros((len(hours), len(companies)))
        return Moves(nothing, nothing, {})
    incidence = relocation.Incidence.of(survival(cells.exits(found)))
    values, variances = zip(*map(incidence.at, hours), strict=True)
    return Moves(np.stack(values), np.stack(variances), relocation.by_country(incidence, companies, moved, hours))
