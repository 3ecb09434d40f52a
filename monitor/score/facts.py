"""The facts known at an instant as tables of an engine: copied, in place, or from an export of Parquet files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import ibis
import pyarrow as pa
from sqlalchemy.engine import make_url

import monitor
from monitor.errors import MonitorError
from monitor.instants import iso, parse_instant
from monitor.score.engine import Engine, Expr, keep, put
from monitor.score.extract import COLUMNS, HAS_IDENTITIES, QUERIES, UNREADABLE, export, extract, query
from monitor.workers import pool

T = TypeVar("T")

UNATTRIBUTED = 0  # company of what no company could be named for
EVERYTHING = 0  # content of a suspension that holds for all
OPEN = -1  # end of a suspension that has not ended
_ABOUT = "export.json"
_LOADED = ["monitor.score.extract", "monitor.score.fact_digests"]


@dataclass(frozen=True)
class Facts:
    """The facts as tables of one engine; instants are epoch seconds, companies and contents their ids."""

    contents: Expr
    notices: Expr
    sightings: Expr
    attributions: Expr
    suspensions: Expr
    decided_removals: Expr
    countries: Expr


def load_facts(engine: Engine, database_url: str, known_at: int) -> Facts:
    """What was recorded up to `known_at`: in place where the engine is the database, else copied into the engine.

    Raises MonitorError where the database could not be read.
    """
    return Facts(**load_tables(engine, database_url, known_at, QUERIES))


def load_tables(engine: Engine, database_url: str, known_at: int, names: Sequence[str]) -> dict[str, Expr]:
    """Tables of facts by their names in `monitor.score.extract`, as `load_facts` loads its own."""
    if engine.name in ("sqlite", "postgres"):
        counted = engine.sql(HAS_IDENTITIES, schema=ibis.schema({"rows_found": "int64"})).execute()
        with_identities = bool(counted["rows_found"][0])
        return {name: _in_place(engine, name, known_at, with_identities) for name in names}
    with TemporaryDirectory(prefix="monitor-facts-") as folder:
        read_database(extract, database_url, known_at, Path(folder), names)
        tables = read_tables(Path(folder), names)
    return {name: put(engine, name, table) for name, table in tables.items()}


def read_tables(folder: Path, names: Sequence[str]) -> dict[str, pa.Table]:
    """What `monitor.score.extract` wrote into a folder."""
    return {name: _read_table(folder / name) for name in names}


def _read_table(file: Path) -> pa.Table:
    with pa.OSFile(str(file)) as content, pa.ipc.open_file(content) as table:
        return table.read_all()


def _in_place(engine: Engine, name: str, known_at: int, with_identities: bool) -> Expr:
    schema = ibis.schema(COLUMNS[name])
    return keep(engine.sql(query(name, known_at, with_identities=with_identities), schema=schema))


def read_database(reader: Callable[..., T], database_url: str, *arguments: object) -> T:
    """What a reader of `monitor.score.extract`, or one like it, gives when it is run in a process of its own.

    It is given the address of the database as the Arrow drivers have it, and the other arguments.

    ADBC brings a second SQLite library, and two of them in one process undo each other's file locks
    (docs/adr/0005). Raises MonitorError where it could not read.
    """
    with pool(1, _LOADED) as processes:
        try:
            return processes.submit(reader, _address(database_url), *arguments).result()
        except BrokenProcessPool as error:
            raise MonitorError(UNREADABLE) from error


def _address(database_url: str) -> str:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return f"file:{url.database}?mode=ro"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


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
    from pyarrow import dataset  # here, for it loads pandas

    rows = {name: dataset.dataset(unfinished / name, format="parquet").count_rows() for name in QUERIES}
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
    return Facts(**{name: _parquet_table(engine, folder / name, COLUMNS[name]) for name in QUERIES})


def _parquet_table(engine: Engine, folder: Path, columns: dict[str, str]) -> Expr:
    if not any(folder.rglob("*.parquet")):
        return put(engine, folder.name, ibis.schema(columns).to_pyarrow().empty_table())
    if engine.name == "pyspark":  # which finds the quarters by itself
        return engine.read_parquet(str(folder)).select(*columns)
    depth = "*/*.parquet" if any(folder.glob("quarter=*")) else "*.parquet"
    return engine.read_parquet(str(folder / depth)).select(*columns)
