"""The answer to a delivery: what was taken in, what was known already, what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.ingest.outcomes import Outcomes, untold
from monitor.ingest.reasons import Finding, finding_of
from monitor.instants import DAY
from monitor.models.facts import Delivery
from monitor.vocabulary import Verdict


@dataclass
class Tally:
    """Counts kept while a delivery is taken in. Every row is accepted, duplicate or quarantined.

    `notices` and the days (since the epoch, UTC) and times they were sent are of all rows, new or known; `companies`
    counts the new ones to hosters by the id of whose they are (None: nobody's). `stopped`: it was not read to its end.
    """

    accepted: int = 0
    duplicate: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    contents_new: int = 0
    notices_new: int = 0
    sightings_new: int = 0
    companies: Counter[int | None] = field(default_factory=Counter)
    notices: int = 0
    days: set[int] = field(default_factory=set)
    first_sent: int | None = None
    last_sent: int | None = None
    outcomes: Outcomes = untold
    stopped: bool = False

    def see(self, sent_at: Sequence[int]) -> None:
        """Count notices by when they were sent, which the gate compares with those of other deliveries."""
        self.notices += len(sent_at)
        self.days.update({at // DAY for at in sent_at})
        moments = [at for at in (self.first_sent, self.last_sent) if at is not None]
        moments += sent_at
        self.first_sent, self.last_sent = min(moments, default=None), max(moments, default=None)

    def measures(self) -> dict[str, Any]:
        """What the delivery keeps of that."""
        sent = {"first_sent": self.first_sent, "last_sent": self.last_sent}
        stopped = {"stopped": True} if self.stopped else {}
        return {"notices": self.notices, "days": len(self.days) or None, **sent, **stopped}

    @property
    def rows(self) -> int:
        """All rows of the delivery, the header not counted."""
        return self.accepted + self.duplicate + sum(self.quarantined.values())


@dataclass(frozen=True)
class Answer:
    """What the deliverer is told; `repeated`: this very file had been taken in before, nothing was changed.
    `sha256`: of the bytes that arrived, where they have just been read; it is not kept.

    Only what is ok counts. Where the verdict is another, the counts say what would have been stored.
    """

    delivery: int
    rows: int
    accepted: int
    duplicate: int
    quarantined: dict[str, int]
    contents_new: int
    notices_new: int
    sightings_new: int
    warnings: tuple[str, ...]
    repeated: bool = False
    verdict: Verdict = Verdict.OK
    reasons: tuple[Finding, ...] = ()
    sha256: str | None = None

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
            "verdict": str(self.verdict),
            "reasons": [reason.as_json() for reason in self.reasons],
        }


def answer(delivery: Delivery) -> Answer:
    """The answer to a delivery that was judged just now."""
    warnings = tuple(f"{code}: {count} rows" for code, count in sorted(delivery.warnings.items()))
    if not delivery.rows:
        warnings = ("no_rows: the delivery holds a header and nothing else",)
    return Answer(
        delivery.id,
        delivery.rows,
        delivery.accepted,
        delivery.duplicate,
        dict(delivery.quarantined),
        delivery.contents_new,
        delivery.notices_new,
        delivery.sightings_new,
        warnings,
        verdict=delivery.verdict,
        reasons=reasons_of(delivery),
    )


def repeated_answer(delivery: Delivery) -> Answer:
    """The answer to a file that had been taken in before, or waits."""
    since = delivery.received_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if delivery.verdict is Verdict.SUSPICIOUS:
        waits = f"it_waits: this file is delivery {delivery.id}, received {since}; it waits for a person"
        return replace(answer(delivery), warnings=(waits,), repeated=True)
    warning = f"already_taken_in: this file is delivery {delivery.id}, received {since}; nothing was changed"
    known = delivery.rows - sum(delivery.quarantined.values())
    told = replace(answer(delivery), accepted=0, duplicate=known, contents_new=0, notices_new=0, sightings_new=0)
    return replace(told, warnings=(warning,), repeated=True)


def reasons_of(delivery: Delivery) -> tuple[Finding, ...]:
    """What the gate found in a delivery."""
    return tuple(finding_of(stored) for stored in delivery.reasons)
