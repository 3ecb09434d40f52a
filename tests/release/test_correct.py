"""Corrections: a new version with its reason, what it changes in plain sight, and the old one where it was."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.comparison.changes import Change, release_changes
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import DAY, iso, to_instant
from monitor.models.audit import AuditEntry
from monitor.models.release import Release
from monitor.release.draft import _drop_draft as drop_draft
from monitor.release.draft import draft
from monitor.release.publish import check, correct, publish
from monitor.release.rebuild import rebuild, request_of
from monitor.release.signing import create_signing_key
from monitor.release.store import find_published, load_table, newest_published
from monitor.score.methods import method
from monitor.score.pipeline import score
from tests.release.conftest import Published, Run
from tests.release.history import AFTER, KNOWN, MOVES_FIGURES, NOW, PERIOD, learn, request

REASON = "the hotline confirmed an earlier removal"


def test_a_correction_is_the_next_version_and_the_first_stays(published: Published) -> None:
    learn(published.database, MOVES_FIGURES["a removal set"], published.items)
    with transaction(published.database.engine) as session:
        old = session.get_one(Release, 1)
        new = correct(session, old, request_of(old, known_at=NOW), f" {REASON} ", AFTER, "test")
        corrects = {"version": 1, "manifest_sha256": old.manifest_sha256, "reason": REASON}
        assert (new.version, new.stage, new.manifest["corrects"]) == (2, "draft", corrects)
        same = ("period", "as_of", "method", "parameters_sha256")
        assert [new.manifest[name] for name in same] == [old.manifest[name] for name in same]
        assert new.manifest["known_at"] == iso(NOW)
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (last.action, last.subject) == ("release.correct", "2026Q1 version 2")
        assert last.details == {"manifest": new.manifest_sha256, "corrects": corrects}
        assert newest_published(session, PERIOD) is old
        publish(session, new, "invented companies", AFTER, "test")
        assert find_published(session, PERIOD) is new
        assert [check(session, release) for release in (old, new)] == [[], []]
        assert [rebuild(session, release).identical for release in (old, new)] == [True, True]


NO_REASON = "a correction needs its reason"
HOLDS_ADDRESS = "may hold no address or host; name an item by its number"
NOTHING = "nothing to correct: from what is known now 2026Q1 version 1 comes out the same"


def test_a_reason_is_given_and_something_differs(published: Published) -> None:
    asked = ((" ", NO_REASON), ("removed at https://a.example/1", HOLDS_ADDRESS), (REASON, NOTHING))
    with transaction(published.database.engine) as session:
        old = session.get_one(Release, 1)
        for reason, message in asked:
            with pytest.raises(MonitorError, match=message):
                correct(session, old, request_of(old, known_at=NOW), reason, AFTER, "test")


def test_only_the_version_in_force_is_corrected_and_only_by_knowing_more(published: Published) -> None:
    learn(published.database, MOVES_FIGURES["a company renamed"], published.items)
    with transaction(published.database.engine) as session:
        old = session.get_one(Release, 1)
        with pytest.raises(MonitorError, match=f"known at {iso(KNOWN)}; choose a later time"):
            correct(session, old, request_of(old, known_at=KNOWN - DAY), REASON, AFTER, "test")
        new = correct(session, old, request_of(old, known_at=NOW), REASON, AFTER, "test")
        with pytest.raises(MonitorError, match="version 2 is not in force"):
            correct(session, new, request_of(new), REASON, AFTER, "test")
        publish(session, new, "invented companies", AFTER, "test")
        with pytest.raises(MonitorError, match="version 1 is not in force"):
            correct(session, old, request_of(old, known_at=NOW), REASON, AFTER, "test")


def test_nothing_but_a_correction_of_it_follows_a_published_version(published: Published) -> None:
    with transaction(published.database.engine) as session:
        plain = draft(session, score(session, request(KNOWN)), method(), AFTER, "test")
        with pytest.raises(MonitorError, match="what differs from it is a correction, with its reason; draft it with"):
            publish(session, plain, "invented companies", AFTER, "test")


def test_from_the_command_line(published: Published, run: Run, tmp_path: Path) -> None:
    learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    said = run("release", "correct", PERIOD, "--reason", REASON, "--known-at", iso(NOW), "--by", "analyst")
    assert said.error is None
    assert "draft 2: 2026Q1 version 2 corrects 1\n" in said.out
    assert "b: episodes 36 -> 35\n" in said.out
    assert run("release", "publish", "2").error == (
        "every named company must be heard first; waive the hearing with --waive-hearing REASON"
    )
    without_key = run("release", "publish", "2", "--waive-hearing", "invented").error
    assert without_key is not None
    assert "make one with `monitor keys signing`" in without_key  # and nothing is published
    create_signing_key(tmp_path / "signing.pem", tmp_path / "publications" / "keys")
    assert run("release", "publish", "2", "--waive-hearing", "invented").error is None
    told = run("release", "verify", "1").out
    assert re.fullmatch(r"2026Q1 version 1, published \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, is unchanged\n", told)
    answer = run("release", "compare", "1", "2", "--json").json
    assert [answer["old"]["version"], answer["new"]["version"]] == [1, 2]
    assert (answer["notices"]["came"], answer["notices"]["gone"]) == ([], [])
    [company] = answer["notices"]["companies"]
    assert company["company"] == "b"
    assert {"figure": "on_time_late", "before": 36, "after": 35} in company["changes"]
    assert run("release", "compare", "1", "1").out == "no figure differs\n"
    assert run("release", "correct", "9", "--reason", REASON).error is not None
    assert run("release", "correct", "2031Q1", "--reason", REASON).error == (
        "'2031Q1' is not published; `monitor release list` shows what is"
    )


def test_a_plain_draft_of_a_published_period_is_refused_before_the_work(published: Published, run: Run) -> None:
    assert run("release", "draft", "--period", PERIOD).error == (
        f"2026Q1 version 1 is published, on {iso(to_instant(published_at(published)))}: what differs from it is a "
        "correction; draft that with `monitor release correct 2026Q1 --reason TEXT`"
    )


def published_at(published: Published) -> datetime:
    with transaction(published.database.engine) as session:
        at = session.get_one(Release, 1).published_at
    assert at is not None
    return at


def test_a_draft_can_be_thrown_away_and_the_trail_says_so(published: Published, run: Run) -> None:
    learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    assert run("release", "correct", PERIOD, "--reason", REASON, "--known-at", iso(NOW)).error is None
    assert run("release", "discard", "1").error == (
        "2026Q1 version 1 is published, and stays: what is wrong with it is corrected by the next version"
    )
    assert run("release", "discard", PERIOD, "--by", "analyst").out == "draft 2 is gone: 2026Q1 version 2\n"
    assert run("release", "discard", PERIOD).error == (
        "there is no draft of '2026Q1'; `monitor release list` shows what there is"
    )
    assert run("release", "verify").error is None
    with transaction(published.database.engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "release.discard")).one()
        assert (entry.actor, entry.subject) == ("analyst", "2026Q1 version 2")
    assert run("release", "correct", PERIOD, "--reason", REASON, "--known-at", iso(NOW)).error is None
    assert run("release", "verify").out.splitlines()[-1] == "2026Q1 version 2, a draft, is unchanged"


def test_a_draft_that_is_gone_and_was_not_discarded_is_found(published: Published, run: Run) -> None:
    learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    for discarded in (True, False):
        assert run("release", "correct", PERIOD, "--reason", REASON, "--known-at", iso(NOW)).error is None
        if discarded:
            assert run("release", "discard", PERIOD).error is None
    with transaction(published.database.engine) as session:
        drop_draft(session, PERIOD)
    assert run("release", "verify").error is not None


def test_many_differences_are_a_page_and_the_rest_on_demand(
    published: Published, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    assert run("release", "correct", PERIOD, "--reason", REASON, "--known-at", iso(NOW)).error is None
    every = run("release", "compare", "1", "2", "--all").out.splitlines()
    monkeypatch.setattr("monitor.cli.release._PAGE", 2)
    page = run("release", "compare", "1", "2").out.splitlines()
    assert page == [*every[:2], f"and {len(every) - 2} more lines; --all prints them"]
    found = run("release", "compare", "1", "2", "--json").json["notices"]
    assert len(found["whole"]) + sum(len(company["changes"]) for company in found["companies"]) == len(every)


def test_another_reference_date_is_a_correction_too(published: Published, run: Run) -> None:
    later = ("--as-of", "2026-04-05T00:00:00Z")
    answer = run("release", "correct", "1", "--reason", "wrong reference date", *later, "--json").json
    changed = {each["figure"]: (each["before"], each["after"]) for each in answer["notices"]["whole"]}
    assert changed["as_of"] == ("2026-04-04T04:00:00Z", "2026-04-05T00:00:00Z")


def test_a_company_that_comes_is_told_apart_from_one_that_changes(published: Published) -> None:
    learn(published.database, MOVES_FIGURES["an item of a new company"], published.items)
    with transaction(published.database.engine) as session:
        found = release_changes(load_table(session, session.get_one(Release, 1)), score(session, request(NOW)))
    assert ([row.company for row in found.notices.came], found.notices.gone) == (["e"], ())
    changed = next(each for each in found.notices.companies if each.after.company == "b")
    assert Change("episodes", 36, 35) in changed.changes
