"""Releases are edited, added or deleted behind the back of the program: `release verify` names each."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.models.guards import lifted
from monitor.models.release import Release
from monitor.release.store import canonical, digest
from tests.attack.tampering.conftest import WAIVED, Installation, rehash
from tests.release.history import PERIOD

VERIFY = ("release", "verify")


def test_nothing_is_found_where_nothing_was_done(installation: Installation) -> None:
    unchanged = [f"{PERIOD} version {number}, published WHEN, is unchanged" for number in (1, 2)]
    assert _told(installation, *VERIFY) == unchanged
    assert installation.problems(*VERIFY, "--facts") == []
    assert _told(installation, *VERIFY, "1") == unchanged[:1]


def _told(installation: Installation, *command: str) -> list[str]:
    """What a command says that succeeds, without the time."""
    said = installation.run(*command)
    assert said.error is None
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "WHEN", said.out).splitlines()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("hearing_waived = 'everybody was heard' WHERE version = 1", "hearing_waived is not the reason that was given"),
        ("hearing_waived = NULL WHERE version = 1", "hearing_waived is not the reason that was given"),
        ("published_at = published_at - 86400 WHERE version = 1", "published_at is not the time at which it was"),
        ("drafted_at = drafted_at - 86400 WHERE version = 1", "drafted_at is not the time at which it was drafted"),
        ("stage = 'draft' WHERE version = 1", "and is a draft again"),
        ("table_json = '{}' WHERE version = 1", "the table's head was changed"),
        ("manifest_sha256 = 'x' WHERE version = 1", "its manifest is not the one that was published"),
        ("period = '2026Q2' WHERE version = 1", "it was published (audit entry"),
        ("version = 7 WHERE version = 2", "version 3 is missing, and a later version is there"),
    ],
)
def test_an_edited_column_of_a_published_release_is_named(
    installation: Installation, change: str, problem: str
) -> None:
    installation.change("releases", f"UPDATE releases SET {change}")
    assert any(problem in found for found in installation.problems(*VERIFY))


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE release_rows SET row_json = '{}' WHERE company_key = 'b'", "the row of b was changed"),
        ("DELETE FROM release_rows WHERE company_key = 'b'", "the row of b is missing"),
        ("UPDATE release_rows SET company_key = 'z' WHERE company_key = 'b'", "the row of b is missing"),
        ("UPDATE release_rows SET position = 1 - position WHERE position < 2", "the order of its rows"),
        (
            "INSERT INTO release_rows (id, release_id, position, company_key, row_json) VALUES (999, 1, 99, 'y', '{}')",
            "a row of y was added",
        ),
    ],
)
def test_an_edited_row_of_a_published_release_is_named(
    installation: Installation, statement: str, problem: str
) -> None:
    installation.change("release_rows", statement)
    assert any(problem in found for found in installation.problems(*VERIFY))


def delete_newest(installation: Installation) -> None:
    installation.change("release_rows", "releases", "DELETE FROM release_rows WHERE release_id = 2")
    installation.change("releases", "DELETE FROM releases WHERE version = 2")


def test_the_version_that_corrects_does_not_vanish_unseen(installation: Installation) -> None:
    """The one before it is in force again, and is unchanged: only the trail knows that it was corrected."""
    delete_newest(installation)
    for command in (VERIFY, (*VERIFY, PERIOD)):
        found = installation.problems(*command)
        assert any(f"{PERIOD} version 2: it was published (audit entry" in problem for problem in found)
        assert any("and is gone" in problem for problem in found)
    assert any("publications has files of 2026Q1 version 2" in problem for problem in installation.problems(*VERIFY))


def test_all_releases_of_a_period_do_not_vanish_unseen(installation: Installation) -> None:
    installation.change("release_rows", "DELETE FROM release_rows")
    installation.change("releases", "DELETE FROM releases")
    found = installation.problems(*VERIFY, PERIOD)
    assert len([problem for problem in found if "and is gone" in problem]) == 2


def test_a_release_that_nobody_published_is_named(installation: Installation) -> None:
    copy = "INSERT INTO releases SELECT 9, '2026Q2', 1, stage, drafted_at, published_at, hearing_waived, table_json, "
    installation.change(copy + "manifest, manifest_sha256 FROM releases WHERE id = 1")
    found = installation.problems(*VERIFY, "2026Q2")
    assert "2026Q2 version 1: it is published, and no audit entry says so" in found
    assert "2026Q2 version 1: no audit entry says that it was drafted" in found


def test_entries_without_a_release_and_twice_published_are_named(installation: Installation) -> None:
    with Session(installation.engine) as session, session.begin(), lifted(session.connection(), "audit_entries"):
        session.execute(text("UPDATE audit_entries SET subject = '2019Q1 version 1' WHERE action = 'release.correct'"))
    assert any("2019Q1 version 1: it was drafted (audit" in problem for problem in installation.problems(*VERIFY))


def test_a_release_and_a_trail_rewritten_to_fit_each_other_are_found(installation: Installation) -> None:
    """All hashes of the database fit again; the heads and the signed package do not."""
    with Session(installation.engine) as session, session.begin():
        connection = session.connection()
        with lifted(connection, "audit_entries"), lifted(connection, "releases"):
            release = session.get_one(Release, 2)
            old, release.hearing_waived = release.manifest_sha256, "all were heard"
            release.manifest = release.manifest | {"code_version": "9"}
            release.manifest_sha256 = digest(canonical(release.manifest))
            session.flush()
            for number, details in session.execute(text("SELECT id, details FROM audit_entries")).all():
                told = details if isinstance(details, dict) else json.loads(details)
                told = json.loads(
                    json.dumps(told).replace(old, release.manifest_sha256).replace(WAIVED, "all were heard")
                )
                told.pop("release_sha256", None)
                session.execute(
                    text("UPDATE audit_entries SET details = :told WHERE id = :id"),
                    {"told": json.dumps(told), "id": number},
                )
            session.expire_all()
            rehash(session)
    found = installation.problems(*VERIFY)
    assert any("the audit trail was rewritten after entry" in problem for problem in found)
    assert any("says something else of hearing_waived than the database" in problem for problem in found)
    assert any("says something else of manifest_sha256 than the database" in problem for problem in found)


def test_dropped_triggers_are_named(installation: Installation) -> None:
    on = "" if installation.engine.dialect.name == "sqlite" else " ON sightings"
    installation.change(f"DROP TRIGGER keep_sightings_update{on}")
    expected = "the database no longer refuses UPDATE on sightings: trigger keep_sightings_update is gone"
    assert installation.problems(*VERIFY) == [expected]
    assert installation.problems("audit", "verify") == [expected]


def test_a_release_from_before_is_verified_and_it_is_said_what_is_not_proven(installation: Installation) -> None:
    """As one that was published, and whose files were made, by the version of the code before this one."""
    with Session(installation.engine) as session, session.begin():
        connection = session.connection()
        with lifted(connection, "audit_entries"):
            session.execute(text("DELETE FROM audit_entries WHERE action = 'release.package'"))
            for number, details in session.execute(text("SELECT id, details FROM audit_entries")).all():
                told = details if isinstance(details, dict) else json.loads(details)
                told.pop("release_sha256", None)
                change = text("UPDATE audit_entries SET details = :told WHERE id = :id")
                session.execute(change, {"told": json.dumps(told), "id": number})
            for place, number in enumerate(
                session.execute(text("SELECT id FROM audit_entries ORDER BY id")).scalars().all(), 1
            ):
                session.execute(text(f"UPDATE audit_entries SET id = {place} WHERE id = {number}"))
            session.expire_all()
            rehash(session)
    for path in (installation.home / "checkpoints").iterdir():
        path.unlink()
    assert installation.run("audit", "checkpoint").error is None
    assert installation.problems(*VERIFY) == []
    notes = installation.run(*VERIFY, "--json").json["notes"]
    assert (
        f"{PERIOD} version 1: published before all columns were attested: the order of its rows is not proven" in notes
    )
    assert any("made before packages were attested: only their signature is proven" in note for note in notes)
    installation.change("releases", "UPDATE releases SET hearing_waived = 'x' WHERE version = 1")
    assert any("hearing_waived is not the reason" in problem for problem in installation.problems(*VERIFY))


def test_only_drafts_are_replaced_and_that_is_no_problem(installation: Installation) -> None:
    for _ in range(2):
        assert installation.run("release", "draft", "--period", "2026Q2", "--as-of", "2026-05-01").error is None
    assert installation.problems(*VERIFY) == []
    with transaction(installation.engine) as session:
        session.execute(text("DELETE FROM release_rows WHERE release_id = (SELECT max(id) FROM releases)"))
        session.execute(text("DELETE FROM releases WHERE period = '2026Q2'"))
    assert any("2026Q2 version 1: it was drafted" in problem for problem in installation.problems(*VERIFY))
