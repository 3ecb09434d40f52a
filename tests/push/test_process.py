"""The process that applies pushes: it answers, is started again where it broke off, and is not waited for for ever."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.access.tokens import PUSH, issue
from monitor.db import lock_writers, transaction
from monitor.instants import to_datetime
from monitor.push import process as pushing
from monitor.push.messages import Failure, Push, Refusal
from monitor.push.process import PushBrokeOffError, PushBusyError, PushProcess
from monitor.settings import Source
from monitor.vault import ExportedKey, Vault
from tests.conftest import Database
from tests.web.desk.pushing import notice

CANARY = "canary-7f3a"


@pytest.fixture
def pushes(database: Database) -> Iterator[PushProcess]:
    """A process over the database."""
    made = PushProcess(database.engine.url.render_as_string(hide_password=False))
    yield made
    made.close()


def push(database: Database, key: str, body: bytes | None = None, received_at: int = 0) -> Push:
    now = int(time.time())
    with transaction(database.engine) as session:
        token = issue(session, "hotline", [PUSH], to_datetime(now), 1, "operator")[0].id
    body = body or json.dumps([notice(1)]).encode()
    return Push(token, Source("hotline"), key, body, gzip=False, lines=False, received_at=received_at or now)


def test_what_came_of_a_push_is_told_with_what_it_cost(database: Database, pushes: PushProcess, vault: Vault) -> None:
    assert pushes.pid is None
    worked = pushes.work(push(database, "k1"), vault.export_key())
    assert isinstance(worked.result, str)
    assert json.loads(worked.result)["accepted"] == 1
    assert (worked.milliseconds > 0, worked.inflated) == (True, 0)
    first = pushes.pid
    refused = pushes.work(push(database, "k2", b'[{"a": NaN}]'), vault.export_key())
    assert refused.result == Refusal(
        "unreadable", "The item at index 0 (from 0) is not well-formed JSON. Nothing was stored.", 0
    )
    assert pushes.pid == first


def test_a_failure_tells_its_type_and_place_and_nothing_else(
    database: Database, pushes: PushProcess, vault: Vault
) -> None:
    body = json.dumps([notice(1, url=f"https://{CANARY}.example/")]).encode()
    failed = pushes.work(push(database, CANARY, body, received_at=10**18), vault.export_key()).result
    assert isinstance(failed, Failure)
    assert failed.frames.count("File ") >= 2
    assert CANARY not in repr(failed)
    assert CANARY not in repr(push(database, CANARY, body))
    worked = pushes.work(push(database, "k", body), vault.export_key())
    assert isinstance(worked.result, str)


def test_one_that_ends_is_started_again(database: Database, pushes: PushProcess, vault: Vault) -> None:
    pushes.work(push(database, "k1"), vault.export_key())
    first = pushes.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    again = push(database, "k2")
    try:
        worked = pushes.work(again, vault.export_key())
    except PushBrokeOffError:  # it had not quite ended
        worked = pushes.work(again, vault.export_key())
    assert isinstance(worked.result, str)
    assert pushes.pid != first


def test_one_that_does_not_answer_is_ended_and_others_do_not_wait_for_ever(
    database: Database, pushes: PushProcess, vault: Vault
) -> None:
    pushes.work(push(database, "k1"), vault.export_key())
    first, waiting, other = pushes.pid, push(database, "k2"), push(database, "k3")
    pushes.seconds = 2
    told: list[type[Exception]] = []

    def wait(one: Push) -> None:
        try:
            pushes.work(one, vault.export_key())
        except (PushBrokeOffError, PushBusyError) as error:
            told.append(type(error))

    with transaction(database.engine) as session:
        lock_writers(session)  # and keep everyone waiting
        threads = [threading.Thread(target=wait, args=(one,)) for one in (waiting, other)]
        for thread in threads:
            thread.start()
            time.sleep(0.3)
        for thread in threads:
            thread.join()
    assert PushBrokeOffError in told
    assert len(told) == 2
    pushes.seconds = pushing.SECONDS
    assert pushes.pid != first
    assert isinstance(pushes.work(waiting, vault.export_key()).result, str)  # nothing of it had been stored


def test_what_it_is_given_is_in_no_argument_environment_or_file(
    database: Database, pushes: PushProcess, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_METRICS_TOKEN", CANARY)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    pushes.work(push(database, "k1"), vault.export_key())
    seen = b"".join(Path(f"/proc/{pushes.pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    key: ExportedKey = vault.export_key()
    assert [secret in seen for secret in (CANARY.encode(), key.raw, key.raw.hex().encode())] == [False] * 3
    assert list((tmp_path / "temporary").iterdir()) == []
