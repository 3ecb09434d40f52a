"""The answer to a delivery: what was taken in, what was known already, what was refused and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from monitor.models.facts import Delivery


@dataclass
class Tally:
    """Counts kept while a delivery is taken in. Every row is accepted, duplicate or quarantined."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    contents_new: int = 0
    notices_new: int = 0
    sightings_new: int = 0

    @property
    def rows(self) -> int:
        """All rows of the delivery, the header not counted."""
        return self.accepted + self.duplicate + sum(self.quarantined.values())


@dataclass(frozen=True)
class Answer:
    """What the deliverer is told; `repeated`: this very file had been taken in before, nothing was changed."""

    delivery: int
    sha256: str
    rows: int
    accepted: int
    duplicate: int
    quarantined: dict[str, int]
    contents_new: int
    notices_new: int
    sightings_new: int
    warnings: tuple[str, ...]
    repeated: bool = False

    def as_json(self) -> dict[str, Any]:
        """The stable keys of `monitor ingest --json`."""
        return {
            "delivery": self.delivery,
            "sha256": self.sha256,
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "contents_new": self.contents_new,
            "notices_new": self.notices_new,
            "sightings_new": self.sightings_new,
            "warnings": list(self.warnings),
            "repeated": self.repeated,
        }


def answer(delivery: Delivery) -> Answer:
    """The answer to a delivery that was taken in just now."""
    warnings = tuple(f"{code}: {count} rows" for code, count in sorted(delivery.warnings.items()))
    if not delivery.rows:
        warnings = ("no_rows: the delivery holds a header and nothing else",)
    return Answer(
        delivery.id,
        delivery.sha256,
        delivery.rows,
        delivery.accepted,
        delivery.duplicate,
        dict(delivery.quarantined),
        delivery.contents_new,
        delivery.notices_new,
        delivery.sightings_new,
        warnings,
    )


def repeated_answer(delivery: Delivery) -> Answer:
    """The answer to a file that had been taken in before."""
    since = delivery.received_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    warning = f"already_taken_in: this file is delivery {delivery.id}, received {since}; nothing was changed"
    known = delivery.rows - sum(delivery.quarantined.values())
    quarantined = dict(delivery.quarantined)
    sha = delivery.sha256
    return Answer(delivery.id, sha, delivery.rows, 0, known, quarantined, 0, 0, 0, (warning,), repeated=True)
