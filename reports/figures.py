"""The network's figures as lines of a table, what could not be measured, and what is outstanding by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.publish import formatting
from monitor.publish.figures import FigureLine
from monitor.publish.rows import PublicTable, Row
from monitor.publish.words import FIGURES, LATENESS, Language, Text, Words
from monitor.score.table import AgeCount, Bounds, Quantile
from reports.words import WORDS

_COUNTS = "episodes notices renotices outstanding overdue relocated reappeared".split()  # noqa: SIM905


def key_figures(table: PublicTable, language: Language) -> tuple[FigureLine, ...]:
    """All companies together; a count that may not be shown says so."""
    network = table.network
    values = {
        "on_time": (
            formatting.share_range(network.strict.p, network.lenient.p, language),
            formatting.share_range(network.lenient.low, network.lenient.high, language),
        ),
        "median": _quantile(network.median_hours, language),
        "p90": _quantile(network.p90_hours, language),
        "mean_online": (_bounds(network.mean_online_hours_7d, language), formatting.MISSING),
    }
    values |= {name: (shown(network.counts[name], language), formatting.MISSING) for name in _COUNTS}
    return tuple(
        FigureLine(key, FIGURES[key].name[language], *pair, FIGURES[key].help[language]) for key, pair in values.items()
    )


def shown(count: int | None, language: Language) -> str:
    """A count of the network, or the words that it is not shown."""
    return WORDS["not_shown"][language] if count is None else formatting.count(count, language)


def _quantile(quantile: Quantile, language: Language) -> tuple[str, str]:
    interval = formatting.hours_range(quantile.low, quantile.high, language)
    return formatting.reached(quantile.value, language), interval


def _bounds(bounds: Bounds, language: Language) -> str:
    if bounds.lenient is None or bounds.strict is None:
        return formatting.MISSING
    low, high = (formatting.decimal(value, language) for value in sorted((bounds.lenient, bounds.strict)))
    last = formatting.hours(max(bounds.lenient, bounds.strict), language)
    return last if low == high else f"{low}{formatting.NARROW}{formatting.MISSING}{formatting.NARROW}{last}"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Something that could not be measured: its name, how often, and what was done with it."""

    name: str
    number: str
    meaning: str


_UNATTRIBUTED = Words(
    Text("Niet toegerekend", "Not attributed"),
    Text(
        "Episodes die aan geen enkel bedrijf konden worden toegerekend. Zij tellen bij geen bedrijf mee.",
        "Episodes that could not be attributed to any company. They count for no company.",
    ),
)


def unmeasured(table: PublicTable, language: Language) -> tuple[OpenLine, ...]:
    """What the figures leave open, for all companies together."""
    counts = table.network.counts
    lines = (
        (LATENESS["undetermined"], counts["undetermined"]),
        (FIGURES["unverified"], counts["unverified"]),
        (FIGURES["refused"], counts["refused"]),
        (_UNATTRIBUTED, table.unattributed.episodes),
    )
    return tuple(OpenLine(words.name[language], shown(n, language), words.help[language]) for words, n in lines)


def outstanding_by_age(rows: Iterable[Row]) -> tuple[AgeCount, ...]:
    """The published rows added up: only what each of them shows already, so it betrays nobody else."""
    sums: Counter[tuple[float, float | None]] = Counter()
    for row in rows:
        for age in row.figures.outstanding_by_age if row.figures else ():
            sums[age.from_hours, age.to_hours] += age.episodes
    return tuple(AgeCount(low, high, sums[low, high]) for low, high in sorted(sums, key=lambda ends: ends[0]))
