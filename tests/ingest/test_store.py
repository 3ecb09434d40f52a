"""Storing in bulk: what the database would refuse one by one is refused in bulk too, and by the row."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from monitor.attribute.assign import HosterNotices, attribute_notices
from monitor.db import bulk_insert, insert_columns, insert_rows, lock_writers, rows_where, transaction
from monitor.ingest.delivery import ingest, load
from monitor.instants import parse_instant, to_datetime
from monitor.models.facts import Attribution, Content, Delivery, Notice, Quarantined, Sighting, Site
from monitor.vault import Vault
from tests.conftest import Database
from tests.samples import Ntd, delivery_file

NOW = parse_instant("2026-04-11T00:00:00Z")
SENT = "2026-04-10 12:00:00"
SITES: Any = Site.__table__
SIGHTINGS: Any = Sighting.__table__
DELIVERIES: Any = Delivery.__table__
CONTENTS: Any = Content.__table__
ATTRIBUTIONS: Any = Attribution.__table__
DELIVERY = {
    "id": 1, "source": "s", "format": "f", "file_digest": "0", "received_at": 0, "recorded_at": 0, "zone": "UTC",
    "rows": 0, "accepted": 0, "duplicate": 0, "quarantined": "{}", "warnings": "{}", "contents_new": 0,
    "notices_new": 0, "sightings_new": 0,
}  # fmt: skip
CONTENT = {
    "delivery_id": 1, "site_id": 1, "key_version": 1, "url_sealed": b"", "truncated": False, "recorded_at": 0,
}  # fmt: skip


def test_a_word_outside_its_vocabulary_is_refused_before_it_is_stored(database: Database) -> None:
    columns = ("id", "delivery_id", "content_id", "seen_at", "state", "observer", "recorded_at")
    with transaction(database.engine) as session:
        with pytest.raises(ValueError, match=r"sightings\.state takes only online, offline, moved, unknown"):
            insert_rows(session, SIGHTINGS, columns, [(1, 1, 1, 0, "online", "scart", 0), (2, 1, 1, 0, "on", "x", 0)])
        assert session.scalars(select(Sighting)).all() == []


def test_the_checks_of_the_database_are_back_after_a_bulk_insert(database: Database) -> None:
    with transaction(database.engine) as session:
        lock_writers(session)
        bulk_insert(session, SITES, [{"id": 1, "key_version": 1, "digest": b"d" * 32}])
        wrong = (
            "INSERT INTO suspensions (starts_at, ends_at, pause, reason, recorded_at) VALUES (9, 1, 'outage', 'r', 1)"
        )
        with pytest.raises(IntegrityError):
            session.connection().exec_driver_sql(wrong)
        session.rollback()


def test_what_is_there_already_and_what_points_nowhere_is_refused_in_bulk(database: Database) -> None:
    site = {"id": 1, "key_version": 1, "digest": b"d" * 32}
    with pytest.raises(DBAPIError), transaction(database.engine) as session:
        bulk_insert(session, SITES, [site, site | {"id": 2}])
    row = {"id": 1, "delivery_id": 7, "content_id": 7, "seen_at": 0, "state": "online", "observer": "x"}
    refused = pytest.raises(ValueError, match=r"sightings\.delivery_id names one of deliveries that is not there")
    with refused, transaction(database.engine) as session:
        bulk_insert(session, SIGHTINGS, [row | {"recorded_at": 0}])


@pytest.mark.parametrize(("named", "missing"), [([1, 2, 3], False), ([1, 2, 3, 6], False), ([1, 4], True), ([9], True)])
def test_rows_that_refer_to_what_is_there_are_told_from_others(
    database: Database, named: list[int], missing: bool
) -> None:
    columns = ("id", "company_id", "content_id", "valid_from", "basis", "recorded_at")
    with transaction(database.engine) as session:
        bulk_insert(session, DELIVERIES, [DELIVERY])
        bulk_insert(session, SITES, [{"id": 1, "key_version": 1, "digest": b"d" * 32}])
        bulk_insert(session, CONTENTS, [CONTENT | {"id": n, "url_digest": bytes([n]) * 32} for n in (1, 2, 3, 6)])
        rows = [(number, None, content, 0, "none", 0) for number, content in enumerate(named)]
        refused = pytest.raises(ValueError, match=r"attributions\.content_id names one of contents that is not there")
        with refused if missing else nullcontext():
            insert_rows(session, ATTRIBUTIONS, columns, rows)
        assert session.scalar(select(func.count()).select_from(Attribution)) == (0 if missing else len(rows))


def test_many_values_are_asked_for_in_turns(database: Database) -> None:
    digests = [number.to_bytes(32) for number in range(25_000)]
    with transaction(database.engine) as session:
        rows = [(number, 1, digest) for number, digest in enumerate(digests)]
        insert_rows(session, SITES, ("id", "key_version", "digest"), rows)
        asked = [*digests[::2], b"unknown"]
        found = {tuple(row) for row in rows_where(session, SITES, ("id", "digest"), "digest", asked)}
    assert found == {(number, digest) for number, digest in enumerate(digests) if number % 2 == 0}


def test_every_kind_of_value_is_stored_as_it_is(database: Database) -> None:
    """Also `bytes` and `bool`, which SQLite is handed as other types, and columns in which nothing or little stands."""
    stems, cut = [None, b"\x00" * 32, None], [True, False, True]
    each = {
        "id": range(1, 4), "url_digest": [bytes([n]) * 32 for n in range(3)], "url_sealed": [b"", b"\xff", b"\x00"],
        "truncated": cut, "stem_digest": stems,
    }  # fmt: skip
    with transaction(database.engine) as session:
        bulk_insert(session, DELIVERIES, [DELIVERY])
        bulk_insert(session, SITES, [{"id": 1, "key_version": 1, "digest": b"d" * 32}])
        always = {"delivery_id": 1, "site_id": 1, "key_version": 1, "recorded_at": 0}
        insert_columns(session, CONTENTS, each, always)
        stored = session.scalars(select(Content).order_by(Content.id)).all()
        assert [content.stem_digest for content in stored] == stems
        assert [content.truncated for content in stored] == cut
        assert [content.url_sealed for content in stored] == [b"", b"\xff", b"\x00"]
        sightings: dict[str, list[Any]] = {"id": [1, 2], "seen_at": [5, 6], "content_id": [1, 2], "pause": [None, None]}
        of_all = {"delivery_id": 1, "observer": "x", "state": "online", "recorded_at": 0}
        insert_columns(session, SIGHTINGS, sightings, of_all)
        assert [seen.pause for seen in session.scalars(select(Sighting))] == [None, None]
        with pytest.raises(ValueError, match=r"sightings\.state takes only"):
            insert_columns(session, SIGHTINGS, sightings | {"id": [3, 4]}, of_all | {"state": "on"})
        with pytest.raises(ValueError, match=r"sightings\.delivery_id names one of deliveries that is not there"):
            insert_columns(session, SIGHTINGS, sightings | {"id": [3, 4]}, of_all | {"delivery_id": 9})


@pytest.mark.parametrize("column", ["recipient", "reference"])
def test_a_text_that_fits_no_column_costs_its_row_only(
    database: Database, vault: Vault, tmp_path: Path, column: str
) -> None:
    good = Ntd("https://s1.example/a", SENT, country="NL")
    bad = replace(good, url="https://s1.example/b")
    if column == "recipient":
        bad = replace(bad, owner="ö" * 256)
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", good, bad)
    if column == "reference":
        [path] = tmp_path.glob("*T*.csv")
        head, _, last = path.read_text("utf-8").rpartition('"M1"')
        path.write_text(f'{head}"{"M" * 65}"{last}', "utf-8")
    with transaction(database.engine) as session:
        answer = load(session, vault, what, NOW)
        assert answer.quarantined == {"text_does_not_fit": 1}
        assert session.scalars(select(Quarantined)).one().column == column
        assert len(session.scalars(select(Notice)).all()) == 1


def test_notices_to_hosters_are_told_as_they_are_stored(database: Database, vault: Vault, tmp_path: Path) -> None:
    first = Ntd("https://img.s1.example/a", SENT, ip="192.0.2.7", email="Abuse@Delta.example")
    told: list[HosterNotices] = []

    def laid_at(notices: HosterNotices) -> list[int]:
        told.append(notices)
        return [7] * len(notices.content_id)

    for rows in ((first, replace(first, role="police")), (replace(first, sent="2026-04-10 13:00:00"), first)):
        with transaction(database.engine) as session:
            load(session, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows), NOW, attribute=laid_at)
    recipient, digest = "Delta Datacenters", vault.digest("abuse@delta.example")
    assert vault.open_text(told[0].url_sealed[0], told[0].key_version[0]) == first.url
    whom = ([recipient], [digest], [vault.site_digest("s1.example")], [b""], [1], ["192.0.2.7"])
    assert [notices._replace(url_sealed=[b""]) for notices in told] == [
        HosterNotices([1], [parse_instant("2026-04-10T12:00:00Z")], *whom, known=set()),
        HosterNotices([1], [parse_instant("2026-04-10T13:00:00Z")], *whom, known={1}),
    ]


def test_attributed_while_stored_or_afterwards_it_is_the_same(database: Database, vault: Vault, tmp_path: Path) -> None:
    rows = [
        Ntd(
            f"https://s{n % 7}.example/{n % 30}", f"2026-04-{1 + n % 9:02} 12:00:00", owner=f"Company {n % 4}" * (n % 3)
        )
        for n in range(60)
    ]
    with transaction(database.engine) as session:
        ingest(session, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows), NOW)
        assert session.scalars(select(Attribution)).first() is not None
        assert attribute_notices(session, vault, to_datetime(NOW)) == 0


def test_nobody_needs_to_be_told(database: Database, vault: Vault, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd("https://s1.example/", SENT))
        assert load(session, vault, what, NOW).notices_new == 1
        assert len(session.scalars(select(Content)).all()) == 1
        assert session.scalars(select(Attribution)).all() == []
