"""Reading a delivery: plain, gzip or zstd, line by line in bounded memory, refused where it is no text table."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from monitor.errors import DeliveryError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE_LIMIT = 256 * 1024
_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def fingerprint(path: Path) -> str:
    """SHA-256, in hex, of the bytes that arrived."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and bytes of each line without its end; None in place of a line over LINE_LIMIT.

    Raises DeliveryError for what is no readable text table as a whole: empty, cut off, UTF-16, a web page.
    """
    try:
        with _decompressed(path) as stream:
            yield from _lines(stream, path.name)
    except EOFError as error:
        raise DeliveryError(f"{path.name}: the compressed file is cut off; fetch it again") from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise DeliveryError(f"{path.name}: the compressed file is damaged; fetch it again") from error


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise DeliveryError(f"{path.name}: cannot be opened ({error.strerror}); check the path") from error


def _decompressed(path: Path) -> BufferedIOBase:
    with _opened(path) as file:
        magic = file.read(4)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if magic == b"\x28\xb5\x2f\xfd":
        return zstd.open(path, "rb")
    return _opened(path)


def _lines(stream: BufferedIOBase, name: str) -> Iterator[tuple[int, bytes | None]]:
    start = stream.read(_CHUNK)
    _refuse(start, name)
    rest = start.removeprefix(_BOM)
    number, overlong = 0, False
    while True:
        *whole, rest = rest.split(b"\n")
        for line in whole:
            number += 1
            yield number, None if overlong or len(line) > LINE_LIMIT else line.removesuffix(b"\r")
            overlong = False
        if len(rest) > LINE_LIMIT:
            rest, overlong = b"", True
        chunk = stream.read(_CHUNK)
        if not chunk:
            break
        rest += chunk
    if rest or overlong:
        yield number + 1, None if overlong else rest.removesuffix(b"\r")


def _refuse(start: bytes, name: str) -> None:
    head = start.removeprefix(_BOM).lstrip()[:64].lower()
    if not head:
        raise DeliveryError(f"{name}: the file is empty; nothing was delivered")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start[:4]:
        raise DeliveryError(f"{name}: this is UTF-16 text; export it as UTF-8")
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise DeliveryError(f"{name}: this is a web page, not an export; it may be an error message of the sender")
