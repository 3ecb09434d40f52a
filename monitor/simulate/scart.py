"""Writes the exports in the dialect of SCART: semicolons, every field quoted, backslash escapes, a trailing `;`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import to_datetime
from monitor.simulate.companies import FOREIGN_HOSTS
from monitor.simulate.rows import CLOSED_STATUS, NOTICE_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from monitor.simulate.companies import Company
    from monitor.simulate.hours import Hours
    from monitor.simulate.items import Items
    from monitor.simulate.routine import Instants
    from monitor.simulate.rows import ClosedRows, NoticeRows

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
