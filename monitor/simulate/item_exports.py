"""Writes `whois`, `all` and `report` as SCART does, with all their flaws.

`all`: a header that ends in a space, rows of unequal length, bare empty fields, line breaks in answers, two rows on one
line after every 10,000. `report`: no quotes, so that a `;` in a URL is one too many. None ends in a line feed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import HOUR, to_datetime
from monitor.simulate.scart import CLOSED_STATUS, NOTICE_STATUS, fields
from monitor.simulate.scenario import FOREIGN_HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.simulate.hours import Flags, Hours, Instants, Routine
    from monitor.simulate.items import Items
    from monitor.simulate.scart import ClosedRows, NoticeRows
    from monitor.simulate.scenario import Company, ForeignHost

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


# fmt: off
CONTACTS = (
    "police", "hoster owner", "hoster country", "hoster abuse email", "hoster NTD", "site owner", "site owner country",
    "site owner abuse email", "site NTD", "registrar owner", "registrar country", "registrar abuse email",
    "registrar NTD",
)
WHOIS = (
    "filenumber", "url", "host", "IP", "url type", "status", "classification", "source", "received", "first seen",
    "first NTD", "last seen", *CONTACTS,
)
ALL = (
    "filenumber", "received", "url type", "status", "classification", "type", "source", "reference", "first seen",
    "first NTD", "last seen", *CONTACTS,
)
QUESTIONS = ("question 1", "question 2")
REPORT = (
    "filenumber", "reference", "url", "url_host", "url_ip", "url_type", "url_referer", "received_at", "hashcheck_at",
    "hashcheck_return", "firstseen_at", "lastseen_at", "type_code", "police", "source_code", "status_code",
    "hoster_contact", "hoster_country", "hoster_owner", "hoster_first_ntd_at", "registrar_contact", "grade_code",
)
# fmt: on
FLUSHED_EVERY = 10_000
_ANONYMOUS = frozenset({"url", "url_host", "url_referer", "url_ip"})
_NO_WHOIS_EVERY, _REFERER_EVERY, _HASHED_EVERY = 97, 5, 11


@dataclass(frozen=True)
class Hotline:
    """All there is to print of the items."""

    items: Items
    notices: NoticeRows
    closed: ClosedRows
    urls: list[str]
    numbers: list[str]
    addresses: list[str]
    companies: dict[int, Company]
    hours: Hours
    routine: Routine
    as_of: int

    def rows(self, found: Snapshot) -> Iterator[dict[str, str]]:
        """Of each item what any of the exports prints, under the names of `whois` and `report`."""
        first_seen = self.hours.stamps(self.items.first_seen[found.item])
        columns = (
            found.item.tolist(), found.status, found.abroad.tolist(), first_seen, self._stamps(found.last_seen),
            self._stamps(found.first_mail), self._stamps(found.first_to_hoster), found.mails.tolist(),
        )  # fmt: skip
        for item, status, abroad, first, last, mail, notice, mails in zip(*columns, strict=True):
            owner, country, email = self._contact(item, abroad)
            hashed = item % _HASHED_EVERY == 0
            yield {
                "filenumber": self.numbers[item], "url": self.urls[item], "IP": self.addresses[item], "status": status,
                "host": self.urls[item].split("/")[2], "received": first, "first seen": first, "first NTD": mail,
                "last seen": last, "police": "n", "hoster owner": owner, "hoster country": country,
                "hoster abuse email": email, "hoster NTD": str(mails), "notice": notice, "number": str(item),
                "hashcheck_at": first if hashed else "", "hashcheck_return": str(int(item % 3 == 0)) if hashed else "",
                "referer": "https://s00000.test/?from=1;to=2" if item % _REFERER_EVERY == 0 else "",
            }  # fmt: skip

    def _contact(self, item: int, abroad: bool) -> tuple[str, str, str]:
        if abroad:
            host: ForeignHost = FOREIGN_HOSTS[item % len(FOREIGN_HOSTS)]
            return host.name, host.country, host.abuse_address
        company = self.companies[int(self.items.company[item])]
        return company.name, "NL", company.abuse_address

    def _stamps(self, at: Instants) -> list[str]:
        shown = self.hours.stamps(at.clip(self.hours.start))
        return [text if moment != NONE else "" for text, moment in zip(shown, at.tolist(), strict=True)]


def write_items(folder: Path, hotline: Hotline, exports: frozenset[str]) -> int:
    """The exports of that name of every moment; gives the number of files."""
    count = 0
    for at in moments(hotline.items, hotline.routine, hotline.as_of).tolist():
        found = snapshot(hotline.items, hotline.notices, hotline.closed, hotline.routine, at)
        for name in sorted(exports & ITEM_EXPORTS):
            path = folder / f"{to_datetime(at):%Y%m%dT%H%M%SZ}-scart-{name}.csv"
            path.write_bytes(_WRITERS[name](hotline.rows(found)).encode())
            count += 1
    return count


def whois_text(rows: Iterator[dict[str, str]]) -> str:
    """`whois`: items without WHOIS are left out."""
    found = (fields(_known(row, WHOIS)) for row in rows if int(row["number"]) % _NO_WHOIS_EVERY)
    return "\n".join((fields(WHOIS), *found))


def all_text(rows: Iterator[dict[str, str]], flushed_every: int = FLUSHED_EVERY) -> str:
    """`all`: written piece by piece, each without a line feed at its end."""
    text, piece = fields((*ALL, *QUESTIONS)) + " \n", list[str]()
    for row in rows:
        piece.append(_all_line(row))
        if len(piece) == flushed_every:
            text, piece = text + "\n".join(piece), []
    return text + "\n".join(piece)


def _all_line(row: dict[str, str]) -> str:
    number = int(row["number"])
    contacts = CONTACTS[1:]
    head = fields(_known(row, ALL[: -len(contacts)]))
    if number % _NO_WHOIS_EVERY == 0:
        return head + ";" * len(contacts)
    answers = ((), ("it's one", "y"), ("two\nlines; and more", "n"))[number % 3]
    return head + fields(_known(row, contacts)) + fields(answers)


def _known(row: dict[str, str], columns: tuple[str, ...]) -> list[str]:
    constant = {"classification": "illegal", "source": "webform", "url type": "mainurl", "type": "website"}
    constant |= {"site owner": "(not set))", "site NTD": "0", "registrar owner": "(unknown)", "registrar NTD": "0"}
    return [row.get(name, constant.get(name, "")) for name in columns]


def report_text(rows: Iterator[dict[str, str]], *, anonymous: bool = False) -> str:
    """`report`, or its anonymous form."""
    columns = [name for name in REPORT if not (anonymous and name in _ANONYMOUS)]
    found = (";".join((*map(values.__getitem__, columns), "yes")) for values in map(_report_values, rows))
    return "\n".join((";".join((*columns, QUESTIONS[0])), *found))


def _report_values(row: dict[str, str]) -> dict[str, str]:
    return {
        "filenumber": row["filenumber"], "reference": "", "url": row["url"], "url_host": row["host"],
        "url_ip": row["IP"], "url_type": "mainurl", "url_referer": row["referer"], "received_at": row["received"],
        "hashcheck_at": row["hashcheck_at"], "hashcheck_return": row["hashcheck_return"],
        "firstseen_at": row["first seen"], "lastseen_at": row["last seen"], "type_code": "website", "police": "n",
        "source_code": "webform", "status_code": row["status"], "hoster_contact": row["hoster abuse email"],
        "hoster_country": row["hoster country"], "hoster_owner": row["hoster owner"],
        "hoster_first_ntd_at": row["notice"], "registrar_contact": "", "grade_code": "illegal",
    }  # fmt: skip


def _anonymous_text(rows: Iterator[dict[str, str]]) -> str:
    return report_text(rows, anonymous=True)


_WRITERS: dict[str, Callable[[Iterator[dict[str, str]]], str]] = {
    "whois": whois_text,
    "all": all_text,
    "report": report_text,
    "report-anonymous": _anonymous_text,
}
ITEM_EXPORTS = frozenset(_WRITERS)
EXPORTS = ITEM_EXPORTS | {"ntd", "ntdclosed"}
