"""Invented parts of a release beside its figures: who moved what to whom, and what the sources delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice

from monitor.instants import iso, parse_period
from monitor.score.table import Flow, Incidence, Quality, Relocation, SourceQuality, Standstill

DAY = 86_400

Destination = tuple[str | None, str]
# One of them has too few episodes to be shown, one place is nobody's, and of one not even the country is known.
_DESTINATIONS: Sequence[Destination] = (
    ("as64504", "NL"),
    ("as64501", "NL"),
    (None, "BE"),
    ("as64504", "NL"),
    ("kaaskop-hosting", "NL"),
    (None, ""),
    ("as64500", "NL"),
)


def flows_of(origin: str, relocated: int) -> tuple[Flow, ...]:
    """Where the relocated episodes of a company went; their sum is `relocated`."""
    elsewhere = [place for place in _DESTINATIONS if place[0] != origin]
    counts = Counter(islice(cycle(elsewhere), relocated))
    return tuple(Flow(origin, company, country, k) for (company, country), k in counts.items())


def relocation_of(origin: str, relocated: int, episodes: int) -> tuple[Relocation, ...]:
    """The same by country, with an incidence that says as much."""
    counts: Counter[str | None] = Counter()
    for flow in flows_of(origin, relocated):
        counts[flow.country] += flow.episodes
    lines = [(None, relocated), *sorted(counts.items(), key=lambda line: str(line[0]))] if relocated else []
    return tuple(Relocation(country, k, _incidences(k / episodes, whole=country is None)) for country, k in lines)


def _incidences(p: float, *, whole: bool) -> tuple[Incidence, ...]:
    """Errors and intervals only for the whole, as the method has them."""
    shares = ((168.0, 0.6 * p), (720.0, p))
    if whole:
        return tuple(Incidence(hours, share, share / 4, share / 2, share * 1.5) for hours, share in shares)
    return tuple(Incidence(hours, share, None, None, None) for hours, share in shares)


def quality_of(period: str) -> Quality:
    """A source that delivers daily, one that stopped for nine days, one of single reports, and one that fell silent."""
    bounds = parse_period(period)
    start, days = bounds.start, (bounds.end - bounds.start) // DAY

    def at(day: float) -> str:
        return iso(round(start + day * DAY))

    gap, silence = Standstill(at(11), at(20), "gap", "meldpunt"), Standstill(at(-30), None, "gap", "oud-meldpunt")
    return Quality(
        sources=(
            SourceQuality("hashdienst", days, at(0.25), at(days - 0.75), 24.0, 0.0),
            SourceQuality("mailbox", None, at(1.5), at(days - 3), 62.5, 0.002),
            SourceQuality("meldpunt", days - 8, at(0.3), at(days - 0.7), 216.0, 0.013),
            SourceQuality("oud-meldpunt", 0, None, None, None, None),
        ),
        gaps=(silence, gap),
        standstills=(Standstill(at(5), at(5.5), "outage", "storage failed"),),
    )
