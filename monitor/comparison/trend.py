"""How figures went from quarter to quarter, of the network or of one company, and whose share moved beyond doubt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monitor.comparison.decomposition import Contribution, Step
from monitor.comparison.share_change import Movement, movements, ranked_shares
from monitor.disclosure.rows import PublicTable, Row
from monitor.instants import is_quarter, quarters
from monitor.score.table import Quantile, Share
from monitor.tables.sheets import Cell, flat, guarded


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
    median_low: float | None = None
    median_high: float | None = None
    outstanding: int | None = None
    episodes: int | None = None
    below: int | None = None
    partial: bool = False

    @property
    def median(self) -> Quantile:
        """The median time to removal with the limits of its interval."""
        return Quantile(self.median_hours, self.median_low, self.median_high)


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


def a_year_before(period: str) -> str:
    """The same quarter of the year before."""
    return f"{int(period[:4]) - 1:04}{period[4:]}"


def network_trend(tables: Iterable[PublicTable]) -> tuple[TrendPoint, ...]:
    """The network in every quarter from the first to the last that has a release; one table a quarter, in any order.

    Periods that are no quarters are left out.
    """
    return _unbroken([_of_network(table) for table in tables if is_quarter(table.period)])


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One line of a table of the trend: a quarter, or all the quarters of a gap, of which `point` is the last."""

    first: str
    point: TrendPoint


def trend_lines(points: Sequence[TrendPoint]) -> tuple[TrendLine, ...]:
    """The newest first, and quarters without a release that follow one another as one line."""
    lines: list[TrendLine] = []
    for point in reversed(points):
        if lines and point.method is None and lines[-1].point.method is None:
            lines[-1] = TrendLine(point.period, lines[-1].point)
        else:
            lines.append(TrendLine(point.period, point))
    return tuple(lines)


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
        median_low=network.median_hours.low,
        median_high=network.median_hours.high,
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
        median_low=item.median_hours.low,
        median_high=item.median_hours.high,
        outstanding=item.outstanding,
        episodes=item.episodes,
    )


def _unbroken(points: Sequence[TrendPoint]) -> tuple[TrendPoint, ...]:
    """The points in order of time, with one that has no values for each quarter that is missing between them."""
    known = {point.period: point for point in points}
    if not known:
        return ()
    return tuple(known.get(period, TrendPoint(period)) for period in quarters(min(known), max(known)))


_PARTS: Mapping[str, str] = {
    "before": "before", "after": "after", "change": "change", "behaviour": "behaviour", "behaviour_low": "low",
    "behaviour_high": "high", "mix": "mix", "mix_low": "mix_low", "mix_high": "mix_high",
    "arrivals": "arrivals", "departures": "departures", "unnamed": "unnamed",
}  # fmt: skip
_LATE = ("before", "after", "by_volume", "by_rate")
_OF_A_COMPANY = ("below",)


def trend_json(points: Sequence[TrendPoint], steps: Sequence[Step]) -> dict[str, Any]:
    """The quarters, and each step from one release to the next with its parts and what every company did to it."""
    return {"quarters": [_point(point) for point in points], "steps": [step_json(step) for step in steps]}


def step_json(step: Step) -> dict[str, Any]:
    """One step; the parts and the companies are null where there is an `obstacle`."""
    ends = {"from": step.old.period, "to": step.new.period, "obstacle": step.obstacle, "basis": _basis(step)}
    return ends | _parts(step) | {"companies": step.found and [_contribution(each) for each in step.found.companies]}


def trend_csv(points: Sequence[TrendPoint], steps: Sequence[Step]) -> str:
    """One line a quarter; the columns of a step are those of the step that ends there."""
    ending = {step.new.period: step for step in steps}
    lines = [_quarter(point) | _step(ending.get(point.period)) for point in points]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    sheet = io.StringIO()
    csv.writer(sheet).writerows([columns, *([guarded(line.get(name)) for name in columns] for line in lines)])
    return sheet.getvalue()


def _point(point: TrendPoint) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(point).items() if name not in _OF_A_COMPANY}


def _quarter(point: TrendPoint) -> dict[str, Cell]:
    nothing = asdict(Share(None, None, None, None))
    data = _point(point)
    return flat({**data, "lenient": data["lenient"] or nothing, "strict": data["strict"] or nothing})


def _basis(step: Step) -> str | None:
    return None if step.found is None else step.found.basis


def _parts(step: Step) -> dict[str, Any]:
    found = step.found
    late = {f"late_{name}": _rounded(getattr(found.late, name)) if found else None for name in _LATE}
    return {name: _rounded(getattr(found, field)) if found else None for name, field in _PARTS.items()} | late


def _contribution(each: Contribution) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in asdict(each).items()}


def _rounded(value: Any) -> Any:
    """Fractions without what sums of floats leave: a sum that is nothing reads as 0."""
    return round(value, 10) + 0.0 if isinstance(value, float) else value


def _step(step: Step | None) -> dict[str, Cell]:
    if step is None:
        return {}
    about = {"from": step.old.period, "obstacle": step.obstacle, "basis": _basis(step)}
    return flat({"step": {**about, **_parts(step)}})
