"""What could be measured and what could not: refused notices, what the sources delivered, interruptions."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Quality, SourceQuality, Standstill
from monitor.wording import formatting
from monitor.wording.words import Language, Text

_GAP = Text("Geen levering van {source}", "No delivery from {source}")
_PAUSES = {
    "outage": Text("Storing bij het meldpunt of de monitor", "Outage at the hotline or the monitor"),
    "blocked_hours": Text("Uren waarin niet werd gecontroleerd", "Hours without checks"),
    "host_changed": Text("Verandering van hostingbedrijf in onderzoek", "Change of host under review"),
    "police_hold": Text("Op verzoek van de politie", "At the request of the police"),
    "manual_check": Text("Controle door een medewerker", "Check by hand"),
}
_STILL = Text("duurt nog voort", "still going on")


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
        formatting.count(source.deliveries, language),
        _at(source.first, language),
        _at(source.last, language),
        formatting.age(source.longest_gap_hours, language),
        formatting.share(source.quarantined, language),
    )


def _at(instant: str | None, language: Language) -> str:
    return formatting.MISSING if instant is None else formatting.instant(instant, language)


def _interruptions(found: Quality, language: Language) -> tuple[Interruption, ...]:
    gaps = ((stop, _GAP[language].format(source=stop.reason), "") for stop in found.gaps)
    pauses = ((stop, _pause(stop, language), stop.reason) for stop in found.standstills)
    told = sorted((*gaps, *pauses), key=lambda line: (line[0].starts, line[1]))
    return tuple(
        Interruption(what, reason, _at(stop.starts, language), _ends(stop, language)) for stop, what, reason in told
    )


def _pause(stop: Standstill, language: Language) -> str:
    words = _PAUSES.get(stop.pause)
    return words[language] if words else stop.pause


def _ends(stop: Standstill, language: Language) -> str:
    return _STILL[language] if stop.ends is None else _at(stop.ends, language)
