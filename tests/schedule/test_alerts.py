"""What the operator is told: once when it begins, once when it ends, by command or webhook, and never a flood."""

from __future__ import annotations

import json
import stat
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.db import transaction
from monitor.errors import ConfigurationError
from monitor.instants import to_datetime
from monitor.models.run import CollectorRun
from monitor.schedule import alerts
from monitor.schedule.alerts import HookError, call
from monitor.schedule.health import watch
from monitor.schedule.plan import Timing, arrange
from monitor.settings import Alerts, Settings, load_settings
from tests.conftest import Database

NOW = 1_777_636_800
MESSAGE = {"alert": "source_stale", "state": "began", "subject": "urlhaus"}


class Inbox:
    """A web server on this machine that keeps what is posted to it."""

    def __init__(self) -> None:
        self.received: list[dict[str, object]] = []
        self.answers: list[int] = []
        inbox = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = inbox.answers.pop(0) if inbox.answers else 204
                if status == 204:
                    inbox.received.append(json.loads(body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quietly."""

        self.server = HTTPServer(("127.0.0.1", 0), Take)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A running one."""
    box = Inbox()
    thread = threading.Thread(target=box.server.serve_forever, args=(0.05,))
    thread.start()
    yield box
    box.server.shutdown()
    thread.join()
    box.server.server_close()


@pytest.fixture
def settings(database: Database, tmp_path: Path, inbox: Inbox) -> Settings:
    """An installation whose alerts go to the inbox."""
    return Settings(home=tmp_path, database_url=database.url, alerts=Alerts(webhook=inbox.address, timeout_seconds=5))


def test_told_once_when_it_begins_and_once_when_it_ends(settings: Settings, inbox: Inbox) -> None:
    for _ in range(3):
        alerts.raise_alert(settings, alerts.SOURCE_STALE, "urlhaus", {"last_success": "2026-05-01T12:00:00Z"})
    for _ in range(2):
        alerts.end_alert(settings, alerts.SOURCE_STALE, "urlhaus")
    alerts.raise_alert(settings, alerts.SOURCE_STALE, "urlhaus", {})
    told = [(message["alert"], message["state"], message["subject"]) for message in inbox.received]
    assert told == [("source_stale", state, "urlhaus") for state in ("began", "ended", "began")]
    assert inbox.received[0]["details"] == {"last_success": "2026-05-01T12:00:00Z"}


def test_what_is_over_at_once_is_told_once(settings: Settings, inbox: Inbox) -> None:
    for _ in range(2):
        alerts.raise_alert(settings, alerts.DELIVERY_REFUSED, "delivery 4", {"source": "scart"})
    assert [message["state"] for message in inbox.received] == ["happened"]


def test_no_address_is_told(settings: Settings, inbox: Inbox) -> None:
    alerts.raise_alert(settings, alerts.SOURCE_STALE, "scart", {"reason": "at https://canary.example/x, sadly"})
    assert inbox.received[0]["details"] == {"reason": "at <address> sadly"}


def test_failing_hook_is_logged_and_tried_again(
    settings: Settings, inbox: Inbox, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.answers = [500, 302, 503]
    alerts.raise_alert(settings, alerts.SOURCE_STALE, "urlhaus", {})
    assert "the webhook answered 503, 3 times" in caplog.text
    assert "127.0.0.1" not in caplog.text
    alerts.tell(settings, database.engine)  # somebody else's claim would still stand: not a moment later
    assert inbox.received == []
    with transaction(database.engine) as session:
        session.execute(text("UPDATE alerts SET claimed_at = claimed_at - 301"))
    alerts.tell(settings, database.engine)
    assert [message["state"] for message in inbox.received] == ["began"]


@pytest.mark.parametrize(("seconds", "told"), [(-400, 1), (-200, 0), (-1, 0), (2, 0), (200, 0), (400, 1)])
def test_a_claim_stands_for_minutes_whoever_has_the_later_clock(
    settings: Settings, inbox: Inbox, database: Database, seconds: int, told: int
) -> None:
    with transaction(database.engine) as session:
        alerts.begin(session, alerts.SOURCE_STALE, "urlhaus", {}, NOW)
        session.execute(text("UPDATE alerts SET claimed_at = :at"), {"at": int(time.time()) + seconds})
    alerts.tell(settings, database.engine)
    assert len(inbox.received) == told


def test_what_was_told_while_another_waited_is_not_told_again(
    settings: Settings, inbox: Inbox, database: Database
) -> None:
    with transaction(database.engine) as session:
        alerts.begin(session, alerts.SOURCE_STALE, "urlhaus", {}, NOW)
    waiting = threading.Thread(target=alerts.tell, args=(settings, database.engine))
    with transaction(database.engine) as session:
        session.execute(text("UPDATE alerts SET began_told_at = :at, claimed_at = NULL"), {"at": int(time.time())})
        waiting.start()
        waiting.join(1)  # long enough to come to the row that is being written
        assert waiting.is_alive()
    waiting.join(30)
    assert inbox.received == []


def test_many_tellers_tell_each_once(settings: Settings, inbox: Inbox, database: Database) -> None:
    with transaction(database.engine) as session:
        for number in range(5):
            alerts.begin(session, alerts.SOURCE_STALE, f"source {number}", {}, NOW)
    tellers = [threading.Thread(target=alerts.tell, args=(settings, database.engine)) for _ in range(4)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join(30)
    assert sorted(str(message["subject"]) for message in inbox.received) == [f"source {n}" for n in range(5)]


def _script(folder: Path, code: str) -> tuple[str, ...]:
    script = folder / "hook"
    script.write_text(f"#!{sys.executable}\n{code}\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return (str(script),)


def test_command_gets_the_message(tmp_path: Path) -> None:
    out = tmp_path / "out"
    call(Alerts(_script(tmp_path, f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())")), MESSAGE)
    assert json.loads(out.read_text("utf-8")) == MESSAGE


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import time; time.sleep(60)", "the command took longer than 0.5 s"),
        ("raise SystemExit(3)", "the command ended with status 3"),
    ],
)
def test_command_that_fails(tmp_path: Path, code: str, reason: str) -> None:
    with pytest.raises(HookError, match=reason):
        call(Alerts(_script(tmp_path, code), timeout_seconds=0.5 if "sleep" in code else 20), MESSAGE)


def test_command_that_is_not_there() -> None:
    with pytest.raises(HookError, match="cannot be started"):
        call(Alerts(("/nowhere/to/be/found",)), MESSAGE)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [('command = "notify"', "list of words"), ('webhook = "http://hook.example/"', "https"), ("sms = 1", "unknown")],
)
def test_settings_that_cannot_be(tmp_path: Path, table: str, wrong: str) -> None:
    (tmp_path / "monitor.toml").write_text(f"[alerts]\n{table}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=wrong):
        load_settings({"MONITOR_CONFIG": str(tmp_path / "monitor.toml")})


def test_stale_source_begins_and_ends(database: Database) -> None:
    hourly = Timing("urlhaus", cadence=3600, jitter=0, limit=600, retry=300)
    with transaction(database.engine) as session:
        arrange(session, [hourly], NOW)
        watch(session, NOW + 3 * 3600 + 600)
    assert _open(database) == []
    with transaction(database.engine) as session:
        watch(session, NOW + 3 * 3600 + 601)
    assert _open(database) == [("source_stale", "urlhaus")]
    later = to_datetime(NOW + 4 * 3600)
    with transaction(database.engine) as session:
        good = {"started_at": later, "finished_at": later, "verdict": "ok", "deliveries": [], "rows": 0}
        session.add(CollectorRun(source="urlhaus", remembered={}, **good))
        session.flush()
        watch(session, NOW + 4 * 3600)
    assert _open(database) == []


def test_suspicious_delivery_is_an_alert_until_it_is_decided(database: Database) -> None:
    columns = {
        "source": "'scart'",
        "format": "'scart-ntd'",
        "file_digest": "'0'",
        "received_at": str(NOW),
        "recorded_at": str(NOW),
        "zone": "'UTC'",
        **dict.fromkeys(("rows", "accepted", "duplicate", "contents_new", "notices_new", "sightings_new"), "0"),
        **dict.fromkeys(("quarantined", "warnings"), "'{}'"),
        "verdict": "'suspicious'",
    }
    with transaction(database.engine) as session:
        session.execute(text(f"INSERT INTO deliveries ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"))
        watch(session, NOW)
    assert _open(database) == [("delivery_suspicious", "delivery 1")]
    with transaction(database.engine) as session:
        session.execute(text("UPDATE deliveries SET verdict = 'refused'"))
        watch(session, NOW)
        watch(session, NOW)
    assert _open(database) == []
    with transaction(database.engine) as session:
        kinds = session.scalars(text("SELECT kind FROM alerts ORDER BY id")).all()
    assert kinds == ["delivery_suspicious", "delivery_refused"]


def _open(database: Database) -> list[tuple[str, str]]:
    with transaction(database.engine) as session:
        found = session.execute(text("SELECT kind, subject FROM alerts WHERE ended_at IS NULL ORDER BY id"))
        return [(kind, subject) for kind, subject in found]


def test_webhook_out_of_reach_says_why_and_not_where() -> None:
    gone = replace(Alerts(), webhook="http://127.0.0.1:9/hook", timeout_seconds=1)
    with pytest.raises(HookError, match="could not be reached") as caught:
        call(gone, MESSAGE)
    assert "127.0.0.1" not in str(caught.value)
