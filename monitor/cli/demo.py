"""`monitor demo` and `monitor simulate`: an invented hotline, and the whole way with what it delivers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.runtime import Runtime, json_option, keep_private, require_home, show
from monitor.demo import play, prepare
from monitor.errors import MonitorError
from monitor.settings import load_settings
from monitor.simulate import EXPORTS, SCENARIOS
from monitor.simulate import simulate as simulate_scenario

_CONFIGURATION = """# Written by `monitor demo`: invented companies, simulated notices.
demonstration = true
publisher = "Example Authority for Online Material"
contact = "monitor@authority.example"
objections = "objections@authority.example"
privacy_address = "https://authority.example/privacy"
report_address = "https://hotline.example/report"
help_address = "https://help.example/"

[sources.scart]
zone = "Europe/Amsterdam"
cadence_minutes = 10080
"""
_WORTH_SEEING = {
    "the newest ranking": "ranglijst/2026Q2",
    "a ranking that was corrected": "ranglijst/2025Q4",
    "a company that improves": "bedrijf/2026Q2/delta-datacenters",
    "twelve quarters": "verloop",
    "what changed in a quarter": "vergelijken",
    "follow-up of hash hits": "ranglijst/2026Q2/hash-hits",
    "a norm of 12 hours": "norm/2026Q2?hours=12",
    "the data": "open-data",
}
_STUDIES = {"2020": "tudelft-2020", "2022": "tudelft-2022"}


@click.command()
@click.option("--serve", "and_serve", is_flag=True, help="Start the site and the desk at the end.")
@click.option("--scale", default=1.0, show_default=True, help="Multiplies the number of simulated notices.")
@click.option("--port", default=8000, show_default=True, help="Where the site will answer.")
@click.option("--study", type=click.Choice([*_STUDIES]), help="A quarter in the shape of a published study, instead.")
@json_option
def demo(and_serve: bool, scale: float, port: int, study: str | None, as_json: bool) -> None:
    """Simulate, ingest, score, release and report: the whole way, on the embedded default.

    Twelve quarters of one hotline; a study is a world of its own, and goes to a folder of its own beside MONITOR_HOME.
    """
    home = load_settings().home
    if study is not None:
        home = home.with_name(f"{home.name}-study-{study}")
    environment = {**os.environ, "MONITOR_HOME": str(home)}
    name = "history" if study is None else _STUDIES[study]
    run = _installation(environment)
    with _timed(f"{name}: simulate"):
        step = prepare(run.settings.home, name, scale)
    with _timed(f"{name}: {len(step.deliveries)} deliveries, {len(step.releases)} releases"):
        play(run.engine, run.settings, step, _bar())
    newest = step.releases[-1]["period"]
    with _timed(f"files of all releases, report and data of {newest}"):
        _call(environment, "release", "export", newest)
    worth_seeing = _WORTH_SEEING if study is None else {"the ranking": f"ranglijst/{newest}", "the data": "open-data"}
    pages = {what: f"http://127.0.0.1:{port}/nl/{page}" for what, page in worth_seeing.items()}
    pdfs = sorted(str(path) for path in run.settings.publications.glob("[!.]*/*.pdf"))
    answer = {"pages": list(pages.values()), "pdfs": pdfs}
    show(answer, as_json, _closing(run.settings.home, pages, pdfs, port))
    if and_serve:
        _call(environment, "serve", "--port", str(port))


def _installation(environment: Mapping[str, str]) -> Runtime:
    """A database and keys of the demo's own, with the configuration it needs beside them."""
    settings = load_settings(environment)
    require_home(settings)
    file = settings.home / "monitor.toml"
    if not file.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        file.write_text(_CONFIGURATION, "utf-8")
    settings = load_settings(environment)
    if not settings.demonstration:
        raise MonitorError(f"{settings.home} is no demonstration; name another folder with MONITOR_HOME")
    keep_private(settings)
    _call(environment, "init", "--create-keys")
    return Runtime(settings)


def _call(environment: Mapping[str, str], *arguments: str) -> None:
    """Run another command of `monitor` as its own process."""
    command = [sys.executable, "-m", "monitor", *arguments]
    done = subprocess.run(command, env=environment, check=False, stdout=sys.stderr)  # noqa: S603 -- standard output is our answer's
    if done.returncode:
        raise MonitorError(f"`monitor {arguments[0]}` did not succeed")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    click.echo(f"{what} ...", err=True)
    yield
    click.echo(f"{what}: {time.monotonic() - begun:.1f} s", err=True)


def _bar() -> Callable[[int, int], None]:
    """Progress on a terminal, silence elsewhere."""

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r  {done} of {total}{chr(10) if done == total else ''}", nl=False, err=True)

    return progress


def _closing(home: Path, pages: Mapping[str, str], pdfs: list[str], port: int) -> str:
    width = max(map(len, pages))
    site = (f"  {what:{width}}  {page}" for what, page in pages.items())
    lines = ["", "The report:", *(f"  {pdf}" for pdf in pdfs), "The site, in English under /en/:", *site]
    lines += ["The desk (hotlines push here; health):", f"  http://127.0.0.1:{port + 1}/health"]
    return "\n".join([*lines, f"after starting both with: MONITOR_HOME={home} {sys.argv[0]} serve --port {port}"])


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
