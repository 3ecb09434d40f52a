"""The anonymised episodes of a release: with them and the list of its companies anyone can recompute its table.

What is left out of them, and why, is in docs/adr/0008-secondary-suppression-of-withheld-companies.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from monitor.disclosure.rows import PublicTable, Row
from monitor.instants import HOUR
from monitor.score.company_file import ANNOUNCED, COLUMNS, POOLED_COUNTS, escape_formula
from monitor.score.episode_file import MOVED_TO, POOLED
from monitor.score.methods import Method, is_mature, is_overdue
from monitor.score.table import DEADLINES_HOURS, Group

SCHEMA = pa.schema(
    {
        "company": pa.string(),
        "site": pa.int64(),
        "scored": pa.bool_(),
        "last_online_h": pa.float64(),
        "first_offline_h": pa.float64(),
        "relocated_h": pa.float64(),
        "destination": pa.string(),
        MOVED_TO: pa.string(),
        "followed_h": pa.float64(),
        "deadline_h": pa.float64(),
        "notices": pa.int64(),
        "reappeared": pa.int64(),
        "end": pa.string(),
    }
)
COMPETING_SCHEMA = pa.schema(  # since method 2026.2
    {
        "company": pa.string(),
        "group": pa.string(),
        "site": pa.int64(),
        "notice_day": pa.int64(),
        **{name: SCHEMA.field(name).type for name in SCHEMA.names if name not in ("company", "site", "end")},
        "wall_h": pa.float64(),
        "since_online_h": pa.float64(),
        "notice_days": pa.int64(),
        "refused": pa.int64(),
        "undelivered": pa.int64(),
        "no_contact": pa.int64(),
        "gone_before_notice": pa.int64(),
        "end": pa.string(),
    }
)
# What the pool's rows do not say; its counts stand in the list of companies, where they may be told at all.
_NOT_OF_THE_POOL = (
    "relocated_h", "destination", MOVED_TO, "notices", "reappeared", "group", "since_online_h", "notice_days",
    "refused",
    "no_contact", "gone_before_notice",
)  # fmt: skip
_NUMBERED = ("site", "notice_day")  # by what their own rows say
_OPEN = pa.array(["outstanding", "unverified"])
Column: TypeAlias = pa.ChunkedArray
Floats = npt.NDArray[np.float64]


def public_episodes(episodes: pa.Table, table: PublicTable) -> pa.Table:
    """Rows of SCHEMA, in an order and with numbers of sites and days that follow from what they say and nothing else.

    `episodes` as `monitor.score.pipeline.scored_episodes` gives them: companies by key (null: unattributed), `scored`
    (begun in the period). Companies without figures and what is unattributed are POOLED; where the network
    is suppressed the former are left out. Of what began before the period only what is still open stays,
    without a site. Since method 2026.2 the schema is COMPETING_SCHEMA; undelivered items of the pool are left out.
    """
    schema = COMPETING_SCHEMA if table.method.competing_risks else SCHEMA
    shown = pa.array(sorted(row.company for row in table.rows if row.figures is not None), pa.string())
    given = episodes.rename_columns(["notice_day" if name == "day" else name for name in episodes.column_names])
    columns = {field.name: given[field.name].cast(field.type) for field in schema if field.name != "end"}
    rows = pa.table({**columns, "unverified": given["unverified"].cast(pa.bool_())})
    if table.network.gives_way:
        rows = rows.filter(pc.or_(pc.is_in(rows["company"], shown), pc.is_null(rows["company"])))
    own = pc.is_in(rows["company"], shown)
    public = _public(rows, own, shown, table, schema)
    kept = pc.or_(public["scored"], pc.and_(own, pc.is_in(public["end"], _OPEN)))
    if table.method.competing_risks:
        kept = pc.and_(kept, pc.or_(own, pc.equal(rows["undelivered"], 0)))
    public = public.filter(kept)
    for name in _NUMBERED:
        if name in schema.names:
            public = _with(public, schema, **{name: pa.array(_numbers(public, name), pa.int64())})
    return public.take(pc.sort_indices(public, [(name, "ascending", "at_start") for name in schema.names]))


def _public(rows: pa.Table, own: Column, shown: pa.Array, table: PublicTable, schema: pa.Schema) -> pa.Table:
    """The columns of the schema as they may be told; where the content went only if that company has figures too."""
    followed, more = _least_followed(rows, own.to_numpy(), table.method), {}
    if table.method.competing_risks:
        groups = pa.array([group.group for group in table.groups or ()], pa.string())
        more["wall_h"] = pa.array(_least_age(rows, followed, own.to_numpy()), pa.float64())
        more["since_online_h"] = _since_online(rows, table.method)
        more["group"] = pc.if_else(pc.is_in(rows["group"], groups), rows["group"], None)
        is_item = pc.greater(rows["undelivered"], 0)
        followed_h = pc.if_else(is_item, None, pa.array(followed, pa.float64(), from_pandas=True))
    else:
        followed_h = pa.array(followed, pa.float64())
    public = _with(
        rows,
        schema,
        company=pc.if_else(own, rows["company"], POOLED),
        followed_h=followed_h,
        end=_end(rows, own),
        **more,
    )
    told = {name: own for name in _NOT_OF_THE_POOL if name in schema.names}
    if table.method.competing_risks:
        del told["relocated_h"]  # without it the curves of the network would not come out again
    told[MOVED_TO] = pc.and_(own, pc.is_in(rows[MOVED_TO], shown))
    return _with(public, schema, **{name: pc.if_else(kept, public[name], None) for name, kept in told.items()})


def _with(rows: pa.Table, schema: pa.Schema, **columns: Column) -> pa.Table:
    """The rows of the schema with those columns instead of theirs."""
    return pa.table({name: columns[name] if name in columns else rows[name] for name in schema.names}, schema)


def _least_age(rows: pa.Table, followed: Floats, own: npt.NDArray[np.bool_]) -> Floats:
    """The smallest age by the wall clock that leaves every figure as it is: the deadlines that have passed by it."""
    age, deadline = _floats(rows, "wall_h"), _floats(rows, "deadline_h")
    passed = [np.where(age >= deadline, deadline, 0.0)]
    passed += [np.where(own & (age >= hours), hours, 0.0) for hours in DEADLINES_HOURS]
    found: Floats = np.fmax.reduce([followed, *passed])
    return found


def _since_online(rows: pa.Table, method: Method) -> Column:
    """Of what is open: 0, or where it is unverified a second more than the method allows."""
    still = pc.and_(pc.is_null(rows["first_offline_h"]), pc.is_null(rows["relocated_h"]))
    still = pc.and_(still, pc.equal(rows["undelivered"], 0))
    return pc.if_else(still, pc.if_else(rows["unverified"], float(_just_after(method.stale_after_hours)), 0.0), None)


def _end(rows: pa.Table, own: Column) -> Column:
    """How each episode ended; of the pool only whether it was removed."""
    removed, moved = (pc.is_valid(rows[name]) for name in ("first_offline_h", "relocated_h"))
    still = pc.if_else(rows["unverified"], "unverified", "outstanding")
    if "undelivered" in rows.column_names:
        still = pc.if_else(pc.greater(rows["undelivered"], 0), "undelivered", still)
    return pc.if_else(removed, "removed", pc.if_else(own, pc.if_else(moved, "relocated", still), "not_removed"))


def _least_followed(episodes: pa.Table, own: npt.NDArray[np.bool_], method: Method) -> Floats:
    """The smallest time followed that leaves every figure as it is, so that it does not date the notice.

    What ended needs only whether its deadline passed, and the deadlines of the other norms; what is outstanding also
    its group of ages, and the oldest of each company its age. Of the pool only its own deadline is told.
    """
    names = ("last_online_h", "first_offline_h", "relocated_h", "followed_h", "deadline_h")
    last, offline, moved, followed, deadline = (_floats(episodes, name) for name in names)
    open_now = np.isnan(offline) & np.isnan(moved) & ~episodes["unverified"].to_numpy() & own
    open_now &= ~np.isnan(last)  # an undelivered item is no episode
    bounds = np.array(method.age_bounds_hours)
    deadlines = () if method.competing_risks else (deadline, *DEADLINES_HOURS)
    counted = [open_now, open_now & episodes["scored"].to_numpy()] if method.competing_risks else [open_now]
    group = bounds[np.searchsorted(bounds, np.nan_to_num(followed), side="right") - 1]
    least = [
        last,
        offline,
        moved if method.competing_risks else np.where(own, moved, np.nan),
        np.where(is_mature(followed, deadline), deadline, np.nan),
        *(np.where(own & is_mature(followed, hours), hours, np.nan) for hours in DEADLINES_HOURS),
        *(np.where(open_now & is_overdue(followed, hours), _just_after(hours), np.nan) for hours in deadlines),
        np.where(open_now, group, np.nan),
        *(np.where(each & (followed == _oldest(episodes, followed, each)), followed, np.nan) for each in counted),
    ]
    found: Floats = np.fmax.reduce(least)
    return found


def _just_after(hours: Floats | float) -> Floats:
    """A second later."""
    found: Floats = (np.rint(np.multiply(hours, HOUR)) + 1) / HOUR
    return found


def _floats(episodes: pa.Table, name: str) -> Floats:
    """A column of hours, nan where there is none."""
    values: Floats = episodes[name].to_numpy()
    return values


def _oldest(episodes: pa.Table, followed: Floats, open_now: npt.NDArray[np.bool_]) -> Floats:
    """For each row the longest time that an open episode of its company was followed."""
    companies = pc.fill_null(episodes["company"], "").combine_chunks().dictionary_encode()
    numbers = companies.indices.to_numpy()
    most = np.zeros(len(companies.dictionary))
    np.maximum.at(most, numbers, np.where(open_now, followed, 0.0))
    found: Floats = most[numbers]
    return found


def _numbers(rows: pa.Table, column: str) -> list[int | None]:
    """Sites (or days) numbered from 1 by the hash of their own rows: the number says nothing more than those.

    The day is no part of a site's rows; a day is numbered when sites are, so that its rows have their numbers. Of sites
    with the same rows the one that the database had first is first: the file has the same bytes whenever it is made.
    """
    hidden = _NUMBERED if column == "site" else (column,)
    scored, beside = rows.filter(rows["scored"]), [name for name in rows.column_names if name not in hidden]
    lines: dict[int, list[str]] = defaultdict(list)
    for value, *line in zip(*(scored[name].to_pylist() for name in (column, *beside)), strict=True):
        lines[value].append(repr(line))
    digests = {value: hashlib.sha256("\n".join(sorted(own)).encode()).hexdigest() for value, own in lines.items()}
    ordered = sorted(digests, key=lambda value: (digests[value], value))
    numbers = {value: number for number, value in enumerate(ordered, 1)}
    every = zip(rows[column].to_pylist(), rows["scored"].to_pylist(), strict=True)
    return [numbers[value] if counts else None for value, counts in every]


def write_csv(episodes: pa.Table) -> bytes:
    """The rows as CSV: numbers as Python writes them, so that they are read back exactly; nothing for null."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows([episodes.column_names, *zip(*map(_cells, episodes.columns), strict=True)])
    return sheet.getvalue().encode()


def _cells(column: Column) -> list[object]:
    """The values of a column; true and false as Arrow writes them, in small letters."""
    cells: list[object] = (column.cast(pa.string()) if column.type == pa.bool_() else column).to_pylist()
    return cells


Cell = str | int | None


def companies_csv(table: PublicTable) -> bytes:
    """A line per company by key, then what is pooled and what is unattributed; empty where it is withheld.

    Last who controls a group and is not listed itself.
    """
    lines = [*map(_company, sorted(table.rows, key=lambda row: row.company)), _pool(table), _nobody(table)]
    lines += [_controlling(group) for group in table.groups or () if table.find(group.group) is None]
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
    return sheet.getvalue().encode()


def _company(row: Row) -> Mapping[str, Cell]:
    return {
        "company": escape_formula(row.company),
        "name": escape_formula(row.name),
        "country": row.country,
        "via_proxy": str(row.via_proxy).lower(),
        "figures": "withheld" if row.figures is None else "shown",
        "refused": None if row.figures is None else row.figures.refused,
        ANNOUNCED: None if row.figures is None else row.figures.announced_ipv4,
    }


def _controlling(group: Group) -> Mapping[str, Cell]:
    """Who controls a group."""
    item = group.figures
    return {
        "company": escape_formula(item.company),
        "name": escape_formula(item.name),
        "country": item.country,
        "via_proxy": str(item.via_proxy).lower(),
        "figures": "group",
    }


def _pool(table: PublicTable) -> Mapping[str, Cell]:
    """What the network has and no company with figures."""
    network = table.network.counts
    shown = next(line.counts for line in table.totals if line.kind == "shown")
    rest = {name: _without(network[name], shown[name]) for name in POOLED_COUNTS}
    return {"company": POOLED, "figures": "pooled", **rest}


def _without(total: int | None, part: int | None) -> int | None:
    return None if total is None or part is None else total - part


def _nobody(table: PublicTable) -> Mapping[str, Cell]:
    nobody = table.unattributed
    return {
        "company": "(unattributed)",
        "figures": "unattributed",
        "episodes": nobody.episodes,
        "notices": nobody.notices,
    }
