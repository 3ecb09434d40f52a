"""The ranking as it would be under another norm, beside the published one: rows, standings, and what differs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from monitor.disclosure.rows import PublicTable, Row, filter_rows
from monitor.score.table import DEADLINES_HOURS, Estimate, NormLine, Standing
from monitor.tables.sheets import flat, guarded, identity_json
from monitor.wording.words import standings_of

HOURS = tuple(map(int, DEADLINES_HOURS))
_PLACES = ("score", "rank", "rank_low", "rank_high", "band")


@dataclass(frozen=True, slots=True)
class NormRow:
    """One company with figures: as it would be, and as it is published."""

    row: Row
    published: Row

    @property
    def changed(self) -> bool:
        """Whether it would have another standing."""
        return self.row.standing != self.published.standing


@dataclass(frozen=True, slots=True)
class OtherNorm:
    """The companies with figures, in the order of that norm; those withheld stay so under every norm."""

    hours: float
    published_hours: float
    rows: tuple[NormRow, ...]
    withheld: int
    standings: tuple[Standing, ...]

    @property
    def tally(self) -> Mapping[Standing, tuple[int, int]]:
        """How many companies have each standing: under this norm, and as published."""
        return {
            key: (
                sum(each.row.standing == key for each in self.rows),
                sum(each.published.standing == key for each in self.rows),
            )
            for key in self.standings
        }

    @property
    def changed(self) -> int:
        """How many companies would have another standing."""
        return sum(each.changed for each in self.rows)


def under_norm(table: PublicTable, hours: float) -> OtherNorm | None:
    """The table if every deadline had been so many hours; None where the release does not say."""
    norm = next((norm for norm in table.norms or () if norm.deadline_hours == hours), None)
    if norm is None:
        return None
    published = {row.company: row for row in table.rows if row.figures is not None}
    rows = tuple(
        NormRow(_as_if(published[line.company], line), published[line.company])
        for line in norm.companies
        if line.company in published
    )
    standings = tuple(standings_of(table.method))
    return OtherNorm(float(hours), table.method.usual_deadline_hours, rows, len(table.rows) - len(rows), standings)


def _as_if(row: Row, line: NormLine) -> Row:
    assert row.figures is not None
    figures: Estimate = replace(
        row.figures, on_time=line.on_time, standing=line.standing, **{name: getattr(line, name) for name in _PLACES}
    )
    unranked = row.figures.rank is None and line.rank is None  # as everyone is in a release without ranks
    return replace(
        row, standing=line.standing, ranked=row.ranked if unranked else line.rank is not None, figures=figures
    )


def found(norm: OtherNorm, text: str, standing: str) -> tuple[NormRow, ...]:
    """The rows that answer a search, ranked companies first, in the order of the norm."""
    wanted = {row.company for row in filter_rows([each.row for each in norm.rows], text, standing)}
    rows = (each for each in norm.rows if each.row.company in wanted)
    return tuple(sorted(rows, key=lambda each: not each.row.ranked))


def norm_json(norm: OtherNorm, rows: Sequence[NormRow]) -> dict[str, Any]:
    """Those rows as plain data, each with what is published beside it."""
    return {
        "deadline_hours": norm.hours,
        "published_deadline_hours": norm.published_hours,
        "standings": {key: {"here": n, "published": then} for key, (n, then) in norm.tally.items()},
        "companies": [
            identity_json(each.row) | _judged(each.row) | {"published": _judged(each.published)} for each in rows
        ],
    }


def _judged(row: Row) -> dict[str, Any]:
    assert row.figures is not None
    places = {name: getattr(row.figures, name) for name in _PLACES}
    return {"standing": row.standing, **places, "on_time": asdict(row.figures.on_time)}


def norm_csv(rows: Sequence[NormRow]) -> str:
    """One line per company with the columns of the ranking; `published_` marks what the release itself says."""
    lines = [
        flat(identity_json(each.row) | _judged(each.row) | {"published": _judged(each.published)}) for each in rows
    ]
    header = list(lines[0]) if lines else ["company"]
    sheet = io.StringIO()
    csv.writer(sheet).writerows([header, *([guarded(line[name]) for name in header] for line in lines)])
    return sheet.getvalue()
