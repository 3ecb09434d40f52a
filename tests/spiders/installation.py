"""An installation of its own for tests that run the command in a process, and a look at what it left behind."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from monitor.db import connect
from monitor.vault import create_keys
from tests.support.commands import run_command

CANARY = "canary-7f3a9c.example"


@dataclass
class Ended:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What `--json` said."""
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        return answer


class Installation:
    """A home with a migrated database and keys; everything its commands say is kept."""

    def __init__(self, home: Path, database_url: str) -> None:
        home.mkdir()
        self.home = home
        self.config = home.with_suffix(".toml")
        self.url = database_url
        self.said = ""
        create_keys(home / "keys.json")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands."""
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        settings = {
            "MONITOR_HOME": str(self.home),
            "MONITOR_CONFIG": str(self.config),
            "MONITOR_DATABASE_URL": self.url,
        }
        return kept | settings

    def configure(self, source: str, **options: str | float) -> None:
        """Write the configuration: one source."""
        lines = [f"[sources.{source}]", *(f"{name} = {json.dumps(value)}" for name, value in options.items())]
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def run(self, *arguments: str) -> Ended:
        """Run `monitor` to its end."""
        done = run_command(arguments, self.environment)
        self.said += done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def collect(self, source: str) -> Ended:
        """Collect once, without patience."""
        return self.run("collect", source, "--json", "--retry-wait", "0.01", "--settle", "30")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        engine = connect(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(query))]
        engine.dispose()
        return found

    def deliveries(self) -> list[tuple[Any, ...]]:
        """Source, format, rows and receipt of every delivery, in the order they were ingested."""
        return self.rows("SELECT source, format, rows, received_at FROM deliveries ORDER BY id")

    def assert_silent(self) -> None:
        """No reported URL was said, written down in a run, or left in any file."""
        assert CANARY not in self.said
        assert CANARY not in str(self.rows("SELECT * FROM collector_runs"))
        for path in self.home.rglob("*"):
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
        assert list((self.home / "incoming").iterdir()) == []


def feed(count: int, first: int = 1) -> str:
    """A URLhaus feed of that many rows."""
    rows = [
        f'"{n}","2020-04-10 10:00:00","http://{CANARY}/{n}","online","2020-04-11 10:00:00","","","",""'
        for n in range(first, first + count)
    ]
    return "\n".join(["# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter", *rows, ""])


def ntd(*names: str) -> str:
    """A SCART ntd export with a row for each name."""
    header = (
        '"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";"abuse country";'
        '"abuse email";"url";"IP";"first seen";"last seen";"online counter";'
    )
    sent = '"M1";"img";"sent_succes";"2020-04-10 10:00:00";"Delta Datacenters";"hoster";"NL";"";'
    return "\n".join([header, *(f'{sent}"http://{CANARY}/{name}";"";"";"";"1";' for name in names), ""])


def closed(*names: str) -> str:
    """A SCART ntdclosed export with a row for each name."""
    header = (
        '"filenumber";"url";"status";"abuse owner";"abuse country";"abuse email";"IP";"first seen";"last seen";'
        '"online counter";'
    )
    rows = (
        f'"N1";"http://{CANARY}/{name}";"close_offline";"";"NL";"";"";"";"2020-04-11 10:00:00";"1";' for name in names
    )
    return "\n".join([header, *rows, ""])
