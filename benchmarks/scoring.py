"""Scoring: the whole method against a plain Kaplan-Meier in hand-written SQL on the same episodes.

Forty companies, one of them with 93 % of the episodes, as in the 2020 study.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import pyarrow as pa

from monitor.score.assemble import assemble
from monitor.score.engine import Engine, connect
from monitor.score.gather import gather
from monitor.score.methods import method

_PLAIN = """
WITH times AS (
  SELECT company, last_online_h AS t, COUNT(first_offline_h) AS d, COUNT(*) AS m FROM episodes GROUP BY 1, 2
), risk AS (
  SELECT *, SUM(m) OVER (PARTITION BY company ORDER BY t DESC) AS y FROM times
)
SELECT company, t, EXP(SUM(LN(GREATEST(y - d, 1e-9) / y)) OVER (PARTITION BY company ORDER BY t)) AS s,
       SUM(d / (y * GREATEST(y - d, 1e-9))) OVER (PARTITION BY company ORDER BY t) AS greenwood
FROM risk
"""


def episodes(rows: int, seed: int = 1) -> pa.Table:
    """Random episodes with the columns that scoring reads; times in whole seconds."""
    random = np.random.default_rng(seed)
    company = np.where(random.random(rows) < 0.93, 1, random.integers(2, 41, rows))
    last = np.floor(random.exponential(12 * 3600, rows)) / 3600
    removed = random.random(rows) < 0.9
    first = last + np.floor(random.uniform(1, 5, rows) * 3600) / 3600
    none = np.full(rows, None)
    return pa.table(
        {
            "company": company.astype(np.int64),
            "site": (company * 10_000 + random.zipf(1.5, rows) % 5_000).astype(np.int64),
            "last_online_h": last,
            "first_offline_h": pa.array(first, mask=~removed),
            "relocated_h": pa.array(none, pa.float64()),
            "followed_h": np.full(rows, 500.0),
            "deadline_h": np.full(rows, 24.0),
            "notices": np.ones(rows, dtype=np.int64),
            "reappeared": np.zeros(rows, dtype=np.int64),
            "destination": pa.nulls(rows, pa.string()),
            "unverified": np.zeros(rows, dtype=bool),
        }
    )


def run(rows: int) -> None:
    """Print seconds of both, and their ratio."""
    engine = connect("duckdb://")
    table = engine.create_table("episodes", episodes(rows))
    plain = min(_timed_plain(engine) for _ in range(3))
    begun = time.perf_counter()
    gathered = gather(engine, table, table, method())
    gathering = time.perf_counter() - begun
    assemble(gathered, {}, {}, method())
    whole = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"scoring {rows:,} episodes: plain SQL {plain:.2f} s, whole method {whole:.2f} s", end=" ")
    print(f"(in the engine and Turnbull {gathering:.2f} s), ratio {whole / plain:.1f}, peak {peak:,.0f} MB")


def _timed_plain(engine: Engine) -> float:
    begun = time.perf_counter()
    engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE plain AS {_PLAIN}")
    return time.perf_counter() - begun
