"""The fast path: regular rows are read by columns; every irregular row is left to the parser of one row.

Some formats have this second parser because reading row by row takes several times as long (docs/adr/0017). The two
must never give different results for a row: the fast path takes a row only where there is nothing to decide about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple, TypeAlias, TypeVar

from monitor.clear_text import holds_address, may_hold_item
from monitor.formats.localtime import NO_TIME
from monitor.formats.records import Record, Rejected
from monitor.formats.rows import EARLY
from monitor.urls import address_of, canonical_host
from monitor.vocabulary import LONGEST_COUNTRY, LONGEST_RECIPIENT, LONGEST_REFERENCE

LONGEST_URL = 254  # of one that is certainly not cut
LONGEST_TEXT = min(LONGEST_RECIPIENT, LONGEST_COUNTRY, LONGEST_REFERENCE)  # fits every column that it goes to
_LONGEST_LINE = 4096
_PRINTABLE = rb'"[ !#-\[\]-~]*+"'  # ASCII without quotes and backslashes, in quotes

_Value = TypeVar("_Value", bound=Hashable)
Row: TypeAlias = tuple[int, bytes | None]


class RegularRows(NamedTuple):
    """Rows of one notice each, by columns: the fields of `Record` and `NoticeRecord`, instants in epoch seconds.

    `host` is that of the URL; `online_at`, `offline_at`: when it was seen so, None where the row does not say;
    `flag`: the one thing to warn of, or None.
    """

    line: list[int]
    url: list[str]
    host: list[str]
    sent_at: list[int]
    role: list[str]
    delivery: list[str]
    channel: list[str]
    recipient: list[str | None]
    recipient_country: list[str | None]
    recipient_email: list[str | None]
    address: list[str | None]
    reference: list[str | None]
    online_at: list[int | None]
    offline_at: list[int | None]
    flag: list[str | None]

    def where(self, kept: Sequence[bool]) -> RegularRows:
        """Those rows only."""
        return RegularRows._make(list(compress(column, kept)) for column in self)


Cells: TypeAlias = Mapping[str, list[str]]  # of each column that is read its texts, without white space around them
ReadRegular: TypeAlias = Callable[[Sequence[int], Cells], tuple[RegularRows, set[int]]]


@dataclass(frozen=True)
class LineLayout:
    """How a plain line is written: each cell in quotes, `separator` between two cells, `end` after the last quote."""

    positions: Mapping[str, int]
    width: int
    separator: str
    end: str = ""

    def pattern(self) -> re.Pattern[bytes]:
        """What a plain line matches: nothing needs unescaping, and it holds as many cells as the header."""
        following = re.escape(self.separator.encode()) + _PRINTABLE
        return re.compile(_PRINTABLE + b"(?:%b){%d}" % (following, self.width - 1) + re.escape(self.end.encode()))

    def cells(self, lines: Sequence[bytes]) -> Cells:
        """The columns of plain lines."""
        between, last = f'"{self.separator}"', f'"{self.end}'
        text = b"\n".join(lines).decode("ascii").replace(f'{last}\n"', between)
        found = text[1 : -len(last)].split(between) if lines else []
        return {name: list(map(str.strip, found[at :: self.width])) for name, at in self.positions.items()}


@dataclass(frozen=True)
class FastPath:
    """One delivery and both its parsers. `rows`: number and bytes of each line that holds a row.

    `read_row` is the parser of one row. `read_regular` reads the cells of plain lines, and gives the places of the rows
    it cannot read. `flags` are those of every row.
    """

    rows: Iterator[Row]
    read_row: Callable[[int, bytes | None], Record | Rejected]
    layout: LineLayout
    read_regular: ReadRegular
    flags: tuple[str, ...] = ()

    def split(self, rows: Sequence[Row]) -> tuple[RegularRows, list[Record | Rejected]]:
        """The regular rows by columns, and the irregular ones one by one, both in the order of their lines."""
        is_plain = self.layout.pattern().fullmatch
        plain = [row for row in rows if row[1] is not None and len(row[1]) <= _LONGEST_LINE and is_plain(row[1])]
        lines = [line for line, _ in plain]
        found, irregular = self.read_regular(lines, self.layout.cells([raw for _, raw in plain if raw is not None]))
        if irregular:
            found = found.where([place not in irregular for place in range(len(plain))])
        if len(found.line) == len(rows):
            return found, []
        regular = set(found.line)
        return found, [self.read_row(line, raw) for line, raw in rows if line not in regular]


def irregular_places(column: Sequence[_Value], is_irregular: Callable[[_Value], object]) -> set[int]:
    """The places of the irregular values; each different value is tested once."""
    irregular = set(filter(is_irregular, set(column)))
    return {place for place, value in enumerate(column) if value in irregular} if irregular else set()


def is_irregular_text(text: str) -> bool:
    """Whether a text might not fit the column it goes to, or may have to be held against the URL of its row."""
    return len(text) > LONGEST_TEXT or holds_address(text) or may_hold_item(text)


def hosts_of(urls: Sequence[str]) -> tuple[list[str], set[int]]:
    """The host of each URL, and where there is one that is not in canonical form, has no dot, or may be cut."""
    hosts = [canonical_host(url) if len(url) <= LONGEST_URL else "" for url in urls]
    return hosts, {place for place, host in enumerate(hosts) if not host}


def addresses_of(texts: Sequence[str], hosts: Sequence[str]) -> tuple[list[str | None], set[int]]:
    """The address in each text, where there is none that of the host; and where a text holds something else."""
    found = [address_of(text or host) for text, host in zip(texts, hosts, strict=True)]
    return found, {place for place, text in enumerate(texts) if text and found[place] is None}


def not_in_order(first: Sequence[int], last: Sequence[int]) -> list[str | None]:
    """A flag where something was seen before it was seen first."""
    return [EARLY if NO_TIME < end < begin else None for begin, end in zip(first, last, strict=True)]


def of_instants(instants: Sequence[int]) -> list[int | None]:
    """The instants, None for no time."""
    return [None if at == NO_TIME else at for at in instants]


def of_texts(texts: Sequence[str]) -> list[str | None]:
    """The texts, None for an empty one."""
    return [text or None for text in texts]
