"""Reading a delivery: plain, gzip or zstd, line by line in bounded memory, refused where it is no text table."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader
from typing import Literal, Protocol

from monitor.errors import DeliveryError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE_LIMIT = 256 * 1024
_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


class Openable(Protocol):
    """What a delivery is read from: a path, or anything else that opens for reading. No message says its name."""

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Its bytes from the start."""


def fingerprint(path: Openable) -> str:
    """SHA-256, in hex, of the bytes that arrived."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lines(path: Openable) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and bytes of each line without its end; None in place of a line over LINE_LIMIT.

    Raises DeliveryError for what is no readable text table as a whole: empty, cut off, UTF-16, a web page.
    """
    yield from _lines(read_chunks(path))


def read_chunks(path: Openable) -> Iterator[bytes]:
    """The text in pieces of at most 64 KiB, for formats whose rows are no lines; raises what `read_lines` does."""
    try:
        with _decompressed(path) as stream:
            start = stream.read(_CHUNK)
            _refuse(start)
            yield start.removeprefix(_BOM)
            while chunk := stream.read(_CHUNK):
                yield chunk
    except EOFError as error:
        raise DeliveryError("the compressed file is cut off; fetch it again") from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise DeliveryError("the compressed file is damaged; fetch it again") from error


def _opened(path: Openable) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise DeliveryError(f"the file cannot be opened ({error.strerror}); check the path") from error


@contextmanager
def _decompressed(path: Openable) -> Iterator[BufferedIOBase]:
    with _opened(path) as file:
        magic = file.peek(4)
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(file) as stream:
                yield stream
        elif magic.startswith(b"\x28\xb5\x2f\xfd"):
            with zstd.open(file) as frames:
                yield frames
        else:
            yield file


def _lines(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes | None]]:
    rest, number, overlong = b"", 0, False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole[:1]:  # the only one that can be too long: the others lie within one chunk
            yield number + 1, None if overlong or len(line) > LINE_LIMIT else line.removesuffix(b"\r")
            overlong = False
        yield from enumerate((line.removesuffix(b"\r") for line in whole[1:]), number + 2)
        number += len(whole)
        if len(rest) > LINE_LIMIT:
            rest, overlong = b"", True
    if rest or overlong:
        yield number + 1, None if overlong else rest.removesuffix(b"\r")


def _refuse(start: bytes) -> None:
    head = start.removeprefix(_BOM).lstrip()[:64].lower()
    if not head:
        raise DeliveryError("the file is empty; nothing was delivered")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start[:4]:
        raise DeliveryError("this is UTF-16 text; export it as UTF-8")
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise DeliveryError("this is a web page, not an export; it may be an error message of the sender")
