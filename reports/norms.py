"""The same episodes under other norms: how many companies would have which standing, and whose would differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.comparison.other_norm import HOURS, under_norm
from monitor.disclosure.rows import PublicTable
from monitor.score.table import Standing


@dataclass(frozen=True, slots=True)
class Norms:
    """Standings by deadline in hours: how many companies have each, and those of every company that would change."""

    hours: tuple[float, ...]
    tally: Mapping[float, Mapping[Standing, int]]
    changing: tuple[tuple[str, tuple[Standing | None, ...]], ...]


def norms(table: PublicTable) -> Norms | None:
    """None where the release does not say how it would be under another norm."""
    under = {hours: found for hours in HOURS if (found := under_norm(table, hours))}
    if not under:
        return None
    standings = {hours: {each.row.company: each.row.standing for each in found.rows} for hours, found in under.items()}
    changing = (
        (row.name, tuple(standings[hours].get(row.company) for hours in under)) for row in table.rows if row.figures
    )
    return Norms(
        hours=tuple(float(hours) for hours in under),
        tally={float(hours): {key: pair[0] for key, pair in found.tally.items()} for hours, found in under.items()},
        changing=tuple((name, line) for name, line in changing if len(set(line)) > 1),
    )
