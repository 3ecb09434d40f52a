"""SCART, the hotline's own system: its five exports. What the values mean is written down in docs/sources.md."""

from monitor.formats.scart.items import parse_all, parse_report, parse_whois
from monitor.formats.scart.ntd import parse_ntd, parse_ntdclosed
from monitor.formats.scart.rows import CUT_AT, split_row

__all__ = ["CUT_AT", "parse_all", "parse_ntd", "parse_ntdclosed", "parse_report", "parse_whois", "split_row"]
