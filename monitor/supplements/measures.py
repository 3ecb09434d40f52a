"""The measures by name: what `monitor supplements` can be asked for, and each answer as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.instants import iso, quarter_label
from monitor.models.facts import Content
from monitor.score.pipeline import Request
from monitor.supplements import MEASURES
from monitor.supplements.case_mix import SITE_TYPES, CaseMix, case_mix
from monitor.supplements.clocks import Clocks, clocks
from monitor.supplements.cusum import Cusum, cusum
from monitor.supplements.inputs import Inputs, opened
from monitor.supplements.recurrence import Recurrence, recurrence
from monitor.supplements.returned import Returned, drawn_contents, returned
from monitor.supplements.steps import StepEffects, read_steps, step_effects
from monitor.supplements.trend import TrendStep, trend_step
from monitor.vault import Vault

Answer: TypeAlias = Recurrence | Returned | CaseMix | Cusum | TrendStep | Clocks | StepEffects
_OF_FACTS_ALONE: Mapping[str, Callable[[Inputs], Answer]] = MappingProxyType(
    {"recurrence": recurrence, "cusum": cusum, "trend": trend_step, "clocks": clocks}
)
_AT_ONCE = 5_000  # a statement holds only so many values


def measure(name: str, session: Session, request: Request, vault: Vault, steps: Path | None = None) -> Answer:
    """One of MEASURES, from the facts that a request asks for; `steps` is the file that `step-effect` needs.

    Raises MonitorError for an unknown name, for a file that is missing or not asked for, and as each measure does.
    """
    if name not in MEASURES:
        raise MonitorError(f"no measure {name!r}; there are: {', '.join(MEASURES)}")
    if (steps is None) == (name == "step-effect"):
        raise MonitorError(
            "step-effect needs --steps FILE, a CSV file with company,in_force_from"
            if steps is None
            else f"--steps is for step-effect alone, not for {name}"
        )
    enforcement = read_steps(steps) if steps is not None else {}
    with opened(session, request) as inputs:
        if name == "case-mix":
            return case_mix(inputs, site_types(session, vault))
        if name == "returned":
            return returned(inputs, drawn_contents(session))
        if name == "step-effect":
            return step_effects(inputs, enforcement)
        return _OF_FACTS_ALONE[name](inputs)


def site_types(session: Session, vault: Vault) -> dict[int, str]:
    """By site whether its host is a name or an address: one URL of each is opened, and nothing of it is kept."""
    first = list(session.scalars(select(func.min(Content.id)).group_by(Content.site_id)))
    _, by_name, by_address = SITE_TYPES
    found = {}
    for start in range(0, len(first), _AT_ONCE):
        rows = select(Content.site_id, Content.url_sealed, Content.key_version)
        for site, sealed, version in session.execute(rows.where(Content.id.in_(first[start : start + _AT_ONCE]))):
            found[site] = by_address if vault.is_on_address(sealed, version) else by_name
    return found


def as_json(name: str, request: Request, answer: Answer) -> dict[str, Any]:
    """An answer as plain data, with what was asked."""
    asked = {
        "measure": name,
        "period": request.period.label,
        "as_of": iso(request.as_of),
        "known_at": iso(request.known_at),
        "method": request.method.version,
    }
    data = asdict(answer)
    if isinstance(answer, StepEffects):
        for effect in data["effects"].values():
            effect["missing"] = {
                company: [quarter_label(number) for number in numbers] for company, numbers in effect["missing"].items()
            }
    return asked | data
