"""What could be measured and what could not: refused notices, what the sources delivered, interruptions."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Quality, SourceQuality, Standstill
from monitor.wording.language import MISSING, Language, Message

_PAUSES = {
    "outage": Message("Outage at the hotline or the monitor"),
    "blocked_hours": Message("Hours without checks"),
    "host_changed": Message("Change of host under review"),
    "police_hold": Message("At the request of the police"),
    "manual_check": Message("Check by hand"),
}


@dataclass(frozen=True, slots=True)
class Interruption:
    """A stretch in which nothing came in, or the clock of every episode stood still."""

    what: str
    reason: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one source delivered in the period."""

    source: str
    deliveries: str
    first: str
    last: str
    longest_gap: str
    quarantined: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The quality of what came in; `sources` and `interruptions` are None where the release does not say."""

    refusers: tuple[Row, ...]
    sources: tuple[Delivered, ...] | None
    interruptions: tuple[Interruption, ...] | None


def quality(table: PublicTable, language: Language) -> Measured:
    """Refusals by company, most first, of those with figures; deliveries by source; interruptions in order of time."""
    refusers = [row for row in table.rows if row.figures and row.figures.refused]
    refusers.sort(key=lambda row: (-(row.figures.refused if row.figures else 0), row.name.casefold()))
    found = table.quality
    return Measured(
        refusers=tuple(refusers),
        sources=None if found is None else tuple(_delivered(source, language) for source in found.sources),
        interruptions=None if found is None else _interruptions(found, language),
    )


def _delivered(source: SourceQuality, language: Language) -> Delivered:
    return Delivered(
        source.source,
        language.count(source.deliveries),
        _at(source.first, language),
        _at(source.last, language),
        language.age(source.longest_gap_hours),
        language.share(source.quarantined),
    )


def _at(instant: str | None, language: Language) -> str:
    return MISSING if instant is None else language.instant(instant)


def _interruptions(found: Quality, language: Language) -> tuple[Interruption, ...]:
    gaps = ((stop, language.gettext("No delivery from {source}", source=stop.reason), "") for stop in found.gaps)
    pauses = ((stop, _pause(stop, language), stop.reason) for stop in found.standstills)
    told = sorted((*gaps, *pauses), key=lambda line: (line[0].starts, line[1]))
    return tuple(
        Interruption(what, reason, _at(stop.starts, language), _ends(stop, language)) for stop, what, reason in told
    )


def _pause(stop: Standstill, language: Language) -> str:
    words = _PAUSES.get(stop.pause)
    return language.gettext(words) if words else stop.pause


def _ends(stop: Standstill, language: Language) -> str:
    return language.gettext("still going on") if stop.ends is None else _at(stop.ends, language)
