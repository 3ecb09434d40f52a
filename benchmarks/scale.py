"""Scale: the scoring of random episodes on an engine that reads Parquet: `python -m benchmarks.scale --help`."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pyarrow.parquet

from benchmarks.scoring import episodes
from monitor.score.aggregate import aggregate
from monitor.score.engine import Engine, keep, opened
from monitor.score.estimate import estimate
from monitor.score.methods import method


@click.command()
@click.option("--episodes", "rows", default=1_000_000, show_default=True, help="How many.")
@click.option("--engine", "url", default="duckdb://", show_default=True, help="duckdb:// or pyspark://...")
def run(rows: int, url: str) -> None:
    """Print how long it takes from a Parquet file to every estimate; the start of the engine is told apart."""
    with TemporaryDirectory(prefix="monitor-scale-") as folder:
        file = Path(folder) / "episodes.parquet"
        pyarrow.parquet.write_table(episodes(rows), file, row_group_size=100_000)
        begun = time.perf_counter()
        with opened(url) as engine:
            started = time.perf_counter()
            companies = _scored(engine, file)
            taken = time.perf_counter() - started
    print(f"{url} {rows:,} episodes, {companies} estimates: {taken:.1f} s,", end=" ")
    print(f"{rows / taken:,.0f} episodes/s; engine started in {started - begun:.1f} s")


def _scored(engine: Engine, file: Path) -> int:
    """How many estimates came out: one a company, and the network's."""
    table = keep(engine.read_parquet(str(file)))
    return len(estimate(aggregate(engine, table, table, method()), {}, method()))


if __name__ == "__main__":
    run()
