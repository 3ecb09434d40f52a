"""What differs between two public tables: of any two periods, versions or methods, and never of what is withheld."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import CHANGES, IDENTITY, NETWORK_CHANGES, Figure
from monitor.score.table import AgeCount, Estimate, SurvivalPoint
from monitor.tables.sheets import Cell, flat, guarded, row_json, table_head
from monitor.wording import formatting
from monitor.wording.words import Language, Text

_COLUMNS = ("table", "company", "name", "figure", "before", "after")
_HEAD = ("period", "method", "as_of")  # when the facts were known is no difference: a correction always knows more
_OF_ALL = (*(figure.field for figure in IDENTITY if figure.field != "company"), "episodes")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after, under its name in the CSV of the ranking; None: it was, or is, not there."""

    figure: str
    before: Cell
    after: Cell


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """A company in both tables, under its later name, with what differs: at least one figure."""

    before: Row
    after: Row
    changes: tuple[Change, ...]

    @property
    def judged_otherwise(self) -> bool:
        """Whether it has another rank or standing."""
        return any(change.figure in ("rank", "standing") for change in self.changes)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two tables: of the whole, and company by company in the order of the later table."""

    whole: tuple[Change, ...]
    companies: tuple[CompanyChange, ...]
    came: tuple[Row, ...]
    gone: tuple[Row, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.whole or self.companies or self.came or self.gone)

    @property
    def judged_otherwise(self) -> tuple[CompanyChange, ...]:
        """The companies with another rank or standing."""
        return tuple(company for company in self.companies if company.judged_otherwise)


def changes(old: PublicTable, new: PublicTable) -> Changes:
    """The differences between two tables, their hash hits left aside: compare those as tables of their own."""
    before, after = ({row.company: row for row in table.rows} for table in (old, new))
    pairs = (company_change(before[key], row) for key, row in after.items() if key in before)
    return Changes(
        whole=_differing(_whole(old), _whole(new)),
        companies=tuple(pair for pair in pairs if pair.changes),
        came=tuple(row for key, row in after.items() if key not in before),
        gone=tuple(row for key, row in before.items() if key not in after),
    )


def company_change(old: Row, new: Row) -> CompanyChange:
    """What differs between two rows of one company; no changes where nothing does.

    Where the figures are withheld in one of them, only what both say is compared: the name, the standing, and the
    number of episodes, of which one says "<10".
    """
    if old == new:
        return CompanyChange(old, new, ())
    one, other = flat(row_json(old)), flat(row_json(new))
    if old.figures is None or new.figures is None:
        one, other = ({name: row.get(name) for name in _OF_ALL} for row in (one, other))
    return CompanyChange(old, new, _differing(one, other))


def changes_json(found: Changes) -> dict[str, Any]:
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


def changes_csv(tables: Mapping[str, Changes]) -> str:
    """One line per figure that differs, of each table under its name; one that came or went differs in `listed`."""
    sheet = io.StringIO()
    lines = (line for name, found in tables.items() for line in _lines(name, found))
    csv.writer(sheet).writerows([_COLUMNS, *([guarded(cell) for cell in line] for line in lines)])
    return sheet.getvalue()


def _lines(table: str, found: Changes) -> Iterator[tuple[Cell, ...]]:
    for change in found.whole:
        yield table, None, None, change.figure, change.before, change.after
    for rows, listed in ((found.came, (False, True)), (found.gone, (True, False))):
        for row in rows:
            yield table, row.company, row.name, "listed", *listed
    for company in found.companies:
        for change in company.changes:
            yield table, company.after.company, company.after.name, change.figure, change.before, change.after


def _whole(table: PublicTable) -> dict[str, Cell]:
    """What is said of the table and of the network, flat."""
    network = flat(asdict(table.network) | {"curve": ()})
    head = {name: value for name, value in table_head(table).items() if name in _HEAD}
    return head | {f"network_{name}": value for name, value in network.items()}


def _differing(old: Mapping[str, Cell], new: Mapping[str, Cell]) -> tuple[Change, ...]:
    names = {**new, **old}
    return tuple(Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


_FEWER = Text("minder dan {below}", "fewer than {below}")
_AFTER = Text("{name} na {hours}", "{name} after {hours}")
_OF_AGE = Text("{name}: {age}", "{name}: {age}")
_INTERVAL = Text("95%-BI", "95% CI")


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
    nothing = ("", formatting.MISSING)
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
            said[figure.key] = (figure.name[language], _OF_WITHHELD[figure.key][language].format(below=row.below))
    return said


_OF_WITHHELD = {"rank": Text(formatting.MISSING, formatting.MISSING), "episodes": _FEWER}


def _told(figure: Figure, item: Row | Estimate, language: Language) -> Told:
    """A figure by its key; one of several values has each under a name of its own."""
    name = figure.name[language]
    if figure.type == "curve":
        return {f"left_{point.t:g}": _at(name, point, language) for point in figure.of(item)}
    if figure.type == "ages":
        return {f"age_{age.from_hours:g}": _of_age(name, age, language) for age in figure.of(item)}
    said = figure.read(item, language)
    interval = "" if said.interval == formatting.MISSING else f" ({_INTERVAL[language]} {said.interval})"
    return {figure.key: (name, f"{said.value}{interval}")}


def _at(name: str, point: SurvivalPoint, language: Language) -> tuple[str, str]:
    hours = f"{point.t:g}{formatting.NARROW}{formatting.hour_word(point.t, language)}"
    return _AFTER[language].format(name=name, hours=hours), formatting.share(point.npmle, language)


def _of_age(name: str, age: AgeCount, language: Language) -> tuple[str, str]:
    words = _OF_AGE[language].format(name=name, age=formatting.age_words(age, language))
    return words, formatting.count(age.episodes, language)


def network_lines(old: PublicTable, new: PublicTable, language: Language) -> tuple[Line, ...]:
    """The main figures of all companies together that either table tells, also where they are the same."""
    lines = (
        Line(figure.name[language], *(table.network.read(figure, language).value for table in (old, new)))
        for figure in NETWORK_CHANGES
    )
    return tuple(line for line in lines if {line.before, line.after} != {formatting.MISSING})
