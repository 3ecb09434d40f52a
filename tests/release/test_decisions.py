"""Decisions of two people: what they record, what they change in published figures, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.cli import cli
from monitor.db import transaction
from monitor.decisions import (
    Approval,
    Chosen,
    Span,
    choose_by_number,
    choose_by_reference,
    choose_by_url,
    exclude_interval,
    reassign,
    set_removal,
    suspend,
    withdraw_notice,
)
from monitor.errors import MonitorError
from monitor.ingest.delivery import ingest
from monitor.instants import DAY, parse_instant, to_datetime
from monitor.models.audit import AuditEntry
from monitor.models.facts import Attribution, Content, Correction, Delivery, Notice, Suspension
from monitor.models.release import Release
from monitor.release.preview import Effect, preview
from monitor.release.publish import correct, publish
from monitor.release.rebuild import rebuild, request_of
from monitor.release.store import load_table
from monitor.score.table import Estimate
from monitor.settings import Source
from monitor.vault import Vault
from monitor.vocabulary import Pause
from tests.conftest import Database
from tests.release.conftest import Published, Run
from tests.release.history import AFTER, NOW, PERIOD
from tests.samples import Ntd, delivery_file
from tests.score.world import ADDED, at, episodes_of, world

WHY = Approval("the hotline could not look", "officer one", "officer two", "letter 12")
OUTAGE = Span(at(1), at(20))


def company(session: Session, release: int, key: str) -> Estimate:
    """The figures of a company in a release."""
    [row] = [row for row in load_table(session, session.get_one(Release, release)).companies if row.company == key]
    return row


def counts(row: Estimate) -> tuple[int, int, int]:
    return row.on_time.on_time, row.on_time.late, row.on_time.undetermined


def changed(effect: Effect) -> dict[tuple[str, str], tuple[object, object]]:
    """Before and after by company and figure."""
    companies = effect.differences.notices.companies
    return {(c.after.company, each.figure): (each.before, each.after) for c in companies for each in c.changes}


def last_entry(session: Session) -> AuditEntry:
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def test_a_suspension_is_corrected_into_the_next_version_with_the_figures_it_must_have(published: Published) -> None:
    """`b` had 36 notices at hour 1, seen online at 32 + n/8 and offline at 34 + n/4: on the clock 31.0 h or more, so
    late. Without the 19 hours from 1 to 20 offline is at 14 + n/4, at most 22.75 h, so on time. `a` was on time before.
    """
    engine = published.database.engine
    with transaction(engine) as session:
        before = [counts(company(session, 1, key)) for key in ("a", "b")]
        assert before == [(36, 0, 0), (0, 36, 0)]
        [effect] = preview(session, "duckdb://", NOW, lambda: suspend(session, Pause.OUTAGE, OUTAGE, WHY, AFTER))
        changes = changed(effect)
        assert (effect.period, effect.version) == (PERIOD, 1)
        assert changes["b", "on_time_late"] == (36, 0)
        assert changes["b", "on_time_on_time"] == (0, 36)
        assert ("a", "on_time_on_time") not in changes
        assert session.scalars(select(Suspension)).all() == []
    with transaction(engine) as session:
        [row] = suspend(session, Pause.OUTAGE, OUTAGE, WHY, AFTER)
        assert (row.content_id, row.source, row.reason, row.decided_by, row.approved_by) == (
            None, None, WHY.reason, "officer one", "officer two",
        )  # fmt: skip
        entry = last_entry(session)
        assert (entry.actor, entry.action, entry.subject) == ("officer one", "suspension.record", "all items")
        assert entry.details == {
            "pause": "outage", "from": at(1).isoformat(), "to": at(20).isoformat(), "reason": WHY.reason,
            "approved_by": "officer two", "evidence": "letter 12",
        }  # fmt: skip
    with transaction(engine) as session:
        old = session.get_one(Release, 1)
        new = correct(session, old, request_of(old, known_at=NOW), "an outage was not noted", AFTER, "test")
        publish(session, new, "invented companies", AFTER, "test")
        assert [counts(company(session, new.id, key)) for key in ("a", "b")] == [(36, 0, 0), (36, 0, 0)]
        assert [counts(company(session, 1, key)) for key in ("a", "b")] == before
        assert [rebuild(session, release).identical for release in (old, new)] == [True, True]


Act = Callable[[Session, Vault, Published], Any]


def _withdraw(session: Session, vault: Vault, given: Published) -> Any:
    chosen = Chosen((given.items.late[0],), (given.items.notice,))
    return withdraw_notice(session, chosen, WHY, AFTER)


def _withdraw_all(session: Session, vault: Vault, given: Published) -> Any:
    return withdraw_notice(session, Chosen(given.items.late[:3]), WHY, AFTER)


def _reassign(session: Session, vault: Vault, given: Published) -> Any:
    return reassign(session, vault, Chosen(given.items.late[:2]), "a", WHY, AFTER)


def _set_removal(session: Session, vault: Vault, given: Published) -> Any:
    return set_removal(session, Chosen((given.items.late[1],)), at(33.0), WHY, AFTER)


def _exclude(session: Session, vault: Vault, given: Published) -> Any:
    return exclude_interval(session, Chosen((given.items.late[2],)), OUTAGE, WHY, AFTER)


def _suspend_item(session: Session, vault: Vault, given: Published) -> Any:
    return suspend(session, Pause.POLICE_HOLD, OUTAGE, WHY, AFTER, contents=given.items.late[:4])


def _suspend_source(session: Session, vault: Vault, given: Published) -> Any:
    return suspend(session, Pause.OUTAGE, OUTAGE, WHY, AFTER, source="test")


ACTS: dict[str, tuple[Act, tuple[int, int, int], tuple[int, int, int]]] = {  # and then `a` and `b`
    "a notice withdrawn": (_withdraw, (36, 0, 0), (0, 35, 0)),
    "all notices of three items withdrawn": (_withdraw_all, (36, 0, 0), (0, 33, 0)),
    "two items reassigned": (_reassign, (36, 2, 0), (0, 34, 0)),
    "an interval excluded": (_exclude, (36, 0, 0), (1, 35, 0)),
    "four items suspended": (_suspend_item, (36, 0, 0), (4, 32, 0)),
    "a source suspended": (_suspend_source, (36, 0, 0), (36, 0, 0)),
}


@pytest.mark.parametrize("name", ACTS)
def test_the_preview_is_what_the_correction_then_has(published: Published, vault: Vault, name: str) -> None:
    act, *expected = ACTS[name]
    with transaction(published.database.engine) as session:
        [effect] = preview(session, "duckdb://", NOW, lambda: act(session, vault, published))
        assert session.scalars(select(Correction.id)).all() == session.scalars(select(Suspension.id)).all() == []
    with transaction(published.database.engine) as session:
        act(session, vault, published)
        with pytest.raises(MonitorError, match="already"):
            act(session, vault, published)
    with transaction(published.database.engine) as session:
        old = session.get_one(Release, 1)
        new = correct(session, old, request_of(old, known_at=NOW), "a decision", AFTER, "test")
        assert [counts(company(session, new.id, key)) for key in ("a", "b")] == list(map(tuple, expected))
        told = {key: after for key, (_, after) in changed(effect).items()}
        for key in ("a", "b"):
            row = company(session, new.id, key)
            for field in ("on_time", "late"):
                assert told.get((key, f"on_time_{field}"), getattr(company(session, 1, key).on_time, field)) == getattr(
                    row.on_time, field
                )
        assert rebuild(session, new).identical


def test_a_removal_that_was_decided_ends_the_episode(published: Published, vault: Vault) -> None:
    with transaction(published.database.engine) as session:
        _set_removal(session, vault, published)
        [row] = session.scalars(select(Correction))
        assert (row.decision, row.starts_at, row.ends_at) == ("set_removal", at(33.0), None)


def test_a_release_that_ended_before_is_not_concerned(published: Published) -> None:
    with transaction(published.database.engine) as session:
        span = Span(to_datetime(NOW - DAY), AFTER)
        assert preview(session, "duckdb://", NOW, lambda: suspend(session, Pause.OUTAGE, span, WHY, AFTER)) == []


def test_a_suspension_of_a_source_is_of_the_items_it_gave_notice_of_by_its_end(database: Database) -> None:
    with world(database) as w:
        other = Delivery(
            id=2, source="other", format="test", file_digest="1" * 64, received_at=ADDED, recorded_at=ADDED,
            zone="UTC", rows=0, accepted=0, duplicate=0, quarantined={}, warnings={}, contents_new=0, notices_new=0,
            sightings_new=0,
        )  # fmt: skip
        w.session.add(other)
        items = [w.content("a") for _ in range(4)]
        for item, notices in zip(items, ({1: 0.0}, {2: 0.0}, {1: 0.0, 2: 1.0}, {2: 7.0}), strict=True):
            for source, sent in notices.items():
                w.notice(item, sent, delivery_id=source)
            w.seen(item, 10, "online")
    with transaction(database.engine) as session:
        suspend(session, Pause.OUTAGE, Span(at(2), at(6)), WHY, at(50), source="other")
    found = episodes_of(database, 50)
    assert {row["content"]: row["last_online_h"] for row in found} == dict(
        zip(items, (10.0, 6.0, 6.0, 3.0), strict=True)
    )


SENT = "2026-04-08 12:00:00"
SOURCE = Source("hotline", zone="Europe/Amsterdam")


@pytest.fixture
def delivered(database: Database, vault: Vault, tmp_path: Path) -> Database:
    """Two notices with the number M1, by one source."""
    rows = (Ntd("https://s1.example/a", SENT, owner="Golf"), Ntd("https://s2.example/b", SENT, owner="Golf"))
    file = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows, source=SOURCE)
    with transaction(database.engine) as session:
        ingest(session, vault, file, parse_instant("2026-04-11T00:00:00Z"))
    return database


def test_items_are_named_by_their_numbers_or_a_url_that_no_message_repeats(delivered: Database, vault: Vault) -> None:
    with transaction(delivered.engine) as session:
        contents = tuple(session.scalars(select(Content.id).order_by(Content.id)))
        notices = tuple(session.scalars(select(Notice.id).order_by(Notice.id)))
        assert choose_by_reference(session, vault, "M1", several=True) == Chosen(contents, notices)
        assert choose_by_url(session, vault, "HTTPS://s1.example/a\n") == Chosen(contents[:1])
        assert choose_by_number(session, contents[1]) == Chosen(contents[1:])
        wrong: tuple[tuple[Callable[[], object], str], ...] = (
            (lambda: choose_by_reference(session, vault, "M1"), "2 notices have that number: if all of them are meant"),
            (lambda: choose_by_reference(session, vault, "M2"), "no notice and no item has that number"),
            (lambda: choose_by_reference(session, vault, "M1", "other"), "no notice and no item has that number"),
            (lambda: choose_by_reference(session, vault, "https://s1.example/a"), "an address, not a number"),
            (lambda: choose_by_url(session, vault, "https://s3.example/a"), "no item has that URL"),
            (lambda: choose_by_url(session, vault, "M1"), "no URL with a host"),
            (lambda: choose_by_number(session, 99), "there is no item 99"),
        )
        for choose, message in wrong:
            with pytest.raises(MonitorError, match=message) as refused:
                choose()
            assert "s1.example" not in str(refused.value)
            assert "s3.example" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("", "a", "b"), "the reason is missing"),
        (("why", " ", "b"), "who proposes is missing"),
        (("why", "a", ""), "who approves is missing"),
        (("why", "Officer  One", "officer one "), "must be another than who proposes"),
        (("see https://s1.example/a", "a", "b"), "may hold no address"),
        (("why", "a", "b", "see s1.example/a/b"), "the evidence is kept in clear and may hold no address"),
        (("why", "a" * 129, "b"), "128 characters at most"),
    ],
)
def test_a_decision_has_a_reason_and_two_people(given: tuple[str, ...], message: str) -> None:
    with pytest.raises(MonitorError, match=message):
        Approval(*given)


def test_what_cannot_be_decided(delivered: Database, vault: Vault) -> None:
    now = to_datetime(parse_instant("2026-04-12T00:00:00Z"))
    later = to_datetime(parse_instant("2026-04-13T00:00:00Z"))
    past = to_datetime(parse_instant("2026-04-01T00:00:00Z"))
    item = Chosen((1,))
    cases: dict[str, Callable[[Session], object]] = {
        "ends before it begins": lambda s: suspend(s, Pause.OUTAGE, Span(now, past), WHY, now),
        "has not ended yet": lambda s: suspend(s, Pause.OUTAGE, Span(past, later), WHY, now),
        "nothing was delivered by a source 'x'": lambda s: suspend(
            s, Pause.OUTAGE, Span(past, now), WHY, now, source="x"
        ),
        "of items or of a source, not of both": lambda s: suspend(
            s, Pause.OUTAGE, Span(past, now), WHY, now, source="hotline", contents=[1]
        ),
        "500 characters at most": lambda s: suspend(
            s, Pause.OUTAGE, Span(past, now), Approval("x" * 501, "a", "b"), now
        ),
        "cannot lie in the future": lambda s: set_removal(s, item, later, WHY, now),
        "there is no company 'x'": lambda s: reassign(s, vault, item, "x", WHY, now),
    }
    for message, act in cases.items():
        with pytest.raises(MonitorError, match=message), transaction(delivered.engine) as session:
            act(session)
    with transaction(delivered.engine) as session:
        assert [len(session.scalars(select(model)).all()) for model in (Suspension, Correction)] == [0, 0]


def test_reassigning_an_item_leaves_all_others_as_they_were(delivered: Database, vault: Vault) -> None:
    now = to_datetime(parse_instant("2026-04-12T00:00:00Z"))
    with transaction(delivered.engine) as session:
        before = len(session.scalars(select(Attribution)).all())
        reassign(session, vault, Chosen((1,)), "recipient-golf", WHY, now)  # it was there on another basis
        assert [row.content_id for row in session.scalars(select(Attribution).offset(before))] in ([], [1])


BY = ("--by", "officer one", "--approved-by", "officer two", "--reason", "the hotline could not look")
TIME = ("--from", at(1).isoformat(), "--to", at(20).isoformat())


def test_by_command_it_is_tried_then_recorded_and_the_correction_is_named(published: Published, run: Run) -> None:
    tried = run("suspend", *TIME, *BY, "--dry-run", "--json").json
    assert (tried["recorded"], tried["rows"]) == (False, 1)
    assert tried["effects"][0]["notices"]["companies"]
    done = run("suspend", *TIME, *BY)
    assert "suspension: recorded in 1 rows" in done.out
    assert "2026Q1 version 1:" in done.out
    assert "b: on_time_late 36 -> 0" in done.out
    assert "publish it: monitor release correct 2026Q1 --reason TEXT" in done.out
    assert run("suspend", *TIME, *BY).error == "that suspension is recorded already"
    item = str(published.items.late[0])
    removal = run("correct", "set-removal", "--item", item, "--at", at(12).isoformat(), *BY, "--no-preview", "--json")
    assert removal.json == {"recorded": True, "rows": 1, "effects": None}
    with transaction(published.database.engine) as session:
        assert len(session.scalars(select(Suspension)).all()) == 1
        decided = ("suspension.record", "correction.set_removal")
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.in_(decided)))
        assert [entry.details["approved_by"] for entry in entries] == ["officer two", "officer two"]


def test_by_command_one_person_is_not_enough_and_no_url_is_taken(published: Published, run: Run) -> None:
    alone = ("--by", "one", "--approved-by", "ONE", "--reason", "why", "--no-preview")
    item = ("--item", str(published.items.late[0]))
    assert "must be another" in str(run("correct", "withdraw-notice", *item, *alone).error)
    given = run("correct", "withdraw-notice", "https://s1.example/a", *BY, "--no-preview")
    assert given.error == "that is an address, not a number: give a URL in a file, or on standard input"


def test_by_command_a_url_comes_from_standard_input_only(database: Database, run: Run, tmp_path: Path) -> None:
    run("init", "--create-keys")
    file = delivery_file(
        tmp_path, "2026-04-10T18:00:00Z", Ntd("https://s1.example/a", SENT, owner="Golf"), source=SOURCE
    )
    taken = (
        "--source",
        "hotline",
        "--zone",
        "UTC",
        "--received-at",
        "2026-04-10T18:00:00Z",
        "--accept",
        "--reason",
        "a test",
        "--by",
        "one",
    )
    assert run("ingest", "scart-ntd", file.path, *taken).error is None
    command = ["correct", "withdraw-notice", "--url-file", "-", *BY, "--no-preview"]
    settings = {"MONITOR_HOME": str(tmp_path), "MONITOR_DATABASE_URL": database.url}
    said = CliRunner().invoke(cli, command, input="https://s1.example/a\n", env=settings)
    assert (said.exit_code, said.stdout) == (0, "withdrawal: recorded in 1 rows\n")
    assert run("correct", "withdraw-notice", "M1", *BY, "--no-preview").out == "withdrawal: recorded in 1 rows\n"
    assert run("correct", "withdraw-notice", "M1", "--item", 1, *BY).error == "2"  # wrong usage
    with transaction(database.engine) as session:
        assert [(row.content_id, row.notice_id) for row in session.scalars(select(Correction))] == [(1, None), (1, 1)]
