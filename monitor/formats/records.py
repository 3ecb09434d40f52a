"""What every format parses to: frozen records, instants as whole seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.countries import Spellings
from monitor.sending import SendingHours
from monitor.vocabulary import Channel, DeliveryState, Kind, Pause, Role, State

# Why whole rows are refused that are about something which is measured nowhere: they do not count against a delivery.
NOT_COUNTED = frozenset({"not_content"})


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A notice that was sent (or tried); `address` is the IP the content stood on at that time."""

    sent_at: int
    kind: Kind = Kind.HOTLINE_NOTICE
    role: Role = Role.HOSTER
    delivery: DeliveryState = DeliveryState.ASSUMED
    channel: Channel = Channel.EMAIL
    recipient: str | None = None
    recipient_country: str | None = None
    recipient_email: str | None = None
    address: str | None = None
    reference: str | None = None
    deadline_hours: float | None = None


@dataclass(frozen=True, slots=True)
class SightingRecord:
    """The content was in `state` at `seen_at`; `pause` where the source says why it cannot tell."""

    seen_at: int
    state: State
    pause: Pause | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One row that was understood: the item it speaks of and what it says of it. `flags` become warnings.

    `file_number` is the source's own number of the item; with it `url` may be empty, in exports that have none.
    `first_notice` is the first notice to the hoster as the item's own record tells of it; `mail_known` says that the
    record knows of a first notice by mail, to whomever. `hash_hit_at` is when a hash service knew the content;
    `reported_at` when the source received a report of it, `classified_at` when it classified it as illegal.
    """

    line: int
    url: str
    truncated: bool = False
    notices: tuple[NoticeRecord, ...] = ()
    sightings: tuple[SightingRecord, ...] = ()
    flags: tuple[str, ...] = ()
    file_number: str | None = None
    first_notice: NoticeRecord | None = None
    mail_known: bool = False
    hash_hit_at: int | None = None
    reported_at: int | None = None
    classified_at: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was not: where, why, which column, and the row as it came (a secret)."""

    line: int
    reason: str
    column: str | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Context:
    """What a parser must be told about the delivery: when it came, the zone of its times, the recheck gap.

    `home_country`: the source's own, by its ISO 3166 code. `countries`: its own spellings of countries.
    `known_names`: names that the registry has, in their form as an alias; they may look like hosts. `sending`: when the
    source sends notices, where that is known.
    """

    received_at: int
    zone: str | None = None
    recheck_gap_seconds: int | None = None
    home_country: str = "NL"
    countries: Spellings = ()
    known_names: frozenset[str] = frozenset()
    sending: SendingHours | None = None
