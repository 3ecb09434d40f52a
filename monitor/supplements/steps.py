"""Enforcement steps from a file, and their effects on every figure of the panel, with where material moved instead."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from monitor.errors import MonitorError
from monitor.instants import is_quarter, parse_period, quarter_label, quarter_number, quarter_of, to_instant
from monitor.supplements.inputs import Inputs
from monitor.supplements.panel import OUTCOMES, Panel, QuarterFigures, panel
from monitor.supplements.step_effect import (
    AFTER,
    BEFORE,
    LEAST_SITES,
    PLACEBO_SHIFT,
    Figures,
    StepEffect,
    Steps,
    step_effect,
)

COLUMNS = ("company", "in_force_from")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Displacement:
    """Of one treated company: episodes relocated in the quarters before and after its step, by country (empty: not
    known)."""

    company: str
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StepEffects:
    """By figure of the panel what came of the steps; `steps` by company the first quarter in force, by its label."""

    steps: Mapping[str, str]
    effects: Mapping[str, StepEffect]
    displacement: tuple[Displacement, ...]


def read_steps(path: Path) -> dict[str, int]:
    """By company key the number of the first quarter in which a step of it is in force; of several the first counts.

    A CSV file with the columns of COLUMNS, and any others; the day is written 2026-04-01. Raises MonitorError that
    names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise MonitorError(f"{path.name} has no column {', '.join(missing)}; write {','.join(COLUMNS)} first")
            found: dict[str, int] = {}
            for row in rows:
                company, quarter = _step(path.name, rows.line_num, row)
                found[company] = min(quarter, found.get(company, quarter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MonitorError(f"{path.name} cannot be read as CSV in UTF-8 ({type(error).__name__})") from error
    if not found:
        raise MonitorError(f"{path.name} names no step")
    return found


def _step(name: str, line: int, row: Mapping[str, str | None]) -> tuple[str, int]:
    company, day = ((row[column] or "").strip() for column in COLUMNS)
    if not company:
        raise MonitorError(f"{name}, line {line}: no company; write its key in the registry")
    begun = _day(day)
    if begun is None:
        raise MonitorError(f"{name}, line {line}: in_force_from is no day; write it as 2026-04-01")
    quarter = quarter_of(to_instant(datetime(begun.year, begun.month, begun.day, tzinfo=UTC)))
    return company, quarter_number(quarter.label)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def step_effects(inputs: Inputs, steps: Steps) -> StepEffects:
    """From the facts up to the quarter of the request.

    Raises MonitorError where that is no quarter, or a step is of a company that the registry does not know.
    """
    if not is_quarter(inputs.request.period.label):
        raise MonitorError("the effect of a step is measured by quarters: give one, such as --period 2026Q2")
    numbers = {label.key: number for number, label in inputs.labels.items()}
    if unknown := sorted(steps.keys() - numbers.keys()):
        raise MonitorError(f"no company {', '.join(unknown)} in the registry")
    first, last = min(steps.values()) + PLACEBO_SHIFT + BEFORE[0], quarter_number(inputs.request.period.label)
    quarters = range(first, min(max(steps.values()) + AFTER[-1] + 1, last) + 1)
    found = panel(inputs, [parse_period(quarter_label(number)) for number in quarters])
    keys = {number: inputs.named(number)[0] for number in found}
    effects = {name: step_effect(_figures(found, keys, quarters, name), steps) for name in OUTCOMES}
    return StepEffects(
        {company: quarter_label(steps[company]) for company in sorted(steps)},
        effects,
        tuple(_displacement(found.get(numbers[key], {}), key, steps[key] - first) for key in sorted(steps)),
    )


def _figures(found: Panel, keys: Mapping[int, str], quarters: Sequence[int], name: str) -> Figures:
    """One figure by company and quarter, where the company has enough sites and the figure is known."""
    figures: dict[str, dict[int, float]] = {}
    for number, by_quarter in found.items():
        for place, each in by_quarter.items():
            value = getattr(each, name)
            if each.sites >= LEAST_SITES and value is not None:
                figures.setdefault(keys[number], {})[quarters[place]] = value
    return figures


def _displacement(own: Mapping[int, QuarterFigures], company: str, step: int) -> Displacement:
    before, after = (_moved(own, [step + place for place in places]) for places in (BEFORE, AFTER))
    return Displacement(company, before, after)


def _moved(own: Mapping[int, QuarterFigures], places: Sequence[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place in places:
        for country, episodes in own[place].destinations.items() if place in own else ():
            found[country] = found.get(country, 0) + episodes
    return dict(sorted(found.items()))
