"""`monitor demo`: the whole way on simulated data, ending with where to look."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from monitor.cli.runtime import Runtime, json_option, show
from monitor.db import connect
from monitor.demo import SCENARIOS, prepare, release, take_in_all
from monitor.errors import MonitorError
from monitor.migrate import upgrade
from monitor.settings import load_settings
from monitor.vault import create_keys

_CONFIGURATION = """# Written by `monitor demo`: invented companies, simulated notices.
demonstration = true

[sources.scart]
zone = "Europe/Amsterdam"
"""


@click.command()
@click.option("--serve", "and_serve", is_flag=True, help="Start the site at the end.")
@click.option("--scale", default=1.0, show_default=True, help="Multiplies the number of simulated notices.")
@click.option("--port", default=8000, show_default=True, help="Where the site will answer.")
@json_option
def demo(and_serve: bool, scale: float, port: int, as_json: bool) -> None:
    """Simulate, take in, score, release and report: the whole way, on the embedded default."""
    run = _installation()
    periods, pages = [], []
    for name in SCENARIOS:
        with _timed(f"{name}: simulate"):
            step = prepare(run.settings.home, name, scale)
        with _timed(f"{name}: take in {len(step.deliveries)} deliveries"):
            take_in_all(run.engine, run.settings, step, run.now, _bar())
        with _timed(f"{name}: score and publish"):
            periods.append(release(run.engine, run.settings, step, run.now))
    reports = run.settings.home / "reports"
    for period in periods:
        with _timed(f"report {period}"):
            _call("report", period, "--out", str(reports / period))
        pages.append(f"http://127.0.0.1:{port}/nl/ranglijst/{period}")
    pdfs = sorted(str(path) for path in reports.rglob("*.pdf"))
    show({"pages": pages, "pdfs": pdfs}, as_json, _closing(run.settings.home, pages, pdfs, port))
    if and_serve:
        _call("serve", "--port", str(port))


def _installation() -> Runtime:
    """A database and keys of the demo's own, with the configuration it needs beside them."""
    settings = load_settings()
    file = settings.home / "monitor.toml"
    if not file.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        file.write_text(_CONFIGURATION, "utf-8")
    settings = load_settings()
    if not settings.demonstration:
        raise MonitorError(f"{settings.home} is no demonstration; name another folder with MONITOR_HOME")
    if not settings.key_file.exists():
        create_keys(settings.key_file)
    engine = connect(settings.database_url)
    upgrade(engine)
    engine.dispose()
    return Runtime(settings)


def _call(*arguments: str) -> None:
    """Run another command of `monitor` as its own process."""
    command = [sys.executable, "-m", "monitor", *arguments]
    done = subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 -- standard output is our answer's
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


def _closing(home: Path, pages: list[str], pdfs: list[str], port: int) -> str:
    lines = ["", "The reports:", *(f"  {pdf}" for pdf in pdfs), "The site:", *(f"  {page}" for page in pages)]
    return "\n".join([*lines, f"after starting the site with: MONITOR_HOME={home} {sys.argv[0]} serve --port {port}"])
