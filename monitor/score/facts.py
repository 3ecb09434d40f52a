"""From the system of record to the engine: the facts known at an instant, as numbers, through ADBC and Arrow."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from tempfile import TemporaryDirectory

import adbc_driver_manager
from pyarrow import feather

from monitor.errors import MonitorError
from monitor.score.engine import Engine, Expr
from monitor.score.extract import extract
from monitor.score.queries import QUERIES

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
    """Copy what was recorded up to `known_at` into the engine.

    A process of its own reads the database: ADBC brings a second SQLite library, and two of them in one
    process undo each other's file locks (docs/adr/0005). Raises MonitorError where it could not read.
    """
    with TemporaryDirectory(prefix="monitor-facts-") as folder:
        with ProcessPoolExecutor(1, mp_context=_context()) as pool:
            try:
                pool.submit(extract, database_url, known_at, Path(folder)).result()
            except (adbc_driver_manager.Error, BrokenProcessPool) as error:
                raise MonitorError("the facts could not be read from the database; is it reachable?") from error
        tables = {name: feather.read_table(Path(folder) / name, memory_map=False) for name in QUERIES}
    return Facts(**{name: engine.create_table(name, table, overwrite=True) for name, table in tables.items()})


def _context() -> BaseContext:
    """Processes forked from a server that has the extraction loaded and no database open."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["monitor.score.extract"])
    return context
