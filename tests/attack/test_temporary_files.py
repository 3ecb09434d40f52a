"""Files that libraries write beside ours: none of them holds an address in clear."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.score.extract import COLUMNS, QUERIES, query
from tests.attack.test_full_disk import prepared
from tests.attack.test_sealed_incoming import TRACES, holds_no_trace
from tests.samples import NTD_HEADER, Ntd

SOURCES = [path for name in ("monitor", "spiders", "web", "reports") for path in sorted(Path(name).rglob("*.py"))]
KNOWN = {
    "monitor/incoming.py": "the folder of sealed deliveries",
    "monitor/ingest/sealed_files.py": "what is read before the lock, sealed and digested",
    "monitor/release/package.py": "what is published",
    "monitor/release/publications.py": "what is published",
    "monitor/score/engine.py": "a folder that Spark leaves empty",
    "monitor/score/facts.py": "facts, by number and digest",
    "monitor/score/projection.py": "facts, by number and digest",
}


def test_every_temporary_file_of_ours_is_known() -> None:
    found = {path.as_posix() for path in SOURCES if re.search(r"\btempfile\b", path.read_text("utf-8"))}
    assert found == set(KNOWN)


def test_no_body_is_read_as_a_form() -> None:
    """Werkzeug writes a large form to a temporary file, in clear; a body is read as bytes and nothing else."""
    forms = re.compile(r"request\.(form|files|values)\b|FormDataParser")
    assert [path for path in SOURCES if forms.search(path.read_text("utf-8"))] == []


def test_what_is_scored_holds_no_address_sealed_or_not() -> None:
    """So neither the files by which facts reach an engine, nor what DuckDB or Spark put aside of them, can."""
    names = {column for columns in COLUMNS.values() for column in columns}
    assert not {name for name in names if "url" in name or "sealed" in name}
    assert not [
        name
        for name in QUERIES
        for joined in (False, True)
        if re.search("sealed|url", query(name, 0, with_identities=joined))
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="the open files of a hardened process are seen by root only")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_sqlite_puts_aside_holds_none_and_a_kill_leaves_none(tmp_path: Path) -> None:
    home, temporary = prepared(tmp_path / "home"), tmp_path / "temporary"
    temporary.mkdir()
    first, second = (_export(tmp_path / f"{number}.csv", number * 20_000) for number in (0, 1))
    looked_into = 0
    for file in (first, second):
        command = [sys.executable, "-m", "monitor", "ingest", "scart-ntd", str(file), "--zone", "UTC"]
        command += ["--received-at", "2026-04-11T09:00:00Z"]
        named = os.environ | {"MONITOR_HOME": str(home), "SQLITE_TMPDIR": str(temporary), "TMPDIR": str(temporary)}
        with subprocess.Popen(command, env=named, stdout=subprocess.DEVNULL) as process:
            killed_at = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < killed_at:
                found = _put_aside(process.pid, temporary)
                looked_into += len(found)
                assert not [trace for content in found for trace in TRACES if trace in content]
                if file is second and looked_into > 20:
                    process.kill()
    assert looked_into, "SQLite has put pages aside"
    assert holds_no_trace(home)
    assert list(temporary.iterdir()) == []


def _export(path: Path, first: int) -> Path:
    urls = (f"https://zqhost.example/zqpath/{n}?zqquery=2" for n in range(first, first + 40_000))
    rows = [Ntd(url, "2026-04-10 12:00:00") for url in urls]
    path.write_text("\n".join([NTD_HEADER, *(row.line() for row in rows), ""]), "utf-8")
    return path


def _put_aside(pid: int, folder: Path) -> list[bytes]:
    """The content of the open files of a process that lie in that folder, or did: SQLite unlinks them at once."""
    found = []
    for file in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            if str(file.readlink()).startswith(str(folder)):
                found.append(file.read_bytes())
    return [content for content in found if content]
