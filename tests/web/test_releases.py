"""What a worker keeps of the releases: read once, whole but for the curves, and never behind what is published."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from monitor.db import connect
from monitor.disclosure.rows import public_table
from monitor.models.release import Release
from monitor.release import store
from monitor.release.store import load_table
from monitor.score.table import Estimate, Table
from tests.conftest import NewDatabase
from tests.support.published import COMPANIES, invent, publish, with_hash_hits
from web import releases
from web.releases import ReleaseTables, ReleaseVersion, release_index


@pytest.fixture
def engine(new_database: NewDatabase) -> Iterator[Engine]:
    """A database with two quarters; one name would spoil a careless reader of the stored text."""
    opened = connect(new_database())
    odd = replace(COMPANIES[0], name='Odd "curve":[1] Hosting')
    with Session(opened) as session:
        publish(session, invent("2026Q1", (odd, *COMPANIES[1:])))
        publish(session, with_hash_hits(invent("2026Q2")))
    yield opened
    opened.dispose()


def test_a_kept_table_is_the_published_one_without_its_curves(engine: Engine) -> None:
    with Session(engine) as session:
        for edition in release_index(session).editions:
            kept = ReleaseTables().table(session, edition)
            release = session.get_one(Release, edition.id)
            whole = load_table(session, release)
            hits = whole.hash_hits and replace(whole.hash_hits, companies=_bare(whole.hash_hits.companies))
            assert kept == public_table(replace(whole, companies=_bare(whole.companies), hash_hits=hits))
            first = kept.rows[0]
            row = ReleaseTables().row(session, edition, first.company)
            assert row is not None
            assert row.figures is not None
            assert len(row.figures.curve) == 169
            assert first.figures == replace(row.figures, curve=())


def _bare(companies: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    return tuple(replace(company, curve=()) for company in companies)


def test_many_threads_read_a_table_once(engine: Engine) -> None:
    tables, questions = ReleaseTables(), _questions(engine)
    with Session(engine) as session:
        edition = release_index(session).editions[0]

    def read(_: int) -> int:
        with Session(engine) as session:
            return id(tables.table(session, edition))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(read, range(32)))) == 1
    assert len([question for question in questions if "row_json" in question]) == 1


def test_who_asks_for_another_table_does_not_wait(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, begun, go_on = ReleaseTables(), threading.Event(), threading.Event()
    with Session(engine) as session:
        slow, quick = release_index(session).editions
    load = store.load_table_without_curves

    def hesitate(session: Session, number: int) -> Table:
        if number == slow.id:
            begun.set()
            assert go_on.wait(60)
        return load(session, number)

    monkeypatch.setattr(releases, "load_table_without_curves", hesitate)

    def read(edition: ReleaseVersion) -> str:
        with Session(engine) as session:
            return tables.table(session, edition).period

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(read, slow)
        assert begun.wait(60)
        assert read(quick) == "2026Q1"
        go_on.set()
        assert waiting.result() == "2026Q2"


def test_no_more_tables_than_there_is_room_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_KEPT", 1)
    tables, questions = ReleaseTables(), _questions(engine)
    with Session(engine) as session:
        first, second = release_index(session).editions
        for edition in (first, first, second, first):
            tables.table(session, edition)
    assert len([question for question in questions if "row_json" in question]) == 3


def test_what_another_process_publishes_is_on_the_shelf(engine: Engine) -> None:
    with Session(engine) as session:
        before = [(edition.period, edition.version) for edition in release_index(session).editions]
        publish(session, invent("2026Q1", ranked=False), version=2)
        after = [(edition.period, edition.version) for edition in release_index(session).editions]
    assert before == [("2026Q2", 1), ("2026Q1", 1)]
    assert after == [("2026Q2", 1), ("2026Q1", 2), ("2026Q1", 1)]


def test_an_edition_is_read_once(engine: Engine) -> None:
    with Session(engine) as session:
        release_index(session)
        questions = _questions(engine)
        assert len(release_index(session).editions) == 2
    assert [question for question in questions if "manifest" in question] == []
    assert len(questions) == 1


def _questions(engine: Engine) -> list[str]:
    """What the database is asked from now on."""
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(str(args[2])))
    return asked
