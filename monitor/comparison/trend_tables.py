"""The trend and what moved it as JSON and CSV, one line a quarter."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from monitor.comparison.decomposition import Step
from monitor.comparison.trend import TrendPoint
from monitor.score.table import Share
from monitor.tables.sheets import Cell, flat, guarded

_PARTS: Mapping[str, str] = {
    "before": "before", "after": "after", "change": "change", "behaviour": "behaviour", "behaviour_low": "low",
    "behaviour_high": "high", "mix": "mix", "arrivals": "arrivals", "departures": "departures", "unnamed": "unnamed",
}  # fmt: skip
_LATE = ("before", "after", "by_volume", "by_rate")
_OF_A_COMPANY = ("below",)


def trend_json(points: Sequence[TrendPoint], steps: Sequence[Step]) -> dict[str, Any]:
    """The quarters, and each step from one release to the next with its parts and what every company did to it."""
    return {"quarters": [_point(point) for point in points], "steps": [step_json(step) for step in steps]}


def step_json(step: Step) -> dict[str, Any]:
    """One step; the parts and the companies are null where there is an `obstacle`."""
    ends = {"from": step.old.period, "to": step.new.period, "obstacle": step.obstacle, "basis": _basis(step)}
    return ends | _parts(step) | {"companies": step.found and [asdict(each) for each in step.found.companies]}


def trend_csv(points: Sequence[TrendPoint], steps: Sequence[Step]) -> str:
    """One line a quarter; the columns of a step are those of the step that ends there."""
    ending = {step.new.period: step for step in steps}
    lines = [_quarter(point) | _step(ending.get(point.period)) for point in points]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    sheet = io.StringIO()
    csv.writer(sheet).writerows([columns, *([guarded(line.get(name)) for name in columns] for line in lines)])
    return sheet.getvalue()


def _point(point: TrendPoint) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(point).items() if name not in _OF_A_COMPANY}


def _quarter(point: TrendPoint) -> dict[str, Cell]:
    nothing = asdict(Share(None, None, None, None))
    data = _point(point)
    return flat({**data, "lenient": data["lenient"] or nothing, "strict": data["strict"] or nothing})


def _basis(step: Step) -> str | None:
    return None if step.found is None else step.found.basis


def _parts(step: Step) -> dict[str, Any]:
    found = step.found
    late = {f"late_{name}": getattr(found.late, name) if found else None for name in _LATE}
    return {name: getattr(found, field) if found else None for name, field in _PARTS.items()} | late


def _step(step: Step | None) -> dict[str, Cell]:
    if step is None:
        return {}
    about = {"from": step.old.period, "obstacle": step.obstacle, "basis": _basis(step)}
    return flat({"step": {**about, **_parts(step)}})
