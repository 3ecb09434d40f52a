"""Start-up: CPU of commands that do little, and of a score of 20,000 episodes, compiled loops cached."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

from monitor.db import connect
from monitor.demo import ingest_all, prepare
from monitor.settings import Settings

_ROUNDS = 3
_SCALE = 20 / 3  # of a scenario of 3,000 notices
_BARS = {"--help": 0.4, "release list": 0.8, "score": 2.5}  # seconds of CPU, of all processes together


def run() -> None:
    """Print the least of some rounds for each command, beside its bar."""
    with TemporaryDirectory(prefix="monitor-startup-") as folder:
        home = Path(folder)
        period, as_of = _prepared(home)
        commands = {
            "--help": ("--help",),
            "release list": ("release", "list"),
            "score": ("score", "--period", period, "--as-of", as_of, "--json"),
        }
        _cpu(home, *commands["score"])  # compiles what is kept from then on
        for name, command in commands.items():
            seconds = min(_cpu(home, *command) for _ in range(_ROUNDS))
            print(f"start-up: `monitor {name}` {seconds:.2f} s of CPU (bar {_BARS[name]})", flush=True)


def _prepared(home: Path) -> tuple[str, str]:
    """An installation with 20,000 notices; the period and reference date of its table."""
    _run(home, "init", "--create-keys")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'monitor.db'}", key_file=home / "keys.json")
    step = prepare(home, "tudelft-2022", _SCALE)
    engine = connect(settings.database_url)
    ingest_all(engine, settings, step, lambda: int(time.time()), lambda *_: None)
    engine.dispose()
    return step.facts["period"], step.facts["as_of"]


def _cpu(home: Path, *arguments: str) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    _run(home, *arguments)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "monitor", *arguments]
    environment = os.environ | {"MONITOR_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
