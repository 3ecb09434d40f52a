"""Why the share of all companies together changed since the release before, in words and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.comparison.decomposition import Decomposition, decompose, obstacle
from monitor.comparison.share_change import points
from monitor.comparison.trend import network_trend
from monitor.comparison.trend_sentences import OBSTACLES, PARTS, remarks, what_moved
from monitor.disclosure.rows import PublicTable
from monitor.wording.words import Language


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change: its name, its size in percentage points, and what it means."""

    name: str
    points: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What a reader of the trend must know, why the share changed, and the parts; no parts: it cannot be split."""

    remarks: tuple[str, ...]
    sentences: tuple[str, ...]
    parts: tuple[Part, ...]


def explained(table: PublicTable, earlier: Sequence[PublicTable], language: Language) -> Explained:
    """The trend up to this release; nothing is explained where it is the first."""
    if not earlier:
        return Explained((), (), ())
    said = remarks(network_trend((*earlier, table)), language)
    hindrance = obstacle(earlier[-1], table)
    if hindrance:
        return Explained(said, (OBSTACLES[hindrance][language],), ())
    found = decompose(earlier[-1], table)
    return Explained(said, what_moved(found, language), _parts(found, language))


def _parts(found: Decomposition, language: Language) -> tuple[Part, ...]:
    return tuple(
        Part(words.name[language], points(getattr(found, key), language), words.help[language])
        for key, words in PARTS.items()
    )
