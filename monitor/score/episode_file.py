"""Episodes from a file (CSV or Parquet), so that anyone can recompute a table."""

from __future__ import annotations

from collections.abc import Mapping
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
_TEXTS = ("company", "destination", MOVED_TO, "end")


def read_episodes(path: Path, method: Method) -> tuple[pa.Table, dict[int, Label]]:
    """The columns of `monitor.score.episodes.episodes`, companies and sites numbered from 1, and their labels.

    Without `scored` every episode is; without `end` an open one is unverified by the method's rule. POOLED is
    UNATTRIBUTED. MOVED_TO is there only where the file has it.
    Raises DeliveryError naming the column and the first row (counted from 1) that cannot be.
    """
    table = _read(path)
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise DeliveryError(f"{path.name}: no column {', '.join(map(repr, missing))}; needed: {', '.join(REQUIRED)}")
    hours = {name: _hours(table, name, path) for name in ("last_online_h", "first_offline_h", "followed_h")}
    hours["relocated_h"] = _hours(table, "relocated_h", path)
    hours["deadline_h"] = pc.fill_null(_hours(table, "deadline_h", path), method.usual_deadline_hours)
    _check(hours, path)
    company, labels = _numbered(table["company"])
    site, _ = _numbered(table["site"])
    columns = {"company": company, "site": site, **hours}
    for name, missing_value in OPTIONAL.items():
        columns[name] = _column(table, name, pa.scalar(missing_value), path)
    columns["unverified"] = _unverified(table, hours, method)
    if MOVED_TO in table.column_names:
        columns[MOVED_TO] = _moved_to(table, labels, path)
    return pa.table(columns), {number: Label(name, name) for number, name in enumerate(labels, 1)}


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
    stale = pc.greater(pc.subtract(hours["followed_h"], hours["last_online_h"]), method.stale_after_hours)
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


def _check(hours: dict[str, pa.ChunkedArray], path: Path) -> None:
    last, offline, followed = (hours[name] for name in ("last_online_h", "first_offline_h", "followed_h"))
    rules = (
        ("last_online_h is missing", pc.is_null(last)),
        ("followed_h is missing", pc.is_null(followed)),
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
