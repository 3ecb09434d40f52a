"""The command line: the whole way on small data, every bad input, and no URL in anything it says."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from monitor.cli import cli, main
from monitor.db import Base, connect
from tests.conftest import NewDatabase
from tests.samples import CLOSED_HEADER, NTD_HEADER, Closed, Ntd


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], new_database: NewDatabase
) -> Run:
    """Runs `monitor` in an installation of its own, on a database without tables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MONITOR_DATABASE_URL", new_database(migrated=False))
    for name in ("MONITOR_KEY_FILE", "MONITOR_CONFIG", "MONITOR_ENGINE"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["monitor", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return command


@pytest.fixture
def ready(run: Run) -> Run:
    assert run("init", "--create-keys").status == 0
    return run


RECEIVED = ("--received-at", "2026-04-10T18:00:00Z", "--zone", "UTC")
SENT = "2026-04-10 12:00:00"
CANARY = "canary-7f3a"
URL = f"https://{CANARY}.example/{CANARY}.jpg"


def export(path: Path, *rows: Ntd | Closed) -> Path:
    header = NTD_HEADER if isinstance(rows[0], Ntd) else CLOSED_HEADER
    path.write_text("\n".join([header, *(row.line() for row in rows)]) + "\n")
    return path


def test_the_whole_way(ready: Run, tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text("companies: [{key: delta, name: Delta Datacenters, country: NL}]\n")
    assert ready("registry", "load", tmp_path / "registry.yaml", "--json").json["new"] == 1
    rows = [Ntd(f"https://s{n % 6}.example/{n}", SENT) for n in range(36)]
    answer = ready("ingest", "scart-ntd", export(tmp_path / "ntd.csv", *rows), *RECEIVED, "--json").json
    assert answer["rows"] == answer["accepted"] == answer["notices_new"] == 36
    closed = export(tmp_path / "closed.csv", *[Closed(row.url) for row in rows[:18]])
    assert ready("ingest", "scart-ntdclosed", closed, *RECEIVED, "--json").json["sightings_new"] == 18
    assert ready("attribute", "--json").json["by_basis"] == {"hotline": 36}
    options = ("--period", "2026Q2", "--as-of", "2026-04-12T00:00:00Z")
    [company] = ready("score", *options, "--json").json["companies"]
    assert (company["company"], company["rank"], company["on_time"]["on_time"]) == ("delta", 1, 18)
    assert "Delta Datacenters" in ready("score", *options).out
    assert ready("release", "draft", *options, "--json").json["stage"] == "draft"
    assert ready("release", "publish", "2026Q2").status == 1
    assert ready("release", "publish", "2026Q2", "--waive-hearing", "invented").status == 0
    assert "2026Q2 version 1, published " in ready("release", "verify", "2026Q2").out
    assert "published" in ready("release", "list").out
    assert ready("audit", "verify").out == "the audit trail is whole\n"
    assert [d["accepted"] for d in ready("deliveries", "--json").json] == [36, 18]


def test_the_keys_of_a_score_are_those_that_others_rely_on(ready: Run, tmp_path: Path) -> None:
    ready("ingest", "scart-ntd", export(tmp_path / "ntd.csv", Ntd(URL, SENT)), *RECEIVED)
    table = ready("score", "--period", "2026Q2", "--json").json
    assert set(table) == {
        "method", "as_of", "known_at", "period", "companies", "network", "unattributed", "rest",
    }  # fmt: skip
    assert table["as_of"] == "2026-04-10T18:00:00Z"
    assert {
        "company", "episodes", "sites", "on_time", "median_hours", "p90_hours", "mean_online_hours_7d", "survival",
        "outstanding", "overdue", "unverified", "oldest_hours", "exposure_hours", "relocated", "refused", "score",
        "rank", "rank_low", "rank_high", "band", "standing",
    } <= set(table["companies"][0])  # fmt: skip
    assert set(table["network"]["on_time"]) == {
        "deadline_hours", "mature", "on_time", "late", "undetermined", "lenient", "strict",
    }  # fmt: skip
    assert [point["t"] for point in table["network"]["survival"]] == [1, 4, 12, 24, 48, 72, 168]


def test_a_file_taken_in_twice_says_so(ready: Run, tmp_path: Path) -> None:
    path = export(tmp_path / "ntd.csv", Ntd(URL, SENT))
    ready("ingest", "scart-ntd", path, *RECEIVED)
    again = ready("ingest", "scart-ntd", path, *RECEIVED)
    assert again.status == 0
    assert "already_taken_in: this file is delivery 1" in again.out


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "an HTML error page": (b"<html><body>503</body></html>", "web page"),
    "a truncated gzip": (gzip.compress(NTD_HEADER.encode() * 2000)[:-30], "cut off"),
    "a missing column": (NTD_HEADER.replace('"url";', "").encode() + b"\n", "no column 'url'"),
    "a UTF-16 file": (NTD_HEADER.encode("utf-16"), "UTF-16"),
    "an empty file": (b"", "empty"),
    "a 300 MB single line": (gzip.compress(b"x" * 300_000_000, 1), "no column"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_taken_in(ready: Run, tmp_path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    (tmp_path / "export.csv").write_bytes(content)
    said = ready("ingest", "scart-ntd", tmp_path / "export.csv", *RECEIVED)
    assert (said.status, said.out) == (1, "")
    assert message in said.err
    assert "Traceback" not in said.err
    assert ready("deliveries").out == "no deliveries yet\n"


@pytest.mark.parametrize(
    ("row", "quarantined", "warning"),
    [
        (Ntd("/no/host", SENT), {"url_without_host": 1}, None),
        (Ntd(URL, SENT, status="weg"), {"unknown_status": 1}, None),
        (Ntd(URL, "2026-04-12 12:00:00"), {"notice_in_future": 1}, None),
        (Ntd(URL, "2026-03-29 02:30:00"), {}, "time_does_not_exist: 1 rows"),
        (Ntd("https://[2001:db8::7]/x", SENT, ip="2001:db8::7"), {}, None),
        (Ntd(URL, SENT, ip="the server"), {}, "not_an_address: 1 rows"),
    ],
)
def test_a_row_that_is_odd(
    ready: Run, tmp_path: Path, row: Ntd, quarantined: dict[str, int], warning: str | None
) -> None:
    path = export(tmp_path / "ntd.csv", row, Ntd("https://s1.example/fine", SENT))
    options = (*RECEIVED[:2], "--zone", "Europe/Amsterdam", "--json")
    answer = ready("ingest", "scart-ntd", path, *options).json
    assert answer["quarantined"] == quarantined
    assert answer["accepted"] == 2 - len(quarantined)
    assert warning is None or warning in answer["warnings"]


def test_quarantine_is_listed_without_what_it_holds(ready: Run, tmp_path: Path) -> None:
    ready("ingest", "scart-ntd", export(tmp_path / "ntd.csv", Ntd(URL, SENT, status="weg")), *RECEIVED)
    assert ready("deliveries", "--quarantine", 1).out == "line 2: unknown_status in NTD status\n"
    assert ready("deliveries", "--quarantine", 9).status == 1


def test_no_command_ever_says_a_url_nor_is_one_stored(ready: Run, tmp_path: Path) -> None:
    rows = [Ntd(URL, SENT, owner="Delta"), Ntd(URL, SENT, status="weg"), Ntd(URL + " broken", SENT)]
    path = export(tmp_path / "ntd.csv", *rows)
    commands: list[tuple[object, ...]] = [
        ("ingest", "scart-ntd", path, *RECEIVED), ("ingest", "scart-ntd", path, *RECEIVED, "--json"),
        ("ingest", "urlhaus", path, *RECEIVED), ("ingest", "scart-ntdclosed", path, *RECEIVED),
        ("deliveries",), ("deliveries", "--quarantine", 1, "--json"), ("attribute", "--json"),
        ("score", "--period", "2026Q2", "--json", "--curves"), ("release", "draft", "--period", "2026Q2"),
        ("release", "publish", "2026Q2", "--waive-hearing", "none"), ("release", "verify", "2026Q2"), ("config",),
    ]  # fmt: skip
    for command in commands:
        said = ready(*command)
        assert CANARY not in said.out + said.err, command
    assert CANARY.encode() not in everything_stored(tmp_path / "home")


def everything_stored(home: Path) -> bytes:
    """Every file of the installation, and every value of every table."""
    engine = connect(os.environ["MONITOR_DATABASE_URL"])
    with engine.connect() as connection:
        rows = [row for table in Base.metadata.sorted_tables for row in connection.execute(select(table))]
    engine.dispose()
    values = [value if isinstance(value, bytes) else repr(value).encode() for row in rows for value in row]
    assert values
    return b"".join([*values, *(file.read_bytes() for file in home.rglob("*") if file.is_file())])


def test_without_a_zone_a_scart_export_is_not_guessed_at(ready: Run, tmp_path: Path) -> None:
    said = ready("ingest", "scart-ntd", export(tmp_path / "ntd.csv", Ntd(URL, SENT)))
    assert said.status == 1
    assert "say which one with --zone" in said.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("ingest", "scart-ntd"), 2, "Missing argument"),
        (("ingest", "word", "x.csv"), 2, "Invalid value"),
        (("ingest", "scart-ntd", "x.csv", "--received-at", "yesterday"), 2, "not an ISO 8601 time"),
        (("ingest", "scart-ntd", "x.csv", "--received-at", "2026-04-10T12:00:00"), 2, "has no zone"),
        (("ingest", "scart-ntd", "x.csv", "--zone", "UTC"), 1, "the file cannot be opened"),
        (("score", "--period", "2026Q5"), 1, "there is no delivery yet"),
        (("score", "--period", "2026Q5", "--as-of", "2026-01-01"), 1, "'2026Q5' is no period"),
        (("score", "--period", "2026Q2", "--as-of", "2026-01-01"), 1, "lies before period 2026Q2"),
        (("score", "--period", "2026Q2", "--as-of", "2026-05-01", "--method", "1"), 1, "no method '1'"),
        (("score", "--period", "2026Q2", "--as-of", "2026-05-01", "--engine", "abacus://"), 1, "engine 'abacus'"),
        (("release", "verify", "2026Q2"), 1, "no release '2026Q2'"),
        (("estimate", "nothing.csv"), 1, "no such file"),
        (("fly",), 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_said_plainly(ready: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    said = ready(*arguments)
    assert said.status == status
    assert message in said.err
    assert "Traceback" not in said.err


def test_before_init_the_error_says_what_to_run(run: Run, tmp_path: Path) -> None:
    said = run("deliveries")
    assert said.status == 1
    assert "monitor init" in said.err


def test_every_command_explains_itself(run: Run) -> None:
    listed = run("--help").out
    for name in ("init", "ingest", "score", "release", "collect", "schedule", "report", "serve", "demo"):
        assert f"  {name}" in listed
        assert "Usage:" in run(name, "--help").out


def test_config_says_where_values_come_from_and_hides_the_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql://monitor:hunter2@db.example/monitor")
    said = run("config")
    assert "hunter2" not in said.out
    assert "(MONITOR_DATABASE_URL)" in said.out


def test_config_warns_of_what_readers_are_not_told(ready: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nothing is published without the first two, whatever the draft is."""
    monkeypatch.delenv("MONITOR_PUBLISHER")
    monkeypatch.delenv("MONITOR_CONTACT")
    said = ready("config", "--json")
    assert said.json["publisher"] == {"value": "", "origin": "default"}
    names = [line.split()[1] for line in said.err.splitlines() if line.startswith("warning: ")]
    assert names == ["publisher", "contact", "privacy_address", "report_address", "help_address"]
    refused = ready("release", "publish", "2026Q2", "--waive-hearing", "none named")
    assert refused.status == 1
    assert "set publisher and contact in monitor.toml" in refused.err
    (tmp_path / "home" / "monitor.toml").write_text(
        'publisher = "Example Authority"\ncontact = "m@authority.example"\n'
    )
    assert "nothing is published without" not in ready("release", "publish", "2026Q2", "--waive-hearing", "-").err


def test_config_shows_what_a_reader_may_cost(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "limits.toml"
    monkeypatch.setenv("MONITOR_CONFIG", str(file))
    file.write_text("[limits]\nmax_connections = 300\nheader_seconds = 2.5\n", "utf-8")
    shown = run("config", "--json").json
    assert {name.removeprefix("limits."): row for name, row in shown.items() if name.startswith("limits.")} == {
        "max_connections": {"value": 300, "origin": str(file)},
        "max_uploads": {"value": 32, "origin": "default"},
        "header_seconds": {"value": 2.5, "origin": str(file)},
        "idle_seconds": {"value": 15, "origin": "default"},
        "body_seconds": {"value": 20, "origin": "default"},
        "answer_seconds": {"value": 30, "origin": "default"},
        "least_bytes_per_second": {"value": 1024, "origin": "default"},
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("most = 3", "unknown ['most']; known: ["),
        ("max_connections = 0", "max_connections must be a whole number above 0"),
        ("max_connections = 2.5", "max_connections must be a whole number above 0"),
        ("header_seconds = 'long'", "header_seconds must be a number above 0"),
        ("body_seconds = true", "body_seconds must be a number above 0"),
    ],
)
def test_a_limit_that_is_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    (tmp_path / "limits.toml").write_text(f"[limits]\n{line}\n", "utf-8")
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "limits.toml"))
    said = run("config")
    assert said.status == 1
    assert f"[limits]: {message}" in said.err


def test_simulate_then_take_it_in(ready: Run, tmp_path: Path) -> None:
    summary = ready("simulate", "--scenario", "quiet", "--out", tmp_path / "quiet", "--json").json
    assert summary["companies"] == 12
    assert ready("simulate", "--scenario", "quiet", "--out", tmp_path / "quiet").status == 1
    first = sorted((tmp_path / "quiet" / "deliveries").iterdir())[0]
    answer = ready("ingest", "scart-ntd", first, "--zone", "Europe/Amsterdam", "--json").json
    assert answer["quarantined"] == {}
    assert answer["accepted"] == answer["rows"] > 0


def test_the_list_of_commands_says_of_each_what_its_own_help_says() -> None:
    context = click.Context(cli)
    names = cli.list_commands(context)
    assert names[-3:] == ["collect", "report", "serve"]
    commands = {name: cli.get_command(context, name) for name in names}
    first_lines = {name: command.get_short_help_str(200) for name, command in commands.items() if command is not None}
    shown = " ".join(CliRunner().invoke(cli, ["--help"]).stdout.split())
    assert [name for name in names if f"{name} {first_lines[name]}" not in shown] == []


def test_digests_are_brought_up_to_the_rules_in_force_once(ready: Run, tmp_path: Path) -> None:
    (tmp_path / "ntd.csv").write_text("\n".join([NTD_HEADER, Ntd(URL, SENT).line()]) + "\n")
    assert ready("ingest", "scart-ntd", tmp_path / "ntd.csv", *RECEIVED).status == 0
    named = ready("config", "--json").json
    in_force = {
        "url_rules": named["url_rules"]["value"],
        "suffix_list": named["suffix_list"]["value"],
        "key_version": 1,
    }
    nothing = {"items": 0, "merged": 0, "other_site": 0, "not_a_url": 0}
    assert ready("keys", "rotate", "--digest", "--json").json == {"scheme": 1} | in_force | nothing
    engine = connect(os.environ["MONITOR_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE digest_schemes SET suffix_list = '2020-01-01'"))
    engine.dispose()
    assert "run `monitor keys rotate --digest` first" in ready("attribute").err
    assert ready("keys", "rotate", "--digest", "--json").json == {"scheme": 2} | in_force | nothing | {"items": 1}
    said = ready("keys", "rotate", "--digest")
    assert "all items have digests of scheme 2: URL rules 2, public suffix list 20" in said.out
    assert ready("attribute").status == 0
    assert ready("keys", "rotate").status == 2
    assert CANARY not in said.out
