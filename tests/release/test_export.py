"""Writing what the site reads: all that is published and nothing else, signed, the same bytes again, never half."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from monitor.disclosure.rows import public_table
from monitor.errors import ConfigurationError
from monitor.models.release import Release, Stage
from monitor.release import published
from monitor.release.export import export, index_problems, missing
from monitor.release.published import Published, read_index
from monitor.release.signing import SigningKey, create_signing_key, is_signed
from monitor.settings import Settings
from tests.conftest import Database
from tests.support.publications import Version, put
from tests.support.published import COMPANIES, invent, publish, with_hash_hits

REASON = "a notice was sent to an address of another company"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A database with two releases, one of them corrected, and a draft."""
    with Session(database.engine) as opened:
        publish(opened, invent("2026Q1", COMPANIES[:4]))
        publish(opened, invent("2026Q2", COMPANIES[:4]))
        publish(opened, with_hash_hits(invent("2026Q2", COMPANIES[:5])), version=2, reason=REASON)
        empty = {"manifest": {}, "table_json": "{}", "manifest_sha256": "0" * 64}
        drafted_at = datetime(2026, 10, 6, tzinfo=UTC)
        opened.add(Release(period="2026Q3", version=1, stage=Stage.DRAFT, drafted_at=drafted_at, **empty))
        opened.commit()
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home without anything."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def key(settings: Settings) -> SigningKey:
    """Its signing key."""
    return create_signing_key(settings.signing_key_file, settings.public_keys)


def content(folder: Path) -> dict[str, bytes]:
    """Every file and link of a folder."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))}
    files = {name: path.read_bytes() for name, path in found.items() if path.is_file() and ".lock" not in name}
    return files | {name: str(path.readlink()).encode() for name, path in found.items() if path.is_symlink()}


def test_all_that_is_published_and_no_draft_is_written(session: Session, settings: Settings, key: SigningKey) -> None:
    assert [edition.name for edition in missing(session, settings)] == ["2026Q2-v2", "2026Q2-v1", "2026Q1-v1"]
    index = export(session, settings, key)
    read = read_index(settings.publications)
    assert read == index
    assert read is not None
    assert list(read.keys) == [key.fingerprint]
    said = [(e.name, e.corrects, e.reason, e.hearing_waived, e.published) for e in read.editions]
    waived, at = "invented companies", "2026-07-20T08:00:00Z"
    assert said == [
        ("2026Q2-v2", 1, REASON, waived, at),
        ("2026Q2-v1", None, None, waived, at),
        ("2026Q1-v1", None, None, waived, at),
    ]
    assert [edition.name for edition in read.with_hash_hits] == ["2026Q2-v2"]
    assert [edition.name for edition in read.with_company(COMPANIES[4].key)] == ["2026Q2-v2"]
    folder = Published(settings.publications)
    whole = public_table(with_hash_hits(invent("2026Q2", COMPANIES[:5])))
    assert [folder.row(read.editions[0], row.company) for row in whole.rows] == list(whole.rows)
    assert missing(session, settings) == []
    assert index_problems(session, settings) == []


def test_the_index_is_signed_as_anybody_can_check(session: Session, settings: Settings, key: SigningKey) -> None:
    export(session, settings, key)
    folder = settings.publications / "index"
    signature, pem = (folder / "index.json.sig").read_bytes(), (settings.public_keys / f"{key.fingerprint}.pem")
    assert is_signed((folder / "index.json").read_bytes(), signature, pem.read_bytes())


def test_again_it_gives_the_same_bytes_and_repairs_what_was_changed(
    session: Session, settings: Settings, key: SigningKey
) -> None:
    export(session, settings, key)
    before = content(settings.publications)
    for anew in (False, True):
        export(session, settings, key, anew=anew)
        assert content(settings.publications) == before
    kinds = {path.name: path for path in settings.publications.rglob("*") if path.suffix in (".json", ".jsonl", ".sig")}
    assert len(kinds) == 2 + 4
    for path in kinds.values():
        original = path.read_bytes()
        path.write_bytes(b"x" + original[1:])
        assert index_problems(session, settings) != []
        export(session, settings, key)
        assert content(settings.publications) == before, path
    shutil.rmtree(settings.publications / "site")
    export(session, settings, key)
    assert content(settings.publications) == before


def test_what_the_site_shows_otherwise_is_named(session: Session, settings: Settings, key: SigningKey) -> None:
    export(session, settings, key)
    publish(session, invent("2026Q4", COMPANIES[:4]))
    assert index_problems(session, settings) == ["2026Q4 version 1: the site does not show it yet"]
    put(settings.home, Version(invent("2025Q4", COMPANIES[:4])))
    assert "2025Q4 version 1: the site shows something else" in index_problems(session, settings)


def test_a_key_that_the_audit_trail_does_not_name_signs_nothing(
    session: Session, settings: Settings, key: SigningKey, tmp_path: Path
) -> None:
    from monitor import audit

    audit.record(session, datetime.now(UTC), "test", "keys.signing", "a key", {"fingerprint": key.fingerprint})
    other = create_signing_key(tmp_path / "other.pem", settings.public_keys)
    with pytest.raises(ConfigurationError, match="the audit trail does not name the signing key"):
        export(session, settings, other)
    export(session, settings, key)
    assert list(Published(settings.publications).index().keys) == [key.fingerprint]


def test_files_of_another_version_of_the_program_are_written_anew(
    session: Session, settings: Settings, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.release.export.FORMAT", 0)
    export(session, settings, key)
    assert index_problems(session, settings) == [
        "index.json was written by another version of this program: run `monitor release export`"
    ]
    monkeypatch.setattr("monitor.release.export.FORMAT", published.FORMAT)
    export(session, settings, key)
    assert index_problems(session, settings) == []


STEPS = ("rename", "replace", "symlink", "fsync", "mkdir", "unlink", "rmdir", "chmod")


def _killed_at(step: int, home: Path, version: Version) -> None:
    """Publish a version, and be killed at that change of the file system."""
    count = [0]

    def stopping(change: Callable[..., Any]) -> Callable[..., Any]:
        def work(*arguments: Any, **named: Any) -> Any:
            count[0] += 1
            if count[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **named)

        return work

    for name in STEPS:
        setattr(os, name, stopping(getattr(os, name)))
    put(home, version)


def test_killed_at_any_step_it_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    """The next time finishes the work, and leaves nothing behind."""
    old, new = Version(invent("2026Q1", COMPANIES[:3])), Version(invent("2026Q2", COMPANIES[:3]))
    put(tmp_path / "old", old)
    put(tmp_path / "both", old)
    put(tmp_path / "both", new)
    expected = content(Settings(home=tmp_path / "both").publications / "site")
    seen, step = set[tuple[str, ...]](), 0
    while True:
        step += 1
        home = tmp_path / f"killed-{step}"
        shutil.copytree(tmp_path / "old", home, symlinks=True)
        process = get_context("fork").Process(target=_killed_at, args=(step, home, new))
        process.start()
        process.join(60)
        folder = Published(Settings(home=home).publications)
        names = tuple(edition.name for edition in folder.index().editions)
        assert names in (("2026Q1-v1",), ("2026Q2-v1", "2026Q1-v1"))
        assert [folder.damaged(edition) for edition in folder.index().editions] == [""] * len(names)
        seen.add(names)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        if len(names) == 1:
            put(home, new)
        else:
            put(home)
        publications = Settings(home=home).publications
        assert content(publications / "site") == expected
        assert len(list(publications.glob(".index.*"))) <= 2
        shutil.rmtree(home)
    assert seen == {("2026Q1-v1",), ("2026Q2-v1", "2026Q1-v1")}
    assert step > 20
