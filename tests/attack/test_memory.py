"""Memory is bounded whatever is delivered: a command and the process that reads for it, on files made to fill it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Event, Thread

import pytest

from monitor.vault import create_keys
from tests.formats.test_scart_items import WHOIS
from tests.samples import NTD_HEADER, Ntd

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST = 300  # MB of both processes, each at its own peak
LONG = 200 * 1024  # a line just within what a line may be


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str
    megabytes: float


@dataclass(frozen=True)
class Home:
    """An installation with an empty SQLite database."""

    folder: Path

    def run(self, *arguments: str) -> Ran:
        environment = {**os.environ, "MONITOR_HOME": str(self.folder)}
        command = [sys.executable, "-m", "monitor", *arguments]
        peaks, ended = [0], Event()
        with Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
            watching = Thread(target=_watch, args=(process.pid, peaks, ended))
            watching.start()
            out, err = process.communicate(timeout=600)
            ended.set()
            watching.join()
        return Ran(process.returncode, out, err, max(peaks) / 1024)

    def limit(self, rows: int) -> None:
        (self.folder / "monitor.toml").write_text(f"[sources.scart]\nmaximum_rows = {rows}\n")


def _watch(process: int, peaks: list[int], ended: Event) -> None:
    """Note, until it has ended, the KiB that a process and those it runs at that moment hold at most, together."""
    while not ended.wait(0.01):
        with suppress(OSError):  # it has just ended
            running = Path(f"/proc/{process}/task/{process}/children").read_text().split()
            peaks.append(sum(map(_peak, (process, *map(int, running)))))


def _peak(process: int) -> int:
    """The most KiB that a process has held so far; 0 of one that has ended and waits to be asked for its status."""
    with suppress(FileNotFoundError, ProcessLookupError):
        held = Path(f"/proc/{process}/status").read_text().partition("VmHWM:")[2].split()
        return int(held[0]) if held else 0
    return 0


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "monitor.db")
    create_keys(folder / "keys.json")
    return Home(folder)


def _lines(header: str, rows: Iterable[str]) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def _ntd(count: int, row: Callable[[int], Ntd]) -> bytes:
    return _lines(NTD_HEADER, (row(number).line() for number in range(count)))


def _zstd_with_a_window_of_a_gigabyte() -> bytes:
    parameters: dict[int, int] = {
        zstd.CompressionParameter.window_log: 30,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    return zstd.compress(_ntd(1, lambda _: Ntd("https://a.example/", "2026-04-10 12:00:00")) * 9, options=parameters)


_REPORT = (
    "filenumber;hashcheck_at;hashcheck_return;firstseen_at;lastseen_at;type_code;police;status_code;hoster_contact;"
    "hoster_country;hoster_owner;hoster_first_ntd_at"
)
_INHOPE = (
    "report_id,url,host_ip,notice_sent_at,recipient,recipient_country,recipient_email,status,checked_at,"
    "destination_country"
)
SENT = "2026-04-10 12:00:00"
FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "many tiny bad rows": ("scart-ntd", lambda: _lines(NTD_HEADER, ['"x'] * 300_000)),
    "many tiny bad rows, one by one": ("scart-whois", lambda: _lines(WHOIS, ["x;"] * 300_000)),
    "huge bad rows": ("scart-ntd", lambda: _lines(NTD_HEADER, ["x" * LONG] * 400)),
    "huge bad rows, one by one": ("scart-report", lambda: _lines(_REPORT, ["x" * LONG] * 400)),
    "huge rows": ("scart-ntd", lambda: _ntd(400, lambda n: Ntd(f"https://a.example/{n}".ljust(LONG, "x"), SENT))),
    "huge hosts": ("scart-ntd", lambda: _ntd(400, lambda n: Ntd(f"https://{n}".ljust(LONG, "x") + ".example/", SENT))),
    "huge addresses": ("scart-ntd", lambda: _ntd(400, lambda n: Ntd(f"https://a.example/{n}", SENT, ip="1" * LONG))),
    "huge recipients": (
        "scart-ntd", lambda: _ntd(400, lambda n: Ntd(f"https://a.example/{n}", SENT, email=f"{n}@".ljust(LONG, "x"))),
    ),
    "many recipients": ("scart-ntd", lambda: _ntd(5_000, lambda n: Ntd(f"https://a.example/{n}", SENT, f"Owner {n}"))),
    "an endless line": ("urlhaus", lambda: gzip.compress(b"#\n" + b"x" * 200_000_000, 1)),
    "nothing but line ends": ("scart-ntd", lambda: gzip.compress(NTD_HEADER.encode() + b"\n" * 10_000_000, 1)),
    "nothing but commas": ("inhope-csv", lambda: gzip.compress(b"," * 200_000_000, 1)),
    "200,000 columns": ("scart-ntd", lambda: _lines('"";' * 200_000, ['"";' * 80_000] * 9)),
    "60,000 columns": ("scart-ntd", lambda: _lines(NTD_HEADER + '"a";' * 60_000, ['"";' * 60_000] * 99)),
    "a thousand columns in every row": (
        "inhope-csv", lambda: _lines(_INHOPE + "," * 980, ["," * 989] * 10_000),
    ),
    "a window of a gigabyte": ("scart-ntd", _zstd_with_a_window_of_a_gigabyte),
    "huge objects": ("xarf", lambda: b"\n".join([b'{"url":"' + b"x" * LONG + b'"}'] * 400)),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_no_file_takes_more_than_a_small_machine_has(home: Home, tmp_path: Path, kind: str) -> None:
    name, content = FILES[kind]
    (path := tmp_path / "file").write_bytes(content())
    ran = home.run("ingest", name, str(path), "--zone", "UTC", "--received-at", "2026-04-11T09:00:00Z", "--json")
    assert "Traceback" not in ran.err, ran.err
    assert ran.status in (0, 1)
    assert ran.err.count("\n") == ran.status, "one line says what is wrong"
    assert ran.megabytes < MOST


@pytest.mark.parametrize("name", ["scart-ntd", "scart-whois"])
def test_what_can_only_be_refused_is_read_no_further(home: Home, tmp_path: Path, name: str) -> None:
    """More rows than its source may have: neither their number nor what they are can save it."""
    home.limit(1000)
    header = NTD_HEADER if name == "scart-ntd" else WHOIS
    (path := tmp_path / "file").write_bytes(_lines(header, ['"x";'] * 200_000))
    ran = home.run("ingest", name, str(path), "--zone", "UTC", "--json")
    told = json.loads(ran.out)
    assert (ran.status, told["verdict"], told["accepted"]) == (1, "refused", 0)
    assert 1000 < told["rows"] <= 8000
    assert [reason["rule"] for reason in told["reasons"]] == ["above_maximum", "reading_stopped", "quarantined"]
    assert f"reading stopped after {told['rows']:,} rows: whatever follows, it is refused" in ran.err


def test_a_delivery_that_could_still_be_saved_is_read_to_its_end(home: Home, tmp_path: Path) -> None:
    """Bad rows first, and enough good ones after them: a person may take it, so all of it is looked at."""
    home.limit(40_000)
    good = [Ntd(f"https://a.example/{number}", SENT).line() for number in range(24_000)]
    (path := tmp_path / "file").write_bytes(_lines(NTD_HEADER, ['"x";'] * 16_000 + good))
    arguments = ("ingest", "scart-ntd", str(path), "--zone", "UTC", "--received-at", "2026-04-11T09:00:00Z", "--json")
    told = json.loads(home.run(*arguments).out)
    assert (told["verdict"], told["rows"], told["accepted"]) == ("suspicious", 40_000, 24_000)
    home.limit(30_000)
    told = json.loads(home.run(*arguments).out)
    assert told["verdict"] == "suspicious", "it waits, and is not judged again until a person did"
