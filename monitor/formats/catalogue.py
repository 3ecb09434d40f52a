"""Which formats there are, by the names the command line knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from monitor.errors import MonitorError
from monitor.formats import scart, urlhaus
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import Lines

Parser: TypeAlias = Callable[[Lines, Context], Iterator[Record | Rejected]]

FORMATS: Mapping[str, Parser] = MappingProxyType(
    {"scart-ntd": scart.parse_ntd, "scart-ntdclosed": scart.parse_ntdclosed, "urlhaus": urlhaus.parse}
)
DEFAULT_SOURCE: Mapping[str, str] = MappingProxyType(
    {"scart-ntd": "scart", "scart-ntdclosed": "scart", "urlhaus": "urlhaus"}
)


def parser(name: str) -> Parser:
    """The parser of that format; raises MonitorError naming those there are."""
    try:
        return FORMATS[name]
    except KeyError as error:
        raise MonitorError(f"no format {name!r}; there are: {', '.join(FORMATS)}") from error
