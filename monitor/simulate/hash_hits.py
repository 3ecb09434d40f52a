"""Writes what a hash service finds by fingerprints, as XARF: the hits of a day, and what is left of them later."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.instants import HOUR, iso, to_datetime
from monitor.simulate.hours import midnight

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from numpy.random import Generator

    from monitor.simulate.companies import Company

# Hours after midnight UTC of the day of the hits. All are online in the first; two looks are within 24 hours of the
# hit, the next just after them.
DELIVERED = (8, 20, 31, 34, 79, 247)
_IN_TIME = 3  # the first look that is not
_SENT = 7 * HOUR + HOUR // 2
_SEEN_BEFORE = HOUR // 2
_SERVICE = {"org": "Example Hash Service", "contact": "notices@hashservice.example", "domain": "hashservice.example"}


@dataclass(frozen=True)
class Hits:
    """What the service finds at a company on each of its days: so many URLs on so many sites, and how fast they go."""

    company: Company
    items: int
    sites: int
    on_time: float
    never: float = 0.1


def fortnights(first: date, last: date) -> tuple[date, ...]:
    """Every fourteenth day from the first to the last."""
    return tuple(first + timedelta(days=14 * n) for n in range((last - first).days // 14 + 1))


def write_hits(folder: Path, plans: tuple[Hits, ...], days: tuple[date, ...], rng: Generator) -> int:
    """A delivery for each look at the hits of each day; gives the number of files."""
    for day in days:
        found = [(plan, number, _look_it_is_gone(plan, rng)) for plan in plans for number in range(plan.items)]
        for look, hours in enumerate(DELIVERED):
            at = midnight(day) + hours * HOUR
            lines = (json.dumps(_report(plan, day, number, at, gone=look >= gone)) for plan, number, gone in found)
            path = folder / f"{to_datetime(at):%Y%m%dT%H%M%SZ}-xarf.jsonl"
            path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return len(days) * len(DELIVERED)


def _look_it_is_gone(plan: Hits, rng: Generator) -> int:
    """At which delivery one of its URLs is gone; beyond the last: at none."""
    if rng.random() < plan.on_time:
        return int(rng.integers(1, _IN_TIME))
    return len(DELIVERED) if rng.random() < plan.never else int(rng.integers(_IN_TIME + 1, len(DELIVERED)))


def _report(plan: Hits, day: date, number: int, at: int, *, gone: bool) -> dict[str, Any]:
    place, site = f"{day:%m%d}{plan.company.index:03d}{number:03d}", number % plan.sites
    seen = {"content_removed": True} if gone else {"verified_at": iso(at - _SEEN_BEFORE)}
    return {
        "xarf_version": "4.2.0",
        "report_id": f"00000000-0000-4000-8000-{day:%y}{place}",
        "timestamp": iso(midnight(day) + _SENT),
        "reporter": _SERVICE,
        "sender": _SERVICE,
        "source_identifier": plan.company.ipv4(1 + site % 6),
        "category": "content",
        "type": "csam",
        "url": f"https://h{plan.company.index:02d}{site:03d}.example/{day:%y}{place}",
        "classification": "A1",
        "detection_method": "hash_match",
        "media_type": "image",
        "hosting_provider": plan.company.name,
        **seen,
    }
