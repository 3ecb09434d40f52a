"""A small world of facts for tests of scoring: hours after a zero point instead of dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import ibis
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import HOUR, to_datetime
from monitor.models.company import Company, CompanyDetail
from monitor.models.facts import Attribution, Content, Correction, Delivery, Notice, Sighting, Site, Suspension
from monitor.score import engine as engines
from monitor.score.episodes import episodes
from monitor.score.facts import load_facts
from monitor.score.methods import Method, method
from monitor.vocabulary import Basis, Channel, DeliveryState, Kind, Role
from tests.conftest import Database

ZERO = 1_775_000_000 - 1_775_000_000 % (24 * HOUR)  # a midnight in UTC
ADDED = to_datetime(ZERO)


def at(hours: float) -> Any:
    """The moment that many hours after the zero point."""
    return to_datetime(ZERO + round(hours * HOUR))


@dataclass
class World:
    """Adds facts about contents of companies `a`, `b`, ... in one session."""

    session: Session
    companies: dict[str, int] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.session.add(
            Delivery(
                id=1, source="test", format="test", file_digest="0" * 64, received_at=ADDED, recorded_at=ADDED,
                zone="UTC", rows=0, accepted=0, duplicate=0, quarantined={}, warnings={}, contents_new=0, notices_new=0,
                sightings_new=0,
            )
        )  # fmt: skip
        self.session.flush()

    def company(self, name: str) -> int:
        if name not in self.companies:
            company = Company(key=name, recorded_at=ADDED)
            self.session.add(company)
            self.session.flush()
            self.companies[name] = company.id
            detail = CompanyDetail(company_id=company.id, name=name.upper(), country="NL", registration=None)
            detail.proxy, detail.review, detail.recorded_at = False, False, ADDED
            self.session.add(detail)
        return self.companies[name]

    def site(self) -> int:
        number = next(self.ids)
        self.session.add(Site(id=number, key_version=1, digest=number.to_bytes(32)))
        self.session.flush()
        return number

    def content(self, host: str | None = "a", site: int | None = None, since: float = 0.0, **given: Any) -> int:
        """A content item hosted by a company (None: nobody known) from `since` on."""
        number = next(self.ids)
        values: dict[str, Any] = {
            "id": number, "delivery_id": 1, "site_id": site or self.site(), "key_version": 1,
            "url_digest": number.to_bytes(32), "url_sealed": b"", "truncated": False, "stem_digest": None,
            "recorded_at": ADDED,
        }  # fmt: skip
        self.session.add(Content(**(values | given)))
        self.session.flush()
        self.hosted(number, host, since)
        return number

    def hosted(self, content: int, host: str | None, since: float) -> None:
        self.session.add(
            Attribution(
                id=next(self.ids), content_id=content, company_id=None if host is None else self.company(host),
                valid_from=at(since), basis=Basis.NONE if host is None else Basis.HOTLINE, recorded_at=ADDED,
            )
        )  # fmt: skip

    def notice(self, content: int, hours: float, **given: Any) -> int:
        number = next(self.ids)
        values: dict[str, Any] = {
            "id": number, "delivery_id": 1, "content_id": content, "sent_at": at(hours), "kind": Kind.HOTLINE_NOTICE,
            "recipient_role": Role.HOSTER, "channel": Channel.EMAIL, "delivery": DeliveryState.ASSUMED,
            "key_version": 1, "recorded_at": ADDED,
        }  # fmt: skip
        self.session.add(Notice(**(values | given)))
        return number

    def seen(self, content: int, hours: float, state: str, **given: Any) -> None:
        values: dict[str, Any] = {
            "id": next(self.ids), "delivery_id": 1, "content_id": content, "seen_at": at(hours), "state": state,
            "observer": "test", "recorded_at": ADDED,
        }  # fmt: skip
        self.session.add(Sighting(**(values | given)))

    def suspended(self, start: float, end: float | None, content: int | None = None, source: str | None = None) -> None:
        ends_at = None if end is None else at(end)
        row = Suspension(content_id=content, starts_at=at(start), ends_at=ends_at, pause="outage", reason="test")
        row.recorded_at, row.source = ADDED, source
        self.session.add(row)

    def corrected(self, decision: str, content: int, **given: Any) -> None:
        row = Correction(decision=decision, content_id=content, reason="test", decided_by="test", **given)
        row.recorded_at = given.get("recorded_at", ADDED)
        self.session.add(row)


@contextmanager
def world(database: Database) -> Iterator[World]:
    """Add facts, then commit them."""
    with transaction(database.engine) as session:
        yield World(session)


def episodes_of(database: Database, as_of: float, record: Method | None = None) -> list[dict[str, Any]]:
    """The episodes as plain rows, in the order of company and start; hours rounded to a thousandth."""
    engine = engines.connect("duckdb://")
    facts = load_facts(engine, database.url, 2**40)
    rows = episodes(facts, record or method(), ZERO + round(as_of * HOUR)).order_by(["company", "content", "start"])
    found = engine.to_pyarrow(rows.mutate(start_h=(ibis._.start - ZERO) / float(HOUR))).to_pylist()
    return [{k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()} for row in found]
