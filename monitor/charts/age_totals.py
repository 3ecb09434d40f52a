"""Outstanding episodes by age, of all companies whose figures are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.disclosure.rows import Row
from monitor.score.table import AgeCount


def outstanding_by_age(rows: Iterable[Row]) -> tuple[AgeCount, ...]:
    """The groups of those with figures, added up: only what each of them shows already."""
    counts: Counter[tuple[float, float | None]] = Counter()
    for row in rows:
        for age in row.figures.outstanding_by_age if row.figures else ():
            counts[age.from_hours, age.to_hours] += age.episodes
    return tuple(AgeCount(*bounds, counts[bounds]) for bounds in sorted(counts, key=lambda bounds: bounds[0]))
