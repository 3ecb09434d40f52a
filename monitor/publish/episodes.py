"""The anonymised episodes of a release: with them and the list of its companies anyone can recompute its table.

What is left out of them, and why, is in docs/adr/0008-nothing-withheld-can-be-recovered.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from monitor.instants import HOUR
from monitor.publish.rows import PublicTable
from monitor.score.episode_file import MOVED_TO, POOLED
from monitor.score.methods import Method
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
Row = dict[str, object]
Floats = npt.NDArray[np.float64]


def public_episodes(episodes: pa.Table, table: PublicTable) -> pa.Table:
    """Rows of SCHEMA, in an order and with site numbers that follow from what they say and from nothing else.

    `episodes` has company (key; null: at nobody's door), site, scored (begun in the period), last_online_h,
    first_offline_h, relocated_h, destination (country), destination_company (key), followed_h, deadline_h, notices,
    reappeared and unverified. Companies without figures and what is at nobody's door are POOLED; where the network
    gives way the former are left out. Of what began before the period only what is still open stays, without a site.
    """
    shown = {row.company for row in table.rows if row.figures is not None}
    if table.network.gives_way:
        episodes = episodes.filter(pc.is_in(episodes["company"], pa.array([*sorted(shown), None], pa.string())))
    own = np.array([company in shown for company in episodes["company"].to_pylist()], dtype=bool)
    followed = _least_followed(episodes, own, table.method).tolist()
    rows = episodes.set_column(
        episodes.column_names.index("followed_h"), "followed_h", pa.array(followed, pa.float64())
    ).to_pylist()
    kept = [
        _own(row, shown) if known else _pooled(row) for row, known in zip(rows, own, strict=True) if _is_needed(row)
    ]
    public = _numbered([row for row in kept if row["scored"] or row["company"] != POOLED])
    return pa.Table.from_pylist(sorted(public, key=_order), SCHEMA)


def _is_needed(row: Row) -> bool:
    return bool(row["scored"]) or _end(row) in ("outstanding", "unverified")


def _own(row: Row, shown: Collection[object]) -> Row:
    """A row of a company with figures; where the content went is named only where that company has figures too."""
    moved_to = row[MOVED_TO] if row[MOVED_TO] in shown else None
    return {name: row.get(name) for name in SCHEMA.names} | {"end": _end(row), MOVED_TO: moved_to}


def _pooled(row: Row) -> Row:
    end = "not_removed" if row["first_offline_h"] is None else "removed"
    return _own(row, ()) | {"company": POOLED, "end": end} | dict.fromkeys(_NOT_OF_THE_POOL)


def _end(row: Row) -> str:
    if row["first_offline_h"] is not None:
        return "removed"
    if row["relocated_h"] is not None:
        return "relocated"
    return "unverified" if row["unverified"] else "outstanding"


def _least_followed(episodes: pa.Table, own: npt.NDArray[np.bool_], method: Method) -> Floats:
    """The smallest time followed that leaves every figure as it is, so that it does not date the notice.

    What ended needs only whether its deadline passed, and the deadlines of the other norms; what is outstanding also
    its group of ages, and the oldest of each company its age. Of the pool only its own deadline is told.
    """
    names = ("last_online_h", "first_offline_h", "relocated_h", "followed_h", "deadline_h")
    last, offline, moved, followed, deadline = (_floats(episodes, name) for name in names)
    unverified = np.array(episodes["unverified"].to_pylist(), dtype=bool)
    open_now = np.isnan(offline) & np.isnan(moved) & ~unverified & own
    bounds = np.array(method.age_bounds_hours)
    deadlines = (deadline, *DEADLINES_HOURS)
    least = [
        last,
        offline,
        np.where(own, moved, np.nan),
        np.where(followed >= deadline, deadline, np.nan),
        *(np.where(own & (followed >= hours), hours, np.nan) for hours in DEADLINES_HOURS),
        *(np.where(open_now & (followed > hours), _just_after(hours), np.nan) for hours in deadlines),
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
    values: Floats = np.array(episodes[name].cast(pa.float64()).to_pylist(), dtype=np.float64)
    return values


def _oldest(episodes: pa.Table, followed: Floats, open_now: npt.NDArray[np.bool_]) -> Floats:
    """For each row the longest time that an open episode of its company was followed."""
    companies = episodes["company"].to_pylist()
    most: dict[str | None, float] = defaultdict(float)
    for company, hours, counts in zip(companies, followed.tolist(), open_now.tolist(), strict=True):
        most[company] = max(most[company], hours if counts else 0.0)
    return np.array([most[company] for company in companies], dtype=np.float64)


def _numbered(rows: list[Row]) -> list[Row]:
    """The rows with sites numbered from 1 by the hash of their own rows: the number says nothing more than those."""
    sites: dict[object, list[str]] = defaultdict(list)
    for row in rows:
        if row["scored"]:
            sites[row["site"]].append(repr([value for name, value in row.items() if name != "site"]))
    digests = {site: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for site, lines in sites.items()}
    numbers = {site: number for number, site in enumerate(sorted(digests, key=digests.__getitem__), 1)}
    return [row | {"site": numbers[row["site"]] if row["scored"] else None} for row in rows]


def _order(row: Row) -> tuple[tuple[bool, object], ...]:
    return tuple((value is not None, value) for value in row.values())


def write_csv(episodes: pa.Table) -> bytes:
    """The rows as CSV: numbers as Python writes them, so that they are read back exactly; nothing for null."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows([SCHEMA.names, *map(_cells, episodes.to_pylist())])
    return sheet.getvalue().encode()


def _cells(row: Row) -> Iterable[object]:
    return [str(value).lower() if isinstance(value, bool) else value for value in row.values()]


def write_parquet(episodes: pa.Table, path: Path) -> None:
    """The same rows as Parquet."""
    pyarrow.parquet.write_table(episodes, path, compression="zstd")
