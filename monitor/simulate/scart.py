"""Writes the exports in the dialect of SCART: semicolons, every field quoted, backslash escapes, a trailing `;`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import DAY, HOUR, to_datetime
from monitor.simulate.hours import TICK, Hours, Instants, Routine
from monitor.simulate.scenario import FOREIGN_HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.random import Generator

    from monitor.simulate.hours import Hours, Instants
    from monitor.simulate.items import Items
    from monitor.simulate.scenario import Company

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


# fmt: off
NTD_COLUMNS = (
    "NTD filenumber", "NTD type", "NTD status", "NTD status time", "abuse owner", "abuse type", "abuse country",
    "abuse email", "url", "IP", "first seen", "last seen", "online counter",
)
CLOSED_COLUMNS = (
    "filenumber", "url", "status", "abuse owner", "abuse country", "abuse email", "IP", "first seen", "last seen",
    "online counter",
)
# fmt: on
URL_LENGTH = 255  # what the hotline keeps of the address of a notice, and so prints in both exports

_ESCAPES = str.maketrans({'"': '\\"', "'": "\\'", "\\": "\\\\", "\0": "\\0"})


def fields(values: Iterable[str]) -> str:
    """Fields of an export, as PHP's addslashes leaves them."""
    return "".join(f'"{value.translate(_ESCAPES)}";' for value in values)


def line(values: Iterable[str]) -> str:
    """One line of an export."""
    return fields(values) + "\n"


@dataclass(frozen=True)
class ItemTexts:
    """What is printed of each item, already escaped: all its rows share it."""

    url: list[str]
    address: list[str]
    first_seen: list[str]
    number: list[str]

    @classmethod
    def of(cls, items: Items, urls: list[str], addresses: list[str], hours: Hours) -> ItemTexts:
        """The texts of all items; the file number counts the items of a day, every fourth a main URL."""
        first_seen = hours.stamps(items.first_seen)
        kinds = ["I" if number % 4 == 0 else "N" for number in range(len(urls))]
        day_counts: dict[str, int] = {}
        numbers = []
        for kind, stamp in zip(kinds, first_seen, strict=True):
            day = stamp[:10].replace("-", "")
            day_counts[day] = day_counts.get(day, 0) + 1
            numbers.append(f"{kind}{day}{day_counts[day]:05d}")
        return cls([url[:URL_LENGTH].translate(_ESCAPES) for url in urls], addresses, first_seen, numbers)


def write_notices(
    folder: Path, items: Items, rows: NoticeRows, texts: ItemTexts, companies: dict[int, Company], hours: Hours
) -> int:
    """One ntd file for each export that has rows; gives the number of files."""
    owner = {index: _contacts(company, role=True) for index, company in companies.items()}
    company, alias, api = items.company.tolist(), items.alias.tolist(), items.api.tolist()

    def lines(part: slice) -> Iterator[str]:
        columns = (rows.item[part].tolist(), rows.status[part].tolist(), rows.counter[part].tolist())
        stamps = (hours.stamps(rows.at[part]), hours.stamps(rows.last_seen[part]))
        for number, item, status, counter, at, seen in zip(rows.number[part], *columns, *stamps, strict=True):
            yield (
                f'"{number}";"{"api" if api[item] else "email"}";"{NOTICE_STATUS[status]}";"{at}";'
                f'{owner[company[item]][alias[item]]}"{texts.url[item]}";"{texts.address[item]}";'
                f'"{texts.first_seen[item]}";"{seen}";"{counter}";\n'
            )

    return _write(folder, "scart-ntd", NTD_COLUMNS, rows.export, lines)


def write_closed(
    folder: Path,
    items: Items,
    rows: ClosedRows,
    notices: NoticeRows,
    texts: ItemTexts,
    companies: dict[int, Company],
    hours: Hours,
) -> int:
    """One ntdclosed file for each export that has rows; gives the number of files."""
    owner = {index: _contacts(company, role=False) for index, company in companies.items()}
    abroad = [line((host.name, host.country, host.abuse_address))[:-1] for host in FOREIGN_HOSTS]
    company, alias, moved = items.company.tolist(), items.alias.tolist(), items.moved.tolist()

    def lines(part: slice) -> Iterator[str]:
        notice = rows.notice[part]
        columns = (rows.item[part].tolist(), rows.status[part].tolist(), notices.counter[notice].tolist())
        for item, status, counter, seen in zip(*columns, hours.stamps(notices.last_seen[notice]), strict=True):
            contact = abroad[item % len(abroad)] if moved[item] else owner[company[item]][alias[item]]
            yield (
                f'"{texts.number[item]}";"{texts.url[item]}";"{CLOSED_STATUS[status]}";{contact}'
                f'"{texts.address[item]}";"{texts.first_seen[item]}";"{seen}";"{counter}";\n'
            )

    return _write(folder, "scart-ntdclosed", CLOSED_COLUMNS, rows.export, lines)


def _contacts(company: Company, *, role: bool) -> tuple[str, str]:
    """The fields that name the company: as it calls itself, and under an alias."""
    first, second = (
        line((name, *(("hoster",) if role else ()), "NL", company.abuse_address))[:-1]
        for name in (company.name, company.aliases[company.index % 2])
    )
    return first, second


def _write(
    folder: Path, kind: str, columns: tuple[str, ...], export: Instants, lines: Callable[[slice], Iterator[str]]
) -> int:
    """Rows come in the order of their export; the time in the name is when it arrived."""
    moments, begins = np.unique(export, return_index=True)
    ends = [*begins[1:].tolist(), len(export)]
    for moment, begin, end in zip(moments.tolist(), begins.tolist(), ends, strict=True):
        path = folder / f"{to_datetime(moment):%Y%m%dT%H%M%SZ}-{kind}.csv"
        path.write_bytes((line(columns) + "".join(lines(slice(begin, end)))).encode())
    return len(moments)
