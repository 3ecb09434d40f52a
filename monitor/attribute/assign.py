"""Attribution as of the notice: decision, hotline's recipient, domain rule, registry prefix, ASN, in that order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from monitor.attribute.locate import AddressMatch, Locator, locator
from monitor.db import insert_columns, lock_writers, next_identifier, rows_where, table_of
from monitor.identities import Families, families_of, require_one_scheme, site_now
from monitor.instants import DAY, to_datetime, to_instant
from monitor.models.facts import Attribution, Content, Correction, Notice, Site
from monitor.names import names_nobody
from monitor.vault import Vault
from monitor.vocabulary import Basis, Claim, Decision, Role

_BATCH = 2000
_ANSWERS_KEPT = 10_000

Timeline: TypeAlias = list[tuple[int, int | None, int | None]]  # from when, which company, contradicted by which
Decided: TypeAlias = list[tuple[int | None, int | None, int | None]]  # from when, until when, which company


class HosterNotices(NamedTuple):
    """Notices to hosters by columns, with all that says which company each is to; `address` stays in memory.

    `url_sealed` under `key_version` is opened only where the registry claims a name below the item's site.
    `known`: contents that were there before, all of these among them; of a new one nothing can have been said yet.
    """

    content_id: Sequence[int]
    sent_at: Sequence[int]
    recipient: Sequence[str | None]
    recipient_digest: Sequence[bytes | None]
    site_digest: Sequence[bytes]
    url_sealed: Sequence[bytes]
    key_version: Sequence[int]
    address: Sequence[str | None]
    known: Collection[int]


Attribute: TypeAlias = Callable[[HosterNotices], Iterable[int | None]]  # the company of each notice


class Verdict(NamedTuple):
    """Whose it is, on which basis (a word of `Basis`), and whom another basis names instead."""

    company_id: int | None
    basis: str
    other_company_id: int | None = None
    netblock_table_id: int | None = None


Judged: TypeAlias = tuple[int, int, Verdict]  # of a content, from when


@dataclass
class Attributor:
    """Attributes batches of notices within the caller's transaction."""

    session: Session
    vault: Vault
    recorded_at: datetime
    locator: Locator
    changed: int = 0  # how many attributions were appended

    def __post_init__(self) -> None:
        """Few notices differ in the day and whom they went to: each such question is asked once."""
        self._company_of_recipient = lru_cache(_ANSWERS_KEPT)(self._recipient)
        self._company_of_hosts = lru_cache(_ANSWERS_KEPT)(self._domain)

    def attribute(self, notices: HosterNotices) -> list[Verdict]:
        """Append what differs from the attributions in force; the verdict on each notice. At least one is asked for."""
        known = set(notices.content_id).intersection(notices.known)
        verdicts = list(self._verdicts(notices, known))
        rows = self._differing(list(zip(notices.content_id, notices.sent_at, verdicts, strict=True)), known)
        self._insert(rows)
        self.changed += len(rows)
        return verdicts

    def _verdicts(self, notices: HosterNotices, known: set[int]) -> Iterator[Verdict]:
        days = [_day_number(at // DAY) for at in notices.sent_at]
        return map(
            lru_cache(maxsize=None)(_verdict),  # few notices differ in what all four answer
            self._decided(notices.content_id, notices.sent_at, known),
            map(self._company_of_recipient, notices.recipient, notices.recipient_digest, days),
            map(self._company_of_hosts, self._hosts(notices), days),
            self.locator.places(list(zip(notices.address, days, strict=True))),
        )

    def _differing(self, rows: list[Judged], known: set[int]) -> list[Judged]:
        """Those that say something else than what is in force, or than nothing."""
        if not known and len({row[0] for row in rows}) == len(rows):
            return rows
        families = families_of(self.session, known)
        in_force, differing = self._in_force(known, families), []
        for content, at, verdict in rows:
            timeline = in_force[families.item(content)]
            if _differs(timeline, at, verdict):
                timeline.append((at, verdict.company_id, verdict.other_company_id))
                differing.append((content, at, verdict))
        return differing

    def _decided(self, contents: Sequence[int], sent: Sequence[int], known: set[int]) -> Iterable[int | None]:
        """The company that a person decided on for each notice."""
        families = families_of(self.session, known)
        decided = self._decisions(known, families)
        if not decided:
            return repeat(None, len(contents))
        return (_decision(decided.get(families.item(content)), at) for content, at in zip(contents, sent, strict=True))

    def _recipient(self, name: str | None, digest: bytes | None, day: date) -> int | None:
        """The company the hotline wrote to; one that nobody knows becomes a company of its own, for review.

        None for a text that names nobody, and for a name that may be of several companies.
        """
        if not name or names_nobody(name):
            return None
        directory = self.locator.directory
        found = directory.names.find(name, day)
        if found.company is None and digest and (company := directory.company(Claim.ABUSE_ADDRESS, digest, day)):
            return company
        return found.company if found.company is not None or found.ambiguous else self.locator.recipient(name)

    def _hosts(self, notices: HosterNotices) -> Iterator[tuple[bytes, ...]]:
        """Of each notice the digests of the names a domain rule may be for: the longest first, its site last."""
        divided = self.locator.directory.divided
        sealed = zip(notices.site_digest, notices.url_sealed, notices.key_version, strict=True)
        return (self.vault.digest_hosts(url, key) if site in divided else (site,) for site, url, key in sealed)

    def _domain(self, hosts: tuple[bytes, ...], day: date) -> int | None:
        found = (self.locator.directory.company(Claim.DOMAIN, host, day) for host in hosts)
        return next((company for company in found if company is not None), None)

    def _in_force(self, contents: set[int], families: Families) -> dict[int, Timeline]:
        """By item what was said of it, in the order in which it was recorded."""
        columns = ("id", "content_id", "valid_from", "company_id", "other_company_id")
        timeline: dict[int, Timeline] = defaultdict(list)
        found = rows_where(self.session, table_of(Attribution), columns, "content_id", families.all_of(contents))
        for _, content, *entry in sorted(found, key=itemgetter(0)):
            timeline[families.item(content)].append((entry[0], entry[1], entry[2]))
        return timeline

    def _decisions(self, contents: set[int], families: Families) -> dict[int, Decided]:
        """By item whom a person decided that it belongs to."""
        columns = ("id", "content_id", "decision", "starts_at", "ends_at", "company_id")
        decided: dict[int, Decided] = defaultdict(list)
        found = rows_where(self.session, table_of(Correction), columns, "content_id", families.all_of(contents))
        for _, content, decision, *entry in sorted(found, key=itemgetter(0)):
            if decision == Decision.REASSIGN:
                decided[families.item(content)].append((entry[0], entry[1], entry[2]))
        return decided

    def _insert(self, rows: Sequence[Judged]) -> None:
        if not rows:
            return
        contents, instants, verdicts = zip(*rows, strict=True)
        companies, bases, others, tables = zip(*verdicts, strict=True)
        start = next_identifier(self.session, table_of(Attribution))
        each = {
            "id": range(start, start + len(rows)),
            "content_id": contents,
            "valid_from": instants,
            "company_id": companies,
            "basis": bases,
            "other_company_id": others,
            "netblock_table_id": tables,
        }
        insert_columns(self.session, table_of(Attribution), each, {"recorded_at": to_instant(self.recorded_at)})


def attribute_notices(
    session: Session, vault: Vault, recorded_at: datetime, contents: Collection[int] | None = None
) -> int:
    """(Re)attribute all notices to hosters, or those about some contents; returns how many attributions changed.

    Raises MonitorError where sites have digests of an earlier scheme, by which no claim on a domain is found.
    """
    lock_writers(session)
    require_one_scheme(session, "attributing all notices")
    attributor = Attributor(session, vault, recorded_at, locator(session, vault, recorded_at))
    for batch in _batches(session, vault, contents):
        attributor.attribute(batch)
    return attributor.changed


def attribute_as_stored(session: Session, vault: Vault, recorded_at: datetime) -> Attribute:
    """Attributes notices while their delivery is being stored; registry and tables are read for the first of them."""

    @cache
    def attributor() -> Attributor:
        return Attributor(session, vault, recorded_at, locator(session, vault, recorded_at))

    return lambda notices: (verdict.company_id for verdict in attributor().attribute(notices))


def _batches(session: Session, vault: Vault, contents: Collection[int] | None) -> Iterator[HosterNotices]:
    last, query = 0, _notices()
    query = query if contents is None else query.where(Notice.content_id.in_(sorted(contents)))
    while batch := session.execute(query.where(Notice.id > last)).all():
        last = batch[-1].id
        yield _hoster_notices(vault, batch)


def _hoster_notices(vault: Vault, rows: Sequence[Row[Any]]) -> HosterNotices:
    _, contents, sent, names, digests, versions, sealed, sites, urls, keys = zip(*rows, strict=True)
    addresses = [vault.open_text(told, key) if told else None for told, key in zip(sealed, versions, strict=True)]
    instants = list(map(to_instant, sent))
    return HosterNotices(contents, instants, names, digests, sites, urls, keys, addresses, set(contents))


def _notices() -> Select[*tuple[Any, ...]]:
    """To hosters. One that was withdrawn, because another tells of the same sending, has no say."""
    withdrawn = select(Correction.id).where(
        Correction.decision == Decision.WITHDRAW_NOTICE, Correction.notice_id == Notice.id
    )
    return (
        select(
            Notice.id, Notice.content_id, Notice.sent_at, Notice.recipient, Notice.recipient_digest,
            Notice.key_version, Notice.address_sealed, Site.digest, Content.url_sealed,
            Content.key_version.label("url_key"),
        )
        .join(Content, Content.id == Notice.content_id)
        .join(Site, Site.id == site_now())
        .where(Notice.recipient_role == Role.HOSTER, ~withdrawn.exists())
        .order_by(Notice.id)
        .limit(_BATCH)
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _day_number(number: int) -> date:
    return to_datetime(number * DAY).date()


def _verdict(decision: int | None, recipient: int | None, domain: int | None, place: AddressMatch) -> Verdict:
    """The first that names a company, and the first after it that names another."""
    ranked = (
        (decision, Basis.DECISION), (recipient, Basis.HOTLINE), (domain, Basis.DOMAIN_RULE),
        (place.company_id, place.basis),
    )  # fmt: skip
    table = place.netblock_table_id
    named: int | None = None
    on = Basis.NONE
    for company, basis in ranked:
        if named is None and company is not None:
            named, on = company, basis
        elif company is not None and company != named:
            return Verdict(named, str(on), None if on is Basis.DECISION else company, table)
    return Verdict(named, str(on), None, table)


def _differs(timeline: Timeline, at: int, verdict: Verdict) -> bool:
    """Whether the attribution in force at `at` says something else than the verdict, or nothing."""
    best: tuple[int, int | None, int | None] | None = None
    for entry in timeline:  # in the order of their ids, so that the last is as `Attribution.precedence` has it
        if entry[0] <= at and (best is None or entry[0] >= best[0]):
            best = entry
    return best is None or best[1:] != (verdict.company_id, verdict.other_company_id)


def _decision(decided: Decided | None, at: int) -> int | None:
    for start, end, company in reversed(decided or ()):
        if (start is None or start <= at) and (end is None or at < end):
            return company
    return None
