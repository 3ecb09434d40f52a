"""The tables of a release as files of open data (CSV), made from what may be published and from nothing else.

Text that a spreadsheet would run as a formula has an apostrophe before it (monitor.score.company_file.escape_formula).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from monitor.disclosure.network import Network
from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import TREND_COUNTS
from monitor.instants import quarters
from monitor.score.company_file import escape_formula
from monitor.score.table import CompetingOnTime, Group, Judgement, Norm, Quality, SurvivalPoint
from monitor.tables.columns import Column, column
from monitor.tables.sheets import Cell, flat, group_json, ranking_csv
from monitor.wording.language import Language, Message

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sheet:
    """One file of the open data.

    `key`: the columns that no two lines share, where there are such. `missing`: what stands where there is no value.
    `hits`: whether it is about the hash hits.
    """

    name: str
    title: Message
    content: bytes
    key: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)
    hits: bool = False

    def title_in(self, language: Language) -> str:
        """What it holds, in a language."""
        title = language.gettext(self.title)
        return language.gettext("Follow-up of the hash check service: {title}", title=title) if self.hits else title

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What its columns say; raises MonitorError for one without description."""
        return tuple(column(name) for name in next(csv.reader(io.StringIO(self.content.decode()))))


def sheets_of(table: PublicTable) -> Iterator[Sheet]:
    """The files of one table, without the two from which it is recomputed; what the release has not is left out."""
    title = Message("All companies with their figures")
    withheld = sorted({f"<{row.below}" for row in table.rows if row.figures is None})
    lines = ranking_csv([_without_curve(row) for row in table.rows])
    yield Sheet("ranking.csv", title, lines.encode(), ("company",), ("", *withheld))
    title = Message("All companies together")
    yield _sheet("network.csv", title, [_network(table.network)], ())
    totals = [{"kind": line.kind, "companies": line.companies, **line.counts} for line in table.totals]
    yield _sheet("totals.csv", Message("How the totals add up"), totals, ("kind",))
    curve = [_renamed(asdict(point), t="hours") for point in table.network.curve]
    title = Message("Removal curve of all companies")
    yield _sheet("curve.csv", title, curve, (), _CURVE)  # no line where too little is left of the network to draw one
    yield from _parts(table)


_TREND = (
    "period", "method", "gives_way", *(figure.total for figure in TREND_COUNTS),
    *(f"on_time_{name}" for name in ("deadline_hours", "mature", "on_time", "late", "undetermined")),
    *(f"on_time_{reading}_{part}" for reading in ("lenient", "strict") for part in ("p", "se", "low", "high")),
    "on_time_estimate", "median_hours_value", "median_hours_low", "median_hours_high",
)  # fmt: skip


def trend_sheet(tables: Sequence[PublicTable]) -> Sheet:
    """All companies together, a line a quarter, the newest first; a quarter without a release has empty cells.

    `tables`: of quarters, the oldest first.
    """
    known = {table.period: table for table in tables}
    every = quarters(tables[0].period, tables[-1].period)
    lines = [_quarter(period, known.get(period)) for period in reversed(every)]
    title = Message("All companies together, quarter by quarter")
    return _sheet("trend.csv", title, lines, ("period",), _TREND)


def _quarter(period: str, table: PublicTable | None) -> Mapping[str, Cell]:
    figures = {} if table is None else {"method": table.method.version, **_network(table.network)}
    return {name: figures.get(name) for name in _TREND} | {"period": period}


def _without_curve(row: Row) -> Row:
    """The same line of the ranking, which has no curve: nine tenths of the work is not done."""
    return row if row.figures is None else replace(row, figures=replace(row.figures, curve=()))


def _parts(table: PublicTable) -> Iterator[Sheet]:
    if table.flows is not None:
        names = {"destination": "destination_company", "country": "destination_country"}
        flows = [_renamed(asdict(flow), **names) for flow in table.flows]
        header = ("origin", *names.values(), "episodes")
        yield _sheet("flows.csv", Message("Who moved to whom"), flows, (), header)
    if table.groups is not None:
        yield _groups(table.groups)
    if table.earlier is not None:
        title = Message("What the method before says of the same period")
        judged = [{"method": table.earlier.method, **asdict(each)} for each in table.earlier.companies]
        columns = ("method", *(field.name for field in fields(Judgement)))
        yield _sheet("earlier-method.csv", title, judged, ("company",), columns)
    if table.norms is not None:
        title = Message("The same period with another deadline")
        key = ("on_time_deadline_hours", "company")
        yield _sheet("norms.csv", title, list(_norms(table.norms)), key, _norm_header(table.norms))
    if table.quality is not None:
        yield from _quality(table.quality)


def _norm_header(norms: Iterable[Norm]) -> tuple[str, ...]:
    """With the columns that the share on time has since method 2026.2, where the release has them."""
    since = any(isinstance(line.on_time, CompetingOnTime) for norm in norms for line in norm.companies)
    return (*_NORM, *(_NORM_SINCE if since else ()))


def _groups(groups: Iterable[Group]) -> Sheet:
    """A line a group, its members by key; a figure that one group has and another has not is empty there."""
    lines = [flat(group_json(group) | {"members": " ".join(group.members)}) for group in groups]
    header = dict.fromkeys(name for line in lines for name in line) or ("group", "members")
    whole = [{name: line.get(name) for name in header} for line in lines]
    return _sheet("groups.csv", Message("Companies under one control"), whole, ("group",), [*header])


def _quality(quality: Quality) -> Iterator[Sheet]:
    header = ("source", "deliveries", "first", "last", "longest_gap_hours", "quarantined")
    title = Message("What the sources delivered")
    yield _sheet("sources.csv", title, [asdict(source) for source in quality.sources], ("source",), header)
    still = [{"kind": "gap", **asdict(gap)} for gap in quality.gaps]
    still += [{"kind": "standstill", **asdict(item)} for item in quality.standstills]
    title = Message("When nothing was measured")
    yield _sheet("standstills.csv", title, still, (), ("kind", "starts", "ends", "pause", "reason"))


_CURVE = ("hours", *(field.name for field in fields(SurvivalPoint)[1:]))
_OF_ON_TIME = ("deadline_hours", "mature", "on_time", "late", "undetermined")
_OF_SHARE = tuple(f"{reading}_{part}" for reading in ("lenient", "strict") for part in ("p", "se", "low", "high"))
_NORM = (
    "company", *(f"on_time_{name}" for name in (*_OF_ON_TIME, *_OF_SHARE)),
    "score", "rank", "rank_low", "rank_high", "band", "standing",
)  # fmt: skip


_NORM_SINCE = tuple(
    f"on_time_{name}"
    for name in ("estimate", "older", "followed", "all_cases_cases", "all_cases_low", "all_cases_high")
)


def _norms(norms: Iterable[Norm]) -> Iterator[Mapping[str, Cell]]:
    return (flat(asdict(line)) for norm in norms for line in norm.companies)


def _network(network: Network) -> Mapping[str, Cell]:
    """One line with the columns that a company has in the ranking."""
    values = asdict(network)
    counts = values.pop("counts")
    names: tuple[str, ...] = ("deadline_hours", "mature", "on_time", "late", "undetermined", "lenient", "strict")
    names += tuple(name for name in ("estimate", "older", "followed") if name in values)
    on_time = {name: counts.pop(name) if name in counts else values.pop(name) for name in names}
    del values["curve"]
    return flat({"gives_way": values.pop("gives_way"), **counts, "on_time": on_time, **values})


def _renamed(line: Mapping[str, Any], **names: str) -> Mapping[str, Any]:
    return {names.get(name, name): value for name, value in line.items()}


def _sheet(name: str, title: Message, lines: Lines, key: tuple[str, ...], header: Sequence[str] = ()) -> Sheet:
    """Lines under their names; `header` where there may be none."""
    names = list(header or lines[0])
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerows([names, *([_cell(line[column]) for column in names] for line in lines)])
    return Sheet(name, title, sheet.getvalue().encode(), key)


def _cell(value: Cell) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    return escape_formula(value) if isinstance(value, str) else value
