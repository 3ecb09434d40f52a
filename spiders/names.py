"""Reads the format and the time of receipt from the name of an exported file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from monitor.formats.catalogue import FORMATS

_TABLE = re.compile(r"[^.].*\.(csv|json|jsonl)(\.gz|\.zst)?", re.IGNORECASE)
_ABOUT_ITEMS = re.compile(r"scart[-_. ](whois|all|report)(?![a-z])")  # alone, "all" and "report" name anything
_STAMP = re.compile(r"\d{8}T\d{6}Z")
_FUTURE = 300  # seconds by which another clock may run ahead of ours


def format_of(name: str) -> str | None:
    """The format of a file: of a SCART export as SCART names it, else any that is named; None where none is."""
    lowered = name.lower()
    if "ntdclosed" in lowered:
        return "scart-ntdclosed"
    if "ntd" in lowered:
        return "scart-ntd"
    about_items = _ABOUT_ITEMS.search(lowered)
    if about_items:
        return f"scart-{about_items[1]}"
    return next((known for known in FORMATS if known in lowered and not known.startswith("scart-")), None)


def exports(names: Iterable[str]) -> tuple[list[str], int]:
    """The names of exports, oldest first, and how many other tables there are, whose names say no format."""
    tables = sorted({name for name in names if _TABLE.fullmatch(name)})
    found = [name for name in tables if format_of(name)]
    return found, len(tables) - len(found)


def stamp_of(name: str, now: int) -> int | None:
    """The instant of the stamp a name starts with, or None where it has none.

    Raises ValueError for a stamp that is no time, or lies in the future: every removal would seem too late.
    """
    stamp = _STAMP.match(name)
    if stamp is None:
        return None
    try:
        moment = datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("its name starts with a time that does not exist") from None
    if moment.timestamp() > now + _FUTURE:
        raise ValueError("its name starts with a time in the future")
    return int(moment.timestamp())
