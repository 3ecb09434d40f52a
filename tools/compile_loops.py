"""Compiles the loops of the estimators (monitor/estimators/compiled.py) and keeps them on disk, beside their source.

numba compiles a loop where it is first called with arrays of a kind. All of them take a minute, which belongs to an
installation and not to the first score after it: `make` calls this once, and again when a loop has changed.

    python -m tools.compile_loops
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from monitor.db import connect, transaction
from monitor.demo import ingest_all, prepare
from monitor.instants import parse_instant, parse_period
from monitor.migrate import upgrade
from monitor.score.methods import METHODS, method
from monitor.score.pipeline import Request, score_for_release
from monitor.settings import Settings
from monitor.vault import create_keys


def compile_loops(version: str) -> None:
    """Score a small simulated quarter under this version of the method."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(home=home, database_url=f"sqlite:///{home / 'monitor.db'}", key_file=home / "keys.json")
        create_keys(settings.key_file)
        engine = connect(settings.database_url)
        upgrade(engine)
        step = prepare(home, "refuser", 0.15)
        as_of = parse_instant(step.facts["as_of"])
        ingest_all(engine, settings, step, lambda: as_of, lambda _done, _total: None)
        with transaction(engine) as session:
            score_for_release(
                session, Request(parse_period(step.facts["period"]), as_of, as_of, method(version), settings.engine)
            )
        engine.dispose()


def main() -> int:
    """Each version of the method in a process of its own."""
    with ProcessPoolExecutor(len(METHODS), mp_context=get_context("spawn")) as pool:
        list(pool.map(compile_loops, METHODS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
