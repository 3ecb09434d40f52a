"""A release with hash hits holds two tables: frozen, proved, rebuilt, corrected, compared and recomputed together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from monitor.cli import cli
from monitor.comparison.changes import Change, release_changes
from monitor.db import transaction
from monitor.models.facts import Correction
from monitor.models.release import Release, ReleaseRow
from monitor.release.draft import draft, serialise
from monitor.release.package import write_open_data
from monitor.release.publish import check, correct, publish
from monitor.release.rebuild import rebuild, request_of
from monitor.release.store import find, load_table
from monitor.score.methods import method
from monitor.score.pipeline import score, score_for_release
from monitor.score.table import with_field, without_parts
from tests.conftest import Database, NewDatabase, prepared
from tests.release.conftest import Published
from tests.release.history import AFTER, DRAFTED, LATER, NOW, request
from tests.score.world import World, at, world

FILES = ("episodes.csv", "companies.csv", "hash-hit-episodes.csv", "hash-hit-companies.csv")


def episode(w: World, host: str | None, kind: str, site: int, hours: float) -> int:
    """An item that was last seen online so many hours after its notice or hit."""
    item = w.content(host, site=site)
    w.notice(item, 1, kind=kind)
    w.seen(item, 1 + hours, "online")
    w.seen(item, 2 + hours + item / 1000, "offline")
    return item


@pytest.fixture
def first_hit(database: Database, new_database: NewDatabase) -> int:
    """The number of the item of the first hit, in a release as `_publish` makes it."""
    return prepared(database, new_database, "hash hits", _publish)


def _publish(database: Database) -> int:
    """Published: notices at `a` (36) and `b` (12); hits at `a` (36, six late), `e` (12), `d` (2) and unattributed.

    Two hits at `e` were on items that were noticed there too, so `e` is small among the notices. The first hit is late.
    """
    with world(database) as w:
        sites = [w.site() for _ in range(6)]
        for number in range(48):
            episode(w, "a" if number < 36 else "b", "hotline_notice", sites[number % 6], number / 4)
        hits = [episode(w, "a", "hash_hit", sites[number % 6], 40 if number < 6 else 3) for number in range(36)]
        for number in range(12):
            item = episode(w, "e", "hash_hit", sites[number % 5], number)
            if number < 2:
                w.notice(item, 1.5)
        for host in ("d", "d", None):
            episode(w, host, "hash_hit", sites[0], 5)
    with transaction(database.engine) as session:
        release = draft(session, score_for_release(session, request()), method(), DRAFTED, "test")
        publish(session, release, "invented companies", DRAFTED, "test")
    return hits[0]


@pytest.mark.usefixtures("first_hit")
def test_both_tables_are_frozen_proved_and_come_out_again(database: Database) -> None:
    with transaction(database.engine) as session:
        release = session.get_one(Release, 1)
        query = select(ReleaseRow.company_key).where(ReleaseRow.release_id == 1).order_by(ReleaseRow.position)
        assert session.scalars(query).all() == ["a", "b", "e", "#a", "#d", "#e"]
        assert set(release.manifest["rows_sha256"]) == {"a", "b", "e", "#a", "#d", "#e"}
        assert release.manifest["hash_hits"] == {"scored_kinds": ["hash_hit"]}
        table = load_table(session, release)
        assert table == score_for_release(session, request())
        assert table.hash_hits is not None
        shown = [(c.company, c.episodes, c.on_time.late) for c in table.hash_hits.companies]
        assert shown == [("a", 36, 6), ("d", 2, 0), ("e", 12, 0)]
        assert (check(session, release), rebuild(session, release).problems) == ([], ())


def test_a_release_without_hits_has_no_trace_of_the_second_table(published: Published) -> None:
    with transaction(published.database.engine) as session:
        release = session.get_one(Release, 1)
        assert without_parts(score_for_release(session, request())) == score(session, request())
        assert not {"hash_hits", "kinds"} & {*release.manifest, *json.loads(release.table_json)}


@pytest.mark.usefixtures("first_hit")
def test_a_changed_row_of_the_hits_is_named(database: Database) -> None:
    with transaction(database.engine) as session:
        release = session.get_one(Release, 1)
        frozen = serialise(load_table(session, release))
        session.expunge(release)
        release.manifest = {**release.manifest, "rows_sha256": {**release.manifest["rows_sha256"], "#e": "0" * 64}}
        assert "the row of #e was changed" in check(session, release)
        assert dict(frozen.rows).keys() == release.manifest["rows_sha256"].keys()


def test_a_correction_that_moves_only_the_hits_is_one(database: Database, first_hit: int) -> None:
    with transaction(database.engine) as session:
        session.add(
            Correction(
                decision="set_removal", content_id=first_hit, reason="test", decided_by="test", recorded_at=LATER,
                starts_at=at(1.5),
            )
        )  # fmt: skip
    with transaction(database.engine) as session:
        old = session.get_one(Release, 1)
        new = correct(session, old, request_of(old, known_at=NOW), "an earlier removal", AFTER, "test")
        found = release_changes(load_table(session, old), load_table(session, new))
    assert not found.notices
    assert found.hash_hits is not None
    [company] = found.hash_hits.companies
    assert (company.after.company, Change("on_time_late", 6, 5) in company.changes) == ("a", True)
    assert Change("network_on_time_late", 6, 5) in found.hash_hits.whole


@pytest.mark.usefixtures("first_hit")
def test_a_table_of_hits_that_comes_is_told_company_by_company(database: Database) -> None:
    with transaction(database.engine) as session:
        with_hits, without = score_for_release(session, request()), score(session, request())
    found = release_changes(without, with_hits)
    assert found.hash_hits is not None
    assert ([row.company for row in found.hash_hits.came], found.hash_hits.gone) == (["a", "d", "e"], ())
    assert Change("network_episodes", None, 51) in found.hash_hits.whole
    assert not release_changes(with_hits, with_hits)
    assert not release_changes(without, without)


@pytest.mark.usefixtures("first_hit")
def test_anyone_recomputes_both_tables_from_their_files(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        write_open_data(session, find(session, "1"), tmp_path)
        table = load_table(session, find(session, "1"))
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    assert table.hash_hits is not None
    for begin, kinds, frozen in (("", (), table), ("hash-hit-", ("--kinds", "hash_hit"), table.hash_hits)):
        files = [str(tmp_path / f"{begin}{name}") for name in FILES[:2]]
        said = CliRunner().invoke(cli, ["estimate", files[0], "--companies", files[1], *kinds, "--curves", "--json"])
        found = json.loads(said.stdout)["companies"]
        rows = json.loads(json.dumps(with_field(frozen, "legal", {}).as_json()))["companies"]
        assert found == [row for row in rows if row["episodes"] >= 10]


@pytest.mark.usefixtures("first_hit")
def test_no_row_without_a_name_in_one_file_has_a_name_in_the_other(database: Database, tmp_path: Path) -> None:
    """The two items at `e` that were noticed and hit: named among the hits, so the notices' pool is not told."""
    with transaction(database.engine) as session:
        write_open_data(session, find(session, "1"), tmp_path)
    owners = [
        [line.split(",")[0] for line in (tmp_path / name).read_text().splitlines()[1:]] for name in (FILES[0], FILES[2])
    ]
    assert [Counter(found) for found in owners] == [{"a": 36, "b": 12}, {"a": 36, "e": 12, "(pooled)": 1}]
