"""Facts as a folder of Parquet files, partitioned by quarter: for a cluster, or to score without the database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import ibis
import pyarrow.dataset

import monitor
from monitor.errors import MonitorError
from monitor.instants import iso, parse_instant
from monitor.score.engine import Engine, Expr, put
from monitor.score.extract import export
from monitor.score.facts import Facts, read_database
from monitor.score.queries import COLUMNS, QUERIES

_ABOUT = "export.json"


def write_export(database_url: str, known_at: int, folder: Path) -> dict[str, Any]:
    """Write what was recorded up to `known_at`; returns what `export.json` says of it.

    The folder appears whole or not at all. Raises MonitorError where it is there already.
    """
    if folder.exists():
        raise MonitorError(f"{folder.name} is there already; name a folder that is not")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    read_database(export, database_url, known_at, unfinished)
    rows = {name: pyarrow.dataset.dataset(unfinished / name, format="parquet").count_rows() for name in QUERIES}
    about = {"known_at": iso(known_at), "code_version": monitor.__version__, "rows": rows}
    (unfinished / _ABOUT).write_text(json.dumps(about, indent=1))
    unfinished.rename(folder)
    return about


def exported_at(folder: Path) -> int:
    """Up to when the facts of an export were recorded; raises MonitorError where there is no whole export."""
    try:
        return parse_instant(json.loads((folder / _ABOUT).read_text())["known_at"])
    except (OSError, ValueError, KeyError) as error:
        raise MonitorError(f"{folder.name} holds no export of facts; make one with `monitor facts export`") from error


def read_export(engine: Engine, folder: Path) -> Facts:
    """The facts of an export as tables of the engine; raises MonitorError for an engine that reads no Parquet."""
    if engine.name not in ("duckdb", "pyspark"):
        raise MonitorError("an export of facts is read by the engines duckdb and pyspark")
    return Facts(**{name: _table(engine, folder / name, COLUMNS[name]) for name in QUERIES})


def _table(engine: Engine, folder: Path, columns: dict[str, str]) -> Expr:
    if not any(folder.rglob("*.parquet")):
        return put(engine, folder.name, ibis.schema(columns).to_pyarrow().empty_table())
    if engine.name == "pyspark":  # which finds the quarters by itself
        return engine.read_parquet(str(folder)).select(*columns)
    depth = "*/*.parquet" if any(folder.glob("quarter=*")) else "*.parquet"
    return engine.read_parquet(str(folder / depth)).select(*columns)
