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
from monitor.score.table import DEADLINES_HOURS

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
# What the pool's rows do not say; its counts stand in the list of companies, where they may be told at all.
_NOT_OF_THE_POOL = ("relocated_h", "destination", MOVED_TO, "notices", "reappeared")
_GIVEN = {field.name: field.type for field in SCHEMA if field.name != "end"} | {"unverified": pa.bool_()}
_OPEN = pa.array(["outstanding", "unverified"])
Column: TypeAlias = pa.ChunkedArray
Floats = npt.NDArray[np.float64]


def public_episodes(episodes: pa.Table, table: PublicTable) -> pa.Table:
    """Rows of SCHEMA, in an order and with site numbers that follow from what they say and from nothing else.

    `episodes` has company (key; null: unattributed), site, scored (begun in the period), last_online_h,
    first_offline_h, relocated_h, destination (country), destination_company (key), followed_h, deadline_h, notices,
    reappeared and unverified. Companies without figures and what is unattributed are POOLED; where the network
    is suppressed the former are left out. Of what began before the period only what is still open stays,
    without a site.
    """
    shown = pa.array(sorted(row.company for row in table.rows if row.figures is not None), pa.string())
    rows = pa.table({name: episodes[name].cast(kind) for name, kind in _GIVEN.items()})
    if table.network.gives_way:
        rows = rows.filter(pc.or_(pc.is_in(rows["company"], shown), pc.is_null(rows["company"])))
    own = pc.is_in(rows["company"], shown)
    public = _public(rows, own, shown, table.method)
    public = public.filter(pc.or_(public["scored"], pc.and_(own, pc.is_in(public["end"], _OPEN))))
    public = _with(public, site=pa.array(_site_numbers(public), pa.int64()))
    return public.take(pc.sort_indices(public, [(name, "ascending", "at_start") for name in SCHEMA.names]))


def _public(rows: pa.Table, own: Column, shown: pa.Array, method: Method) -> pa.Table:
    """The columns of SCHEMA as they may be told; where the content went only if that company has figures too."""
    public = _with(
        rows,
        company=pc.if_else(own, rows["company"], POOLED),
        followed_h=pa.array(_least_followed(rows, own.to_numpy(), method), pa.float64()),
        end=_end(rows, own),
    )
    told = dict.fromkeys(_NOT_OF_THE_POOL, own) | {MOVED_TO: pc.and_(own, pc.is_in(rows[MOVED_TO], shown))}
    return _with(public, **{name: pc.if_else(kept, rows[name], None) for name, kept in told.items()})


def _with(rows: pa.Table, **columns: Column) -> pa.Table:
    """The rows of SCHEMA with those columns instead of theirs."""
    return pa.table({name: columns[name] if name in columns else rows[name] for name in SCHEMA.names}, SCHEMA)


def _end(rows: pa.Table, own: Column) -> Column:
    """How each episode ended; of the pool only whether it was removed."""
    removed, moved = (pc.is_valid(rows[name]) for name in ("first_offline_h", "relocated_h"))
    still = pc.if_else(rows["unverified"], "unverified", "outstanding")
    return pc.if_else(removed, "removed", pc.if_else(own, pc.if_else(moved, "relocated", still), "not_removed"))


def _least_followed(episodes: pa.Table, own: npt.NDArray[np.bool_], method: Method) -> Floats:
    """The smallest time followed that leaves every figure as it is, so that it does not date the notice.

    What ended needs only whether its deadline passed, and the deadlines of the other norms; what is outstanding also
    its group of ages, and the oldest of each company its age. Of the pool only its own deadline is told.
    """
    names = ("last_online_h", "first_offline_h", "relocated_h", "followed_h", "deadline_h")
    last, offline, moved, followed, deadline = (_floats(episodes, name) for name in names)
    open_now = np.isnan(offline) & np.isnan(moved) & ~episodes["unverified"].to_numpy() & own
    bounds = np.array(method.age_bounds_hours)
    deadlines = (deadline, *DEADLINES_HOURS)
    least = [
        last,
        offline,
        np.where(own, moved, np.nan),
        np.where(is_mature(followed, deadline), deadline, np.nan),
        *(np.where(own & is_mature(followed, hours), hours, np.nan) for hours in DEADLINES_HOURS),
        *(np.where(open_now & is_overdue(followed, hours), _just_after(hours), np.nan) for hours in deadlines),
        np.where(open_now, bounds[np.searchsorted(bounds, followed, side="right") - 1], np.nan),
        np.where(open_now & (followed == _oldest(episodes, followed, open_now)), followed, np.nan),
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


def _site_numbers(rows: pa.Table) -> list[int | None]:
    """Sites numbered from 1 by the hash of their own rows: the number says nothing more than those."""
    scored, beside = rows.filter(rows["scored"]), [name for name in rows.column_names if name != "site"]
    sites: dict[object, list[str]] = defaultdict(list)
    for site, *line in zip(*(scored[name].to_pylist() for name in ("site", *beside)), strict=True):
        sites[site].append(repr(line))
    digests = {site: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for site, lines in sites.items()}
    numbers = {site: number for number, site in enumerate(sorted(digests, key=digests.__getitem__), 1)}
    every = zip(rows["site"].to_pylist(), rows["scored"].to_pylist(), strict=True)
    return [numbers[site] if counts else None for site, counts in every]


def write_csv(episodes: pa.Table) -> bytes:
    """The rows as CSV: numbers as Python writes them, so that they are read back exactly; nothing for null."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows([SCHEMA.names, *zip(*map(_cells, episodes.columns), strict=True)])
    return sheet.getvalue().encode()


def _cells(column: Column) -> list[object]:
    """The values of a column; true and false as Arrow writes them, in small letters."""
    cells: list[object] = (column.cast(pa.string()) if column.type == pa.bool_() else column).to_pylist()
    return cells


Cell = str | int | None


def companies_csv(table: PublicTable) -> bytes:
    """A line per company by key, then what is pooled and what is unattributed; empty where it is withheld."""
    lines = [*map(_company, sorted(table.rows, key=lambda row: row.company)), _pool(table), _nobody(table)]
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
