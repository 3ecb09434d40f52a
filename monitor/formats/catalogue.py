"""Which formats there are, by the names the command line knows, and which of them have a fast path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from monitor.errors import MonitorError
from monitor.formats import inhope_csv, scart, urlhaus
from monitor.formats.fast_path import FastPath
from monitor.formats.files import Openable, read_chunks, read_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import Lines
from monitor.formats.scart.ntd import ntd_fast_path

Parser: TypeAlias = Callable[[Lines, Context], Iterator[Record | Rejected]]
ChunkParser: TypeAlias = Callable[[Iterator[bytes], Context], Iterator[Record | Rejected]]
Reader: TypeAlias = Callable[[Openable, Context], Iterator[Record | Rejected]]
OpenFastPath: TypeAlias = Callable[[Lines, Context], FastPath]


def by_line(parse: Parser) -> Reader:
    """A format whose rows are lines."""
    return lambda file, context: parse(read_lines(file), context)


def by_chunk(parse: ChunkParser) -> Reader:
    """A format whose rows are found in the bytes as they come, and may be longer than any line."""
    return lambda file, context: parse(read_chunks(file), context)


def _xarf(chunks: Iterator[bytes], context: Context) -> Iterator[Record | Rejected]:
    from monitor.formats import xarf  # takes a quarter of a second to load: only where it is read

    return xarf.parse(chunks, context)


FORMATS: Mapping[str, Reader] = MappingProxyType(
    {
        "scart-ntd": by_line(scart.parse_ntd),
        "scart-ntdclosed": by_line(scart.parse_ntdclosed),
        "scart-whois": by_line(scart.parse_whois),
        "scart-all": by_line(scart.parse_all),
        "scart-report": by_line(scart.parse_report),
        "urlhaus": by_line(urlhaus.parse),
        "inhope-csv": by_line(inhope_csv.parse),
        "xarf": by_chunk(_xarf),
    }
)
# Formats that come in bulk: their regular rows are read by columns (ADR 17).
FAST_PATHS: Mapping[str, OpenFastPath] = MappingProxyType({"scart-ntd": ntd_fast_path, "urlhaus": urlhaus.fast_path})
DEFAULT_SOURCE: Mapping[str, str] = MappingProxyType({name: name.partition("-")[0] for name in FORMATS})


def without_evidence(name: str, file: Openable) -> Openable:
    """The file as it may be kept: in some formats without the evidence it holds."""
    if name != "xarf":
        return file
    from monitor.formats.xarf_evidence import StrippedReports, WithoutEvidence  # as above

    return file if isinstance(file, StrippedReports) else WithoutEvidence(file)


def reader(name: str) -> Reader:
    """What reads that format; raises MonitorError naming those there are."""
    try:
        return FORMATS[name]
    except KeyError as error:
        raise MonitorError(f"no format {name!r}; there are: {', '.join(FORMATS)}") from error
