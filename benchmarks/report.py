"""How long a publication takes: HTML, PDF and data package in both languages, for 500 companies after 20 quarters.

Reading the facts from the database is not in it: the episodes are the random ones that the release was scored from.
`benchmarks.scoring` measures that.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
from sqlalchemy.orm import Session

from benchmarks import published
from benchmarks.published import episodes_of
from monitor.db import connect
from monitor.release import package
from monitor.release.publications import store
from monitor.release.signing import create_signing_key
from monitor.score.pipeline import Request
from monitor.settings import Settings
from reports.publication import publication

BAR = 15  # seconds (design/performance.md)


def run(companies: int = published.COMPANIES, quarters: int = published.QUARTERS) -> None:
    """Make the publication of the newest quarter, and print what took how long."""
    with tempfile.TemporaryDirectory() as folder:
        period = published.make(Path(folder), companies, quarters)[-1]
        settings = published.settings_of(Path(folder))
        seed = 2 if quarters > 1 and (quarters - 1) % 2 else 1  # the quarters take turns
        with patch.object(package, "scored_episodes", _scored(companies, seed)):
            _timed(settings, period, companies)


def _timed(settings: Settings, period: str, companies: int) -> None:
    engine = connect(settings.database_url)
    key = create_signing_key(settings.signing_key_file, settings.public_keys)
    began, cpu = time.perf_counter(), time.process_time()
    _, package = publication(engine, settings, period, key)
    store(package, settings.publications)
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    engine.dispose()
    sizes = {name: len(content) / 1e6 for name, content in package.files.items()}
    print(f"report and open data of {companies} companies: {took:.1f} s (bar {BAR} s)")
    print(f"  of CPU {spent:.1f} s, beside the two processes that make the PDFs")
    print(f"  {sum(sizes.values()):.1f} MB: " + ", ".join(f"{n} {s:.1f}" for n, s in sizes.items() if s > 0.5))


def _scored(companies: int, seed: int) -> Callable[[Session, Request], pa.Table]:
    """Gives the episodes that `benchmarks.published` scored, as `monitor.score.pipeline.scored_episodes` does."""
    rows = episodes_of(companies, seed)
    for name in ("company", "destination_company"):
        keys = [None if number is None else f"voorbeeld-{number:03}" for number in rows[name].to_pylist()]
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(keys, pa.string()))
    return lambda _session, _request: rows


if __name__ == "__main__":
    # Not here: the processes that typeset would first load this module, as they load any main module
    subprocess.run([sys.executable, "-c", "from benchmarks.report import run; run()"], check=True)
