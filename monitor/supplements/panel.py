"""The figures of each company in each quarter, all followed equally long: what the effect of a step is measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ibis import _

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks, competing_risks
from monitor.estimators.share_by_deadline import shares_by_deadline
from monitor.instants import DAY, Period
from monitor.score.engine import MICROSECONDS_PER_HOUR, bool_to_int, fetch, to_microseconds, to_numpy
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import is_late, is_mature
from monitor.supplements.inputs import Inputs

FOLLOWED_DAYS = 7  # each quarter is judged as of so many days after its end
WITHIN_HOURS = 168.0
OUTCOMES = ("on_time", "exposure_hours", "overdue", "removed_7d", "relocated_7d")


@dataclass(frozen=True, slots=True)
class QuarterFigures:
    """One company in one quarter; None: no estimate.

    `on_time`: the estimated share removed in time (rule R6). `exposure_hours`: hours online after notice, an episode.
    `overdue`: of the mature episodes, the share still outstanding and seen online after its deadline. `removed_7d`,
    `relocated_7d`: shares within 168 h of the notice. `destinations`: episodes relocated, by country.
    """

    sites: int
    on_time: float | None
    exposure_hours: float | None
    overdue: float | None
    removed_7d: float | None
    relocated_7d: float | None
    destinations: Mapping[str, int]


Panel = Mapping[int, Mapping[int, QuarterFigures]]  # by company and place of the quarter


def panel(inputs: Inputs, quarters: Sequence[Period]) -> Panel:
    """By company number and the place of each quarter; companies without an episode in a quarter are not in it."""
    found: dict[int, dict[int, QuarterFigures]] = {}
    for place, quarter in enumerate(quarters):
        as_of = min(quarter.end + FOLLOWED_DAYS * DAY, inputs.request.as_of)
        if not _any_episode(inputs, quarter):
            continue
        then = inputs.at(replace(inputs.request, period=quarter, as_of=as_of))
        for number, figures in quarter_figures(then).items():
            found.setdefault(number, {})[place] = figures
    return found


def _any_episode(inputs: Inputs, quarter: Period) -> bool:
    begun = inputs.every.filter((_.start >= quarter.start) & (_.start < quarter.end))
    return bool(fetch(inputs.engine, begun.aggregate(episodes=_.count()))["episodes"][0].as_py())


def quarter_figures(inputs: Inputs) -> dict[int, QuarterFigures]:
    """The figures of each company in the period of the request."""
    scored = inputs.scored.filter(_.company != UNATTRIBUTED)
    relocated = _.relocated_h.notnull() & _.first_offline_h.isnull()
    open_late = _.first_offline_h.isnull() & _.relocated_h.isnull() & ~_.unverified
    mature = is_mature(_.followed_h, _.deadline_h)
    counts = scored.group_by("company").aggregate(
        sites=_.site.nunique(),
        episodes=_.count(),
        mature=bool_to_int(mature).sum(),
        overdue=bool_to_int(mature & open_late & is_late(_.last_online_h, _.deadline_h)).sum(),
        online=to_microseconds(_.last_online_h).sum(),
    )
    table = fetch(inputs.engine, counts.order_by("company")).to_pylist()
    destinations = scored.filter(relocated).group_by(["company", "destination"]).aggregate(episodes=_.count())
    moved: dict[int, dict[str, int]] = {}
    for row in fetch(inputs.engine, destinations).to_pylist():
        moved.setdefault(row["company"], {})[row["destination"] or ""] = row["episodes"]
    on_time, removed, gone = _estimates(inputs, [row["company"] for row in table])
    return {
        row["company"]: QuarterFigures(
            sites=row["sites"],
            on_time=_or_none(on_time[index]),
            exposure_hours=row["online"] / row["episodes"] / MICROSECONDS_PER_HOUR,
            overdue=row["overdue"] / row["mature"] if row["mature"] else None,
            removed_7d=_or_none(removed[index]),
            relocated_7d=_or_none(gone[index]),
            destinations=dict(sorted(moved.get(row["company"], {}).items())),
        )
        for index, row in enumerate(table)
    }


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class _Rows:
    """Distinct (company index, L, R, cause, deadline, mature) and how many episodes are so; hours."""

    company: Integers
    left: Floats
    right: Floats
    cause: Integers
    deadline: Floats
    items: Integers
    mature: Integers


def _estimates(inputs: Inputs, companies: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Per company the estimated share on time, and the shares removed and relocated within WITHIN_HOURS."""
    rows, size = _rows(inputs, companies), len(companies)
    if not size:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    every = competing_risks(rows.company, rows.left, rows.right, rows.cause, rows.items, size)
    of_mature = rows.items * rows.mature
    judged = competing_risks(rows.company, rows.left, rows.right, rows.cause, of_mature, size)
    within = np.array([WITHIN_HOURS])
    removed, relocated = (every.incidence(cause, within)[:, 0] for cause in (REMOVED, RELOCATED))
    seen = rows.left, rows.right, rows.cause, rows.deadline
    return share_on_time(judged, rows.company, seen, of_mature), removed, relocated


def share_on_time(
    found: CompetingRisks, company: Integers, seen: tuple[Floats, Floats, Integers, Floats], items: Integers
) -> Floats:
    """Rule R6: sum a / sum b over the mature episodes, given what was `seen` of each (left, right, cause, deadline).

    As the estimate of method 2026.2 has them, whatever the method of the table; exact at any number of intervals. nan
    where the sum of b is 0.
    """
    some = np.flatnonzero(items)
    weight, own = items[some], company[some]
    left, right, cause, deadline = seen
    a, b = shares_by_deadline(found, own, left[some], right[some], cause[some], deadline[some])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            np.bincount(own, weight * a, found.groups) / np.bincount(own, weight * b, found.groups), np.float64
        )


def _rows(inputs: Inputs, companies: Sequence[int]) -> _Rows:
    scored = inputs.scored.filter(_.company != UNATTRIBUTED)
    ended, moved = scored.first_offline_h.notnull(), scored.relocated_h.notnull()
    rows = scored.mutate(
        right=scored.first_offline_h.coalesce(scored.relocated_h).coalesce(-1.0),
        cause=ended.ifelse(REMOVED, moved.ifelse(RELOCATED, CENSORED)).cast("int64"),
        mature=bool_to_int(is_mature(scored.followed_h, scored.deadline_h)),
    )
    keys = ["company", "last_online_h", "right", "cause", "deadline_h", "mature"]
    table = fetch(inputs.engine, rows.group_by(keys).aggregate(items=_.count()).order_by(keys))
    columns = [to_numpy(table[name]) for name in (*keys, "items")]
    company, cause, mature, items = (columns[place].astype(np.int64) for place in (0, 3, 5, 6))
    left, right, deadline = (columns[place].astype(np.float64) for place in (1, 2, 4))
    index = np.searchsorted(np.array(companies, np.int64), company).astype(np.int64)
    return _Rows(
        index, left, np.where(cause == CENSORED, left, np.maximum(right, left)), cause, deadline, items, mature
    )
