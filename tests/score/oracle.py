"""Section 2 of the method read as loops over time: what the one expression for all engines must equal.

Written from the words of docs/method.md and for reading, not for speed. Instants are whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from hypothesis.vendor.pretty import RepresentationPrinter

from monitor.instants import DAY, HOUR
from monitor.score.methods import Method

UNATTRIBUTED = 0
FOREVER = 2**40


@dataclass(frozen=True)
class Content:
    """A URL; `stem` names what a cut URL and the whole ones that begin with it have in common."""

    id: int
    truncated: bool = False
    stem: str | None = None
    recorded_at: int = 0


@dataclass(frozen=True)
class Notice:
    """A notice, sent at `t`."""

    id: int
    content: int
    t: int
    kind: str = "hotline_notice"
    recipient: str = "hoster"
    delivery: str = "assumed"
    deadline_hours: float | None = None
    recorded_at: int = 0


@dataclass(frozen=True)
class Sighting:
    """What was seen at `t`; with a `pause`, why nobody could look."""

    content: int
    t: int
    state: str
    pause: str | None = None
    recorded_at: int = 0


@dataclass(frozen=True)
class Attribution:
    """Who hosts the content from `valid_from` on; a larger id was recorded later."""

    id: int
    content: int
    company: int
    valid_from: int
    recorded_at: int = 0


@dataclass(frozen=True)
class Suspension:
    """The clock stood still from `a` to `b` (None: still does), for one content item or (None) for all."""

    content: int | None
    a: int
    b: int | None
    recorded_at: int = 0


@dataclass(frozen=True)
class Correction:
    """A decision on an item: on a `notice` (None: on all about it), on the time from `a` to `b`, on removal at `a`."""

    decision: str
    content: int
    notice: int | None = None
    a: int = 0
    b: int | None = None
    recorded_at: int = 0


@dataclass(frozen=True)
class World:
    """All facts, in no order that means anything."""

    contents: tuple[Content, ...] = ()
    notices: tuple[Notice, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def __repr__(self) -> str:
        return f"World of {len(self.contents)} items"

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would print every fact


@dataclass(frozen=True)
class Episode:
    """One exposure; hours on the company's own clock, None where it did not happen, nor is a destination named."""

    content: int
    company: int
    start: int
    last_online_h: float
    first_offline_h: float | None
    relocated_h: float | None
    destination_company: int | None
    followed_h: float
    deadline_h: float
    notices: int
    reappeared: bool
    unverified: bool
    notice_days: int = 0  # from here on since method 2026.2
    gone_before_notice: bool = False
    wall_h: float = 0.0
    since_online_h: float = 0.0


class What(IntEnum):
    """What can happen, in the order in which things of the same second count."""

    NOTICE = 0
    ONLINE = 1
    REAPPEARING = 2  # seen offline, but online again soon
    GONE = 3  # a notice was sent, and the item was offline already
    REMOVAL = 4
    RELOCATION = 5


@dataclass(frozen=True)
class Event:
    """Something that happened while this company hosted the item; `deadline_h` of a notice, `to` of a departure."""

    t: int
    what: What
    deadline_h: float = 0.0
    to: int | None = None


Fact = TypeVar("Fact", Notice, Sighting, Attribution, Suspension, Correction)


def known(world: World, known_at: int = FOREVER) -> World:
    """What was recorded by then: each fact at the item it is about, and withdrawn notices left out."""
    recorded = {f.name: [x for x in getattr(world, f.name) if x.recorded_at <= known_at] for f in fields(World)}
    contents: list[Content] = recorded["contents"]
    item = {content.id: _item(content, contents) for content in contents}

    def placed(facts: Sequence[Fact]) -> tuple[Fact, ...]:
        return tuple(replace(f, content=item[f.content]) for f in facts if f.content is not None and f.content in item)

    general = tuple(s for s in recorded["suspensions"] if s.content is None)
    corrections = placed(recorded["corrections"])
    excluded = [Suspension(c.content, c.a, c.b) for c in corrections if c.decision == "exclude_interval"]
    return World(
        tuple(content for content in contents if item[content.id] == content.id),
        tuple(n for n in placed(recorded["notices"]) if n.recipient == "hoster" and not _withdrawn(n, corrections)),
        placed(recorded["sightings"]),
        placed(recorded["attributions"]),
        (*general, *placed(recorded["suspensions"]), *excluded),
        tuple(c for c in corrections if c.decision == "set_removal"),
    )


def _item(content: Content, contents: Sequence[Content]) -> int:
    """A cut URL is the one whole URL that begins with it, where there is exactly one."""
    whole = [c.id for c in contents if not c.truncated and c.stem == content.stem and c.stem is not None]
    return whole[0] if content.truncated and len(whole) == 1 else content.id


def _withdrawn(notice: Notice, corrections: Sequence[Correction]) -> bool:
    decided = [c for c in corrections if c.decision == "withdraw_notice" and c.content == notice.content]
    return any(c.notice in (None, notice.id) for c in decided)


def episodes(world: World, as_of: int, method: Method, known_at: int = FOREVER) -> list[Episode]:
    """Every episode begun by `as_of`, from what was known at `known_at`; by content, company and start."""
    facts, found = known(world, known_at), []
    for content in facts.contents:
        item = about(facts, content.id)
        found += [
            _episode(content.id, company, events, pauses_of(item, as_of), as_of, method)
            for company in {a.company for a in item.attributions}
            for events in _exposures(_events(item, company, as_of, method))
        ]
    return sorted(found, key=lambda e: (e.content, e.company, e.start))


def about(facts: World, content: int) -> World:
    """The facts about one item, among them what holds for all."""
    return World(
        tuple(c for c in facts.contents if c.id == content),
        tuple(n for n in facts.notices if n.content == content),
        tuple(s for s in facts.sightings if s.content == content),
        tuple(a for a in facts.attributions if a.content == content),
        tuple(s for s in facts.suspensions if s.content in (None, content)),
        tuple(c for c in facts.corrections if c.content == content),
    )


def host(item: World, t: int) -> int | None:
    """Who hosted the item at `t`; of several valid from one moment, the one recorded last. None: nothing said yet."""
    said = [a for a in item.attributions if a.valid_from <= t]
    return max(said, key=lambda a: (a.valid_from, a.id)).company if said else None


def _departures(item: World, company: int) -> list[tuple[int, int | None]]:
    """When hosting passed from this company to another known one, and to which."""
    changes = sorted({a.valid_from for a in item.attributions})
    hosts = [(host(item, before), host(item, t), t) for before, t in pairwise(changes)]
    return [(t, new) for old, new, t in hosts if old == company and new != company and UNATTRIBUTED not in (old, new)]


def _events(item: World, company: int, as_of: int, method: Method) -> list[Event]:
    """What happened to the item up to `as_of` while this company hosted it, in order."""
    notices = [n for n in item.notices if n.delivery in ("delivered", "assumed") and n.kind in method.scored_kinds]
    first = min((a.valid_from for a in item.attributions), default=0) if method.competing_risks else 0
    seen = [s for s in item.sightings if s.t <= as_of and host(item, max(s.t, first)) == company]
    online = [s.t for s in seen if s.state == "online"]
    events = [Event(n.t, What.NOTICE, n.deadline_hours or method.deadlines_hours[n.kind]) for n in notices]
    events += [Event(t, What.ONLINE) for t in online]
    for sighting in seen:
        if sighting.state == "offline":
            soon = any(sighting.t < t <= sighting.t + method.reappear_within for t in online)
            events.append(Event(sighting.t, What.REAPPEARING if soon else What.REMOVAL))
        if sighting.state == "moved":
            events.append(Event(sighting.t, What.RELOCATION))
    events += [Event(c.a, What.REMOVAL) for c in item.corrections]
    here = [e for e in events if e.t <= as_of and host(item, max(e.t, first) if e.what in _SEEN else e.t) == company]
    here += [Event(t, What.RELOCATION, to=new) for t, new in _departures(item, company) if t <= as_of]
    here += _gone(here, method) if method.competing_risks else []
    return sorted(here, key=lambda event: (event.t, event.what))


_SEEN = (What.ONLINE, What.REAPPEARING, What.REMOVAL)


def _gone(events: Sequence[Event], method: Method) -> list[Event]:
    """Where the last thing known before a notice was a removal, and the item is not seen online soon after it."""
    states = [e for e in events if e.what in (What.ONLINE, What.REMOVAL, What.RELOCATION)]
    return [
        Event(t, What.GONE)
        for t in {e.t for e in events if e.what is What.NOTICE}
        if (before := [e for e in states if e.t < t])
        and max(before, key=lambda e: (e.t, e.what)).what is What.REMOVAL
        and not any(e.what is What.ONLINE and t <= e.t <= t + method.reappear_within for e in events)
    ]


def _exposures(events: Sequence[Event]) -> Iterator[list[Event]]:
    """From each first notice to the removal or relocation after it; the last may have no end."""
    exposure: list[Event] = []
    for event in events:
        if exposure or event.what is What.NOTICE:
            exposure.append(event)
        if exposure and event.what in (What.GONE, What.REMOVAL, What.RELOCATION):
            yield exposure
            exposure = []
    if exposure:
        yield exposure


def _episode(
    content: int, company: int, events: list[Event], pauses: Sequence[tuple[int, int]], as_of: int, method: Method
) -> Episode:
    start, end = events[0].t, events[-1]
    last_online = max([start, *(e.t for e in events if e.what is What.ONLINE)])
    notices = [e for e in events if e.what is What.NOTICE]
    removed = end.what in (What.GONE, What.REMOVAL)
    ended = removed or end.what is What.RELOCATION
    return Episode(
        content,
        company,
        start,
        clock(start, last_online, pauses),
        clock(start, end.t, pauses) if removed else None,
        clock(start, end.t, pauses) if end.what is What.RELOCATION else None,
        end.to,
        clock(start, end.t if ended else as_of, pauses) + (as_of - end.t if ended else 0) / float(HOUR),
        min(n.deadline_h for n in notices if n.t == start),
        len(notices),
        any(e.what is What.REAPPEARING for e in events),
        not ended and as_of - last_online > method.stale_after,
        *(_more(notices, end, as_of, last_online) if method.competing_risks else ()),
    )


def _more(notices: Sequence[Event], end: Event, as_of: int, last_online: int) -> tuple[int, bool, float, float]:
    """On how many days it was noticed, whether it was gone before, and its age by the wall clock, in hours."""
    days, start = {n.t // DAY for n in notices}, notices[0].t
    return len(days), end.what is What.GONE, (as_of - start) / float(HOUR), (as_of - last_online) / float(HOUR)


def pauses_of(item: World, as_of: int) -> list[tuple[int, int]]:
    """From..to in which the item's clock stood still; where a source could not look, from the check before (that one
    itself, where there is none) to the check after (`as_of`, where there is none yet). They may overlap."""
    checks = [s.t for s in item.sightings if s.t <= as_of]
    doubtful = [s.t for s in item.sightings if s.t <= as_of and s.pause]
    unseen = [
        (max([c for c in checks if c < t], default=t), min([c for c in checks if c > t], default=as_of))
        for t in doubtful
    ]
    return unseen + [(s.a, as_of if s.b is None else s.b) for s in item.suspensions]


def clock(start: int, end: int, pauses: Sequence[tuple[int, int]]) -> float:
    """Hours from `start` to `end`, less those in any pause."""
    edges = {t for pause in pauses for t in pause if start < t < end}
    pieces = pairwise(sorted({start, end} | edges))
    return sum(b - a for a, b in pieces if not any(p <= a and b <= q for p, q in pauses)) / float(HOUR)


def verdict(episode: Episode) -> str | None:
    """`on time`, `late` or `undetermined`; None: its deadline has not passed yet."""
    if episode.followed_h < episode.deadline_h:
        return None
    if episode.last_online_h > episode.deadline_h:
        return "late"
    in_time = episode.first_offline_h is not None and episode.first_offline_h <= episode.deadline_h
    return "on time" if in_time else "undetermined"
