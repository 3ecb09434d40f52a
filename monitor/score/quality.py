"""What could be measured in a period and what could not: what the sources delivered, their gaps, and standstills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from monitor.estimators.arrays import Integers
from monitor.estimators.rounding import round_number
from monitor.instants import DAY, HOUR, iso, to_datetime, to_instant
from monitor.logs import redacted
from monitor.models.facts import Delivery, Suspension
from monitor.score.table import Quality, SourceQuality, Standstill
from monitor.vocabulary import Verdict

GAP = "gap"
_UNUSUAL = 4  # times the usual interval: what is longer is a gap, where it lasts a day
_FEW_ROWS = 10  # of a source with fewer in a delivery, the number of deliveries would disclose that of the rows
_PARTS = 1_000  # the share of rows is given in thousandths: exact, it could disclose their number

Times = Mapping[str, Sequence[int]]
Bounds = tuple[int, int]


def quality(session: Session, period: Bounds, known_at: int) -> Quality:
    """What is known by `known_at` of a period from its start to its end (not included), all in epoch seconds.

    Listed is each source that delivered in the period, in as long a time before it, or both before and after it.
    """
    times = _times(session, period, known_at)
    counted = _counted(session, period, known_at)
    gaps = [gap for source in times for gap in _gaps(source, times[source], period, known_at)]
    return Quality(
        tuple(_source(source, times[source], counted.get(source, (0, 0, 0)), period) for source in times),
        tuple(sorted(gaps, key=lambda gap: (gap.starts, gap.reason))),
        _standstills(session, period, known_at),
    )


def _times(session: Session, period: Bounds, known_at: int) -> Times:
    """When each source delivered: in the period and as long before it, and the last and first time around that."""
    start, end = period
    at, since = Delivery.received_at, to_datetime(2 * start - end)
    deliveries = select(Delivery.source, at).where(*_known(known_at))
    within = deliveries.where(at >= since, at < to_datetime(end)).order_by(at)
    before = select(Delivery.source, func.max(at)).where(*_known(known_at), at < since).group_by(Delivery.source)
    after = select(Delivery.source, func.min(at)).where(*_known(known_at), at >= to_datetime(end))
    found: dict[str, list[int]] = defaultdict(list)
    recent = set()
    for query in (before, within, after.group_by(Delivery.source)):
        for source, moment in session.execute(query):
            found[source].append(to_instant(moment))
            if query is within:
                recent.add(source)
    return {source: found[source] for source in sorted(found) if source in recent or len(found[source]) > 1}


def _known(known_at: int) -> tuple[ColumnElement[bool], ...]:
    return Delivery.verdict == Verdict.OK, Delivery.recorded_at <= to_datetime(known_at)


def _counted(session: Session, period: Bounds, known_at: int) -> dict[str, tuple[int, int, int]]:
    """By source its deliveries in the period, their rows, and how many of those are quarantined."""
    bounds = (Delivery.received_at >= to_datetime(period[0]), Delivery.received_at < to_datetime(period[1]))
    query = select(Delivery.source, Delivery.rows, Delivery.quarantined).where(*_known(known_at), *bounds)
    found: dict[str, tuple[int, int, int]] = {}
    for source, rows, quarantined in session.execute(query):
        deliveries, all_rows, all_quarantined = found.get(source, (0, 0, 0))
        found[source] = (deliveries + 1, all_rows + rows, all_quarantined + sum(quarantined.values()))
    return found


def _source(source: str, times: Sequence[int], counted: tuple[int, int, int], period: Bounds) -> SourceQuality:
    start, end = period
    deliveries, rows, quarantined = counted
    inside = [t for t in times if start <= t < end]
    edges = [start] * (times[0] < start), [end] * (times[-1] >= end)
    silent = [b - a for a, b in pairwise([*edges[0], *inside, *edges[1]])]
    return SourceQuality(
        source,
        deliveries=None if deliveries and rows < _FEW_ROWS * deliveries else deliveries,
        first=iso(inside[0]) if inside else None,
        last=iso(inside[-1]) if inside else None,
        longest_gap_hours=round_number(max(silent) / HOUR) if silent else None,
        quarantined=-(-_PARTS * quarantined // rows) / _PARTS if rows else None,
    )


def _gaps(source: str, times: Sequence[int], period: Bounds, known_at: int) -> Iterator[Standstill]:
    """The stretches without a delivery that touch the period and are unusually long."""
    intervals = np.diff(times)
    for place in np.flatnonzero(intervals >= DAY).tolist():
        begin, end = times[place], times[place + 1]
        if begin < period[1] and end > period[0] and _unusual(end - begin, np.delete(intervals, place)):
            yield Standstill(iso(begin), iso(end), GAP, source)
    if times[-1] < period[1] and _unusual(known_at - times[-1], intervals):
        yield Standstill(iso(times[-1]), None, GAP, source)


def _unusual(seconds: int, others: Integers) -> bool:
    """Whether a stretch lasts a day, and more than `_UNUSUAL` times the usual of the `others`.

    Usual is the median by time: half of it passed in intervals no longer than this. Files that come together once a
    week have a usual interval of a week, not of seconds. Less than a day of deliveries tells nothing.
    """
    if others.sum() < DAY or seconds < DAY:
        return False
    ordered = np.sort(others)
    passed = np.cumsum(ordered)
    return bool(seconds > _UNUSUAL * ordered[np.searchsorted(passed, passed[-1] / 2)])


def _standstills(session: Session, period: Bounds, known_at: int) -> tuple[Standstill, ...]:
    """The suspensions of all clocks, or all of a source's, that touch the period; their reasons are published."""
    start, end = map(to_datetime, period)
    query = select(Suspension).where(
        Suspension.content_id.is_(None),
        Suspension.recorded_at <= to_datetime(known_at),
        Suspension.starts_at < end,
        or_(Suspension.ends_at.is_(None), Suspension.ends_at > start),
    )
    return tuple(
        Standstill(
            _iso(row.starts_at),
            _iso(row.ends_at) if row.ends_at else None,
            str(row.pause),
            redacted(row.reason if row.source is None else f"{row.source}: {row.reason}"),
        )
        for row in session.scalars(query.order_by(Suspension.starts_at, Suspension.id))
    )


def _iso(moment: datetime) -> str:
    return iso(to_instant(moment))
