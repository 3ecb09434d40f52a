"""Seeing what another process published: within a second, and without a database that answers."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import Client

from monitor.db import connect
from monitor.models.release import Release, Stage
from tests.conftest import NewDatabase
from tests.support.published import invent, publish
from tests.web.conftest import site
from tests.web.origin import Clock, Origin
from web.cache import PageCache
from web.releases import Watch


def test_it_looks_once_a_second_and_sees_what_another_process_published(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    engine, clock = connect(new_database()), Clock()
    watch = Watch(engine, tmp_path / "publications", lambda: clock.now)
    seen = [watch()]
    with Session(engine) as session:
        publish(session, invent())
    seen.append(watch())  # within the second
    clock.now = 1.0
    seen.append(watch())
    (tmp_path / "publications").mkdir()
    clock.now = 2.0
    seen += [watch(), watch()]
    engine.dispose()
    assert seen == [1, 1, 2, 3, 3]


def test_a_draft_changes_nothing(tmp_path: Path, new_database: NewDatabase) -> None:
    engine, clock = connect(new_database()), Clock()
    watch = Watch(engine, tmp_path, lambda: clock.now)
    before = watch()
    with Session(engine) as session:
        release = Release(
            period="2026Q2", version=1, stage=Stage.DRAFT, drafted_at=datetime(2026, 7, 1, tzinfo=UTC), manifest={},
            published_at=None, hearing_waived=None, table_json="{}", manifest_sha256="0" * 64,
        )  # fmt: skip
        session.add(release)
        session.commit()
    clock.now = 2.0
    assert watch() == before
    engine.dispose()


def test_kept_pages_are_shown_on_while_the_database_does_not_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine, clock = connect(f"sqlite:///{tmp_path}/without-tables.db"), Clock()
    watch = Watch(engine, tmp_path, lambda: clock.now)
    origin = Origin()
    reader = Client(PageCache(origin, watch, clock=lambda: clock.now))
    for clock.now in (0.0, 2.0, 4.0):
        assert reader.get("/a").data == b"/a 1"
    assert [record.message for record in caplog.records] == [
        "the database does not answer (OperationalError): kept pages are shown on"
    ]
    engine.dispose()


def test_the_site_behind_it_in_two_languages_and_corrected(
    tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = site(tmp_path, new_database())
    monkeypatch.setattr("web.releases.EVERY", 0.0)
    cache = PageCache(app, Watch(app.extensions["monitor_engine"], tmp_path))
    plain, reader = app.test_client(), Client(cache)
    for address in ("/nl/ranglijst/2026Q1", "/en/ranking/2026Q1", "/en/ranking/2026Q1?sort=name&order=desc"):
        for _ in range(2):
            answer = reader.get(address)
            assert (answer.status_code, answer.data) == (200, plain.get(address).data)
    packed = reader.get("/en/ranking/2026Q1", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == reader.get("/en/ranking/2026Q1").data
    assert len(cache.pages) == 4
    with Session(app.extensions["monitor_engine"]) as session:
        publish(session, invent("2026Q1", ranked=False), version=2)
    assert reader.get("/en/ranking/2026Q1").data == plain.get("/en/ranking/2026Q1").data != gzip.decompress(packed.data)
    for address in ("/healthz", "/health/live", "/health", "/en/ranking/1999Q1", "/", "/en/", "/api/v1/deliveries/1"):
        reader.get(address)
    assert len(cache.pages) == 1
    for engine in ("monitor_engine", "monitor_health_engine"):
        app.extensions[engine].dispose()
