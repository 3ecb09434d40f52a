"""Items by their file number: what waits, what is applied when, and notices that only one export tells of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from monitor.attribute.assign import attribute_notices
from monitor.db import transaction
from monitor.ingest.delivery import DeliveryFile, load
from monitor.ingest.result import IngestResult
from monitor.instants import parse_instant, to_datetime
from monitor.models.columns import HashHit, ItemReference, WaitingStatement
from monitor.models.facts import Content, Correction, Notice, Sighting
from monitor.vault import Vault
from monitor.vocabulary import Channel, Decision, DeliveryState, State
from tests.conftest import Database
from tests.samples import SCART, Closed, Ntd, delivery_file

NOW = parse_instant("2026-04-12T00:00:00Z")
URL = "https://img.s0001.example/a.jpg"
LONG = "https://img.s0001.example/".ljust(300, "x")
SENT = "2026-04-10 12:00:00"
REPORT = (
    "filenumber;reference;url;url_host;url_ip;url_type;url_referer;received_at;hashcheck_at;hashcheck_return;"
    "firstseen_at;lastseen_at;type_code;police;source_code;status_code;hoster_contact;hoster_country;hoster_owner;"
    "hoster_first_ntd_at;registrar_contact;grade_code"
)
ANONYMOUS = REPORT.replace("url;url_host;url_ip;", "").replace("url_referer;", "")
WHOIS = (
    "filenumber;url;host;IP;url type;status;classification;source;received;first seen;first NTD;last seen;police;"
    "hoster owner;hoster country;hoster abuse email;hoster NTD"
)


@dataclass(frozen=True)
class Reported:
    """One row of a report; without a URL, of an anonymous one."""

    url: str = URL
    number: str = "N1"
    status: str = "scheduler_checkonline"
    last: str = "2026-04-10 13:00:00"
    notice: str = SENT
    owner: str = "Delta Datacenters"
    hashed: str = ""

    def text(self) -> str:
        where = f"{self.url};img.s0001.example;192.0.2.10;mainurl;" if self.url else "mainurl;"
        return (
            f"{self.number};;{where}{';' if self.url else ''};{SENT if self.hashed else ''};{self.hashed};;{self.last};"
            f"website;n;webform;{self.status};abuse@delta.example;NL;{self.owner};{self.notice};;illegal"
        )


@dataclass
class Ingestion:
    """Ingests deliveries, and shows the facts."""

    engine: Engine
    vault: Vault
    folder: Path

    def ntd(self, at: str, url: str = URL, **changed: str) -> IngestResult:
        return self._take(delivery_file(self.folder, at, Ntd(url[:255], changed.pop("sent", SENT), **changed)))

    def closed(self, at: str, url: str = URL) -> IngestResult:
        return self._take(delivery_file(self.folder, at, Closed(url[:255], last="2026-04-10 11:00:00")))

    def report(self, at: str, *rows: Reported) -> IngestResult:
        header = REPORT if rows[0].url else ANONYMOUS
        return self._file("scart-report", at, "\n".join([header, *(row.text() for row in rows)]))

    def whois(self, at: str, first_mail: str, url: str = URL) -> IngestResult:
        values = (
            "N1",
            url,
            "",
            "",
            "",
            "scheduler_checkonline",
            "",
            "",
            "",
            "",
            first_mail,
            "",
            "n",
            "Delta",
            "NL",
            "",
            "1",
        )
        lines = ["".join(f'"{value}";' for value in row) for row in (WHOIS.split(";"), values)]
        return self._file("scart-whois", at, "\n".join(lines))

    def _file(self, name: str, at: str, text: str) -> IngestResult:
        path = self.folder / f"{name}-{at.replace(':', '')}"
        path.write_text(text)
        return self._take(DeliveryFile(SCART, name, path, parse_instant(at)))

    def _take(self, what: DeliveryFile) -> IngestResult:
        with transaction(self.engine) as session:
            return load(session, self.vault, what, NOW)

    def notices(self) -> list[tuple[str, str | None, str, str]]:
        """Of those that count: form of the URL, recipient, delivery, channel."""
        withdrawn = select(Correction.notice_id).where(Correction.decision == Decision.WITHDRAW_NOTICE)
        query = select(Notice, Content.truncated).join(Content, Content.id == Notice.content_id)
        with transaction(self.engine) as session:
            found = session.execute(query.where(Notice.id.not_in(withdrawn)).order_by(Notice.id)).all()
            return [("cut" if cut else "whole", n.recipient, n.delivery, n.channel) for n, cut in found]

    def states(self) -> list[tuple[State, str]]:
        with transaction(self.engine) as session:
            found = session.scalars(select(Sighting).order_by(Sighting.seen_at, Sighting.state))
            return [(s.state, f"{s.seen_at:%d %H:%M}") for s in found]


@pytest.fixture
def ingestion(database: Database, vault: Vault, tmp_path: Path) -> Ingestion:
    (tmp_path / "in").mkdir()
    return Ingestion(database.engine, vault, tmp_path / "in")


BY_API = ("whole", "Delta Datacenters", DeliveryState.DELIVERED, Channel.API)
BY_MAIL = ("whole", "Delta Datacenters", DeliveryState.ASSUMED, Channel.EMAIL)


def test_a_notice_that_ntd_leaves_out_is_taken_from_the_item_once(ingestion: Ingestion) -> None:
    first = ingestion.report("2026-04-10T18:00:00Z", Reported())
    again = ingestion.report("2026-04-11T18:00:00Z", Reported(last="2026-04-11 13:00:00"))
    assert ingestion.notices() == [BY_API]
    assert (first.notices_new, again.notices_new) == (1, 0)
    assert "notice_not_in_ntd: 1 rows" in first.warnings
    assert "notice_not_in_ntd: 1 rows" in again.warnings


def test_what_ntd_tells_stands_whichever_comes_first(ingestion: Ingestion) -> None:
    ingestion.report("2026-04-10T18:00:00Z", Reported(owner="Delta Two"))
    ingestion.ntd("2026-04-10T19:00:00Z")
    assert ingestion.notices() == [BY_MAIL]
    told = ingestion.report("2026-04-11T18:00:00Z", Reported(owner="Delta Two", last="2026-04-11 13:00:00"))
    assert ingestion.notices() == [BY_MAIL]
    assert not any("notice" in warning for warning in told.warnings)


def test_notices_to_others_or_failed_withdraw_nothing(ingestion: Ingestion) -> None:
    ingestion.report("2026-04-10T18:00:00Z", Reported())
    ingestion.ntd("2026-04-10T19:00:00Z", role="site_owner")
    ingestion.ntd("2026-04-10T20:00:00Z", status="sent_failed")
    assert BY_API in ingestion.notices()
    assert len(ingestion.notices()) == 3


def test_the_cut_url_of_ntd_tells_of_the_notice_too(ingestion: Ingestion) -> None:
    ingestion.report("2026-04-10T18:00:00Z", Reported(LONG))
    ingestion.ntd("2026-04-10T19:00:00Z", LONG)
    assert ingestion.notices() == [("cut", *BY_MAIL[1:])]
    ingestion.report("2026-04-11T18:00:00Z", Reported(LONG, last=""))
    assert ingestion.notices() == [("cut", *BY_MAIL[1:])]


def test_an_item_that_knows_of_no_notice_while_ntd_does(ingestion: Ingestion) -> None:
    ingestion.ntd("2026-04-10T17:00:00Z")
    told = ingestion.report("2026-04-10T18:00:00Z", Reported(notice=""))
    assert "notice_only_in_ntd: 1 rows" in told.warnings


def test_a_first_mail_to_nobody_knows_whom_is_counted_and_starts_no_clock(ingestion: Ingestion) -> None:
    told = ingestion.whois("2026-04-10T18:00:00Z", SENT)
    assert ingestion.notices() == []
    assert "notice_not_in_ntd: 1 rows" in told.warnings
    ingestion.ntd("2026-04-10T19:00:00Z")
    told = ingestion.whois("2026-04-10T20:00:00Z", "2026-04-10 12:00:05")
    assert not any("notice" in warning for warning in told.warnings)


def test_a_statement_without_a_url_waits_for_its_item(ingestion: Ingestion) -> None:
    told = ingestion.report("2026-04-10T18:00:00Z", Reported("", status="close_offline"))
    assert (told.rows, told.accepted, told.contents_new) == (1, 1, 0)
    assert "waiting_for_item: 1 rows" in told.warnings
    assert ingestion.states() == []
    known = ingestion.whois("2026-04-11T06:00:00Z", "")
    assert (known.rows, known.accepted, known.sightings_new) == (1, 1, 2)
    assert ingestion.states() == [(State.ONLINE, "10 13:00"), (State.OFFLINE, "10 18:00")]
    assert ingestion.notices() == [(*BY_API,)]
    with transaction(ingestion.engine) as session:
        assert session.scalars(select(WaitingStatement)).one().settled_at is not None


def test_a_statement_waits_once_however_often_it_comes(ingestion: Ingestion) -> None:
    row = Reported("", status="scheduler_checkonline")
    ingestion.report("2026-04-10T18:00:00Z", row)
    again = ingestion.report("2026-04-10T19:00:00Z", row, Reported("", number="N2"))
    assert (again.accepted, again.duplicate) == (1, 1)
    with transaction(ingestion.engine) as session:
        assert len(session.scalars(select(WaitingStatement)).all()) == 2


def test_an_item_known_by_a_cut_url_has_its_statement_and_waits_for_the_whole_one(ingestion: Ingestion) -> None:
    ingestion.closed("2026-04-10T17:00:00Z", LONG)
    told = ingestion.report("2026-04-10T18:00:00Z", Reported("", notice=""))
    assert (told.rows, told.accepted) == (1, 1)
    assert "waiting_for_item: 1 rows" not in told.warnings
    ingestion.whois("2026-04-11T06:00:00Z", "", LONG)
    assert ingestion.states().count((State.ONLINE, "10 13:00")) == 2  # of the cut form, and of the whole one


def test_a_hash_hit_is_kept_and_starts_no_clock(ingestion: Ingestion) -> None:
    told = ingestion.report(
        "2026-04-10T18:00:00Z", Reported(notice="", hashed="1"), Reported(URL + "2", "N2", hashed="0")
    )
    ingestion.report("2026-04-11T18:00:00Z", Reported(notice="", hashed="1", last=""))
    assert "hash_hit: 1 rows" in told.warnings
    with transaction(ingestion.engine) as session:
        assert [f"{hit.checked_at:%d %H:%M}" for hit in session.scalars(select(HashHit))] == ["10 12:00"]
    assert [notice[1] for notice in ingestion.notices()] == ["Delta Datacenters"]  # of the other item


def test_a_file_number_is_stored_by_digest_and_a_statement_sealed(ingestion: Ingestion) -> None:
    ingestion.report("2026-04-10T18:00:00Z", Reported("", number="N2026041077777"))
    ingestion.report("2026-04-10T19:00:00Z", Reported(number="N2026041088888"))
    with transaction(ingestion.engine) as session:
        waiting, link = session.scalars(select(WaitingStatement)).one(), session.scalars(select(ItemReference)).one()
        stored = waiting.number_digest + waiting.statement_digest + waiting.statement_sealed + link.number_digest
        assert b"7777" in ingestion.vault.open(waiting.statement_sealed, waiting.key_version)
    assert b"7777" not in stored
    assert b"8888" not in stored


def test_each_source_has_file_numbers_of_its_own(ingestion: Ingestion) -> None:
    other = ingestion.folder / "other"
    other.write_text(f"{ANONYMOUS}\n{Reported('').text()}")
    ingestion.report("2026-04-10T18:00:00Z", Reported())
    what = DeliveryFile(replace(SCART, name="elsewhere"), "scart-report", other, parse_instant("2026-04-10T19:00:00Z"))
    with transaction(ingestion.engine) as session:
        assert "waiting_for_item: 1 rows" in load(session, ingestion.vault, what, NOW).warnings


def test_attributing_again_changes_nothing(ingestion: Ingestion) -> None:
    """The notice that was withdrawn has no say any more."""
    ingestion.report("2026-04-10T18:00:00Z", Reported(owner="Delta Two"))
    ingestion.ntd("2026-04-10T19:00:00Z")
    with transaction(ingestion.engine) as session:
        attribute_notices(session, ingestion.vault, to_datetime(NOW))
        assert attribute_notices(session, ingestion.vault, to_datetime(NOW)) == 0
