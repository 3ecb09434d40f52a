"""`monitor registry load` and `monitor netblocks load`: who is who, and whose address is whose."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.attribute.registry import load_netblocks, load_registry
from monitor.cli.runtime import json_option, runtime, show
from monitor.db import transaction
from monitor.formats.registry import read_registry
from monitor.instants import to_datetime

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def registry() -> None:
    """The company registry."""


@registry.command("load")
@FILE
@json_option
def load_companies(file: Path, as_json: bool) -> None:
    """Load companies with their aliases, abuse addresses, ASNs, prefixes and domains from YAML or CSV."""
    run = runtime()
    records = read_registry(file)
    with transaction(run.engine) as session:
        answer = load_registry(session, records, to_datetime(run.now()))
    text = (
        f"{answer.companies} companies: {answer.new} new, {answer.changed} changed; "
        f"{answer.claims_added} claims added, {answer.claims_ended} ended"
    )
    show(asdict(answer), as_json, text)


@click.group()
def netblocks() -> None:
    """Tables of address ranges."""


@netblocks.command("load")
@FILE
@click.option("--date", "dated", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day the table is of.")
@json_option
def load_ranges(file: Path, dated: datetime, as_json: bool) -> None:
    """Load ranges (start,end,asn,organisation) as a table of one day."""
    run = runtime()
    with transaction(run.engine) as session:
        answer = load_netblocks(session, file, dated.replace(tzinfo=UTC).date(), to_datetime(run.now()))
    done = "was there already" if answer.repeated else f"{answer.networks} networks"
    show(asdict(answer), as_json, f"table {answer.table}: {answer.ranges} ranges, {done}")
