"""The relocation watch: resolves the host names of open items, by one DNS resolver and nothing else.

A host name is as secret as its URL: it is in memory while it is asked about, and in no log, message or table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
from sqlalchemy.orm import Session

from monitor.attribute.locate import AddressMatch, Locator, locator
from monitor.errors import ConfigurationError
from monitor.instants import to_datetime
from monitor.observe.deliver import Observation
from monitor.observe.items import OpenItem, last_addresses
from monitor.observe.memory import state_of
from monitor.observe.relocation import confirmed, country, located, move, proxies, standings
from monitor.settings import Source
from monitor.urls import NotAUrlError, address_of, parse_url
from monitor.vault import Vault
from monitor.vocabulary import State
from spiders.collection_run import CollectionRun
from spiders.observer import Observer, batches, conclude_and_deliver, paced, reported, start

SOURCE = Source(
    "relocation_watch",
    publisher="the monitor's own look at DNS",
    location="",  # the operator's: dns://127.0.0.1:53
    recheck_gap_hours=6,  # between two questions about one name
    cadence_minutes=60,
)
PAUSE = 0.2  # seconds between two names
_LIFETIME = 5.0  # seconds for an answer

Names: TypeAlias = dict[bytes, tuple[str, list[OpenItem]]]


@dataclass(frozen=True)
class Answer:
    """A name's addresses at an instant. A name that does not exist has none."""

    subject: bytes
    items: list[OpenItem]
    addresses: list[str]
    asked_at: int


def watch(run: CollectionRun, pause: float = PAUSE) -> bool:
    """Ask about each name that is due, and deliver which items moved to another company."""
    with reported(run):
        resolver = _resolver(run.source)
        names = _names(start(run, {}), run.vault)
        wait = paced(pause)
        asked = answered = 0
        for batch in batches(run, names):
            answers = []
            for subject in batch:
                wait()
                addresses = look_up(resolver, names[subject][0])
                if addresses is not None:
                    answers.append(Answer(subject, names[subject][1], addresses, run.now()))
            asked, answered = asked + len(batch), answered + len(answers)
            conclude_and_deliver(run, partial(_conclude, run, answers))
        if asked and not answered:
            run.outcome.refuse("the resolver", f"it answered none of {asked} questions")
    return True


OBSERVER = Observer(SOURCE, "location", watch)


def look_up(resolver: dns.resolver.Resolver, name: str) -> list[str] | None:
    """All IPv4 and IPv6 addresses of a name; none where it does not exist, None where no answer can be had."""
    addresses: list[str] = []
    for kind in ("A", "AAAA"):
        try:
            answer = resolver.resolve(name, kind, search=False, raise_on_no_answer=False, lifetime=_LIFETIME)
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.DNSException:  # its message would hold the name
            return None
        addresses += [record.address for record in answer.rrset or ()]
    return addresses


def _resolver(source: Source) -> dns.resolver.Resolver:
    """The configured resolver; what this machine resolves names with is not looked at."""
    parts = urlsplit(source.location)
    host = address_of(parts.hostname or "")
    if parts.scheme != "dns" or host is None:
        raise ConfigurationError(f"[sources.{source.name}]: location must be dns://ADDRESS:PORT, the address a number")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], parts.port or 53
    return resolver


def _names(items: Sequence[OpenItem], vault: Vault) -> Names:
    """By keyed digest each host name with its items. Where the host is an address there is no name to ask about."""
    names: Names = {}
    for item in items:
        host = _host(vault.open_text(item.url_sealed, item.key_version))
        if host is not None and address_of(host) is None:
            names.setdefault(vault.digest(host), (host, []))[1].append(item)
    return names


def _host(url: str) -> str | None:
    """The host of a URL; None of one that was stored before it had to be one of the web."""
    try:
        return parse_url(url).host
    except NotAUrlError:
        return None


def _conclude(run: CollectionRun, answers: list[Answer], session: Session) -> list[Observation]:
    """Which items moved; where each name lies is remembered for items whose notice gives no address."""
    now = to_datetime(run.now())
    places_of = _Places(locator(session, run.vault, now), now.date())
    hidden = proxies(session)
    contents = [item.content_id for answer in answers for item in answer.items]
    standing, before = standings(session, contents, now), _places_then(session, run.vault, places_of, contents)
    seen = []
    for answer in answers:
        places = places_of(answer.addresses)
        state = state_of(session, run.source.name, answer.subject)
        moves = []
        for item in answer.items:
            stands = standing.get(item.content_id)
            then = (stands.by_address if stands else None) or before.get(item.content_id) or state.company_id
            moved = move(stands, then, places, hidden)
            if moved:
                to = moved.place.company_id if moved.place else None
                where = None if to is None else country(session, to)
                moves.append(Observation(item.content_id, answer.asked_at, State.MOVED, where, moved.place))
        companies = located(places, hidden)
        if confirmed(state, now, elsewhere=bool(moves)):
            seen += moves
        elif not moves and len(companies) == 1:
            state.company_id = next(iter(companies))
    return seen


@dataclass
class _Places:
    """Where addresses lie today, or on another day."""

    locator: Locator
    today: date

    def __call__(self, addresses: list[str]) -> list[AddressMatch]:
        return self.locator.places([(address, self.today) for address in addresses])


def _places_then(session: Session, vault: Vault, places: _Places, contents: list[int]) -> dict[int, int | None]:
    """By item the company its address lay at when its last notice was sent."""
    sealed = last_addresses(session, contents)
    asked = [(vault.open_text(a.sealed, a.key_version), a.sent_at.date()) for a in sealed.values()]
    found = places.locator.places(asked)
    return {content: place.company_id for content, place in zip(sealed, found, strict=True)}
