"""Episodes from a file (CSV or Parquet), so that anyone can recompute a table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from monitor.errors import DeliveryError
from monitor.score.assemble import Label
from monitor.score.methods import Method

REQUIRED = ("company", "site", "last_online_h", "first_offline_h", "followed_h")
OPTIONAL = ("relocated_h", "deadline_h", "notices")


def read_episodes(path: Path, method: Method) -> tuple[pa.Table, dict[int, Label]]:
    """The columns of `monitor.score.episodes.episodes`, companies and sites numbered from 1, and their labels.

    Raises DeliveryError naming the column and the first row (counted from 1) that cannot be.
    """
    table = _read(path)
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise DeliveryError(f"{path.name}: no column {', '.join(map(repr, missing))}; needed: {', '.join(REQUIRED)}")
    hours = {name: _hours(table, name, path) for name in ("last_online_h", "first_offline_h", "followed_h")}
    hours["relocated_h"] = _hours(table, "relocated_h", path)
    hours["deadline_h"] = pc.fill_null(_hours(table, "deadline_h", path), method.deadlines_hours["hotline_notice"])
    _check(hours, path)
    company, labels = _numbered(table["company"])
    site, _ = _numbered(table["site"])
    notices = table["notices"].cast(pa.int64()) if "notices" in table.column_names else pa.scalar(1)
    columns = {"company": company, "site": site, **hours}
    columns["notices"] = notices if isinstance(notices, pa.ChunkedArray) else pa.repeat(1, len(table))
    columns["reappeared"] = pa.repeat(0, len(table))
    columns["destination"] = pa.nulls(len(table), pa.string())
    stale = pc.greater(pc.subtract(hours["followed_h"], hours["last_online_h"]), method.stale_after_hours)
    ended = pc.or_(pc.is_valid(hours["first_offline_h"]), pc.is_valid(hours["relocated_h"]))
    columns["unverified"] = pc.and_(stale, pc.invert(ended))
    return pa.table(columns), {number: Label(name, name) for number, name in enumerate(labels, 1)}


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path)
        return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
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
    """Numbers from 1 in the order of the sorted names."""
    names = pc.fill_null(column.cast(pa.string()), "").combine_chunks()
    values = sorted(names.unique().to_pylist())
    return pc.add(pc.index_in(names, pa.array(values, pa.string())).cast(pa.int64()), 1), values
