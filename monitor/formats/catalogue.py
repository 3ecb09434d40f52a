"""Which formats there are, by the names the command line knows, and which of them have a fast path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from types import MappingProxyType
from typing import TypeAlias

from monitor.errors import DeliveryError, MonitorError
from monitor.formats import inhope_csv, scart, urlhaus
from monitor.formats.fast_path import FastPath
from monitor.formats.files import Openable, read_chunks, read_lines
from monitor.formats.netblocks import COLUMNS as RANGES
from monitor.formats.recognise import Layout, explain, header_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import Lines
from monitor.formats.scart.items import ALL_COLUMNS, WHOIS_COLUMNS
from monitor.formats.scart.items import READ as REPORT_COLUMNS
from monitor.formats.scart.ntd import CLOSED_COLUMNS, NTD_COLUMNS, ntd_fast_path

Parser: TypeAlias = Callable[[Lines, Context], Iterator[Record | Rejected]]
ChunkParser: TypeAlias = Callable[[Iterator[bytes], Context], Iterator[Record | Rejected]]
Reader: TypeAlias = Callable[[Openable, Context], Iterator[Record | Rejected]]
OpenFastPath: TypeAlias = Callable[[Lines, Context], FastPath]


def by_line(name: str, parse: Parser) -> Reader:
    """A format whose rows are lines; where its header is missing, the error says what the file is instead."""

    def read(file: Openable, context: Context) -> Iterator[Record | Rejected]:
        lines = read_lines(file)
        start = header_lines(lines)
        with _explained(name, start):
            yield from parse(chain(start, lines), context)

    return read


def by_chunk(parse: ChunkParser) -> Reader:
    """A format whose rows are found in the bytes as they come, and may be longer than any line."""
    return lambda file, context: parse(read_chunks(file), context)


def fast_path(name: str, file: Openable, context: Context) -> FastPath:
    """A file in a format with a fast path, read as far as its header; raises DeliveryError as `by_line` does."""
    lines = read_lines(file)
    start = header_lines(lines)
    with _explained(name, start):
        return FAST_PATHS[name](chain(start, lines), context)


@contextmanager
def _explained(name: str, start: Sequence[tuple[int, bytes | None]]) -> Iterator[None]:
    try:
        yield
    except DeliveryError as error:
        reason = explain(name, start, LAYOUTS)
        if reason is None:
            raise
        raise DeliveryError(reason) from error


def _xarf(chunks: Iterator[bytes], context: Context) -> Iterator[Record | Rejected]:
    from monitor.formats import xarf  # takes a quarter of a second to load: only where it is read

    return xarf.parse(chunks, context)


FORMATS: Mapping[str, Reader] = MappingProxyType(
    {
        "scart-ntd": by_line("scart-ntd", scart.parse_ntd),
        "scart-ntdclosed": by_line("scart-ntdclosed", scart.parse_ntdclosed),
        "scart-whois": by_line("scart-whois", scart.parse_whois),
        "scart-all": by_line("scart-all", scart.parse_all),
        "scart-report": by_line("scart-report", scart.parse_report),
        "urlhaus": by_line("urlhaus", urlhaus.parse),
        "inhope-csv": by_line("inhope-csv", inhope_csv.parse),
        "xarf": by_chunk(_xarf),
    }
)
_COLUMNS: Mapping[str, tuple[Sequence[str], str, bool]] = {
    "scart-ntd": (NTD_COLUMNS, ";", True),
    "scart-ntdclosed": (CLOSED_COLUMNS, ";", True),
    "scart-whois": (WHOIS_COLUMNS, ";", True),
    "scart-all": (ALL_COLUMNS, ";", True),
    "scart-report": (REPORT_COLUMNS, ";", False),
    "urlhaus": (urlhaus.COLUMNS, ",", False),
    "inhope-csv": (inhope_csv.COLUMNS, ",", False),
}
# What a header may be of: the formats whose rows are lines, and tables of networks.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        name: Layout(frozenset(columns), separator, f"ingest it as that: `monitor ingest {name}`", quoted)
        for name, (columns, separator, quoted) in _COLUMNS.items()
    }
    | {"a table of networks": Layout(frozenset(RANGES), ",", "load it with `monitor netblocks load`")}
)
# Formats that come in bulk: their regular rows are read by columns (ADR 17).
FAST_PATHS: Mapping[str, OpenFastPath] = MappingProxyType({"scart-ntd": ntd_fast_path, "urlhaus": urlhaus.fast_path})
DEFAULT_SOURCE: Mapping[str, str] = MappingProxyType({name: name.partition("-")[0] for name in FORMATS})


def without_evidence(name: str, file: Openable) -> Openable:
    """The file as it may be kept: in some formats without the evidence it holds."""
    if name != "xarf":
        return file
    from monitor.formats.xarf_body import StrippedReports, WithoutEvidence  # as above

    return file if isinstance(file, StrippedReports) else WithoutEvidence(file)


def reader(name: str) -> Reader:
    """What reads that format; raises MonitorError naming those there are."""
    try:
        return FORMATS[name]
    except KeyError as error:
        raise MonitorError(f"no format {name!r}; there are: {', '.join(FORMATS)}") from error
