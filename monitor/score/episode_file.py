"""Episodes from a file (CSV or Parquet), so that anyone can recompute a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from monitor.errors import DeliveryError
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import Method
from monitor.score.table import Label

REQUIRED = ("company", "site", "last_online_h", "first_offline_h", "followed_h")
# what a file may say more, and what holds where it does not; beside these relocated_h, deadline_h and end
OPTIONAL: Mapping[str, bool | str | int] = MappingProxyType(
    {"scored": True, "destination": "", "notices": 1, "reappeared": 0}
)
POOLED = "(pooled)"  # the company of what a release attributes to no company with figures; no key has brackets
MOVED_TO = "destination_company"  # of a release's file; one without it was made before flows and norms were released
_TEXTS = ("company", "destination", MOVED_TO, "end", "group")
# The same since method 2026.2: whole numbers, where nothing else is said below.
_COUNTS: Mapping[str, int] = MappingProxyType({"refused": 0, "undelivered": 0, "no_contact": 0})


def read_episodes(path: Path, method: Method) -> tuple[pa.Table, dict[int, Label]]:
    """The columns of `monitor.score.episodes.episodes`, companies and sites numbered from 1, and their labels.

    Without `scored` every episode is; without `end` an open one is unverified by the method's rule. POOLED is
    UNATTRIBUTED. MOVED_TO is there only where the file has it. Under method 2026.2 those of
    `monitor.score.refusals.with_refusals` too; under 2026.1, which knows none, undelivered items are left out.
    Raises DeliveryError naming the column and the first row (counted from 1) that cannot be.
    """
    table = _read(path)
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise DeliveryError(f"{path.name}: no column {', '.join(map(repr, missing))}; needed: {', '.join(REQUIRED)}")
    counts = {name: _count(table, name, least, path) for name, least in _COUNTS.items()}
    hours = {name: _hours(table, name, path) for name in ("last_online_h", "first_offline_h", "followed_h")}
    hours["relocated_h"] = _hours(table, "relocated_h", path)
    hours["deadline_h"] = pc.fill_null(_hours(table, "deadline_h", path), method.usual_deadline_hours)
    hours |= {name: _hours(table, name, path) for name in ("wall_h", "since_online_h")}
    is_item = pc.greater(counts["undelivered"], 0)
    _check(hours, is_item, path)
    company, labels = _numbered(table["company"])
    site, _ = _numbered(table["site"])
    columns = {"company": company, "site": site, **hours}
    for name, missing_value in OPTIONAL.items():
        columns[name] = _column(table, name, pa.scalar(missing_value), path)
    columns["unverified"] = pc.and_(_unverified(table, hours, method), pc.invert(is_item))
    if MOVED_TO in table.column_names:
        columns[MOVED_TO] = _moved_to(table, labels, path)
    found = {number: Label(name, name) for number, name in enumerate(labels, 1)}
    if not method.competing_risks:
        del columns["wall_h"], columns["since_online_h"]
        return pa.table(columns).filter(pc.invert(is_item)), found
    columns |= _since_2026_2(table, columns, counts, is_item, path)
    return pa.table(columns), _with_group(found, table, company, counts["no_contact"])


def _since_2026_2(
    table: pa.Table,
    columns: Mapping[str, pa.ChunkedArray],
    counts: Mapping[str, pa.ChunkedArray],
    is_item: pa.ChunkedArray,
    path: Path,
) -> dict[str, pa.ChunkedArray]:
    """What method 2026.2 reads besides. Without `notice_day` every row has a day of its own: days say nothing then."""
    each = pa.chunked_array([pa.array(range(len(table)), pa.int64())])
    at_notice = pc.fill_null(pc.equal(columns["first_offline_h"], 0.0), False)
    gone = pc.cast(at_notice, pa.int64())
    notices = pc.if_else(is_item, 0, columns["notices"])
    return {
        "day": _numbered(table["notice_day"])[0] if "notice_day" in table.column_names else each,
        "notices": notices,
        "notice_days": pc.coalesce(_optional_count(table, "notice_days", path), notices),
        "gone_before_notice": pc.coalesce(_optional_count(table, "gone_before_notice", path), gone),
        "wall_h": pc.coalesce(columns["wall_h"], columns["followed_h"]),
        "refused": counts["refused"],
        "undelivered": counts["undelivered"],
    }


def _with_group(
    labels: dict[int, Label], table: pa.Table, company: pa.Array, no_contact: pa.ChunkedArray
) -> dict[int, Label]:
    """The labels with the group and the contact that the rows of a company state."""
    stated = table["group"].cast(pa.string()) if "group" in table.column_names else pa.repeat("", len(table))
    rows = pa.table({"company": company, "group": pc.fill_null(stated, ""), "no_contact": no_contact})
    found = rows.group_by("company").aggregate([("group", "max"), ("no_contact", "max")]).to_pylist()
    return labels | {
        row["company"]: replace(
            labels[row["company"]], group=row["group_max"] or None, no_contact=bool(row["no_contact_max"])
        )
        for row in found
        if row["company"] in labels
    }


def refused_in_file(rows: pa.Table) -> dict[int, int]:
    """By company the notices of a file that were refused or could not be delivered."""
    counted = rows.filter(rows["scored"]).group_by("company").aggregate([("refused", "sum")]).to_pylist()
    return {row["company"]: row["refused_sum"] for row in counted if row["refused_sum"]}


def _count(table: pa.Table, name: str, missing: int, path: Path) -> pa.ChunkedArray:
    return pc.fill_null(_optional_count(table, name, path), missing)


def _optional_count(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    """A column of whole numbers from 0, null where nothing stands; raises DeliveryError for others."""
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(len(table), pa.int64())])
    try:
        values = table[name].cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise DeliveryError(f"{path.name}: column {name!r} holds something else than whole numbers") from error
    place = pc.index(pc.fill_null(pc.less(values, 0), False), True).as_py()
    if place >= 0:
        raise DeliveryError(f"{path.name}: row {place + 1}: {name} is negative")
    return values


def _column(table: pa.Table, name: str, missing: pa.Scalar, path: Path) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.repeat(missing, len(table))])
    try:
        return pc.fill_null(table[name].cast(missing.type), missing)
    except pa.ArrowInvalid as error:
        raise DeliveryError(f"{path.name}: column {name!r} holds something else than {missing.type} values") from error


def _moved_to(table: pa.Table, labels: list[str], path: Path) -> pa.ChunkedArray:
    """The numbers of the companies it was relocated to; null where none is named."""
    column = table[MOVED_TO].cast(pa.string())
    names = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    found = pc.add(pc.index_in(names, pa.array(labels, pa.string())).cast(pa.int64()), 1)
    unknown = pc.index(pc.and_(pc.is_valid(names), pc.is_null(found)), True).as_py()
    if unknown >= 0:
        raise DeliveryError(f"{path.name}: row {unknown + 1}: {MOVED_TO} is no company of this file")
    return found


def _unverified(table: pa.Table, hours: dict[str, pa.ChunkedArray], method: Method) -> pa.ChunkedArray:
    if "end" in table.column_names:
        return pc.fill_null(pc.equal(table["end"].cast(pa.string()), "unverified"), False)
    since = pc.subtract(hours["followed_h"], hours["last_online_h"])
    if method.competing_risks:
        since = pc.coalesce(hours["since_online_h"], since)
    stale = pc.fill_null(pc.greater(since, method.stale_after_hours), False)
    ended = pc.or_(pc.is_valid(hours["first_offline_h"]), pc.is_valid(hours["relocated_h"]))
    return pc.and_(stale, pc.invert(ended))


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            from pyarrow import parquet  # here, for it loads pandas

            return parquet.read_table(path)
        texts = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(_TEXTS, pa.string()))  # "NA" is a country
        return pyarrow.csv.read_csv(path, convert_options=texts)
    except FileNotFoundError as error:
        raise DeliveryError(f"{path.name}: no such file") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise DeliveryError(f"{path.name}: not readable as CSV or Parquet") from error


def _hours(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(len(table), pa.float64())])
    try:
        return table[name].cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise DeliveryError(f"{path.name}: column {name!r} holds something that is no number of hours") from error


def _check(hours: dict[str, pa.ChunkedArray], is_item: pa.ChunkedArray, path: Path) -> None:
    last, offline, followed, moved, wall = (
        hours[name] for name in ("last_online_h", "first_offline_h", "followed_h", "relocated_h", "wall_h")
    )
    times = pc.or_(pc.is_valid(last), pc.or_(pc.is_valid(offline), pc.or_(pc.is_valid(followed), pc.is_valid(moved))))
    rules = (
        ("last_online_h is missing", pc.and_(pc.is_null(last), pc.invert(is_item))),
        ("followed_h is missing", pc.and_(pc.is_null(followed), pc.invert(is_item))),
        ("an undelivered item has times of an episode", pc.and_(is_item, times)),
        ("wall_h of an undelivered item is missing", pc.and_(is_item, pc.is_null(wall))),
        ("wall_h is before followed_h", pc.less(wall, followed)),
        ("last_online_h is negative", pc.less(last, 0.0)),
        ("first_offline_h is before last_online_h", pc.less(offline, last)),
        ("followed_h is before last_online_h", pc.less(followed, last)),
        ("followed_h is before first_offline_h", pc.less(followed, offline)),
    )
    for message, wrong in rules:
        place = pc.index(pc.fill_null(wrong, False), True).as_py()
        if place >= 0:
            raise DeliveryError(f"{path.name}: row {place + 1}: {message}")


def _numbered(column: pa.ChunkedArray) -> tuple[pa.Array, list[str]]:
    """Numbers from 1 in the order of the sorted names; POOLED is UNATTRIBUTED."""
    names = pc.fill_null(column.cast(pa.string()), "").combine_chunks()
    values = sorted(set(names.unique().to_pylist()) - {POOLED})
    found = pc.index_in(names, pa.array(values, pa.string())).cast(pa.int64())
    return pc.fill_null(pc.add(found, 1), UNATTRIBUTED), values
