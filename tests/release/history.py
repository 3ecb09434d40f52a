"""Facts in the order in which they become known: those of a release, and what is learnt after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import DAY, HOUR, parse_period, to_datetime
from monitor.models.company import Company, CompanyClaim, CompanyDetail, NetblockTable
from monitor.models.facts import Attribution, Content, Correction, Delivery, Notice, Sighting, Suspension
from monitor.score.methods import method
from monitor.score.pipeline import Request
from monitor.vocabulary import Basis, Channel, Claim, DeliveryState, Kind, Role
from tests.conftest import Database
from tests.score.world import ZERO, at, world

PERIOD = "2026Q1"  # its last day is the world's first
KNOWN = ZERO + 10 * DAY
DRAFTED = to_datetime(KNOWN + HOUR)
LATER = to_datetime(ZERO + 20 * DAY)
NOW = ZERO + 30 * DAY
AFTER = to_datetime(NOW)


def request(known_at: int = KNOWN) -> Request:
    """The release's question."""
    return Request(parse_period(PERIOD), ZERO + 100 * HOUR, known_at, method())


@dataclass(frozen=True)
class Items:
    """Content items at `b`, which were all late; the notice about the first of them."""

    late: tuple[int, ...]
    notice: int


def first_facts(database: Database) -> Items:
    """`a` is on time, `b` late, `c` refuses notices, `d` has one item; one item is unattributed."""
    with world(database) as w:
        items, notices = [], []
        for host, late in (("a", 0), ("b", 30)):
            site = [w.site() for _ in range(6)]
            for number in range(36):
                items.append(item := w.content(host, site=site[number % 6]))
                notices.append(w.notice(item, 1))
                w.seen(item, 2 + late + number / 8, "online")
                w.seen(item, 4 + late + number / 4, "offline")
        w.notice(w.content("c"), 1, delivery="refused")
        cut = w.content("d", truncated=True, stem_digest=b"s" * 32)
        w.notice(cut, 1)
        w.notice(w.content(None), 1)
    return Items(tuple(items[36:]), notices[36])


Later = Callable[[Session, Items], None]
_ids = count(100_000)


def learn(database: Database, later: Later, items: Items) -> None:
    """Record what is learnt later."""
    with transaction(database.engine) as session:
        later(session, items)


def delivery(session: Session, recorded_at: Any = LATER) -> Delivery:
    """One more delivery, of another month."""
    number = next(_ids)
    made = Delivery(
        id=number, source="test", format="test", file_digest=f"{number:064}", received_at=recorded_at,
        recorded_at=recorded_at, zone="UTC", rows=0, accepted=0, duplicate=0, quarantined={}, warnings={},
        contents_new=0, notices_new=0, sightings_new=0,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _a_delivery(session: Session, items: Items) -> None:
    """A reminder, a sighting, and an item of the period nobody knew of."""
    source = delivery(session).id
    given: dict[str, Any] = {
        "delivery_id": source, "kind": Kind.HOTLINE_NOTICE, "recipient_role": Role.HOSTER, "channel": Channel.EMAIL,
        "delivery": DeliveryState.ASSUMED, "key_version": 1, "recorded_at": LATER,
    }  # fmt: skip
    new = _content(session, source, stem_digest=None)
    _hosted(session, new, 1)
    session.add_all(
        Notice(id=next(_ids), content_id=item, sent_at=at(hours), **given)
        for item, hours in ((items.late[5], 20), (new, 2))
    )
    seen_late(session, items.late[5], 70, LATER)


def seen_late(session: Session, content: int, hours: float, recorded_at: Any) -> None:
    """It was still online."""
    row = Sighting(id=next(_ids), delivery_id=1, content_id=content, seen_at=at(hours), state="online", observer="late")
    row.recorded_at = recorded_at
    session.add(row)


def _content(session: Session, source: int, stem_digest: bytes | None) -> int:
    number = next(_ids)
    row = Content(
        id=number, delivery_id=source, site_id=1, key_version=1, url_digest=number.to_bytes(32), url_sealed=b""
    )
    row.truncated, row.stem_digest, row.recorded_at = False, stem_digest, LATER
    session.add(row)
    session.flush()
    return number


def _hosted(session: Session, content: int, company: int, basis: Basis = Basis.HOTLINE) -> None:
    row = Attribution(id=next(_ids), content_id=content, company_id=company, valid_from=at(0), basis=basis)
    row.recorded_at = LATER
    session.add(row)


def _whole_url(session: Session, items: Items) -> None:
    """The cut URL's item gets another number, and was seen offline."""
    new = _content(session, delivery(session).id, stem_digest=b"s" * 32)
    row = Sighting(id=next(_ids), delivery_id=1, content_id=new, seen_at=at(5), state="offline", observer="test")
    row.recorded_at = LATER
    session.add(row)


def _decided(session: Session, decision: str, content: int, **given: Any) -> None:
    session.add(
        Correction(decision=decision, content_id=content, reason="test", decided_by="test", recorded_at=LATER, **given)
    )


def _withdrawn(session: Session, items: Items) -> None:
    _decided(session, "withdraw_notice", items.late[0], notice_id=items.notice)


def _removal_set(session: Session, items: Items) -> None:
    _decided(session, "set_removal", items.late[1], starts_at=at(1.5))


def _interval_excluded(session: Session, items: Items) -> None:
    _decided(session, "exclude_interval", items.late[2], starts_at=at(1), ends_at=at(30))


def _reassigned(session: Session, items: Items) -> None:
    _decided(session, "reassign", items.late[3], company_id=1)
    _hosted(session, items.late[3], 1, Basis.DECISION)


def _attributed_anew(session: Session, items: Items) -> None:
    company = Company(key="e", recorded_at=LATER)
    session.add(company)
    session.flush()
    _detail(session, company.id, "E")
    _hosted(session, items.late[4], company.id)


def _renamed(session: Session, items: Items) -> None:
    _detail(session, 2, "another name")


def _detail(session: Session, company: int, name: str) -> None:
    row = CompanyDetail(company_id=company, name=name, country="BE", proxy=True, review=False, recorded_at=LATER)
    session.add(row)


def _suspended(session: Session, items: Items) -> None:
    row = Suspension(content_id=None, starts_at=at(1), ends_at=at(20), pause="outage", reason="test")
    row.recorded_at = LATER
    session.add(row)


def _netblocks(session: Session, items: Items) -> None:
    session.add(NetblockTable(dated=at(0).date(), sha256="1" * 64, rows=0, recorded_at=LATER))


def _claim(session: Session, items: Items) -> None:
    session.add(CompanyClaim(company_id=1, claim=Claim.ASN, value="64496", recorded_at=LATER))


MOVES_FIGURES: dict[str, Later] = {
    "a delivery": _a_delivery,
    "the whole of a cut URL": _whole_url,
    "a notice withdrawn": _withdrawn,
    "a removal set": _removal_set,
    "an interval excluded": _interval_excluded,
    "an item reassigned": _reassigned,
    "an item of a new company": _attributed_anew,
    "a company renamed": _renamed,
    "a suspension of all": _suspended,
}
MOVES_NOTHING: dict[str, Later] = {"a table of networks": _netblocks, "a claim of the registry": _claim}
EVERYTHING = MOVES_FIGURES | MOVES_NOTHING
