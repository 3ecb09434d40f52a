"""The objects of a JSON document, found while it streams by: one object, an array of them, or JSON Lines."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NoReturn

from monitor.errors import DeliveryError

# The objects of a JSON document, found while it streams by: one object, an array of them, or JSON Lines.
#
# Memory stays bounded whatever the size: an object is kept up to OBJECT_LIMIT, and the values of the fields a caller
# wants dropped are passed over unread. Time grows with the size alone. An array or a single object is one document:
# where it is not well formed, nobody can say where its next object begins, and it is refused. In JSON Lines a bad
# line is that line's affair.
#
# An object is held to I-JSON (RFC 7493): no name twice, no number that a double or 64 bits cannot hold, no text that
# UTF-8 cannot write. One that breaks this is refused alone: its end is known all the same.

OBJECT_LIMIT = 256 * 1024  # bytes, without what is dropped; as long as a line of a table may be
NESTING_LIMIT = 32
# Of a body that is pushed (xarf_body.py):
BODY_LIMIT = 8 * 1024 * 1024  # bytes, as sent and inflated
ITEM_LIMIT = 1000
VALUE_LIMIT = 250_000  # names, values and ends of objects and arrays, in all: 250 an item where there are 1,000
LARGEST_INTEGER = 2**63 - 1  # and its negative: what yajl reads, which reads the bodies of pushes (xarf_body.py)

_OUTSIDE = re.compile(rb'["{}\[\]:,\n]')
_WITHIN = re.compile(rb'["{}\[\]:\n]')  # commas are of no account deep in an object
_INSIDE = re.compile(rb'(?:[^"\\\n]++|\\[^\n])*+')  # a string up to its end, a line's end, or half an escape
_PAIRED = re.compile(
    rb"(?:[^\\]++|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?!u[dD][89a-fA-F])[\x00-\xff])*+"
)
_SPACE = b" \t\r\n"
_NEWLINE = ord("\n")


class UnusableError(Exception):
    """A text is no I-JSON: `reason` says why, in the words of quarantine. Never carries the text."""

    def __init__(self, reason: str) -> None:
        """`reason` is a code such as `not_json`."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Found:
    """The object at place `number` (from 1), or the reason why there is none."""

    number: int
    value: dict[str, Any] | None
    reason: str | None = None


class _Mode(Enum):
    START = auto()
    ARRAY = auto()
    FIRST = auto()  # in the first object of what is either one document or JSON Lines
    DOCUMENT = auto()
    LINES = auto()
    ENDED = auto()


def read_objects(chunks: Iterable[bytes], dropped: Collection[str] = ()) -> Iterator[Found]:
    """Each object in turn; fields named in `dropped` are null, at any depth, their values unread.

    Raises DeliveryError where the document as a whole is no well-formed JSON.
    """
    scanner = _Scanner(frozenset(name.encode() for name in dropped))
    for chunk in chunks:
        yield from scanner.feed(chunk)
    yield from scanner.close()


@dataclass
class _Scanner:
    dropped: frozenset[bytes]
    mode: _Mode = _Mode.START
    number: int = 0
    depth: int = 0
    deepest: int = 0
    in_string: bool = False
    escaped: bool = False
    name: bytes = b""  # the last string that ended: a field's name, if a colon follows
    name_at: int = 0
    dropping: int | None = None  # the depth of the field whose value is passed over
    too_large: bool = False
    kept: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> Iterator[Found]:
        """Read on; each object that ends here."""
        at = 0
        while at < len(chunk):
            if self.escaped:
                self.escaped = False
                if chunk[at] != _NEWLINE:
                    self._keep(chunk[at : at + 1])
                    at += 1
                    continue
            end, sign = self._next_sign(chunk, at)
            self._keep(chunk[at:end])
            at = end
            if sign and self._ends(sign):
                yield from self._finish()

    def _next_sign(self, chunk: bytes, at: int) -> tuple[int, bytes]:
        """Where the next sign that matters ends, and which it is; the end of the chunk and nothing, where none does."""
        if self.in_string:
            found = _INSIDE.match(chunk, at)
            assert found is not None
            return min(found.end() + 1, len(chunk)), chunk[found.end() : found.end() + 1]
        commas = self.dropping is not None or (self.mode is _Mode.ARRAY and self.depth <= 1)
        match = (_OUTSIDE if commas else _WITHIN).search(chunk, at)
        return (len(chunk), b"") if match is None else (match.end(), match.group())

    def close(self) -> Iterator[Found]:
        """The last line; raises DeliveryError where the document is cut off."""
        if self.mode is _Mode.LINES:
            yield from self._finish()
        elif self.mode is not _Mode.ENDED or self.kept:
            raise self._refusal("the JSON ends in the middle; send it whole")

    def _keep(self, piece: bytes) -> None:
        if not self.kept:
            piece = piece.lstrip(_SPACE)
        if self.mode in (_Mode.START, _Mode.ENDED) and piece:
            self._begin(piece)
        if self.dropping is not None or self.too_large:
            return
        if len(self.kept) + len(piece) > OBJECT_LIMIT:
            self.too_large = True
            self.kept[:] = b"."  # something, so that what follows is not taken for a beginning
        else:
            self.kept += piece

    def _begin(self, piece: bytes) -> None:
        if self.mode is _Mode.ENDED:
            raise self._refusal("more follows after its end; send an array, or one object a line")
        if piece[:1] not in (b"{", b"["):
            raise self._refusal("neither an object nor an array; is this JSON?")
        self.mode = _Mode.ARRAY if piece[:1] == b"[" else _Mode.FIRST

    def _ends(self, sign: bytes) -> bool:
        """Take in one sign of structure; whether an object (or what stands in its place) ends with it."""
        if sign == b"\n":
            return self._ends_with_line()
        if self.in_string:
            self._in_string(sign)
            return False
        if sign == b'"':
            self.in_string, self.name_at = True, len(self.kept)
        elif sign == b":":
            self._maybe_drop()
        elif sign == b",":
            self._stop_dropping(sign)
            return self.mode is _Mode.ARRAY and self.depth == 1
        elif sign in b"{[":
            return self._opens()
        else:
            return self._closes(sign)
        return False

    def _in_string(self, sign: bytes) -> None:
        if sign == b"\\":
            self.escaped = True
            return
        self.in_string = False
        self.name = bytes(self.kept[self.name_at : -1]) if self.dropping is None else b""

    def _ends_with_line(self) -> bool:
        if self.mode is _Mode.FIRST:
            self.mode = _Mode.DOCUMENT
        return self.mode is _Mode.LINES

    def _maybe_drop(self) -> None:
        if self.dropping is None and self.name in self.dropped:
            self._keep(b"null")
            self.dropping = self.depth

    def _stop_dropping(self, sign: bytes) -> None:
        if self.dropping == self.depth:
            self.dropping = None
            self._keep(sign)

    def _opens(self) -> bool:
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if self.mode is _Mode.ARRAY and self.depth == 1 and self.kept == b"[":
            self.kept.clear()  # the array's own bracket
        return False

    def _closes(self, sign: bytes) -> bool:
        self._stop_dropping(sign)
        self.depth -= 1
        if self.mode is _Mode.FIRST and self.depth == 0:
            self.mode = _Mode.LINES  # all on one line; it ends where the line does
        if self.mode is _Mode.ARRAY:
            return self.depth <= 1
        return self.mode is _Mode.DOCUMENT and self.depth == 0

    def _finish(self) -> Iterator[Found]:
        """What was kept, as an object; then everything as before the first."""
        raw, too_large, depth = bytes(self.kept), self.too_large, self.deepest
        if self.mode is _Mode.ARRAY:
            raw, depth = self._element(raw), depth - 1
        if self.mode is _Mode.DOCUMENT:
            self.mode = _Mode.ENDED
        self.in_string, self.dropping, self.too_large, self.name = False, None, False, b""
        self.kept.clear()
        self.depth = self.deepest = 1 if self.mode is _Mode.ARRAY else 0
        if not raw.strip(_SPACE):
            return
        self.number += 1
        if too_large or depth > NESTING_LIMIT:
            yield Found(self.number, None, "object_too_large" if too_large else "nested_too_deep")
        else:
            yield self._read(raw)

    def _element(self, raw: bytes) -> bytes:
        """An array's element without the sign that ended it; the array's end ends the document."""
        if self.depth == 1 and raw.endswith(b","):
            return raw[:-1]
        if self.depth < 1:
            self.mode = _Mode.ENDED
            if not self.too_large and not raw.endswith(b"]"):
                raise self._refusal("its brackets do not pair")
            return raw.removesuffix(b"]")
        return raw

    def _read(self, raw: bytes) -> Found:
        try:
            value = load(raw)
        except UnusableError as error:
            if error.reason == "not_json" and self.mode is not _Mode.LINES:
                raise self._refusal(f"object {self.number} is not well-formed ({error.reason})") from None
            return Found(self.number, None, error.reason)
        if not isinstance(value, dict):
            return Found(self.number, None, "not_an_object")
        return Found(self.number, value)

    def _refusal(self, what: str) -> DeliveryError:
        return DeliveryError(f"no JSON that can be read, after {self.number} objects: {what}")


def load(raw: bytes) -> Any:
    """The value of a JSON text that nests no deeper than NESTING_LIMIT; raises UnusableError."""
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise UnusableError("not_utf8") from None
    except ValueError:
        raise UnusableError("not_json") from None
    if b"\\u" in raw and lone_surrogate(raw) is not None:
        raise UnusableError("not_utf8")
    return value


def lone_surrogate(raw: bytes) -> int | None:
    """Where in a JSON text an escape stands for half a character, if any does: no UTF-8 can hold that."""
    found = _PAIRED.match(raw)
    assert found is not None
    return None if found.end() == len(raw) else found.end()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise UnusableError("doubled_field")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(number := int(digits)) > LARGEST_INTEGER:
        raise UnusableError("number_too_large")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnusableError("number_too_large")
    return number


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_finite, parse_constant=_no_number
)  # made once: for a small object that takes longer than reading it
