"""The body of a XARF delivery: scanned in C, given up at the first limit passed, and kept without its evidence."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO, RawIOBase
from itertools import chain
from typing import Any, Literal, TypeAlias

import ijson

from monitor.errors import MonitorError
from monitor.formats.files import Openable, read_chunks
from monitor.formats.recognise import refuse_table
from monitor.formats.xarf import EVIDENCE, rewritten
from monitor.formats.xarf_objects import (
    ITEM_LIMIT,
    NESTING_LIMIT,
    OBJECT_LIMIT,
    VALUE_LIMIT,
    Found,
    UnusableError,
    lone_surrogate,
    read_objects,
)

# The reports in the body of a push: scanned in C (`ijson`, yajl), and given up at the first limit that is passed.
#
# The scanner gets the whole body in one piece and hands over one event at a time; what is built from them stays
# within the limits, and the scan ends where one is passed. Two things about `ijson` 3.6, both held by tests:
#
# - without `use_float` a whole number of thousands of digits ends the process; - in pieces, a long string is read
# again from its start with every piece, which is quadratic. Files, which must be read in pieces, have a scanner of
# their own (`xarf_objects.py`); both refuse the same objects for the same reasons.
#
# An array or a single report is one document, and must be I-JSON (RFC 7493) as a whole: where it is not, the sender
# is told at which item, and nothing is taken. In JSON Lines each line is a document of its own, and refused alone.

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_LINE = re.compile(rb"[^ \t\r\n][^\n]*+")  # one with anything on it
_STARTS, _ENDS = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})
_TOO_LARGE, _NOT_UTF8 = "overflow", "lexical error: invalid bytes in UTF8"  # in messages of yajl
_DETAILS = {
    "not_json": "is not well-formed JSON",
    "not_utf8": "has text that is not UTF-8: broken bytes, or a lone surrogate",
    "doubled_field": "has an object with one name twice",
    "nested_too_deep": f"is nested deeper than {NESTING_LIMIT} objects and arrays",
    "number_too_large": "has a number that does not fit: beyond 64 bits, or beyond a double",
}

Event: TypeAlias = tuple[str, Any]
Sink: TypeAlias = Generator[None, Event, None]


class BodyRefusedError(MonitorError):
    """A body that is not taken at all: why (`kind`, `detail`), and the item (from 0) at which that was found."""

    def __init__(self, kind: str, detail: str, index: int | None = None) -> None:
        """`kind` is `unreadable`, `too-large` or `no-notices`; `detail` repeats nothing of the body."""
        super().__init__(detail)
        self.kind, self.detail, self.index = kind, detail, index


@dataclass(frozen=True)
class Reports:
    """The objects of a body in their order, and the same as it may be kept: JSON without evidence."""

    objects: list[Found]
    content: bytes


@dataclass(slots=True)
class _Scan:
    """What was read so far. `opened` are the objects and arrays that have not ended, outermost first."""

    values: list[Any] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)
    events: int = 0

    @property
    def index(self) -> int:
        """The item that is being read, from 0."""
        return len(self.values) - (1 if self.opened else 0)

    def count(self) -> None:
        """One more event; raises BodyRefusedError where that is one too many."""
        self.events += 1
        if self.events > VALUE_LIMIT:
            raise _too_large(f"There are more than {VALUE_LIMIT} names and values in all", self.index)


def read_body(body: bytes, *, lines: bool = False) -> Reports:
    """The reports of a body; `lines`: it calls itself JSON Lines. Raises BodyRefusedError."""
    body = body.removeprefix(_BOM).lstrip(_SPACE)
    if not body.startswith((b"{", b"[")) and not lines:
        raise BodyRefusedError("unreadable", "This is neither a JSON object nor an array. Nothing was stored.")
    if body.startswith(b"["):
        objects = _document(body, many=True)
    elif lines or _reads(_LINE.match(body)):
        objects = list(_lines(body))
    else:
        objects = _document(body, many=False)
    if not objects:
        raise BodyRefusedError("no-notices", "The body holds no notice.")
    return Reports(objects, _kept(objects))


def _document(body: bytes, *, many: bool) -> list[Found]:
    scan = _Scan()
    try:
        _run(body, scan, many=many)
    except UnusableError as error:
        raise _unreadable(scan.index, error.reason) from None
    half = lone_surrogate(body)
    if half is not None:
        raise _unreadable(_index_at(body, half, many=many), "not_utf8")
    return [_found(number, value) for number, value in enumerate(scan.values, 1)]


def _lines(body: bytes) -> Iterator[Found]:
    events = 0
    for number, line in enumerate(_LINE.finditer(body), 1):
        if number > ITEM_LIMIT:
            raise _too_many()
        scan = _Scan(events=events)
        try:
            value = _line(line.group(), scan)
        except UnusableError as error:
            yield Found(number, None, error.reason)
        except BodyRefusedError as error:
            raise BodyRefusedError(error.kind, error.detail, number - 1) from None
        else:
            yield _found(number, value)
        events = scan.events


def _line(text: bytes, scan: _Scan) -> Any:
    _run(text, scan, many=False)
    if lone_surrogate(text) is not None:
        raise UnusableError("not_utf8")
    return scan.values[0]


def _reads(line: re.Match[bytes] | None) -> bool:
    """Whether a line is an object all by itself: then each line is one."""
    if line is None:
        return False
    try:
        _line(line.group(), _Scan())
    except UnusableError:
        return False
    return True


def _run(text: bytes, scan: _Scan, *, many: bool) -> None:
    """Read a text to its end; raises UnusableError, or BodyRefusedError at a limit."""
    sink = _collect(scan, many=many)
    next(sink)
    parser = ijson.get_backend("yajl2_c").basic_parse_coro(sink, use_float=True)
    try:
        parser.send(text)  # all at once: see above
        parser.close()
    except ijson.JSONError as error:
        raise UnusableError(_reason(str(error))) from None  # its message shows what was sent
    except UnicodeDecodeError:
        raise UnusableError("not_utf8") from None


def _reason(message: str) -> str:
    if _TOO_LARGE in message.partition("\n")[0]:
        return "number_too_large"
    return "not_utf8" if _NOT_UTF8 in message else "not_json"


def _index_at(body: bytes, end: int, *, many: bool) -> int:
    """The item that is being read at a place of a body that is well-formed."""
    scan = _Scan()
    sink = _collect(scan, many=many)
    next(sink)
    ijson.get_backend("yajl2_c").basic_parse_coro(sink, use_float=True).send(body[:end])
    return scan.index


def _collect(scan: _Scan, *, many: bool) -> Sink:
    """Build values from events, evidence left out; of an array (`many`) its elements, else the one value."""
    values, opened = scan.values, scan.opened
    here: Any = values
    name = ""
    if many:
        yield  # the array's own bracket
    while True:
        event, value = yield
        scan.count()
        if event == "map_key":
            name = value
            _add_name(here, name)
            if name in EVIDENCE:
                yield from _pass_over(scan)
        elif event in _ENDS:
            here = _outer(scan)
        else:
            opens = event in _STARTS
            value = _new(event) if opens else value
            if isinstance(here, dict):
                here[name] = value
            else:
                here.append(value)
                if here is values and len(values) > ITEM_LIMIT:
                    raise _too_many()
            if opens:
                opened.append(value)
                _refuse_deep(len(opened))
                here = value


def _add_name(here: Any, name: str) -> None:
    if name in here:
        raise UnusableError("doubled_field")
    here[name] = None


def _outer(scan: _Scan) -> Any:
    """What the object or array that ended stands in."""
    if scan.opened:
        scan.opened.pop()
    return scan.opened[-1] if scan.opened else scan.values


def _new(event: str) -> Any:
    return {} if event == "start_map" else []


def _pass_over(scan: _Scan) -> Sink:
    """Take the events of one value and keep nothing of them."""
    depth = 0
    while True:
        event, _ = yield
        scan.count()
        if event in _STARTS:
            depth += 1
            _refuse_deep(len(scan.opened) + depth)
        elif event in _ENDS:
            depth -= 1
        if depth == 0:
            return


def _refuse_deep(depth: int) -> None:
    if depth > NESTING_LIMIT:
        raise UnusableError("nested_too_deep")


def _found(number: int, value: Any) -> Found:
    if isinstance(value, dict):
        return Found(number, value)
    return Found(number, None, "not_an_object")


def _kept(objects: list[Found]) -> bytes:
    """JSON that `xarf.parse` reads object for object alike, with no evidence in it."""
    written = [_rewritten(item) for item in objects]
    if any(item.reason == "not_json" for item in objects):  # in an array it would end everything
        return b"\n".join(written) + b"\n"
    return b"[" + b",\n".join(written) + b"]\n"


def _rewritten(item: Found) -> bytes:
    text = rewritten(item)
    if len(text) > OBJECT_LIMIT:
        raise _too_large(f"An item is over {OBJECT_LIMIT} bytes, its evidence not counted", item.number - 1)
    return text


def _too_many() -> BodyRefusedError:
    return _too_large(f"There are more than {ITEM_LIMIT} items", ITEM_LIMIT)


def _too_large(what: str, index: int) -> BodyRefusedError:
    return BodyRefusedError("too-large", f"{what}. Send fewer at a time.", index)


def _unreadable(index: int, reason: str) -> BodyRefusedError:
    detail = f"The item at index {index} (from 0) {_DETAILS[reason]}. Nothing was stored."
    return BodyRefusedError("unreadable", detail, index)


# A XARF delivery without its evidence, which must not be kept: object for object the same to the parser.
#
# A delivery that is pending review is kept whole until it is decided. Evidence may be illegal material, so it is
# removed before the delivery is even fingerprinted: a XARF delivery's SHA-256 is that of this form.


@dataclass(frozen=True)
class WithoutEvidence:
    """A file of reports that opens as one without their evidence, decompressed, as often as need be."""

    file: Openable

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start; reading raises DeliveryError where this is no JSON."""
        assert mode == "rb"
        return BufferedReader(_Stream(_pieces(read_chunks(self.file))))


@dataclass(frozen=True)
class StrippedReports:
    """Reports in memory that were rewritten without their evidence; they open as they are."""

    content: bytes
    name: str = "the request"

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start."""
        assert mode == "rb"
        return BufferedReader(BytesIO(self.content))


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """An array stays an array, anything else becomes lines: what cannot be read is then refused as it was."""
    start = next(chunks, b"")
    refuse_table(start)
    is_array = start.lstrip()[:1] == b"["
    before, between, after = (b"[", b",\n", b"]\n") if is_array else (b"", b"\n", b"\n")
    yield before
    for found in read_objects(chain([start], chunks), EVIDENCE):
        yield (between if found.number > 1 else b"") + rewritten(found)
    yield after


class _Stream(RawIOBase):
    """Pieces as a stream; one is in memory at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
