"""Opens and reads delivery files: plain, gzip, zstd or one in a ZIP, by line in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader, BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Literal, Protocol, cast

from monitor.errors import DeliveryError
from monitor.formats.recognise import BOM, refuse_json, refuse_no_text

# The one file in a ZIP, read in bounded memory. Any other ZIP is refused; what its files are called is not repeated.
#
# What an archive says of itself is looked at before anything of it is unpacked: its files are few, and the one that
# is read is no larger, and no better compressed, than a table can be.

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # with files, and empty
MEMBER_LIMIT = 1000  # names in an archive
UNPACKED_LIMIT = 4 * 2**30
RATIO_LIMIT = 200  # a table of repeated rows comes to some 50; deflate itself ends at 1,032
PACKED_IN_MEMORY = 64 * 2**20  # of an archive that is read from a stream, as its directory stands at the end

_END = struct.Struct("<4s4H2LH")  # of the directory: signature, disks, entries, bytes, where, length of the comment
_LONGEST_COMMENT = 2**16 - 1
_NOT_FILES = ("__MACOSX/", ".DS_Store", "Thumbs.db")  # what file managers add
_OFFICE = {"xl/": "an Excel workbook", "word/": "a Word document", "ppt/": "a presentation"}
_AS_CSV = "open it and save the table as CSV (UTF-8)"
_UNUSUAL = "packed in an unusual way; unpack it and deliver the file"
_UNPACK = "unpack it and deliver each file by itself"


@contextmanager
def unpacked(file: BufferedReader) -> Iterator[BufferedIOBase]:
    """The one file in an archive that was opened; raises DeliveryError where there is not just one that can be read."""
    whole = file if file.seekable() else _in_memory(file)
    _refuse_large_directory(whole)
    try:
        with zipfile.ZipFile(cast("IO[bytes]", whole)) as archive, archive.open(_only_file(archive)) as member:
            yield cast("BufferedIOBase", member)
    except (zipfile.BadZipFile, NotImplementedError, struct.error) as error:
        raise DeliveryError(f"the ZIP is damaged, or {_UNUSUAL}") from error


def _in_memory(file: BufferedReader) -> BytesIO:
    content = file.read(PACKED_IN_MEMORY + 1)
    if len(content) > PACKED_IN_MEMORY:
        raise DeliveryError(f"a ZIP of over {PACKED_IN_MEMORY >> 20} MiB; unpack it and deliver the file as gzip")
    return BytesIO(content)


def _refuse_large_directory(file: BufferedReader | BytesIO) -> None:
    """Before all of the directory is read into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END.size:
        raise DeliveryError("the ZIP is cut off; fetch it again")
    _, _, _, _, entries, length, _, _ = _END.unpack_from(tail, end)
    if entries > MEMBER_LIMIT or length > MEMBER_LIMIT * 512 or b"PK\x06\x07" in tail[max(0, end - 20) : end]:
        raise DeliveryError(f"a ZIP of over {MEMBER_LIMIT} files or 4 GiB; {_UNPACK}")
    file.seek(0)


def _only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = archive.namelist()
    for beginning, kind in _OFFICE.items():
        if any(name.startswith(beginning) for name in names):
            raise DeliveryError(f"this is {kind}, not a text table; {_AS_CSV}")
    if "mimetype" in names and "content.xml" in names:
        raise DeliveryError(f"this is an office document, not a text table; {_AS_CSV}")
    files = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_no_file(entry.filename)]
    if not files:
        raise DeliveryError("the ZIP is empty; nothing was delivered")
    if len(files) > 1:
        raise DeliveryError(f"a ZIP of {len(files)} files; {_UNPACK}")
    [only] = files
    if only.flag_bits & 1:
        raise DeliveryError("the ZIP is protected with a password; unpack it and deliver the file")
    if only.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DeliveryError(f"the ZIP is {_UNUSUAL}")
    if only.file_size > UNPACKED_LIMIT or only.file_size > RATIO_LIMIT * max(only.compress_size, 1024):
        raise DeliveryError("the ZIP unpacks to far more than a table can be; unpack it, look, and deliver the file")
    return only


def _is_no_file(name: str) -> bool:
    return name.startswith(_NOT_FILES[0]) or name.rpartition("/")[2] in _NOT_FILES


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
