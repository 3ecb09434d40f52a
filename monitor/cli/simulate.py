"""`monitor simulate`: a synthetic hotline's exports, registry and truth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.runtime import json_option, show
from monitor.simulate import EXPORTS, SCENARIOS
from monitor.simulate import simulate as simulate_scenario


@click.command()
@click.option("--scenario", required=True, help=f"One of {', '.join(SCENARIOS)}.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="An empty folder.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option("--scale", default=1.0, show_default=True, help="Multiplies the number of notices.")
@click.option(
    "--exports", help=f"Some of {', '.join(sorted(EXPORTS))}, or all of them (default: those of the scenario)."
)
@json_option
def simulate(scenario: str, out: Path, seed: int, scale: float, exports: str | None, as_json: bool) -> None:
    """Write SCART exports with invented companies, their registry, and what really happened (truth.csv)."""
    summary = simulate_scenario(scenario, out, seed, scale, _chosen(exports))
    text = (
        f"{summary.scenario}: {summary.notices} notices to {summary.companies} companies in {summary.period}, "
        f"{summary.files} deliveries in {out / 'deliveries'} (times in {summary.zone}; as of {summary.as_of})"
    )
    show(asdict(summary), as_json, text)


def _chosen(exports: str | None) -> frozenset[str] | None:
    """The exports that were asked for; None where nothing was."""
    if exports is None:
        return None
    return EXPORTS if exports == "all" else frozenset(name.strip() for name in exports.split(","))
