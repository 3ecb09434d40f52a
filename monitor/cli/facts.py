"""`monitor facts`: the facts as Parquet, for a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.runtime import INSTANT, json_option, runtime, show
from monitor.score.facts import write_export


@click.group()
def facts() -> None:
    """Facts outside the database; they hold numbers and states, no URL."""


@facts.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--known-at", type=INSTANT, help="Only what was recorded by then (default: now).")
@json_option
def export(out: Path, known_at: int | None, as_json: bool) -> None:
    """Write the facts as Parquet, by quarter; score them with `monitor score --facts FOLDER --engine pyspark://...`."""
    run = runtime()
    url = run.engine.url.render_as_string(hide_password=False)
    about = write_export(url, run.now() if known_at is None else known_at, out)
    rows = ", ".join(f"{count} {name}" for name, count in about["rows"].items())
    show(about, as_json, f"known at {about['known_at']}: {rows}")
