"""What differs between two tables: of any two periods, versions or methods. One function for all who compare.

`changes` compares what is published, and never tells of what is withheld: for site, report and API.
`release_changes` compares all that two releases hold: for `monitor release compare`, corrections and rebuilding.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import CHANGES, FILED, IDENTITY, NETWORK_CHANGES
from monitor.score.table import AgeCount, Estimate, Flow, SurvivalPoint, Table, alike
from monitor.tables.sheets import Cell, figures_json, flat, guarded, row_json, table_head
from monitor.wording.language import MISSING, Language, Message
from monitor.wording.readings import Figure

_COLUMNS = ("table", "company", "name", "figure", "before", "after")
_HEAD = ("period", "method", "as_of")  # when the facts were known is no difference: a correction always knows more
_OF_WITHHELD_ROWS = (*(figure.field for figure in IDENTITY if figure.field != "company"), "episodes")
_CURVE = re.compile(r"(.*\bcurve|.*_curve)_\d+h_")
Flat: TypeAlias = Mapping[str, Cell]
R = TypeVar("R", bound=Row | Estimate)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after, under its name in the CSV of the ranking; None: it was, or is, not there."""

    figure: str
    before: Cell
    after: Cell


@dataclass(frozen=True, slots=True)
class CompanyChange(Generic[R]):
    """A company in both tables, under its later name, with what differs: at least one figure."""

    before: R
    after: R
    changes: tuple[Change, ...]

    @property
    def judged_otherwise(self) -> bool:
        """Whether it has another rank or standing."""
        return any(change.figure in ("rank", "standing") for change in self.changes)


@dataclass(frozen=True, slots=True)
class TableChanges(Generic[R]):
    """What differs between two tables: of the whole, and company by company in the order of the later table."""

    whole: tuple[Change, ...]
    companies: tuple[CompanyChange[R], ...]
    came: tuple[R, ...]
    gone: tuple[R, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.whole or self.companies or self.came or self.gone)

    @property
    def judged_otherwise(self) -> tuple[CompanyChange[R], ...]:
        """The companies with another rank or standing."""
        return tuple(company for company in self.companies if company.judged_otherwise)


def table_changes(
    whole: tuple[Flat, Flat], old: Sequence[R], new: Sequence[R], figures: Callable[[R, R], tuple[Flat, Flat]]
) -> TableChanges[R]:
    """The differences between two tables, of the whole and of the companies `old` and `new`.

    `figures` gives what can be compared of a company in both.
    """
    before, after = ({row.company: row for row in rows} for rows in (old, new))
    pairs = [(before[key], row) for key, row in after.items() if key in before]
    differing = (CompanyChange(one, other, _differing(*figures(one, other))) for one, other in pairs)
    return TableChanges(
        whole=_differing(*whole),
        companies=tuple(pair for pair in differing if pair.changes),
        came=tuple(row for key, row in after.items() if key not in before),
        gone=tuple(row for key, row in before.items() if key not in after),
    )


def _differing(old: Flat, new: Flat) -> tuple[Change, ...]:
    """The figures that differ; of an hourly curve only the first hour."""
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    curves = {name: found[1] for name in names if (found := _CURVE.match(name))}
    first = {curve: name for name, curve in reversed(curves.items())}
    return tuple(
        Change(name, old.get(name), new.get(name)) for name in names if first.get(curves.get(name, ""), name) == name
    )


Changes: TypeAlias = TableChanges[Row]


def changes(old: PublicTable, new: PublicTable) -> Changes:
    """What differs in what is published, the hash hits left aside: compare those as tables of their own."""
    return table_changes((_public_whole(old), _public_whole(new)), old.rows, new.rows, _public_figures)


def _public_figures(old: Row, new: Row) -> tuple[Flat, Flat]:
    """Where the figures are withheld in one of them, only what both say is compared: who it is, its standing, and the
    number of episodes, of which one says "<10". A field that the release of one does not have is compared in neither.
    """
    if old == new:
        return {}, {}
    absent = {figure.field for figure in IDENTITY if not (figure.in_release(old) and figure.in_release(new))}
    one, other = ({k: v for k, v in flat(row_json(row)).items() if k not in absent} for row in (old, new))
    if old.figures is None or new.figures is None:
        one, other = ({name: row.get(name) for name in _OF_WITHHELD_ROWS} for row in (one, other))
    return one, other


def _public_whole(table: PublicTable) -> Flat:
    """What is said of the table and of the network, flat."""
    network = flat(asdict(table.network) | {"curve": ()})
    head = {name: value for name, value in table_head(table).items() if name in _HEAD}
    return head | {f"network_{name}": value for name, value in network.items()}


@dataclass(frozen=True, slots=True)
class ReleaseChanges:
    """What differs between all that two releases hold: in the table of the notices, and in that of the hash hits."""

    notices: TableChanges[Estimate]
    hash_hits: TableChanges[Estimate] | None

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(self.tables.values())

    @property
    def tables(self) -> Mapping[str, TableChanges[Estimate]]:
        """Each table by its name."""
        return {"notices": self.notices} | ({"hash_hits": self.hash_hits} if self.hash_hits is not None else {})


def release_changes(old: Table, new: Table) -> ReleaseChanges:
    """What differs in any figure, also of a company whose figures are not published, in flows and under other norms.

    Not told: when the facts were known, and the quality of what came in, for a correction always knows more. What only
    one of them can have, for the other was made before releases had it, is compared in neither.
    """
    old, new = alike(old, new)
    hits = _whole_table(old.hash_hits, new.hash_hits) if old.hash_hits or new.hash_hits else None
    return ReleaseChanges(_whole_table(old, new), hits)


def _whole_table(old: Table | None, new: Table | None) -> TableChanges[Estimate]:
    norms = [_norms(table) for table in (old, new)]

    def figures(one: Estimate, other: Estimate) -> tuple[Flat, Flat]:
        before, after = norms
        return {**_all_figures(one), **before[one.company]}, {**_all_figures(other), **after[other.company]}

    before, after = (table.companies if table else () for table in (old, new))
    return table_changes((_whole(old), _whole(new)), before, after, figures)


def _all_figures(item: Estimate) -> dict[str, Cell]:
    return flat(figures_json(item, [figure for figure in FILED if figure.field != "company"]))


def _norms(table: Table | None) -> Mapping[str, Flat]:
    """By company its figures under other norms: `norms_12h_rank`, had the deadline been 12 hours."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for norm in (table.norms if table else None) or ():
        for line in norm.companies:
            named = {name: value for name, value in asdict(line).items() if name != "company"}
            lines[line.company].append({"deadline_hours": norm.deadline_hours, **named})
    return defaultdict(dict, {key: flat({"norms": under}) for key, under in lines.items()})


def _whole(table: Table | None) -> Flat:
    """What a table holds beside its companies, their norms, and the quality of what came in."""
    if table is None:
        return {}
    kinds = None if table.kinds is None else ", ".join(table.kinds)
    figures = {
        "network": _all_figures(table.network),
        "unattributed": asdict(table.unattributed),
        **({"rest": _all_figures(table.rest)} if table.rest else {}),
    }
    return {
        **{name: getattr(table, name) for name in _HEAD},
        "kinds": kinds,
        **flat(figures),
        **{f"flows_{_ends(flow)}": flow.episodes for flow in table.flows or ()},
        **_of_groups_and_earlier(table),
    }


def _of_groups_and_earlier(table: Table) -> Flat:
    """The figures of each group, and what the method in force before says of each company."""
    found: dict[str, Any] = {}
    for group in table.groups or ():
        found |= {f"groups_{group.group}_members": " ".join(group.members)}
        found |= flat({"groups": {group.group: _all_figures(group.figures)}})
    for each in table.earlier.companies if table.earlier else ():
        named = {name: value for name, value in asdict(each).items() if name != "company"}
        found |= flat({"earlier": {each.company: named}})
    return found


def _ends(flow: Flow) -> str:
    return f"{flow.origin} to {flow.destination or 'unknown'}, {flow.country or 'unknown'}"


def changes_json(found: TableChanges[R]) -> dict[str, Any]:
    """The differences as plain data."""
    return {
        "whole": [asdict(change) for change in found.whole],
        "companies": [
            {"company": each.after.company, "name": each.after.name, "changes": [asdict(c) for c in each.changes]}
            for each in found.companies
        ],
        "came": [{"company": row.company, "name": row.name} for row in found.came],
        "gone": [{"company": row.company, "name": row.name} for row in found.gone],
    }


def changes_csv(tables: Mapping[str, TableChanges[R]]) -> str:
    """One line per figure that differs, of each table under its name; one that came or went differs in `listed`."""
    sheet = io.StringIO()
    lines = (line for name, found in tables.items() for line in _csv_lines(name, found))
    csv.writer(sheet).writerows([_COLUMNS, *([guarded(cell) for cell in line] for line in lines)])
    return sheet.getvalue()


def _csv_lines(table: str, found: TableChanges[R]) -> Iterator[tuple[Cell, ...]]:
    for change in found.whole:
        yield table, None, None, change.figure, change.before, change.after
    for rows, listed in ((found.came, (False, True)), (found.gone, (True, False))):
        for row in rows:
            yield table, row.company, row.name, "listed", *listed
    for company in found.companies:
        for change in company.changes:
            yield table, company.after.company, company.after.name, change.figure, change.before, change.after


_INTERVAL = Message("95% CI")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure that reads otherwise: its name, and its words in the older and in the newer row."""

    name: str
    before: str
    after: str


def lines(old: Row, new: Row, language: Language, only: tuple[str, ...] = ()) -> tuple[Line, ...]:
    """Each figure that reads otherwise in the newer row; `only` those of these keys, where some are given.

    Where the figures are withheld in either row, only what both say is compared.
    """
    before, after = told(old, language), told(new, language)
    keys = [key for key in after if key in before and (not only or key in only)]
    if old.figures is not None and new.figures is not None:
        keys += [key for key in before if key not in after and not only]
    nothing = ("", MISSING)
    return tuple(
        Line((after.get(key) or before[key])[0], before.get(key, nothing)[1], after.get(key, nothing)[1])
        for key in keys
        if before.get(key, nothing)[1] != after.get(key, nothing)[1]
    )


Told = Mapping[str, tuple[str, str]]


def told(row: Row, language: Language) -> Told:
    """Name and words of every figure of a row, by key, in the order of its page; few of a withheld one."""
    said: dict[str, tuple[str, str]] = {}
    for place in CHANGES:
        figure = place.figure
        item = row if figure.disclosure == "identity" else row.figures
        if item is not None and place.holds(item):
            said |= _told(figure, item, language)
        elif row.figures is None and figure.key in _OF_WITHHELD:
            fewer = language.gettext("fewer than {below}", below=row.below)
            said[figure.key] = (language.gettext(figure.name), fewer if figure.key == "episodes" else MISSING)
    return said


_OF_WITHHELD = ("rank", "episodes")


def _told(figure: Figure, item: Row | Estimate, language: Language) -> Told:
    """A figure by its key; one of several values has each under a name of its own."""
    name = language.gettext(figure.name)
    if figure.type == "curve":
        return {f"left_{point.t:g}": _at(name, point, language) for point in figure.of(item)}
    if figure.type == "ages":
        return {f"age_{age.from_hours:g}": _of_age(name, age, language) for age in figure.of(item)}
    said = figure.read(item, language)
    interval = "" if said.interval == MISSING else f" ({language.gettext(_INTERVAL)} {said.interval})"
    return {figure.key: (name, f"{said.value}{interval}")}


def _at(name: str, point: SurvivalPoint, language: Language) -> tuple[str, str]:
    hours = language.deadline(float(point.t))
    return language.gettext("{name} after {hours}", name=name, hours=hours), language.share(point.npmle)


def _of_age(name: str, age: AgeCount, language: Language) -> tuple[str, str]:
    return f"{name}: {language.age_group(age)}", language.count(age.episodes)


def network_lines(old: PublicTable, new: PublicTable, language: Language) -> tuple[Line, ...]:
    """The main figures of all companies together that either table tells, also where they are the same."""
    lines = (
        Line(language.gettext(figure.name), *(table.network.read(figure, language).value for table in (old, new)))
        for figure in NETWORK_CHANGES
        if old.network.has(figure) and new.network.has(figure)
    )
    return tuple(line for line in lines if {line.before, line.after} != {MISSING})
