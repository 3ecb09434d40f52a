"""What an operator runs into: other keys, homes and outputs that are none. One line says what to do, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli import Commands, main
from monitor.db import connect
from monitor.key_checks import open_vault
from monitor.vault import create_keys

# Every command that uses the database, with arguments that are enough to get there.
ON_THE_DATABASE = (
    "registry load REGISTRY.csv", "netblocks list", "ingest xarf FILE", "deliveries", "deliveries show 1", "attribute",
    "confirm somebody --by me", "score --period 2026Q2", "project", "supplements cusum --period 2026Q2",
    "facts export --out NEW", "release list", "release verify",
    "release draft --period 2026Q2", "release discard 1", "token list", "keys signing", "audit verify",
    "schedule --list", "sources", "collect urlhaus", "report 2026Q2 --only-report --out NEW", "serve --port 0",
    "suspend --from 2026-04-01T00:00:00Z --to 2026-04-02T00:00:00Z --by A --approved-by B --reason outage",
    "correct withdraw-notice R-1 --by A --approved-by B --reason mistake",
)  # fmt: skip
RESTORE = ": restore the key file from your backup; a new key cannot open or match anything that is stored"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `monitor` with a home folder of its own; the exit status, and what it says on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path / "home"))
    for name in ("MONITOR_KEY_FILE", "MONITOR_CONFIG", "MONITOR_ENGINE", "MONITOR_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["monitor", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr().err
        capsys.readouterr()
        return 0, ""

    return command


@pytest.fixture
def ready(run: Run, tmp_path: Path, sqlite_template: Path) -> Run:
    """With a database that was sealed, and its key."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "monitor.db").write_bytes(sqlite_template.read_bytes())
    create_keys(home / "keys.json")
    engine = connect(f"sqlite:///{home / 'monitor.db'}")
    open_vault(engine, home / "keys.json", 1)
    engine.dispose()
    (tmp_path / "FILE").write_text("{}")
    (tmp_path / "REGISTRY.csv").write_text("key,name\ndelta,Delta\n")
    return run


def as_process(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `monitor` in a process of its own, in the home folder of the test."""
    environment = os.environ | {"MONITOR_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "ignore", "-m", "monitor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_every_command_is_among_those_that_are_tried() -> None:
    without_data = {"init", "config", "simulate", "estimate", "demo"}
    tried = {line.split()[0] for line in ON_THE_DATABASE}
    assert tried | without_data == set(Commands().list_commands(None))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ON_THE_DATABASE)
def test_without_the_key_that_sealed_the_data_no_command_begins(ready: Run, tmp_path: Path, line: str) -> None:
    keys = tmp_path / "home" / "keys.json"
    keys.rename(tmp_path / "kept.json")
    status, said = ready(*line.split())
    assert status == 1
    assert said.startswith("monitor: this database was sealed with key ")
    assert said.endswith(
        "restore the key file from your backup; a new key cannot open or match anything that is stored\n"
    )
    assert said.count("\n") == 1
    create_keys(keys)
    status, said = ready(*line.split())
    assert status == 1
    assert "; the key file's is " in said
    assert said.count("\n") == 1


@pytest.mark.usefixtures("ready")
def test_the_demo_needs_its_keys_too(tmp_path: Path) -> None:
    """It makes none over sealed data: `monitor init` of the demo refuses."""
    (tmp_path / "home" / "keys.json").unlink()
    (tmp_path / "home" / "monitor.toml").write_text("demonstration = true\n")
    done = as_process(tmp_path, "demo", "--scale", "0.001")
    assert done.returncode == 1
    sealed, last = done.stderr.splitlines()
    assert sealed.startswith("monitor: this database was sealed with key ")
    assert last == "monitor: `monitor init` did not succeed"


EVERYWHERE = (
    "init --create-keys", "deliveries", "score --period 2026Q2", "release list", "schedule --list", "sources",
    "collect urlhaus", "audit checkpoint", "serve --port 0", "demo --scale 0.001", "keys signing",
)  # fmt: skip


@pytest.mark.parametrize("line", EVERYWHERE)
@pytest.mark.parametrize(
    ("home", "why"),
    [
        ("FILE", "which is a file; name a folder"),
        ("FILE/below", "Not a directory; name a folder of our own"),
        ("/proc/nowhere", ""),  # not even root makes a folder there
    ],
)
def test_a_home_that_is_none_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, home: str, why: str
) -> None:
    (tmp_path / "FILE").write_text("x")
    monkeypatch.setenv("MONITOR_HOME", home)
    status, said = run(*line.split())
    assert (status, said.count("\n")) == (1, 1), said
    assert home in said
    assert why in said


@pytest.mark.parametrize("line", ["facts export --out", "simulate --scenario quiet --scale 0.01 --out"])
@pytest.mark.parametrize("out", ["FILE", "FILE/below", "/proc/nowhere/below", "FILE/below/that"])
def test_an_output_that_cannot_be_is_one_line(ready: Run, line: str, out: str) -> None:
    status, said = ready(*line.split(), out)
    assert (status, said.count("\n")) == (1, 1), said
    assert out in said


def test_an_output_that_is_a_file_is_wrong_usage_of_the_report(ready: Run) -> None:
    status, said = ready("report", "2026Q2", "--out", "FILE")
    assert status == 2
    assert "'FILE' is a file" in said


def test_a_place_that_nobody_named_is_in_no_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "/srv/outbox/canary-7f3a.example"

    def broken() -> None:
        raise FileNotFoundError(2, "No such file or directory", place)

    monkeypatch.setattr("monitor.cli.setup.runtime", broken)
    status, said = run("config")
    assert status == 1
    assert said.startswith("monitor: unexpected FileNotFoundError; nothing of this step was kept. Please report:")
    assert "canary" not in said


@pytest.mark.usefixtures("ready")
def test_a_score_of_a_period_without_notices_says_so(tmp_path: Path) -> None:
    done = as_process(tmp_path, "score", "--period", "2020Q1", "--as-of", "2020-05-01T00:00:00Z")
    assert done.returncode == 0, done.stderr
    assert "no notice to a hosting company was sent in this period, as far as is known" in done.stdout
