"""SCART's quoted dialect: backslash escapes, a trailing `;`, bare empty fields, rows run together, line breaks.

Every field is `"`..`";` as PHP's addslashes leaves it. `all` writes what an item lacks as a bare `;`, and runs two
rows together where it appended to its file (every 10,000 rows). A text answer may hold line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from monitor.formats.files import LINE_LIMIT
from monitor.formats.rows import Lines, RowError, decode

# Possessive, and only where a field must begin: a quote without an end costs its length once, not squared.
_FIELD = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(?:;|$)|;', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_LINES = 200


def split_row(text: str) -> list[str]:
    """The fields of one row; raises ValueError where the quoting does not come out even."""
    if text.startswith('"') and text.endswith('";') and "\\" not in text:
        fields = text[1:-2].split('";"')
        if text.count('"') == 2 * len(fields):
            return fields
    return _split_slowly(text)


def _split_slowly(text: str) -> list[str]:
    fields, position = [], 0
    while match := _FIELD.match(text, position):
        fields.append(match[1] or "")
        position = match.end()
    if position != len(text):
        raise ValueError("quotes do not pair")
    return [_ESCAPED.sub(_unescape, field) if "\\" in field else field for field in fields]


def _unescape(match: re.Match[str]) -> str:
    return "\x00" if match[1] == "0" else match[1]


def fields_of(raw: bytes | None) -> list[str]:
    """The fields of a line as it came; RowError where it cannot be read."""
    text = decode(raw)
    try:
        fields = split_row(text)
    except ValueError:
        raise RowError("quotes_do_not_pair") from None
    if "\\0" in text and any("\x00" in field for field in fields):
        raise RowError("nul_character")
    return fields


def whole_rows(
    lines: Lines, begins: Callable[[bytes], object], missing_after: Callable[[int, bytes], int], *, quoted: bool = False
) -> Iterator[tuple[int, bytes | None, bool]]:
    """Number of the first line, bytes, and whether a field held a line break, of each row.

    `missing_after` says of what a row lacked before a line what it lacks after it, 0 for nothing. A row that lacks
    something goes on in the next line, unless that `begins` a row: one that is broken never takes a good one with it.
    A row has at most 200 lines, and no more bytes than a line may have. `quoted`: what may be missing is a quote, of
    `open_quotes`; of a line without a backslash that is told without calling it.
    """
    number, size, missing, pending = 0, 0, 0, list[bytes]()
    for following, raw in lines:
        if not pending and (
            raw is None
            or (quoted and b"\\" not in raw and not raw.count(b'"') & 1)  # as nearly all of them are
            or not missing_after(0, raw)
        ):
            yield following, raw, False
            continue
        size += len(raw or b"") + 1
        if pending and raw is not None and not begins(raw) and len(pending) < _LINES and size <= LINE_LIMIT:
            pending.append(raw)
            missing = missing_after(missing, raw)
            if not missing:
                yield number, b"\n".join(pending), True
                pending = []
            continue
        if pending:
            yield number, b"\n".join(pending), len(pending) > 1
            pending = []
        missing = 0 if raw is None else missing_after(0, raw)
        if raw is None or not missing:
            yield following, raw, False
        else:
            number, size, pending = following, len(raw), [raw]
    if pending:
        yield number, b"\n".join(pending), len(pending) > 1


def open_quotes(before: int, raw: bytes) -> int:
    """1 where a quote is open after a line, before which `before` were."""
    plain = _ESCAPE.sub(b"", raw) if b"\\" in raw else raw
    return (before + plain.count(b'"')) % 2
