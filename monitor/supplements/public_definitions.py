"""The same facts under each public definition of removal times, as its publisher computes it: from detected removals.

| definition | from | to | of what |
|---|---|---|---|
| INHOPE, annual report | receipt at the national hotline | detected removal | calendar days (UTC): < 1, 1-3, 4-6, 7+ |
| eco, annual report | first notice | detected removal | the mean in days of what was removed |
| IWF, annual report | first notice | detected removal | shares within 60 minutes, 2 and 24 hours |
| TU Delft, hosting monitor | first notice | detected removal | the share within 24 hours |

A detected removal is the first check that found the item gone: how often somebody looked is in all of these figures.
INHOPE and eco count what was removed only, and the faster a part of it is, the better they look while the rest stays
online; IWF and TU Delft count all that was noticed long enough ago.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ibis import _

from monitor.estimators.arrays import Floats
from monitor.estimators.rounding import round_number
from monitor.instants import DAY, HOUR
from monitor.score.engine import Expr, fetch, round_down, to_numpy
from monitor.supplements.inputs import Inputs

IWF_HOURS = (1, 2, 24)
DELFT_HOURS = 24
_INHOPE = (("less than 1", 0, 0), ("1 to 3", 1, 3), ("4 to 6", 4, 6), ("7 and more", 7, None))


@dataclass(frozen=True, slots=True)
class DayClass:
    """Items removed so many calendar days after receipt, and their share of all that were removed."""

    days: str
    items: int
    share: float | None


@dataclass(frozen=True, slots=True)
class WithinHours:
    """Of the items noticed at least so many hours before the reference date: those found gone within them."""

    hours: int
    items: int
    removed: int
    share: float | None


@dataclass(frozen=True, slots=True)
class PublicDefinitions:
    """Shares are fractions of one; None where nothing can be counted."""

    inhope: tuple[DayClass, ...]
    inhope_not_removed: int
    eco_mean_days: float | None
    eco_removed: int
    iwf: tuple[WithinHours, ...]
    tu_delft: WithinHours


def public_definitions(inputs: Inputs, received: Expr) -> PublicDefinitions:
    """Of the items `received` in the period (content, national, gone), and of the episodes that began in it."""
    hours, since = _noticed(inputs)
    days = _days(inputs, received)
    removed = hours[~np.isnan(hours)]
    return PublicDefinitions(
        inhope=tuple(_class(days, *bounds) for bounds in _INHOPE),
        inhope_not_removed=int(np.isnan(days).sum()),
        eco_mean_days=round_number(float(removed.mean()) * HOUR / DAY) if removed.size else None,
        eco_removed=len(removed),
        iwf=tuple(_within(hours, since, most) for most in IWF_HOURS),
        tu_delft=_within(hours, since, DELFT_HOURS),
    )


def _noticed(inputs: Inputs) -> tuple[Floats, Floats]:
    """Hours by the wall from the notice to the detected removal (nan: none) and to the reference date, an episode each.

    Relocated is not removed.
    """
    rows = inputs.scored.select(
        hours=(_.removed - _.start) / float(HOUR), since=(inputs.request.as_of - _.start) / float(HOUR)
    )
    table = fetch(inputs.engine, rows)
    return to_numpy(table["hours"]).astype(np.float64), to_numpy(table["since"]).astype(np.float64)


def _days(inputs: Inputs, received: Expr) -> Floats:
    """Calendar days (UTC) from receipt to detected removal, an item each; nan: not removed."""
    rows = received.filter(_.gone.isnull() | (_.gone >= _.national))
    days = (round_down(rows.gone, DAY) - round_down(rows.national, DAY)) / float(DAY)
    return to_numpy(fetch(inputs.engine, rows.select(days=days))["days"]).astype(np.float64)


def _class(days: Floats, name: str, least: int, most: int | None) -> DayClass:
    removed = days[~np.isnan(days)]
    counted = int(((removed >= least) & (removed <= (np.inf if most is None else most))).sum())
    return DayClass(name, counted, round_number(counted / len(removed)) if removed.size else None)


def _within(hours: Floats, since: Floats, most: int) -> WithinHours:
    old_enough = since >= most
    items, removed = int(old_enough.sum()), int((hours[old_enough] <= most).sum())
    return WithinHours(most, items, removed, round_number(removed / items) if items else None)
