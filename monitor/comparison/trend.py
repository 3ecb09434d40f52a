"""How figures went from quarter to quarter, of the network or of one company, and whose share moved beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.comparison.share_change import Movement, movements, ranked_shares
from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Share

_QUARTER = re.compile(r"(\d{4})Q([1-4])")


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One quarter; a value is None where there is none, and `method` is None where there is no release.

    Under a release a median of None was not reached, if there is a share. `below`: the company has fewer episodes
    than that, and its figures are withheld. `partial`: the network without the companies that are withheld.
    """

    period: str
    method: str | None = None
    lenient: Share | None = None
    strict: Share | None = None
    median_hours: float | None = None
    outstanding: int | None = None
    episodes: int | None = None
    below: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A company with its lenient share on time in two releases, whose intervals are apart."""

    company: str
    name: str
    before: Share
    after: Share
    movement: Movement

    @property
    def change(self) -> float:
        """By how much the share rose."""
        return self.movement.change


def is_quarter(period: str) -> bool:
    """Whether a period is a quarter such as `2026Q2`."""
    return _QUARTER.fullmatch(period) is not None


def a_year_before(period: str) -> str:
    """The same quarter of the year before."""
    return f"{int(period[:4]) - 1:04}{period[4:]}"


def network_trend(tables: Iterable[PublicTable]) -> tuple[TrendPoint, ...]:
    """The network in every quarter from the first to the last that has a release; one table a quarter, in any order.

    Periods that are no quarters are left out.
    """
    return _unbroken([_of_network(table) for table in tables if is_quarter(table.period)])


def company_trend(tables: Iterable[PublicTable], key: str) -> tuple[TrendPoint, ...]:
    """The company with that key in the same quarters as the network, with no values where it is not or is withheld."""
    quarters = (table for table in tables if is_quarter(table.period))
    return _unbroken([_of_company(table, table.find(key)) for table in quarters])


def moved_beyond_doubt(old: PublicTable, new: PublicTable) -> tuple[Moved, ...]:
    """Companies with a rank in both whose intervals do not overlap, the largest fall first.

    Nothing where the method changed: then a figure may move though the company did not.
    """
    before, after, moved = ranked_shares(old), ranked_shares(new), movements(new, old)
    pairs = (
        Moved(row.company, row.name, before[row.company], after[row.company], moved[row.company])
        for row in new.rows
        if row.company in moved
    )
    certain = (pair for pair in pairs if pair.movement.direction != "open")
    return tuple(sorted(certain, key=lambda pair: (pair.change, pair.name)))


def _of_network(table: PublicTable) -> TrendPoint:
    network = table.network
    return TrendPoint(
        period=table.period,
        method=table.method.version,
        lenient=network.lenient,
        strict=network.strict,
        median_hours=network.median_hours.value,
        outstanding=network.counts["outstanding"],
        episodes=network.counts["episodes"],
        partial=network.gives_way,
    )


def _of_company(table: PublicTable, row: Row | None) -> TrendPoint:
    if row is None:
        return TrendPoint(table.period, table.method.version)
    if row.figures is None:
        return TrendPoint(table.period, table.method.version, below=row.below)
    item = row.figures
    return TrendPoint(
        period=table.period,
        method=table.method.version,
        lenient=item.on_time.lenient,
        strict=item.on_time.strict,
        median_hours=item.median_hours.value,
        outstanding=item.outstanding,
        episodes=item.episodes,
    )


def _unbroken(points: Sequence[TrendPoint]) -> tuple[TrendPoint, ...]:
    """The points in order of time, with one that has no values for each quarter that is missing between them."""
    known = {point.period: point for point in points}
    if not known:
        return ()
    return tuple(known.get(period, TrendPoint(period)) for period in _quarters(min(known), max(known)))


def _quarters(first: str, last: str) -> Iterator[str]:
    for number in range(_number(first), _number(last) + 1):
        yield f"{number // 4:04}Q{number % 4 + 1}"


def _number(period: str) -> int:
    year, quarter = period.split("Q")
    return 4 * int(year) + int(quarter) - 1
