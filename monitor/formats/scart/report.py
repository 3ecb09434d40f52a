"""The export `report`: one row an item, no quotes, no trailing `;`; the anonymous form has no URL, host or address.

Later versions of SCART quote its fields and double a quote inside them; such a row is read as what it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType

from monitor.errors import DeliveryError
from monitor.formats.header import Header, read_header
from monitor.formats.localtime import LocalClock
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import Lines, RowError, decode
from monitor.formats.scart.dialect import whole_rows
from monitor.formats.scart.items import ItemColumns, item_record
from monitor.formats.scart.rows import Row, clock_of, first_line, read_row
from monitor.formats.scart.unquoted import SEPARATOR, Column, Form, recover
from monitor.formats.scart.words import HASH_ANSWERS, ITEM_NUMBER, STATUSES, TYPES
from monitor.names import names_nobody
from monitor.urls import begins_like_url

_RECEIVED = "received_at"
_WHERE = ("url", "url_host", "url_ip", "url_referer")
READ = (
    "filenumber", "hashcheck_at", "hashcheck_return", "firstseen_at", "lastseen_at", "type_code", "police",
    "status_code", "hoster_contact", "hoster_country", "hoster_owner", "hoster_first_ntd_at",
)  # fmt: skip
_UNREAD = (
    "reference", "url_type", "source_code", "note", "iccam_hotline_country", "registrar_contact",
    "grade_code", "number_of_ntd", "delivered_items",
)  # fmt: skip
_COLUMNS = ItemColumns(
    "firstseen_at", "lastseen_at", "status_code", "hoster_country", "hoster_owner", "hoster_contact", "url_ip",
    "hoster_first_ntd_at", _RECEIVED,
)  # fmt: skip
_BEGINS = re.compile(rb'"?[A-Z]\d+"?;')


def _matches(pattern: str) -> Form:
    return re.compile(pattern, re.IGNORECASE).fullmatch


def _no_time(text: str) -> bool:
    """No text that may hold a separator has a time of its own between two: that is a column of times."""
    return not _A_TIME.fullmatch(text)


def _no_scheme(text: str) -> bool:
    return "://" not in text and not begins_like_url(text)


def _address(text: str) -> bool:
    return "@" in text


_TIME = _matches(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?")
_A_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n?")
_COUNTRY = _matches(r"[^\W\d_]?[^;\d_@/:]{0,48}|\?")
_CODE = _matches(r"\w*")
_WORD = _matches(r"[\w .,()/+-]{0,64}")  # where nothing depends on it: any word, in a row that no known one fits
_FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "filenumber": ITEM_NUMBER.fullmatch,
        "reference": _no_scheme,
        "url": begins_like_url,
        "url_host": _matches(r"[^\s/?#=&%@]+"),
        "url_ip": _matches(r"([0-9a-f]*[:.][0-9a-f:.]*|\[[0-9a-f:.]+\](:\d{1,5})?)?"),
        "url_type": _CODE,
        "url_referer": _no_time,
        "received_at": _TIME,
        "hashcheck_at": _TIME,
        "hashcheck_return": lambda text: text.lower() in HASH_ANSWERS,
        "firstseen_at": _TIME,
        "lastseen_at": _TIME,
        "type_code": lambda text: text in TYPES or text == "",
        "police": lambda text: text in {"y", "n", ""},
        "source_code": _matches(r"[\w .-]*"),
        "status_code": lambda text: text in STATUSES,
        "iccam_hotline_country": _COUNTRY,
        "hoster_contact": lambda text: _address(text) or names_nobody(text),
        "hoster_country": _COUNTRY,
        "hoster_owner": _no_time,
        "hoster_first_ntd_at": _TIME,
        "registrar_contact": _no_time,
        "grade_code": _CODE,
        "number_of_ntd": _matches(r"\d*"),
        "delivered_items": _matches(r"\d*"),
    }
)
_WORDS = frozenset({"url_type", "hashcheck_return", "type_code", "source_code", "grade_code"})
_FREE: Mapping[str, tuple[Form | None, Form | None]] = MappingProxyType(
    {
        "reference": (None, _no_scheme),
        "url": (begins_like_url, _no_time),
        "url_referer": (None, _no_time),
        "note": (None, None),
        "hoster_contact": (None, _address),
        "hoster_owner": (None, _no_time),
        "registrar_contact": (None, _no_time),
    }
)  # of each text that may hold separators: the form of what comes before the first, and of all that is between them


def parse_report(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `report` export, full or anonymous: an item's status, last check, and first notice to its hoster."""
    clock = clock_of(context)
    layout = _layout(*first_line(lines))
    for line, raw, broken in whole_rows(lines, _BEGINS.match, layout.missing_after):
        if raw != b"":
            reading = _Reading(layout, clock, context, line, broken)
            yield from read_row(line, raw, reading.records)


@dataclass(frozen=True)
class _Layout:
    header: Header
    columns: tuple[Column, ...]

    def recover(self, cells: Sequence[str]) -> list[str]:
        """One text a column; where the words that are known fit in no way, those that are not may stand there too."""
        try:
            return recover(cells, self.columns)
        except RowError as error:
            if error.reason != "columns_do_not_fit":
                raise
            with suppress(RowError):
                return recover(cells, [replace(c, form=_WORD) if c.name in _WORDS else c for c in self.columns])
            raise

    def missing_after(self, before: int, raw: bytes) -> int:
        """Separators a row lacks after a line; -1 for the second quote of a quoted row."""
        if before < 0 or (before == 0 and raw.startswith(b'"')):
            return -((raw.count(b'"') - before) % 2)
        wanted = before or self.header.width - 1
        return max(0, wanted - raw.count(b";")) if raw else before


def _layout(line: int, text: str) -> _Layout:
    """Where each column stands; DeliveryError where columns are missing, or some of those about the URL."""
    names = [name.strip().strip('"') for name in text.split(SEPARATOR)]
    header = read_header(names, READ, line, (*_WHERE, _RECEIVED, *_UNREAD))
    missing = [name for name in _WHERE if name not in header.positions]
    if missing and len(missing) < len(_WHERE):
        raise DeliveryError(
            f"line {line}: no column {', '.join(map(repr, missing))}; an anonymous report lacks all four"
        )
    return _Layout(header, tuple(_column(name) for name in names))


def _column(name: str) -> Column:
    known = name in READ or name in _WHERE or name in _UNREAD or name == _RECEIVED
    free = name in _FREE or not known
    read = name in READ or name in {"url", "url_ip", _RECEIVED}
    return Column(name, _FORMS.get(name), free, read, *_FREE.get(name, ()))


@dataclass(frozen=True)
class _Reading:
    layout: _Layout
    clock: LocalClock
    context: Context
    line: int
    broken: bool

    def records(self, raw: bytes | None) -> Iterator[Record]:
        header = self.layout.header
        text = decode(raw)
        cells = _quoted(text) if text.startswith('"') else text.split(SEPARATOR)
        flags = ["columns_dropped"] if header.unknown else []
        flags += ["line_break_in_field"] if self.broken else []
        flags += ["separator_in_field"] if len(cells) > header.width else []
        fields = self.layout.recover(cells)
        yield _record(self.line, Row(fields, header.positions, self.clock, self.context, flags))


def _quoted(text: str) -> list[str]:
    """The cells of a row of a later version; a separator inside a field is part of it, so no cell is spare."""
    try:
        return next(csv.reader([text], delimiter=SEPARATOR, strict=True))
    except csv.Error:
        raise RowError("quotes_do_not_pair") from None


def _record(line: int, row: Row) -> Record:
    row.flag_unknown("type_code", TYPES, "unknown_type")
    answer = row.text("hashcheck_return").lower()
    if answer not in HASH_ANSWERS:
        row.flags.append("unknown_hash_answer")
    record = item_record(line, row, _COLUMNS)
    if not HASH_ANSWERS.get(answer):
        return record  # false may mean that the service was off
    checked = row.past("hashcheck_at", "hash_check_in_future")
    row.flags.append("hash_hit" if checked is not None else "hash_hit_without_time")
    return replace(record, flags=tuple(row.flags), hash_hit_at=checked)
