"""The slow and the improved: whose share on time is proven to be below the norm, and whose changed beyond chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.comparison.share_change import comparable, ranked_shares
from monitor.comparison.trend import Moved, moved_beyond_doubt
from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Share


@dataclass(frozen=True, slots=True)
class Progress:
    """Companies below the norm, worst first; and those that moved since the release before, most moved first.

    `judged`: whether the release judges anyone. `compared`: whether there is a release before, by the same method.
    `then`: the lenient share in that release by company, for those with a rank in it.
    """

    below: tuple[Row, ...]
    worsened: tuple[Moved, ...]
    improved: tuple[Moved, ...]
    judged: bool
    compared: bool
    then: Mapping[str, Share]


def progress(table: PublicTable, before: PublicTable | None) -> Progress:
    """Only what intervals prove: entirely under the norm, or apart from that of the release before."""
    moved = moved_beyond_doubt(before, table) if before else ()
    return Progress(
        below=tuple(row for row in table.rows if row.ranked and row.standing == "below"),
        worsened=tuple(pair for pair in moved if pair.change < 0),
        improved=tuple(pair for pair in reversed(moved) if pair.change > 0),
        judged=any(row.ranked and row.standing for row in table.rows),
        compared=comparable(table, before),
        then=ranked_shares(before) if before and comparable(table, before) else {},
    )
