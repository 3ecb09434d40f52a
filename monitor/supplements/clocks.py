"""Three clocks, one population each: how long the company takes, the hotline, and all of it together.

    company   notice (t2) -> removal             the episodes of the table that began in the period
    hotline   receipt (t0) -> notice (t2)        items received in the period; gone before the notice competes
    total     receipt (t0) -> removal            the same items, also those that were gone before any notice

Receipt is that at the first hotline that reports the item, or at the national one: the source of its first notice,
and of an item without notice the last to receive it. Two parts of the hotline's clock stand beside it: receipt (at the
national hotline) -> classification (t1) -> notice. Of each the earliest time ever stated counts
(docs/adr/0029-earliest-stated-times-of-receipt-and-classification.md). An item enters every clock of which it has the
start; what has not ended is censored at the reference date. The company's clock stands still where the method says so;
the others go by the wall.

All are the same estimate: nonparametric maximum likelihood with interval-censored competing risks. A removal lies
between the last check that found the item online and the first that found it gone.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
from ibis import _

from monitor.estimators.arrays import Floats
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks, competing_risks
from monitor.estimators.rounding import round_known, round_number
from monitor.instants import HOUR
from monitor.score.engine import Engine, Expr, fetch, keep, to_numpy
from monitor.supplements.inputs import Inputs
from monitor.supplements.public_definitions import PublicDefinitions, public_definitions
from monitor.vocabulary import CLOCK_STARTING, State

HOURS = (1.0, 4.0, 12.0, 24.0, 48.0, 72.0, 168.0)
_COMPETING = {"company": "relocated", "hotline": "gone before notice", "total": "moved"}
_COUNTED = (None, REMOVED, RELOCATED)  # all, and by cause


@dataclass(frozen=True, slots=True)
class ClockPoint:
    """After so many hours: the share ended, the share that the competing cause took, and what is still open."""

    hours: float
    ended: float
    competing: float
    still_open: float


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: its population, what of it has ended, and the estimate. Hours are None where they are not reached.

    `competing_cause` says what else can end it (None: nothing).
    """

    name: str
    start: str
    end: str
    competing_cause: str | None
    items: int
    ended: int
    competing: int
    median_hours: float | None
    p90_hours: float | None
    points: tuple[ClockPoint, ...]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks, and what each public definition gives for the same facts."""

    clocks: tuple[Clock, ...]
    definitions: PublicDefinitions


def clocks(inputs: Inputs) -> Clocks:
    """Of the items received, and the episodes begun, in the period."""
    items = keep(_items(inputs))
    start, end = inputs.request.bounds

    def received(column: str) -> Expr:
        return items.filter((items[column] >= start) & (items[column] < end))

    national, first = received("national"), received("first")
    found = (
        _company(inputs),
        _hotline(inputs, "hotline", "receipt at the national hotline", national.mutate(t0=_.national)),
        _hotline(inputs, "hotline, from the first", "receipt at the first hotline", first.mutate(t0=_["first"])),
        _total(inputs, "total", "receipt at the national hotline", national.mutate(t0=_.national)),
        _total(inputs, "total, from the first", "receipt at the first hotline", first.mutate(t0=_["first"])),
        _between(inputs, "receipt to classification", "receipt at the national hotline", "classification",
                 national.mutate(t0=_.national, t1=_.classified)),
        _between(inputs, "classification to notice", "classification", "first notice",
                 received("classified").mutate(t0=_.classified, t1=_.noticed)),
    )  # fmt: skip
    return Clocks(found, public_definitions(inputs, national))


def _items(inputs: Inputs) -> Expr:
    """One row an item: when it was received first and by the national hotline, classified, noticed, gone, moved.

    All are epoch seconds, null where it did not happen by the reference date. `gone`: the first confirmed removal, or
    one by decision; `gone_at`: when it was first found gone before its first notice, and not online again before that;
    `seen`, `seen_early`: the last checks that found it online before either. A notice is one that starts a clock, of
    the kinds that count.
    """
    as_of = inputs.request.as_of
    tables = inputs.tables("reports", "classifications", "first_notices")
    reports, classifications, by_source = (table.filter(_.t <= as_of) for table in tables.values())
    received = reports.group_by("content").aggregate(first=_.t.min())
    classified = classifications.group_by("content").aggregate(classified=_.t.min())
    noticed = _notices(inputs, as_of).group_by("content").aggregate(noticed=_.t.min())
    rows = _joined(received, _national(reports, by_source), classified, noticed)
    return _with_ends(inputs, rows)


def _joined(rows: Expr, *others: Expr) -> Expr:
    for other in others:
        rows = rows.outer_join(other, "content")
        rows = rows.mutate(content=rows.content.coalesce(rows.content_right)).drop("content_right")
        rows = keep(rows)  # in steps: SQLite reads no statement that is nested deeper
    return rows


def _notices(inputs: Inputs, as_of: int) -> Expr:
    kinds, arrived = [str(kind) for kind in inputs.rules.scored_kinds], [str(state) for state in CLOCK_STARTING]
    return inputs.facts.notices.filter((_.t <= as_of) & _.delivery.isin(arrived) & _.kind.isin(kinds))


def _national(reports: Expr, by_source: Expr) -> Expr:
    """(content, national): receipt at the source of the first notice, else at the source that received it last."""
    order = ibis.window(group_by="content", order_by=["t", "source"])
    sender = by_source.mutate(place=ibis.row_number().over(order)).filter(_.place == 0).select("content", "source")
    own = reports.join(sender, ["content", "source"]).select("content", sent=_.t)
    last = reports.anti_join(sender, "content").group_by("content").aggregate(last=_.t.max())
    both = own.outer_join(last, "content")
    return both.select(content=both.content.coalesce(both.content_right), national=both.sent.coalesce(both["last"]))


def _with_ends(inputs: Inputs, items: Expr) -> Expr:
    """The same rows with how each item ended, as far as that was seen after its receipt (else: its notice)."""
    since = items.select("content", "noticed", since=_["first"].coalesce(_.noticed))
    sightings = inputs.facts.sightings.filter(_.t <= inputs.request.as_of).select("content", "t", "state")
    decided = inputs.facts.decided_removals.filter(_.t <= inputs.request.as_of)
    decided = decided.select("content", "t", state=ibis.literal("decided"))
    seen = keep(ibis.union(sightings, decided).join(since, "content").filter(_.t >= _.since))
    online = seen.state == str(State.ONLINE)
    after = ibis.window(group_by="content", order_by=[seen.t, online.ifelse(0, 1)], following=(1, None))
    nothing = ibis.null("int64")
    seen = seen.mutate(again=online.ifelse(seen.t, nothing).min().over(after))
    stays = _.again.isnull() | (_.again - _.t > inputs.rules.reappear_within)
    removal = (_.state == "decided") | ((_.state == str(State.OFFLINE)) & stays)
    unseen = (_.state == str(State.OFFLINE)) & (_.t < _.noticed.coalesce(inputs.request.as_of + 1))
    early = unseen & (_.again.isnull() | (_.again > _.noticed.coalesce(inputs.request.as_of + 1)))
    ends = keep(
        seen.group_by("content").aggregate(
            gone=removal.ifelse(_.t, nothing).min(),
            gone_at=early.ifelse(_.t, nothing).min(),
            moved=(_.state == str(State.MOVED)).ifelse(_.t, nothing).min(),
        )
    )
    checks = seen.filter(_.state == str(State.ONLINE)).select("content", "t")
    before = checks.join(ends, "content").group_by("content").aggregate(
        seen=(_.t < ibis.least(_.gone.coalesce(_.t + 1), _.moved.coalesce(_.t + 1))).ifelse(_.t, nothing).max(),
        seen_early=(_.t < _.gone_at.coalesce(_.t + 1)).ifelse(_.t, nothing).max(),
    )  # fmt: skip
    with_ends = items.left_join(ends, "content").drop("content_right")
    return with_ends.left_join(before, "content").drop("content_right")


def _company(inputs: Inputs) -> Clock:
    """The episodes of the table, on the company's own clock."""
    rows = inputs.scored.select(
        left=_.last_online_h,
        right=_.first_offline_h.coalesce(_.relocated_h),
        cause=_.first_offline_h.notnull().ifelse(REMOVED, _.relocated_h.notnull().ifelse(RELOCATED, CENSORED)),
    )
    rows = rows.mutate(right=ibis.greatest(_.right, _.left))
    return _clock(inputs.engine, "company", ("first notice", "removal", _COMPETING["company"]), rows)


def _hotline(inputs: Inputs, name: str, start: str, items: Expr) -> Clock:
    """A notice has an exact time; what was gone before it was gone between two checks.

    What was noticed before it is said to have been received is left out.
    """
    as_of = inputs.request.as_of
    items = items.filter(_.noticed.isnull() | (_.noticed >= _.t0))
    gone = items.gone_at.notnull()
    noticed = items.noticed.notnull() & ~gone
    seen = ibis.greatest(items.seen_early.coalesce(items.t0), items.t0)
    gone_at = ibis.greatest(items.gone_at.coalesce(items.t0), items.t0)
    left = noticed.ifelse(items.noticed, gone.ifelse(ibis.least(seen, gone_at), as_of))
    right = noticed.ifelse(items.noticed, gone.ifelse(gone_at, as_of))
    cause = noticed.ifelse(REMOVED, gone.ifelse(RELOCATED, CENSORED))
    rows = items.select(left=left - items.t0, right=right - items.t0, cause=cause)
    return _clock(inputs.engine, name, (start, "first notice", _COMPETING["hotline"]), _in_hours(rows))


def _total(inputs: Inputs, name: str, start: str, items: Expr) -> Clock:
    """What moved to a host elsewhere is not removed; what was not looked at again is censored at the last check."""
    removed = items.gone.notnull() & (items.gone <= items.moved.coalesce(items.gone))
    moved = items.moved.notnull() & ~removed
    end = ibis.greatest(removed.ifelse(items.gone, items.moved).coalesce(items.t0), items.t0)
    left = ibis.greatest(items.seen.coalesce(items.t0), items.t0)
    cause = removed.ifelse(REMOVED, moved.ifelse(RELOCATED, CENSORED))
    left = (removed | moved).ifelse(ibis.least(left, end), left)
    rows = items.select(left=left - items.t0, right=end - items.t0, cause=cause)
    return _clock(inputs.engine, name, (start, "removal", _COMPETING["total"]), _in_hours(rows))


def _between(inputs: Inputs, name: str, start: str, end: str, items: Expr) -> Clock:
    """Between two stated times: exact, or not yet by the reference date. What stands in the wrong order is left out."""
    ended = items.t1.notnull()
    until = items.t1.coalesce(inputs.request.as_of)
    rows = items.filter((items.t1 >= items.t0) | items.t1.isnull())
    rows = rows.select(left=until - items.t0, right=until - items.t0, cause=ended.ifelse(REMOVED, CENSORED))
    return _clock(inputs.engine, name, (start, end, None), _in_hours(rows))


def _in_hours(rows: Expr) -> Expr:
    return rows.mutate(left=_.left / float(HOUR), right=_.right / float(HOUR))


def _clock(engine: Engine, name: str, words: tuple[str, str, str | None], rows: Expr) -> Clock:
    """The estimate from rows (left, right, cause), in hours; what is the same is counted in the engine."""
    grouped = rows.mutate(right=_.right.coalesce(-1.0), cause=_.cause.cast("int64"))
    grouped = grouped.group_by(["left", "right", "cause"]).aggregate(items=_.count())
    table = fetch(engine, grouped.order_by(["left", "right", "cause"]))
    left, right = (to_numpy(table[each]).astype(np.float64) for each in ("left", "right"))
    cause, items = (to_numpy(table[each]).astype(np.int64) for each in ("cause", "items"))
    total, ended, competing = (int(items[cause >= 0 if w is None else cause == w].sum()) for w in _COUNTED)
    if not total:
        return Clock(name, *words, 0, 0, 0, None, None, ())
    found = competing_risks(np.zeros(len(left), np.int64), left, right, cause, items, 1)
    median, p90 = _quantiles(found)
    return Clock(name, *words, total, ended, competing, median, p90, _points(found))


def _quantiles(found: CompetingRisks) -> tuple[float | None, float | None]:
    median, p90 = (float(found.quantile(REMOVED, share)[0]) for share in (0.5, 0.9))
    return round_number(median), round_number(p90)


def _points(found: CompetingRisks) -> tuple[ClockPoint, ...]:
    hours: Floats = np.array(HOURS)
    ended, other = (found.incidence(cause, hours)[0] for cause in (REMOVED, RELOCATED))
    rows = zip(HOURS, ended.tolist(), other.tolist(), strict=True)
    return tuple(
        ClockPoint(hour, round_known(a), round_known(b), round_known(max(1 - a - b, 0.0))) for hour, a, b in rows
    )
