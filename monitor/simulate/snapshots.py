"""What the hotline's own record of each item held at a moment: its status, its last check, its first notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import HOUR
from monitor.simulate.rows import CLOSED_STATUS, NOTICE_STATUS

if TYPE_CHECKING:
    from monitor.simulate.items import Items
    from monitor.simulate.routine import Flags, Instants, Routine
    from monitor.simulate.rows import ClosedRows, NoticeRows

NONE = -1
_ONLINE = "scheduler_checkonline"
_STATUSES = (*CLOSED_STATUS, _ONLINE)
_BY_MAIL, _BY_API = (NOTICE_STATUS.index(status) for status in ("sent_succes", "sent_api_succes"))


@dataclass(frozen=True)
class Snapshot:
    """The items known `at` a moment, a row each; NONE where there was no notice of that kind."""

    at: int
    item: Instants
    status: list[str]
    abroad: Flags
    last_seen: Instants
    first_mail: Instants
    first_to_hoster: Instants
    mails: Instants


def moments(items: Items, routine: Routine, as_of: int) -> Instants:
    """When the exports about items are made: at even distances, the last of them before observation ends."""
    last, every = (as_of - 1) // routine.every * routine.every, routine.items_every
    planned = np.arange(last - (last - int(items.first_seen.min())) // every * every, last + 1, every)
    return planned[routine.made(planned)]


def snapshot(items: Items, notices: NoticeRows, closed: ClosedRows, routine: Routine, at: int) -> Snapshot:
    """What the exports of that moment hold, in the order in which the items came in."""
    status = np.full(len(items), len(_STATUSES) - 1)
    told = closed.export <= at
    status[closed.item[told]] = closed.status[told]
    abroad = items.moved & (status < len(_STATUSES) - 1)
    since = 0 if routine.items_of is None else at - routine.items_of
    known = np.flatnonzero((items.first_seen >= since) & (items.first_seen < at))
    sent = notices.at <= at
    mails = sent & (notices.status == _BY_MAIL)
    first_mail = _first(notices, mails, len(items))
    to_hoster = _first(notices, sent & np.isin(notices.status, (_BY_MAIL, _BY_API)), len(items))
    return Snapshot(
        at=at,
        item=known,
        status=_words(status[known]),
        abroad=abroad[known],
        last_seen=_last_seen(items, routine, at)[known],
        first_mail=np.where(first_mail == NONE, NONE, first_mail + np.arange(len(items)) % 30)[known],
        first_to_hoster=np.where(abroad, NONE, to_hoster)[known],
        mails=np.where(abroad, 0, np.bincount(notices.item[mails], minlength=len(items)))[known],
    )


def _words(status: Instants) -> list[str]:
    return [_STATUSES[number] for number in status.tolist()]


def _first(notices: NoticeRows, wanted: Flags, items: int) -> Instants:
    """The first of the wanted notices of each item."""
    late = np.iinfo(np.int64).max
    first = np.full(items, late)
    np.minimum.at(first, notices.item[wanted], notices.at[wanted])
    return np.where(first == late, NONE, first)


def _last_seen(items: Items, routine: Routine, at: int) -> Instants:
    """The last check that found each item online: every item is checked at its own pace, 1 to 4 hours apart."""
    pace = HOUR + np.arange(len(items)) * 7919 % (3 * HOUR)
    online = np.maximum(np.minimum(at, items.left - 1) - items.first_seen, 0)
    seen = routine.last_check(items.first_seen + online // pace * pace)
    return np.maximum(seen, items.first_seen)
