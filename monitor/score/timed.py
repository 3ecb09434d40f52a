"""All that follows from the times of episodes: curves and their readings, Turnbull's estimate, relocation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import stats

from monitor.score import cells, relocation
from monitor.score.cells import NEVER, Cells, Exits
from monitor.score.curves import curves
from monitor.score.methods import Method
from monitor.score.sorting import Floats, Integers, grouped
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
        _curve(cells.lenient(found), grid, method),
        _curve(cells.strict(found), grid, method),
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


def _curve(exits: Exits, grid: Integers, method: Method) -> Curve:
    """Readings of what was rounded up to a grid are rounded outwards; it ended half a step before, in the mean."""
    hours = np.arange(int(max(method.restricted_mean_hours, *method.survival_hours)) + 1) * TICKS
    until = round(method.restricted_mean_hours * TICKS)
    asked = np.unique(np.append(hours, until))
    found = curves(exits, asked, until, float(stats.norm.ppf(0.5 + method.confidence / 2)))
    ended = 1.0 - found.survival[:, np.searchsorted(asked, until)]
    (low_half, low_tenth), (high_half, high_tenth) = found.low.T - grid, found.high.T
    readings = {"low_half": low_half, "high_half": high_half, "low_tenth": low_tenth, "high_tenth": high_tenth}
    readings["restricted_mean"] = found.area - grid / 2 * ended
    places = np.searchsorted(asked, hours)
    return Curve(
        found.survival[:, places],
        found.variance[:, places],
        {name: values / TICKS for name, values in readings.items()},
    )


def _turnbull(found: Cells) -> Turnbull:
    """On the same grid: exact where that is affordable. What has no end comes last, as `turnbull` sorts."""
    ends, hours = found.up(found.right), TICKS / found.unit
    endless = ends.max(initial=0) + 1
    keys = [found.company, found.begin // found.width * found.width, np.where(ends == NEVER, endless, ends)]
    (company, left, right), (weight,) = grouped(keys, [found.weight])
    end = np.where(right == endless, np.inf, right / hours)
    return turnbull(company, left / hours, end, weight, found.companies)


def _moves(found: Cells, companies: Integers, moved: pa.Table | None, method: Method) -> Moves:
    """Nothing is computed where nothing was relocated: every incidence is 0, without an error."""
    hours = method.relocation_hours
    if moved is None:
        nothing = np.zeros((len(hours), len(companies)))
        return Moves(nothing, nothing, {})
    exits = cells.either(found)
    incidence = relocation.incidence(exits, np.array([round(each * TICKS) for each in hours]))
    countries = relocation.by_country(incidence, exits, companies, moved, hours)
    return Moves(incidence.value, incidence.variance, countries)
