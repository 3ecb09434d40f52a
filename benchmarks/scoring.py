"""Scoring: the whole method against a plain Kaplan-Meier in hand-written SQL on the same episodes, in a DuckDB file.

Forty companies, one of them with 93 % of the episodes as in the 2020 study; and 5,000 companies of equal size.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from monitor.score.engine import Engine, opened
from monitor.score.methods import METHODS, Method, method
from monitor.score.pipeline import make_table
from monitor.score.table import Table

_CHUNK = 1_000_000
_MEDIAN_HOURS, _SPREAD = 12, 1.5  # of the time to removal, and the standard deviation of its logarithm
# Survival with Greenwood's interval, median, p90, restricted mean and rank; no clusters, no network, one reading.
_PLAIN = """
WITH times AS (
  SELECT company, last_online_h AS t, COUNT(first_offline_h) AS d, COUNT(*) AS m FROM episodes GROUP BY 1, 2
), risk AS (
  SELECT *, SUM(m) OVER (PARTITION BY company ORDER BY t DESC) AS y FROM times
), curve AS (
  SELECT company, t, EXP(SUM(LN(GREATEST(y - d, 1e-9) / y)) OVER upto) AS s,
         SUM(d / (y * GREATEST(y - d, 1e-9))) OVER upto AS greenwood, LEAD(t) OVER upto AS following
  FROM risk WINDOW upto AS (PARTITION BY company ORDER BY t)
), limits AS (
  SELECT *, 1.96 * SQRT(greenwood) / LEAST(LN(GREATEST(s, 1e-300)), -1e-9) AS width FROM curve
)
SELECT company, MIN(s) FILTER (t <= 24) AS s24,
       MIN(EXP(LN(GREATEST(s, 1e-300)) * EXP(-width))) FILTER (t <= 24) AS low,
       MIN(EXP(LN(GREATEST(s, 1e-300)) * EXP(width))) FILTER (t <= 24) AS high,
       MIN(t) FILTER (s <= 0.5) AS median, MIN(t) FILTER (s <= 0.1) AS p90,
       MIN(t) + SUM(s * GREATEST(LEAST(COALESCE(following, 168), 168) - t, 0)) AS restricted_mean,
       RANK() OVER (ORDER BY MIN(s) FILTER (t <= 24) DESC) AS rank
FROM limits GROUP BY company
"""


def episodes(rows: int, companies: int = 40, seed: int = 1) -> pa.Table:
    """Random episodes with the columns that scoring reads; times in whole seconds. Of forty companies one has 93 %."""
    random = np.random.default_rng(seed)
    company = random.integers(1, companies + 1, rows)
    if companies == 40:
        company = np.where(random.random(rows) < 0.93, 1, random.integers(2, 41, rows))
    last = np.floor(np.exp(random.normal(np.log(_MEDIAN_HOURS * 3600), _SPREAD, rows))) / 3600
    fate = random.random(rows)
    removed, moved = fate < 0.88, fate > 0.98
    first = last + np.floor(random.uniform(1, 5, rows) * 3600) / 3600
    return pa.table(
        {
            "company": company.astype(np.int64),
            "site": (company * 10_000 + random.zipf(1.5, rows) % 5_000).astype(np.int64),
            "last_online_h": last,
            "first_offline_h": pa.array(first, mask=~removed),
            "relocated_h": pa.array(first, mask=~moved),
            "followed_h": np.full(rows, 500.0),
            "deadline_h": np.full(rows, 24.0),
            "notices": np.ones(rows, dtype=np.int64),
            "reappeared": np.zeros(rows, dtype=np.int64),
            "destination": pa.array(np.where(random.random(rows) < 0.5, "DE", "FR"), mask=~moved),
            "unverified": np.zeros(rows, dtype=bool),
            "day": random.integers(20_000, 20_090, rows),
            "notice_days": np.ones(rows, dtype=np.int64),
            "refused": np.zeros(rows, dtype=np.int64),
            "undelivered": np.zeros(rows, dtype=np.int64),
            "gone_before_notice": np.zeros(rows, dtype=np.int64),
            "wall_h": np.full(rows, 500.0),
        }
    )


def run(rows: int) -> None:
    """Print seconds of plain SQL and of both methods, and their ratio; each in processes of its own."""
    for companies in (40, 5000):
        with TemporaryDirectory(prefix="monitor-scoring-") as folder:
            file = Path(folder) / "episodes.duckdb"
            _alone(_make, file, rows, companies)
            plain = _alone(_plain, file)
            print(f"scoring {rows:,} episodes of {companies:,} companies: plain SQL {plain:.2f} s")
            for version in METHODS:
                whole, peak = (_alone(work, file, version) for work in (_whole, _memory))
                print(f"  method {version}: {whole:.2f} s, ratio {whole / plain:.1f}, peak {peak:,.0f} MB")


def _alone(work: Callable[..., float], *arguments: Any) -> float:
    """What it gives in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _make(file: Path, rows: int, companies: int) -> float:
    with opened(f"duckdb://{file}") as engine:
        for begin in range(0, rows, _CHUNK):
            part = episodes(min(_CHUNK, rows - begin), companies, seed=begin + 1)
            engine.create_table("part", part, overwrite=True)
            engine.raw_sql(f"{'INSERT INTO episodes' if begin else 'CREATE TABLE episodes AS'} SELECT * FROM part")
        engine.drop_table("part")
    return 0.0


def _plain(file: Path) -> float:
    """Seconds of the plain SQL."""
    with opened(f"duckdb://{file}") as engine:
        engine.raw_sql("SET enable_progress_bar = false")
        return _best(lambda: engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE plain AS {_PLAIN}"))


def _whole(file: Path, version: str) -> float:
    """Seconds of the whole method."""
    with opened(f"duckdb://{file}") as engine:
        engine.raw_sql("SET enable_progress_bar = false")
        return _best(lambda: _ranked(engine, method(version)))


def _memory(file: Path, version: str) -> float:
    """Peak megabytes (2**20 bytes) of scoring once."""
    with opened(f"duckdb://{file}") as engine:
        _ranked(engine, method(version))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ranked(engine: Engine, record: Method) -> Table:
    every = engine.table("episodes").mutate(scored=ibis.literal(True))
    return make_table(engine, every, {}, {}, record)[0]


def _best(work: Callable[[], object]) -> float:
    """Seconds of the best of three: the file is read from memory then, and loops are compiled."""
    return min(_timed(work) for _ in range(3))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
