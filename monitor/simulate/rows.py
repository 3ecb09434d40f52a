"""What the hotline's exports hold of the true course: rows of notices and rows of items that changed state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import DAY, HOUR
from monitor.simulate.hours import TICK, Hours
from monitor.simulate.routine import Instants, Routine

if TYPE_CHECKING:
    from numpy.random import Generator

    from monitor.simulate.items import Items

NOTICE_STATUS = ("sent_succes", "sent_api_succes", "sent_failed", "sent_api_failed", "queued")
CLOSED_STATUS = ("close_offline", "close_offline_manual", "abusecontact_changed", "close")
_QUEUED = 4
_MANUAL, _CHANGED, _ABROAD = 1, 2, 3
_MINUTE = 60
_CHECK_EVERY = 9000  # mean time between two online checks
_SOONEST_DECISION = 6 * HOUR  # of an analyst, about an item whose host changed


@dataclass(frozen=True)
class NoticeRows:
    """Rows of the ntd exports in the order in which they are written; `export` is when."""

    item: Instants
    at: Instants
    status: Instants
    last_seen: Instants
    counter: Instants
    export: Instants
    number: list[str]


@dataclass(frozen=True)
class ClosedRows:
    """Rows of the ntdclosed exports in the order in which they are written; `notice` is the row last sent."""

    item: Instants
    status: Instants
    notice: Instants
    export: Instants


def notice_rows(items: Items, hours: Hours, routine: Routine, as_of: int, rng: Generator) -> NoticeRows:
    """The first notice of every item, and a re-notice at each planned moment at which it is still online."""
    sent, turn = np.nonzero((items.notices < items.left[:, None]) & (routine.next_export(items.notices) < as_of))
    moment = items.notices[sent, turn]
    seen = moment - rng.integers(2 * _MINUTE, np.where(turn == 0, 55, 25) * _MINUTE)
    waiting = _waiting(items, hours, routine)
    since = items.first_seen[waiting] + TICK
    item = np.concatenate([sent, waiting])
    at = np.concatenate([moment, since])
    moment = np.concatenate([moment, items.sent[waiting]])
    status = np.concatenate([(items.api * 1 + items.failed * 2)[sent], np.full(len(waiting), _QUEUED)])
    last_seen = np.maximum(np.concatenate([seen, since - TICK]), items.first_seen[item])
    counter = (last_seen - items.first_seen[item]) // _CHECK_EVERY
    export = routine.next_export(at)
    order = np.lexsort((item, at, export))
    order = order[routine.made(export[order])]
    return NoticeRows(
        item=item[order],
        at=at[order],
        status=status[order],
        last_seen=last_seen[order],
        counter=counter[order],
        export=export[order],
        number=_file_numbers(items, item[order], moment[order], hours),
    )


def by_mail(rows: NoticeRows) -> NoticeRows:
    """The rows without those sent, or tried, by API: SCART's own `ntd` export has none of them."""
    kept = ~np.isin(rows.status, [number for number, status in enumerate(NOTICE_STATUS) if "_api_" in status])
    number = [text for text, keep in zip(rows.number, kept.tolist(), strict=True) if keep]
    columns = {name: getattr(rows, name)[kept] for name in ("item", "at", "status", "last_seen", "counter", "export")}
    return NoticeRows(**columns, number=number)


def _waiting(items: Items, hours: Hours, routine: Routine) -> Instants:
    """Items of which an export shows the notice while it still waits for the hours to open, that same day."""
    same_day = hours.local(items.first_seen) // DAY == hours.local(items.sent) // DAY
    shown = routine.next_export(items.first_seen + TICK) < items.sent
    return np.flatnonzero(items.queued & same_day & shown)


def _file_numbers(items: Items, item: Instants, moment: Instants, hours: Hours) -> list[str]:
    """One number for what goes to one company in one sending (`M2022040800017`), counted anew each day."""
    sending = (moment * 1024 + items.company[item]) * 2 + items.failed[item]
    unique, which = np.unique(sending, return_inverse=True)
    day = hours.local(unique // 2048) // DAY
    place = np.arange(len(unique)) - np.searchsorted(day, day) + 1
    days = np.char.replace(np.datetime_as_string(day.astype("datetime64[D]")), "-", "")
    numbers = [f"M{date}{count:05d}" for date, count in zip(days.tolist(), place.tolist(), strict=True)]
    return [numbers[index] for index in which.tolist()]


def closed_rows(items: Items, notices: NoticeRows, routine: Routine, as_of: int, rng: Generator) -> ClosedRows:
    """Removed items once three checks failed; moved ones as changed, then closed when found to be abroad."""
    noticed = routine.next_check(items.left) + rng.integers(0, rng.integers(HOUR, 4 * HOUR, len(items)))
    closed = noticed + rng.integers(30 * _MINUTE, 90 * _MINUTE, len(items))
    manual = (rng.random(len(items)) < 0.06) * _MANUAL
    gone, moved = np.flatnonzero(~items.moved), np.flatnonzero(items.moved)
    decided = noticed[moved] + rng.integers(_SOONEST_DECISION, 30 * HOUR, len(moved))
    awaiting = routine.next_export(noticed[moved]) < routine.next_export(decided)  # else no export shows it as changed
    changed = moved[awaiting]
    item = np.concatenate([gone, changed, moved])
    status = np.concatenate([manual[gone], np.full(len(changed), _CHANGED), np.full(len(moved), _ABROAD)])
    at = np.concatenate([closed[gone], noticed[changed], decided])
    export = routine.next_export(at)
    order = np.lexsort((item, at, export))
    order = order[(export[order] < as_of) & routine.made(export[order])]
    return ClosedRows(item[order], status[order], _last_rows(notices, len(items))[item[order]], export[order])


def _last_rows(notices: NoticeRows, items: int) -> Instants:
    """Of each item the row of the notice sent last: an item left after it, so no later one exists."""
    last = np.zeros(items, np.int64)
    np.maximum.at(last, notices.item, np.arange(len(notices.item)))
    return last
