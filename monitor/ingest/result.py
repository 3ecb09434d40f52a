"""The result of ingesting a delivery, for the command line and the API. It loads no parser: the site reads it too."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from monitor.ingest.checks import Finding, load_finding
from monitor.models.facts import Delivery
from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class IngestResult:
    """What became of a delivery; `repeated`: this very file had been ingested before, nothing was changed.
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
        reasons = [reason.as_json() for reason in self.reasons]
        return asdict(self) | {"warnings": list(self.warnings), "verdict": str(self.verdict), "reasons": reasons}


def result_of(delivery: Delivery) -> IngestResult:
    """The result of a delivery that was checked just now."""
    warnings = tuple(f"{code}: {count} rows" for code, count in sorted(delivery.warnings.items()))
    if not delivery.rows:
        warnings = ("no_rows: the delivery holds a header and nothing else",)
    return IngestResult(
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
        reasons=findings_of(delivery),
    )


def findings_of(delivery: Delivery) -> tuple[Finding, ...]:
    """What the checks found in a delivery."""
    return tuple(load_finding(stored) for stored in delivery.reasons)


def repeated_result(delivery: Delivery) -> IngestResult:
    """The result for a file that was ingested before, or is pending review."""
    since = delivery.received_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if delivery.verdict is Verdict.SUSPICIOUS:
        pending = f"it_waits: this file is delivery {delivery.id}, received {since}; it is pending review"
        return replace(result_of(delivery), warnings=(pending,), repeated=True)
    warning = f"already_taken_in: this file is delivery {delivery.id}, received {since}; nothing was changed"
    known = delivery.rows - sum(delivery.quarantined.values())
    result = replace(result_of(delivery), accepted=0, duplicate=known, contents_new=0, notices_new=0, sightings_new=0)
    return replace(result, warnings=(warning,), repeated=True)
