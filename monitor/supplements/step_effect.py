"""The effect of an enforcement step (letter, instruction, order) on the companies that got it, against those without.

Y_kq is a figure of company k in quarter q, s the first quarter in which the step is in force.

    before   B_k = {s-4, s-3, s-2}     s-1 chose the company: with it, regression to the mean looks like an effect
    after    A_k = {s, .., s+3}
    control  C_q = companies with no step up to and including q
    D_k      = mean over q in A_k of [ (Y_kq - mean_B Y_k) - mean over c in C_q of (Y_cq - mean_B Y_c) ]
    effect   = mean of D_k

A quarter of a company is used where it has 5 sites in it. B_k and A_k need two quarters each; a quarter of A_k counts
with three controls that have all of B_k and it. The standard error is a delete-one-company jackknife over treated and
control companies, each in its own stratum, with t on min(m, c) - 1 degrees. With fewer than six treated companies there
is no effect, only the change of each. (Callaway and Sant'Anna, J. Econometrics 225, 2021: not-yet-treated controls.)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from monitor.estimators.rounding import round_known, round_number

BEFORE, AFTER = (-4, -3, -2), (0, 1, 2, 3)
PLACEBO_SHIFT, PLACEBO_AFTER = -4, (0, 1, 2)  # of a step at s - 4 that never was; its last quarter would be s - 1
EVENTS = range(-4, 5)
LEAST_QUARTERS, LEAST_CONTROLS, LEAST_TREATED, LEAST_SITES = 2, 3, 6, 5
_CONFIDENCE = 0.95

Figures = Mapping[str, Mapping[int, float]]  # by company and number of the quarter, where it has enough sites
Steps = Mapping[str, int]  # by company the first quarter in which its step is in force


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """D of one treated company, and how many quarters before and after it rests on."""

    company: str
    change: float
    quarters_before: int
    quarters_after: int


@dataclass(frozen=True, slots=True)
class EventPoint:
    """The mean difference from the controls, `quarter` quarters from the step (-1: the quarter that chose it)."""

    quarter: int
    difference: float | None
    companies: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The mean of D with its limits; `without` gives it leaving out each treated company in turn."""

    value: float
    se: float
    low: float
    high: float
    without: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StepEffect:
    """What came of the steps for one figure.

    `effect` is None with fewer than LEAST_TREATED companies in `changes`: then the word is change, never effect.
    `placebo` is the same for steps four quarters earlier, where nothing happened; it should be about 0. `left_out` are
    the treated companies without enough quarters or controls; `missing` the quarters that a treated company lacks.
    """

    changes: tuple[CompanyChange, ...]
    controls: int
    effect: Effect | None
    placebo: Effect | None
    events: tuple[EventPoint, ...]
    left_out: tuple[str, ...]
    missing: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One quarter after the step of one company: its own difference, and those of the controls."""

    company: str
    own: float
    controls: Mapping[str, float]


def step_effect(figures: Figures, steps: Steps) -> StepEffect:
    """The effect on one figure. `steps` may name companies that have no figures."""
    cells = _cells(figures, steps, steps, AFTER)
    treated = _by_company(cells)
    placebo_cells = _cells(figures, steps, {k: s + PLACEBO_SHIFT for k, s in steps.items()}, PLACEBO_AFTER)
    change = _changes(treated)
    before = {k: len(_base(figures[k], steps[k])) for k in treated}
    return StepEffect(
        changes=tuple(CompanyChange(k, round_known(change[k]), before[k], len(treated[k])) for k in sorted(treated)),
        controls=len(_controls(treated)),
        effect=_effect(treated, named=True),
        placebo=_effect(_by_company(placebo_cells), named=False),
        events=tuple(_event(figures, steps, place) for place in EVENTS),
        left_out=tuple(sorted(steps.keys() - treated.keys())),
        missing={k: missing for k in sorted(steps) if (missing := _missing(figures.get(k, {}), steps[k]))},
    )


def _base(own: Mapping[int, float], step: int) -> list[int]:
    return [step + place for place in BEFORE if step + place in own]


def _missing(own: Mapping[int, float], step: int) -> tuple[int, ...]:
    return tuple(step + place for place in (*BEFORE, *AFTER) if step + place not in own)


def _cells(figures: Figures, steps: Steps, at: Steps, after: Collection[int]) -> list[_Cell]:
    """The quarters that count, of the companies that have enough of them; `at` is where the step is taken to be."""
    found: list[_Cell] = []
    for company in sorted(at.keys() & figures.keys()):
        step = at[company]
        cells = [
            cell
            for place in after
            if (cell := _cell(figures, steps, company, step, step + place)) and len(cell.controls) >= LEAST_CONTROLS
        ]
        if len(cells) >= LEAST_QUARTERS:
            found += cells
    return found


def _cell(figures: Figures, steps: Steps, company: str, step: int, quarter: int) -> _Cell | None:
    """None where the company lacks the quarter, or enough of those before."""
    own = figures[company]
    base = _base(own, step)
    if quarter not in own or len(base) < LEAST_QUARTERS:
        return None
    latest = max(quarter, step)  # before a step, a company that gets one at the same time is no control either
    controls = {
        other: theirs[quarter] - _mean(theirs, base)
        for other, theirs in figures.items()
        if other != company and not _stepped(steps, other, latest) and all(q in theirs for q in (*base, quarter))
    }
    return _Cell(company, own[quarter] - _mean(own, base), controls)


def _stepped(steps: Steps, company: str, quarter: int) -> bool:
    return company in steps and steps[company] <= quarter


def _mean(own: Mapping[int, float], quarters: list[int]) -> float:
    return math.fsum(own[quarter] for quarter in quarters) / len(quarters)


def _by_company(cells: list[_Cell]) -> dict[str, list[_Cell]]:
    found: dict[str, list[_Cell]] = {}
    for cell in cells:
        found.setdefault(cell.company, []).append(cell)
    return found


def _controls(treated: Mapping[str, list[_Cell]]) -> set[str]:
    return {company for cells in treated.values() for cell in cells for company in cell.controls}


def _changes(treated: Mapping[str, list[_Cell]], without: str | None = None) -> dict[str, float]:
    """D of each treated company; `without` one company, as treated and as control."""
    found = {}
    for company, cells in treated.items():
        if company == without:
            continue
        differences = []
        for cell in cells:
            others = [value for other, value in cell.controls.items() if other != without]
            differences.append(cell.own - math.fsum(others) / len(others))
        found[company] = math.fsum(differences) / len(differences)
    return found


def _average(changes: Mapping[str, float]) -> float:
    return math.fsum(changes.values()) / len(changes)


def _effect(treated: Mapping[str, list[_Cell]], *, named: bool) -> Effect | None:
    """None with too few treated companies."""
    m = len(treated)
    if m < LEAST_TREATED:
        return None
    controls = _controls(treated)
    value = _average(_changes(treated))
    leave_one_out = {company: _average(_changes(treated, company)) for company in sorted(treated.keys() | controls)}
    strata = (sorted(treated), sorted(controls - treated.keys()))
    se = math.sqrt(math.fsum(_jackknife([leave_one_out[company] for company in stratum]) for stratum in strata))
    half = float(special.stdtrit(min(m, len(controls)) - 1, 0.5 + _CONFIDENCE / 2)) * se
    without = {company: round_known(leave_one_out[company]) for company in sorted(treated)} if named else {}
    return Effect(round_known(value), round_known(se), round_known(value - half), round_known(value + half), without)


def _jackknife(values: list[float]) -> float:
    """(n - 1) / n times the sum of squares around their mean: for a mean, the variance of the mean."""
    n = len(values)
    return (n - 1) / n * float(((np.array(values) - np.mean(values)) ** 2).sum()) if n else 0.0


def _event(figures: Figures, steps: Steps, place: int) -> EventPoint:
    differences = []
    for company in sorted(steps.keys() & figures.keys()):
        cell = _cell(figures, steps, company, steps[company], steps[company] + place)
        if cell is not None and len(cell.controls) >= LEAST_CONTROLS:
            differences.append(cell.own - math.fsum(cell.controls.values()) / len(cell.controls))
    mean = round_number(math.fsum(differences) / len(differences)) if differences else None
    return EventPoint(place, mean, len(differences))
