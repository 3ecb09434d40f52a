"""A XARF delivery without its evidence, which must not be kept: object for object the same to the parser.

A delivery that is pending review is kept whole until it is decided. Evidence may be illegal material, so it is
removed before the delivery is even fingerprinted: a XARF delivery's SHA-256 is that of this form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO, RawIOBase
from itertools import chain
from typing import Any, Literal

from monitor.formats.files import Openable, read_chunks
from monitor.formats.recognise import refuse_table
from monitor.formats.xarf import EVIDENCE, rewritten
from monitor.formats.xarf_objects import read_objects


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
