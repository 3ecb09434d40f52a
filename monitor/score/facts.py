"""The facts known at an instant as tables of an engine: copied, in place, or from an export."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import adbc_driver_manager
import ibis
from pyarrow import feather

from monitor.errors import MonitorError
from monitor.score.engine import Engine, Expr, keep, put
from monitor.score.extract import extract
from monitor.score.queries import COLUMNS, QUERIES

T = TypeVar("T")

NOBODY = 0  # company of what could be laid at no door
EVERYTHING = 0  # content of a suspension that holds for all
OPEN = -1  # end of a suspension that has not ended


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
    if engine.name in ("sqlite", "postgres"):
        return Facts(**{name: _in_place(engine, name, known_at) for name in QUERIES})
    with TemporaryDirectory(prefix="monitor-facts-") as folder:
        read_database(extract, database_url, known_at, Path(folder))
        tables = {name: feather.read_table(Path(folder) / name, memory_map=False) for name in QUERIES}
    return Facts(**{name: put(engine, name, table) for name, table in tables.items()})


def _in_place(engine: Engine, name: str, known_at: int) -> Expr:
    schema = ibis.schema(COLUMNS[name])
    return keep(engine.sql(QUERIES[name].format(known_at=int(known_at)), schema=schema))


def read_database(reader: Callable[..., T], *arguments: object) -> T:
    """What a reader of `monitor.score.extract`, or one like it, gives when it is run in a process of its own.

    ADBC brings a second SQLite library, and two of them in one process undo each other's file locks
    (docs/adr/0005). Raises MonitorError where it could not read.
    """
    with ProcessPoolExecutor(1, mp_context=_context()) as pool:
        try:
            return pool.submit(reader, *arguments).result()
        except (adbc_driver_manager.Error, BrokenProcessPool) as error:
            raise MonitorError("the facts could not be read from the database; is it reachable?") from error


def _context() -> BaseContext:
    """Processes forked from a server that has the extraction loaded and no database open."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["monitor.hardened", "monitor.score.extract", "monitor.score.fact_digests"])
    return context
