"""Says what a file is that is not what was expected: by its first bytes, or by the columns that its header names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.errors import DeliveryError

BOM = b"\xef\xbb\xbf"
_AS_CSV = "open it and save the table as CSV (UTF-8)"
# What begins so is no text at all, and what to do with it.
_BINARY: Mapping[bytes, str] = {
    b"%PDF": "this is a PDF, not a text table; ask the sender for the export as CSV",
    b"\xd0\xcf\x11\xe0": f"this is an old Excel workbook or Office document; {_AS_CSV}",
    b"\x1f\x8b": "the file is compressed twice; unpack it once and deliver that",
    b"\x28\xb5\x2f\xfd": "the file is compressed twice; unpack it once and deliver that",
    b"PK\x03\x04": "a ZIP within a compressed file; unpack it and deliver the file",
    b"BZh": "this is bzip2; unpack it and deliver the file plain, or as gzip or zstd",
    b"\xfd7zXZ": "this is xz; unpack it and deliver the file plain, or as gzip or zstd",
    b"7z\xbc\xaf": "this is a 7z archive; unpack it and deliver each file by itself",
    b"Rar!": "this is a RAR archive; unpack it and deliver each file by itself",
    b"PAR1": "this is Parquet, not a text table; export it as CSV",
    b"SQLite format 3": "this is a database, not a text table; export the table as CSV",
    b"\x89PNG": "this is a picture, not a text table; never send pictures",
    b"\xff\xd8\xff": "this is a picture, not a text table; never send pictures",
    b"GIF8": "this is a picture, not a text table; never send pictures",
}
_PAGES = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<")
_SEPARATORS: Mapping[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_HEADER_LINES = 20  # at the start of a file, among which its header is
_LONGEST_HEADER = 16 * 1024


@dataclass(frozen=True)
class Layout:
    """How the header of a format is known: the columns that it must have, what separates them, and whether in quotes.

    `advice`: what to do with a file of this kind that came as another.
    """

    columns: frozenset[str]
    separator: str
    advice: str
    quoted: bool = False


def refuse_no_text(start: bytes) -> None:
    """DeliveryError for what begins like no text: it says what it is, and what to do."""
    head = start.removeprefix(BOM).lstrip()[:64]
    if not head:
        raise DeliveryError("the file is empty; nothing was delivered")
    for magic, message in _BINARY.items():
        if start.startswith(magic):
            raise DeliveryError(message)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start[:4]:
        raise DeliveryError("this is UTF-16 text; export it as UTF-8")
    if start[257:262] == b"ustar":
        raise DeliveryError("this is a tar archive; unpack it and deliver each file by itself")
    if head.lower().startswith(_PAGES):
        raise DeliveryError("this is a web page, not an export; it may be an error message of the sender")


def refuse_json(start: bytes) -> None:
    """DeliveryError for JSON in place of a table."""
    head = start.removeprefix(BOM).lstrip()
    rest = head[1:].lstrip()
    if (head.startswith(b"{") and rest[:1] in (b'"', b"}")) or (head.startswith(b"[") and rest[:1] in (b"{", b"]")):
        raise DeliveryError(
            "this is JSON, not a table; it may be an error message of the sender, or reports: see `monitor ingest xarf`"
        )


def refuse_table(start: bytes) -> None:
    """DeliveryError for a table in place of JSON."""
    line = start.removeprefix(BOM).lstrip().partition(b"\n")[0][:_LONGEST_HEADER]
    if line[:1] not in (b"{", b"[") and max(line.count(sign.encode()) for sign in _SEPARATORS) >= 3:
        raise DeliveryError("this is a table, not JSON; give the format that its columns are of")


def header_lines(lines: Iterable[tuple[int, bytes | None]]) -> list[tuple[int, bytes | None]]:
    """The first lines of a file, as far as `explain` looks; they are taken from an iterator."""
    found: list[tuple[int, bytes | None]] = []
    for line in lines:
        found.append(line)
        if len(found) >= _HEADER_LINES:
            break
    return found


def explain(name: str, start: Iterable[tuple[int, bytes | None]], layouts: Mapping[str, Layout]) -> str | None:
    """Why the header of a file is not that of the format, where the columns it names say so; None where they do not."""
    wanted = layouts[name]
    for line, raw in start:
        text = (raw or b"")[:_LONGEST_HEADER].decode("utf-8", "replace").removeprefix("\ufeff").lstrip("# ")
        named = {sign: _names(text, sign) for sign in _SEPARATORS}
        if wanted.columns <= named[wanted.separator]:
            bare = wanted.quoted and not text.startswith('"')
            return f"line {line}: {name} has its fields in quotes; {_AS_WRITTEN}" if bare else None
        for sign, names in named.items():
            if wanted.columns <= names:
                apart = f"separated by {_SEPARATORS[sign]}, and {name} by {_SEPARATORS[wanted.separator]}"
                return f"line {line}: the columns are {apart}; {_AS_WRITTEN if wanted.quoted else _AS_SEPARATED}"
        others = [other for other in layouts if layouts[other].columns <= frozenset().union(*named.values())]
        if others:
            found = max(others, key=lambda other: len(layouts[other].columns))
            return f"line {line}: these are the columns of {found}, not of {name}; {layouts[found].advice}"
    return None


_AS_WRITTEN = "deliver it as the system wrote it, not as a spreadsheet saved it"
_AS_SEPARATED = "export it again with the other separator (a spreadsheet takes that of its region)"


def _names(text: str, separator: str) -> frozenset[str]:
    return frozenset(name.strip().strip("\"'").strip() for name in text.split(separator))
