"""What machines that watch are told: health, and metrics for who knows the token; nothing secret in either."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import TestResponse

from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.migrate import downgrade
from monitor.models.identity import DigestScheme
from monitor.models.run import ScheduledSource
from monitor.schedule.leadership import beat, take
from monitor.schedule.plan import Timing, arrange
from monitor.schedule.runs import RunId, Verdict, record
from monitor.settings import Settings, Source
from monitor.vault import create_keys
from tests.conftest import Database
from web.desk.app import create_app

TOKEN = "an example token"
HOURLY = Timing("urlhaus", cadence=3600, jitter=0, limit=600, retry=300)


def _parts(answer: TestResponse) -> dict[str, Any]:
    content = answer.json
    assert isinstance(content, dict)
    return content


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """A whole installation with one source, whose location is a secret."""
    create_keys(tmp_path / "keys.json")
    sources = {"urlhaus": Source("urlhaus", location="https://feed.example/s3cr3t")}
    return Settings(home=tmp_path, database_url=database.url, sources=sources, metrics_token=TOKEN)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Its site."""
    app = create_app(settings)
    yield app
    app.extensions["monitor_engine"].dispose()


def _collected(database: Database, ago: int = 60) -> int:
    """A leader that lives, and a source collected some time ago."""
    now = int(time.time())
    assert take(database.engine, 0, "me", to_datetime(now)) == 1
    assert beat(database.engine, 1, 1, now)
    with transaction(database.engine) as session:
        arrange(session, [HOURLY], now - 10 * 86_400)
        record(session, "urlhaus", now - ago - 9, now - ago, Verdict("ok", rows=3), RunId("4f1c", 1))
        record(session, "urlhaus", now - 9, now - 1, Verdict("failed", "the feed: the server answered 503"))
    return now


def test_all_well(app: Flask, database: Database) -> None:
    _collected(database)
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json) == (
        200,
        {
            "status": "ok",
            "parts": {"database": "ok", "keys": "ok", "disk": "ok", "leader": "ok"},
            "sources": {"urlhaus": "fresh"},
        },
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_schedule_nobody_need_lead(app: Flask) -> None:
    answer = app.test_client().get("/health")
    assert answer.status_code == 200
    assert "leader" not in _parts(answer)["parts"]


@pytest.mark.parametrize(("ago", "state", "status"), [(5000, "late", 200), (20_000, "stale", 503)])
def test_source_that_is_not_fresh(app: Flask, database: Database, ago: int, state: str, status: int) -> None:
    _collected(database, ago)
    answer = app.test_client().get("/health")
    assert (answer.status_code, _parts(answer)["sources"]) == (status, {"urlhaus": state})


def test_silent_leader(app: Flask, database: Database, settings: Settings) -> None:
    now = _collected(database)
    assert beat(database.engine, 1, 2, now - 46)
    answer = app.test_client().get("/health")
    assert (answer.status_code, _parts(answer)["parts"]["leader"]) == (503, "silent")
    with transaction(database.engine) as session:
        session.execute(text("UPDATE leadership SET holder = NULL"))
    assert _parts(app.test_client().get("/health"))["parts"]["leader"] == "nobody leads"


def test_keys_that_cannot_be_read_and_an_old_schema(app: Flask, settings: Settings, database: Database) -> None:
    settings.key_file.unlink()
    downgrade(database.engine, "0005")
    answer = app.test_client().get("/health")
    assert (answer.status_code, _parts(answer)["sources"]) == (503, {})
    assert _parts(answer)["parts"] == {"database": "needs `monitor init`", "keys": "unreadable", "disk": "ok"}
    assert str(settings.home) not in answer.text


def test_no_database(tmp_path: Path) -> None:
    gone = create_app(Settings(home=tmp_path, database_url="postgresql://127.0.0.1:9/none"))
    answer = gone.test_client().get("/health")
    assert (answer.status_code, _parts(answer)["parts"]["database"]) == (503, "unreachable")


def test_a_database_busy_with_a_delivery_is_well(app: Flask, database: Database) -> None:
    _collected(database)
    with transaction(database.engine) as session:
        session.execute(text("UPDATE scheduled_sources SET failures = 1"))
        assert app.test_client().get("/health").status_code == 200


def test_metrics_need_the_token(app: Flask) -> None:
    client = app.test_client()
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=header).status_code == 404


def test_without_a_token_there_are_no_metrics(database: Database, tmp_path: Path) -> None:
    client = create_app(Settings(home=tmp_path, database_url=database.url)).test_client()
    for header in ({}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=header).status_code == 404


def _samples(app: Flask) -> dict[tuple[str, ...], float]:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "s3cr3t" not in answer.text
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(s.name, *(s.labels[label] for label in sorted(s.labels, reverse=True))): s.value for s in samples}


def test_metrics(app: Flask, database: Database) -> None:
    now = _collected(database)
    _deliver(database, now)
    found = _samples(app)
    expected = {
        ("monitor_source_last_success_timestamp_seconds", "urlhaus"): now - 60,
        ("monitor_source_consecutive_failures", "urlhaus"): 0,
        ("monitor_source_freshness", "urlhaus", "fresh"): 1,
        ("monitor_source_freshness", "urlhaus", "stale"): 0,
        ("monitor_runs_total", "ok", "urlhaus"): 1,
        ("monitor_runs_total", "failed", "urlhaus"): 1,
        ("monitor_deliveries_total", "ok", "urlhaus"): 1,
        ("monitor_rows_total", "urlhaus", "accepted"): 5,
        ("monitor_rows_total", "urlhaus", "duplicate"): 2,
        ("monitor_rows_total", "urlhaus", "quarantined"): 1,
        ("monitor_items_outstanding",): 2,
        ("monitor_leader_term",): 1,
        ("monitor_leader_beat_timestamp_seconds",): now,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert 1000 <= found[("monitor_items_oldest_age_seconds",)] <= 1060
    assert ("process_resident_memory_bytes",) in found


def test_what_never_was_has_no_sample(app: Flask, database: Database) -> None:
    with transaction(database.engine) as session:
        arrange(session, [HOURLY], 0)
    found = _samples(app)
    assert ("monitor_source_last_success_timestamp_seconds", "urlhaus") not in found
    assert ("monitor_items_oldest_age_seconds",) not in found
    assert found[("monitor_items_outstanding",)] == 0
    with transaction(database.engine) as session:
        assert session.get_one(ScheduledSource, "urlhaus").failures == 0


def _deliver(database: Database, now: int) -> None:
    """Four noticed items: never seen again, two seen gone, gone and back online."""
    counts = {"rows": 8, "accepted": 5, "duplicate": 2, "contents_new": 4, "notices_new": 4, "sightings_new": 4}
    told = {
        "source": "urlhaus",
        "format": "urlhaus",
        "file_digest": "0",
        "zone": "UTC",
        "quarantined": "{}",
        "warnings": "{}",
    }
    _insert(database, "deliveries", {"id": 1, "received_at": now, "recorded_at": now, **counts, **told})
    _insert(database, "sites", {"id": 1, "key_version": 1, "digest": b"0"})
    _insert(
        database,
        "quarantined",
        {"id": 1, "delivery_id": 1, "line": 2, "reason": "x", "key_version": 1, "row_sealed": b""},
    )
    for item in (1, 2, 3, 4):
        _content(database, item, now)
    for item, at, state in ((2, 800, "offline"), (3, 800, "offline"), (4, 800, "offline"), (4, 700, "online")):
        seen = {"content_id": item, "seen_at": now - at, "state": state, "observer": "urlhaus", "recorded_at": now}
        _insert(database, "sightings", {"id": item * 1000 + at, "delivery_id": 1, **seen})


def _content(database: Database, item: int, now: int) -> None:
    key = {"delivery_id": 1, "key_version": 1, "recorded_at": now}
    content = {"site_id": 1, "url_digest": bytes([item]), "url_sealed": b"", "truncated": False}
    _insert(database, "contents", {"id": item, **content, **key})
    sent = {"kind": "hotline_notice", "recipient_role": "hoster", "channel": "email", "delivery": "assumed"}
    _insert(database, "notices", {"id": item, "content_id": item, "sent_at": now - 1000, **sent, **key})


def _insert(database: Database, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    with transaction(database.engine) as session:
        session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)


def test_digests_of_an_earlier_scheme_need_a_person(app: Flask, database: Database) -> None:
    with transaction(database.engine) as session:
        earlier = DigestScheme(
            id=1, url_rules=1, suffix_list="not recorded", key_version=1, recorded_at=to_datetime(0), position=0
        )
        session.add(earlier)
    answer = app.test_client().get("/health")
    assert (answer.status_code, _parts(answer)["parts"]["digests"]) == (503, "need `monitor keys rotate --digest`")
