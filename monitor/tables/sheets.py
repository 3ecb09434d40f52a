"""The published rows as JSON and CSV, for the site and the open data alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import FILED, IDENTITY
from monitor.score.table import Estimate, Group
from monitor.wording.readings import Figure

Cell = str | int | float | bool | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def row_json(row: Row, *, curve: bool = False) -> dict[str, Any]:
    """One company as plain data; a withheld one has `episodes` "<10" and null for every other figure."""
    identity = identity_json(row)
    figures = [figure for figure in FILED if figure not in IDENTITY and (curve or figure.field != "curve")]
    if row.figures is None:
        every = (figure.field for figure in figures if not figure.later)
        return identity | dict.fromkeys(every) | {"episodes": f"<{row.below}"}
    return identity | figures_json(row.figures, figures)


def identity_json(row: Row) -> dict[str, Any]:
    """What is said of every company: who it is, and its standing."""
    return {figure.field: figure.of(row) for figure in IDENTITY if figure.in_release(row)}


def figures_json(item: Estimate, figures: Sequence[Figure]) -> dict[str, Any]:
    """Those figures as plain data, by the names of their fields; what the release of it does not have is left out."""
    values = asdict(item)
    return {
        figure.field: figure.of(item) if figure.get else values[figure.field]
        for figure in figures
        if figure.in_release(item)
    }


def ranking_json(table: PublicTable, rows: Sequence[Row]) -> dict[str, Any]:
    """Those rows with the network, the totals, and the parts of a release that has them: flows, norms, groups, ...

    The curves are with each company.
    """
    return (
        table_head(table)
        | _parts(table)
        | {
            "companies": [row_json(row) for row in rows],
            "network": _network_json(table, curve=False),
            "totals": [asdict(line) for line in table.totals],
            "unattributed": asdict(table.unattributed),
        }
    )


def _parts(table: PublicTable) -> dict[str, Any]:
    flows, norms = (
        [asdict(item) for item in part] if part is not None else None for part in (table.flows, table.norms)
    )
    groups = None if table.groups is None else list(map(group_json, table.groups))
    quality, earlier = (part and asdict(part) for part in (table.quality, table.earlier))
    parts = {"flows": flows, "norms": norms, "quality": quality, "groups": groups, "earlier": earlier}
    return {name: part for name, part in parts.items() if part is not None}


def group_json(group: Group) -> dict[str, Any]:
    """A group with its figures, without the curve; those of the ranking are null."""
    figures = [figure for figure in FILED if figure not in IDENTITY and figure.field != "curve"]
    judged = [figure for figure in IDENTITY if figure.type == "standing"]
    about = {"group": group.group, "members": list(group.members)}
    return about | figures_json(group.figures, [*judged, *figures])


def company_json(table: PublicTable, row: Row) -> dict[str, Any]:
    """One company with its curve, and the network's for comparison."""
    return table_head(table) | {
        "company": row_json(row, curve=True),
        "network": _network_json(table, curve=True),
    }


def table_head(table: PublicTable) -> dict[str, Any]:
    """Which table this is."""
    return {
        "method": table.method.version,
        "as_of": table.as_of,
        "known_at": table.known_at,
        "period": table.period,
    }


def _network_json(table: PublicTable, *, curve: bool) -> dict[str, Any]:
    values = asdict(table.network)
    if not curve:
        del values["curve"]
    return values


def ranking_csv(rows: Sequence[Row]) -> str:
    """One line per company, one column per figure."""
    lines = [flat(row_json(row)) for row in rows]
    header = _columns(rows, lines)
    return _write([header, *([line.get(name) for name in header] for line in lines)])


def _columns(rows: Sequence[Row], lines: Sequence[Mapping[str, Cell]]) -> list[str]:
    """The columns of the rows with figures; where no row has any, those that say who it is and how few it has."""
    whole = [line for row, line in zip(rows, lines, strict=True) if row.figures is not None]
    named = [figure.field for figure in IDENTITY if (any(map(figure.in_release, rows)) if rows else not figure.later)]
    return list(dict.fromkeys(name for line in whole for name in line)) or [*named, "episodes"]


def company_csv(row: Row) -> str:
    """One line per figure of one company."""
    return _write([["figure", "value"], *([name, value] for name, value in flat(row_json(row, curve=True)).items())])


def flat(figures: Mapping[str, Any]) -> dict[str, Cell]:
    """Plain data as one line: a name and a value per figure."""
    return dict(_flatten(figures))


def _flatten(value: Any, name: str = "") -> Iterable[tuple[str, Cell]]:
    """`on_time.lenient.p` becomes `on_time_lenient_p`; items of a list by their first field: hours, country."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != "to_hours":
                yield from _flatten(item, f"{name}_{key}" if name else key)
    elif isinstance(value, list | tuple):
        for item in value:
            (_, about), *rest = item.items()
            yield from _flatten(dict(rest), f"{name}_{_place(about)}")
    else:
        yield name, value


def _place(about: Cell) -> str:
    if about is None:
        return "any"
    return (about or "unknown") if isinstance(about, str) else f"{about:g}h"


def _write(lines: Iterable[Sequence[Cell]]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet).writerows([guarded(cell) for cell in line] for line in lines)
    return sheet.getvalue()


def guarded(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell
