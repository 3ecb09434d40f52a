"""Opens and reads delivery files: plain, gzip, zstd or one in a ZIP, by line in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from monitor.errors import DeliveryError
from monitor.formats.recognise import BOM, refuse_json, refuse_no_text
from monitor.formats.zipped import ZIP_MAGIC, unpacked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE_LIMIT = 256 * 1024
_CHUNK = 64 * 1024
_HASHED_AT_ONCE = 1024 * 1024
_ZSTD_WINDOW = 26  # 64 MiB of memory at most, whatever a frame asks for (up to 2 GiB)
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
)


class Openable(Protocol):
    """What a delivery is read from: a path, or anything else that opens for reading. No message says its name."""

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Its bytes from the start."""


def open_regular(path: Path, *, follow_links: bool = True) -> BufferedReader:
    """Open a regular file for reading, and nothing else: opening a pipe would wait for somebody to write to it.

    Raises DeliveryError for what is no regular file (`follow_links`: a link to one is), OSError as opening does.
    """
    _refuse_irregular(path.stat(follow_symlinks=follow_links).st_mode)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _refuse_irregular(os.fstat(file.fileno()).st_mode)  # it may have been exchanged in between
    except DeliveryError:
        file.close()
        raise
    return file


def require_regular(path: Path) -> None:
    """Raise DeliveryError where something is there that is no regular file; what is not there is another's error."""
    try:
        _refuse_irregular(path.stat().st_mode)
    except OSError:
        return


def _refuse_irregular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise DeliveryError(f"the file is {kind}, not a regular file; save it as a file and give that")


def open_delivery_file(file: Openable) -> BufferedReader:
    """Open a delivery from the start; raises DeliveryError where it cannot be opened, or is no regular file."""
    try:
        return open_regular(file) if isinstance(file, Path) else file.open("rb")
    except OSError as error:
        raise DeliveryError(f"the file cannot be opened ({error.strerror}); check the path") from error


def fingerprint(path: Openable) -> str:
    """SHA-256, in hex, of the bytes that arrived."""
    return fingerprint_and_size(path)[0]


def fingerprint_and_size(path: Openable) -> tuple[str, int]:
    """SHA-256, in hex, of the bytes that arrived, and how many they are."""
    digest, size = hashlib.sha256(), 0
    with open_delivery_file(path) as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def read_lines(path: Openable) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and bytes of each line without its end; None in place of a line over LINE_LIMIT.

    A line ends with LF or CRLF; where the first one ends with a bare CR, as old exports do, every CR ends one.
    Raises DeliveryError for what is no readable text table as a whole: empty, cut off, UTF-16, a workbook, a web page.
    """
    yield from _lines(_line_feeds(_table_chunks(path)))


def _table_chunks(path: Openable) -> Iterator[bytes]:
    chunks = read_chunks(path)
    start = next(chunks)
    refuse_json(start)
    yield start
    yield from chunks


def read_chunks(path: Openable) -> Iterator[bytes]:
    """The text in pieces of at most 64 KiB, for formats whose rows are no lines; raises what `read_lines` does, but for
    JSON.
    """
    try:
        with _decompressed(path) as stream:
            start = stream.read(_CHUNK)
            refuse_no_text(start)
            while start.startswith(BOM):  # a program may write one before text that begins with one
                start = start.removeprefix(BOM)
            yield start
            while chunk := stream.read(_CHUNK):
                yield chunk
    except EOFError as error:
        raise DeliveryError("the compressed file is cut off; fetch it again") from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        if "too much memory" in str(error):
            raise DeliveryError("the file takes over 64 MiB to unpack; compress it without --long") from error
        raise DeliveryError("the compressed file is damaged; fetch it again") from error


@contextmanager
def _decompressed(path: Openable) -> Iterator[BufferedIOBase]:
    with open_delivery_file(path) as file:
        magic = file.peek(4)
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(file) as stream:
                yield stream
        elif magic.startswith(b"\x28\xb5\x2f\xfd"):
            with zstd.open(file, options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}) as frames:
                yield frames
        elif magic.startswith(ZIP_MAGIC):
            with unpacked(file) as member:
                yield member
        else:
            yield file


def _line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as they are; of a file whose first line ends with a bare CR, with LF in place of CR and CRLF."""
    held = b""  # a CR at the end of a chunk: whether an LF follows is not known yet
    for chunk in chunks:
        chunk, held = held + chunk, b""
        if chunk.endswith(b"\r"):
            chunk, held = chunk[:-1], b"\r"
        feed, bare = chunk.find(b"\n"), chunk.find(b"\r")
        if bare >= 0 and (feed < 0 or bare < feed - 1):
            yield from _without_returns(chain((chunk, held), chunks))
            return
        yield chunk
        if feed >= 0:
            yield held
            yield from chunks
            return
    yield held


def _without_returns(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        chunk, held = held + chunk, b""
        if chunk.endswith(b"\r"):
            chunk, held = chunk[:-1], b"\r"
        yield chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    yield held


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
