"""Which formats have a second way through: those that come in bulk, whose regular rows go by columns (ADR 17)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from monitor.formats import urlhaus
from monitor.formats.records import Context
from monitor.formats.regular import Lanes
from monitor.formats.rows import Lines
from monitor.formats.scart.ntd import ntd_lanes

Division: TypeAlias = Callable[[Lines, Context], Lanes]

LANES: Mapping[str, Division] = MappingProxyType({"scart-ntd": ntd_lanes, "urlhaus": urlhaus.lanes})
