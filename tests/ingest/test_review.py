"""Deliveries that do not simply count: refused, waiting, accepted, rejected; a person's word is exact."""

from __future__ import annotations

import gzip
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import transaction
from monitor.errors import DeliveryError, MonitorError
from monitor.ingest import reader
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.review import PendingFile, ReviewDecision, accept, reject
from monitor.ingest.store import keep_pending
from monitor.instants import DAY, HOUR, parse_instant
from monitor.models.audit import AuditEntry
from monitor.models.facts import Attribution, Content, Delivery, Notice, PendingPiece, Quarantined, Sighting, Site
from monitor.source_options import Thresholds
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from tests.conftest import Database
from tests.ingest.test_checks import NOW, SENT, URL, counted, deliver, rules
from tests.samples import SCART, Ntd, delivery_file, on_disk

LATER = ReviewDecision("A. Analyst", "the hotline confirmed it", NOW + DAY)


def test_refused_leaves_a_record_and_no_fact(database: Database, vault: Vault, tmp_path: Path) -> None:
    strict = replace(SCART, minimum_rows=2)
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", Ntd(URL, SENT), source=strict)
    for at in (NOW, NOW + HOUR):  # the same file again is judged anew, and is still one delivery
        refused = deliver(database, vault, what, at)
        assert (*rules(refused), refused.rows, refused.repeated) == ("refused", ["below_minimum"], 1, False)
    for model in (Content, Site, Notice, Sighting, Attribution, Quarantined, PendingPiece):
        assert counted(database, model) == 0, model
    taken = deliver(database, vault, replace(what, source=SCART), NOW + DAY)
    assert (taken.verdict, taken.delivery, taken.accepted) == (Verdict.OK, refused.delivery, 1)
    with transaction(database.engine) as session:
        (delivery,) = session.scalars(select(Delivery))
        assert delivery.reasons == []
        assert delivery.recorded_at.timestamp() == NOW + DAY


@pytest.fixture
def suspicious(database: Database, vault: Vault, tmp_path: Path) -> DeliveryFile:
    """A delivery that is pending review: it is older than the last by more than a day."""
    assert (
        deliver(database, vault, delivery_file(tmp_path, "2026-06-01T00:00:00Z", Ntd(URL, SENT))).verdict is Verdict.OK
    )
    rows = [Ntd(f"https://canary{n}.example/", SENT) for n in range(40)]
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows)
    on_disk(what).write_bytes(gzip.compress(on_disk(what).read_bytes()))
    return what


def test_suspicious_waits_and_then_counts_as_of_now(database: Database, vault: Vault, suspicious: DeliveryFile) -> None:
    waiting = deliver(database, vault, suspicious)
    assert (*rules(waiting), waiting.notices_new) == ("suspicious", ["older_than_last"], 40)
    assert counted(database, Notice) == 1
    again = deliver(database, vault, suspicious)
    assert (again.repeated, again.verdict, again.delivery) == (True, Verdict.SUSPICIOUS, waiting.delivery)
    assert again.warnings[0].startswith(f"it_waits: this file is delivery {waiting.delivery}")
    with transaction(database.engine) as session:
        taken = accept(session, vault, SCART, waiting.delivery, LATER)
    assert (taken.verdict, taken.accepted, taken.reasons) == (Verdict.OK, 40, waiting.reasons)
    with transaction(database.engine) as session:
        delivery = session.get_one(Delivery, waiting.delivery)
        assert delivery.recorded_at.timestamp() == NOW + DAY
        assert delivery.received_at.timestamp() == suspicious.received_at
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.details["reason"]) == (LATER.by, "delivery.accept", LATER.reason)
        assert audit.verify(session) == []
    assert counted(database, PendingPiece) == 0
    assert deliver(database, vault, suspicious).warnings[0].startswith("already_taken_in")


def test_rejected_is_erased_and_never_taken_silently(
    database: Database, vault: Vault, suspicious: DeliveryFile
) -> None:
    number = deliver(database, vault, suspicious).delivery
    with transaction(database.engine) as session:
        assert reject(session, number, LATER).verdict is Verdict.REFUSED
    assert counted(database, PendingPiece) == 0
    assert counted(database, Notice) == 1
    harmless = replace(suspicious, received_at=parse_instant("2026-06-01T06:00:00Z"))
    assert rules(deliver(database, vault, harmless)) == ("suspicious", ["rejected_before"])
    with transaction(database.engine) as session:
        assert accept(session, vault, SCART, number, LATER).accepted == 40
    too_late = "is not pending review: it is ok"
    with pytest.raises(MonitorError, match=too_late), transaction(database.engine) as session:
        accept(session, vault, SCART, number, LATER)
    with pytest.raises(MonitorError, match=too_late), transaction(database.engine) as session:
        reject(session, number, LATER)


def test_what_waits_is_sealed_in_small_pieces(
    database: Database, vault: Vault, suspicious: DeliveryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SEALED_AT_ONCE", 64)
    on_disk(suspicious).write_bytes(gzip.decompress(on_disk(suspicious).read_bytes()))
    number = deliver(database, vault, suspicious).delivery
    with transaction(database.engine) as session:
        pieces = session.scalars(select(PendingPiece).order_by(PendingPiece.number)).all()
        assert len(pieces) == -(-on_disk(suspicious).stat().st_size // 64)
        assert b"canary" not in b"".join(piece.sealed for piece in pieces)
        with PendingFile(session, vault, number).open("rb") as stream:
            assert stream.read() == on_disk(suspicious).read_bytes()
        session.delete(pieces[3])
        session.flush()
        with pytest.raises(MonitorError, match="what was kept of it is not what arrived"):
            accept(session, vault, SCART, number, LATER)


def test_a_file_that_changes_under_our_hands_is_not_kept(
    database: Database, vault: Vault, suspicious: DeliveryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grown(*arguments: Any) -> None:
        on_disk(suspicious).write_bytes(on_disk(suspicious).read_bytes() + b"more")
        keep_pending(*arguments)

    monkeypatch.setattr("monitor.ingest.delivery.keep_pending", grown)
    with pytest.raises(DeliveryError, match="changed while it was read"):
        deliver(database, vault, suspicious)
    assert counted(database, Delivery) == 1


def facts(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """All facts as they stand, but for what is random (seals) and numbers of deliveries."""
    hidden = {"delivery_id", "url_sealed", "address_sealed", "row_sealed"}
    found = {}
    for model in (Site, Content, Notice, Sighting, Attribution, Quarantined):
        skipped = hidden | ({"id"} if model is Quarantined else set())
        columns = [column for column in model.__table__.columns if column.name not in skipped]
        found[model.__tablename__] = sorted(map(tuple, session.execute(select(*columns))), key=repr)
    return found


def undone(database: Database) -> Generator[Session, None, None]:
    """One session after the other whose work is undone."""
    while True:
        with Session(database.engine) as session:
            yield session
            session.rollback()


ROWS = st.lists(
    st.builds(
        Ntd,
        url=st.sampled_from([URL, *(f"https://s{n}.example/{n}" for n in range(4)), "nonsense"]),
        sent=st.sampled_from([SENT, "2026-04-10 13:00:00", "2026-04-09 12:00:00"]),
        owner=st.sampled_from(["Delta Datacenters", "Echo Hosting"]),
        last=st.sampled_from(["", "2026-04-09 11:00:00"]),
        status=st.sampled_from(["sent_succes", "sent_failed", "queued", "lost"]),
    ),
    min_size=1,
    max_size=12,
)


def test_after_a_decision_the_facts_are_exactly_those_of_taking_or_of_never_delivering(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    lenient = replace(SCART, gate=Thresholds(shares_from_rows=100, furthest_back_hours=10**6))
    strict = replace(SCART, gate=Thresholds(shares_from_rows=100))
    before = [Ntd(URL, SENT), Ntd("https://s1.example/1", SENT, owner="Echo Hosting")]
    deliver(database, vault, delivery_file(tmp_path, "2026-06-01T00:00:00Z", *before))

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(ROWS)
    def check(rows: list[Ntd]) -> None:
        what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows, source=strict)
        sessions = undone(database)
        untouched = facts(next(sessions))
        session = next(sessions)
        assert ingest(session, vault, replace(what, source=lenient), LATER.at).verdict is Verdict.OK
        taken = facts(session)
        session = next(sessions)
        number = ingest(session, vault, what, NOW).delivery
        assert facts(session) == untouched
        accept(session, vault, strict, number, LATER)
        assert facts(session) == taken
        session = next(sessions)
        reject(session, ingest(session, vault, what, NOW).delivery, LATER)
        assert facts(session) == untouched
        sessions.close()

    check()
