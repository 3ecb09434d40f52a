"""The one file in a ZIP, read in bounded memory. Any other ZIP is refused; what its files are called is not repeated.

What an archive says of itself is looked at before anything of it is unpacked: its files are few, and the one that is
read is no larger, and no better compressed, than a table can be.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader, BytesIO
from typing import IO, cast

from monitor.errors import DeliveryError

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
