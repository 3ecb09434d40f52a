"""The quality gate: named rules that say whether a delivery counts, waits for a person, or is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

from monitor.ingest.reasons import Finding
from monitor.instants import DAY, HOUR, iso
from monitor.settings import Source
from monitor.thresholds import Thresholds
from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class Shape:
    """What one delivery is like. `companies`: notices to each; `known`, `repeated`: notices that earlier
    deliveries have of the time it covers, and how many of them it has too (None: not asked). `stopped`: so much was
    read of it, as it `is_lost`."""

    received_at: int
    rows: int
    quarantined: Mapping[str, int]
    unknown_columns: frozenset[str]
    notices: int | None = None
    days: int | None = None
    known: int | None = None
    repeated: int | None = None
    companies: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False

    @property
    def bad(self) -> int:
        """Rows in quarantine."""
        return sum(self.quarantined.values())


@dataclass(frozen=True)
class Conflict:
    """How many of the facts that can be compared contradict an earlier delivery; `hours`: by how much."""

    count: int
    of: int
    hours: int = 0


_NONE = Conflict(0, 0)


@dataclass(frozen=True)
class Conflicts:
    """The contradictions with earlier deliveries."""

    returned: Conflict = _NONE
    retimed: Conflict = _NONE
    notices_shifted: Conflict = _NONE
    sightings_shifted: Conflict = _NONE


@dataclass(frozen=True)
class Rejection:
    """A person refused this very file before."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True)
class Case:
    """What is judged: a delivery, those before it (newest first), and what its source is held to."""

    shape: Shape
    earlier: tuple[Shape, ...]
    source: Source
    conflicts: Conflicts = Conflicts()
    rejection: Rejection | None = None

    @property
    def limits(self) -> Thresholds:
        """The thresholds of the source."""
        return self.source.gate

    @property
    def has_history(self) -> bool:
        """Whether there is enough to compare with."""
        return len(self.earlier) >= self.limits.history_at_least


Numbers: TypeAlias = dict[str, int | float | str]
Rule: TypeAlias = Callable[[Case], Iterator[Finding]]


def judge(case: Case) -> tuple[Finding, ...]:
    """All that the rules find, the worst first; nothing where the delivery is as expected.

    Of one that was not read to its end only why it is refused: its other numbers are of a part of it.
    """
    found = [finding for rule in _RULES for finding in rule(case)]
    if case.shape.stopped:
        found = [finding for finding in found if finding.verdict is Verdict.REFUSED]
    return tuple(sorted(found, key=lambda finding: finding.verdict is not Verdict.REFUSED))


def is_lost(source: Source, rows: int, bad: int) -> bool:
    """Whether a delivery is refused whatever follows the rows that were read: no more of it need be.

    Only where the source has a maximum of rows: without one, good rows could still outweigh any number of bad ones.
    """
    most, limits = source.maximum_rows, source.gate
    if most is None:
        return False
    return rows > most or bad > max(limits.quarantined_refused * most, limits.shares_from_rows)


def verdict_on(findings: tuple[Finding, ...]) -> Verdict:
    """The worst of the findings."""
    return findings[0].verdict if findings else Verdict.OK


def _configured_rows(case: Case) -> Iterator[Finding]:
    """Rows outside minimum_rows..maximum_rows of the source: refused."""
    rows, source = case.shape.rows, case.source
    if rows < source.minimum_rows and not case.shape.stopped:
        yield Finding("below_minimum", Verdict.REFUSED, {"rows": rows, "minimum": source.minimum_rows})
    if source.maximum_rows is not None and rows > source.maximum_rows:
        yield Finding("above_maximum", Verdict.REFUSED, {"rows": rows, "maximum": source.maximum_rows})


def _stopped(case: Case) -> Iterator[Finding]:
    """Not read to its end."""
    if case.shape.stopped:
        yield Finding("reading_stopped", Verdict.REFUSED, {"rows": case.shape.rows})


def _expected_rows(case: Case) -> Iterator[Finding]:
    """Rows beyond the fewest or the most of recent deliveries, by more than twice the swing they show (as ratios)."""
    if not case.has_history:
        return
    limits, rows = case.limits, case.shape.rows
    recent = [shape.rows for shape in case.earlier]
    usual, fewest, most = median(recent), min(recent), max(recent)
    if usual < limits.judged_from_rows:
        return
    if rows < fewest * min(limits.least_rows, (fewest / usual) ** 2):
        yield _unusual("too_few_rows", rows, usual, fewest, len(recent))
    if rows > most * max(limits.most_rows, (most / usual) ** 2):
        yield _unusual("too_many_rows", rows, usual, most, len(recent))


def _unusual(rule: str, rows: int, usual: float, extreme: int, of: int) -> Finding:
    numbers = {"rows": rows, "expected": round(usual), "extreme": extreme, "of": of}
    return Finding(rule, Verdict.SUSPICIOUS, numbers)


def _expected_days(case: Case) -> Iterator[Finding]:
    """Fewer days with a notice than recent deliveries had, where they cover a week or more."""
    recent = [shape.days for shape in case.earlier if shape.days is not None]
    days = case.shape.days
    if not case.has_history or len(recent) < case.limits.history_at_least or days is None:
        return
    usual = median(recent)
    if usual >= case.limits.days_judged_from and days < case.limits.least_days * min(recent):
        numbers = {"days": days, "expected": round(usual), "of": len(recent)}
        yield Finding("too_few_days", Verdict.SUSPICIOUS, numbers)


def _order(case: Case) -> Iterator[Finding]:
    """Received long after the last delivery, or before it."""
    if not case.earlier:
        return
    last, limits = case.earlier[0].received_at, case.limits
    gap = case.shape.received_at - last
    if gap > max(limits.longest_gap_days * DAY, 10 * case.source.cadence_minutes * 60):
        longest = max(limits.longest_gap_days, case.source.cadence_minutes / 144)
        numbers: Numbers = {"days": round(gap / DAY, 1), "before": iso(last), "limit": round(longest, 1)}
        yield Finding("long_gap", Verdict.SUSPICIOUS, numbers)
    if gap < -limits.furthest_back_hours * HOUR:
        yield Finding("older_than_last", Verdict.SUSPICIOUS, {"hours": round(-gap / HOUR, 1), "before": iso(last)})


def _companies(case: Case) -> Iterator[Finding]:
    """A company without a notice that would have had many even at the smallest share it had of late."""
    notices = case.shape.notices or 0
    recent = [shape for shape in case.earlier if shape.notices]
    total = sum(shape.notices or 0 for shape in recent)
    counts = sum((Counter(shape.companies) for shape in recent), Counter[str]())
    for company in sorted(counts.keys() - case.shape.companies.keys()):
        usual = counts[company] / total
        large = [shape for shape in recent if usual * (shape.notices or 0) >= case.limits.expected_of_company]
        least = min((shape.companies.get(company, 0) / (shape.notices or 1) for shape in large), default=0.0)
        if len(large) >= case.limits.history_at_least and least * notices >= case.limits.expected_of_company:
            numbers: Numbers = {"company": company, "expected": round(usual * notices), "of": len(large)}
            yield Finding("company_missing", Verdict.SUSPICIOUS, numbers)


def _quarantine(case: Case) -> Iterator[Finding]:
    """A large share of rows that could not be read, or that hold values nobody knows."""
    shape, limits = case.shape, case.limits
    if shape.rows < limits.shares_from_rows:
        return
    share = shape.bad / shape.rows
    usual = median([0.0, *(e.bad / e.rows for e in case.earlier if e.rows)]) if case.earlier else 0.0
    numbers: Numbers = {
        "rows": shape.rows,
        "quarantined": shape.bad,
        "percent": _percent(share),
        "usually": _percent(usual),
    }
    if share > limits.quarantined_refused:
        yield Finding("quarantined", Verdict.REFUSED, numbers | {"reasons": _listed(shape.quarantined)})
    elif share > max(limits.quarantined_suspicious, 2 * usual):
        yield Finding("quarantined", Verdict.SUSPICIOUS, numbers | {"reasons": _listed(shape.quarantined)})
    unknown = {reason: count for reason, count in shape.quarantined.items() if reason.startswith("unknown_")}
    share = sum(unknown.values()) / shape.rows
    if share > max(limits.unknown_values, 2 * usual):
        numbers = {"rows": shape.rows, "count": sum(unknown.values()), "percent": _percent(share)}
        yield Finding("unknown_values", Verdict.SUSPICIOUS, numbers | {"reasons": _listed(unknown)})


def _columns(case: Case) -> Iterator[Finding]:
    """Several columns that are in no recent delivery and that nobody knows."""
    seen = frozenset[str]().union(*(shape.unknown_columns for shape in case.earlier))
    new = case.shape.unknown_columns - seen
    if case.earlier and len(new) > case.limits.unknown_columns:
        yield Finding("unknown_columns", Verdict.SUSPICIOUS, {"count": len(new)})


def _contradictions(case: Case) -> Iterator[Finding]:
    """Facts that contradict what earlier deliveries said of the same items."""
    limits, conflicts = case.limits, case.conflicts
    for rule, conflict, most in (
        ("returned", conflicts.returned, limits.returned),
        ("retimed", conflicts.retimed, limits.retimed),
        ("notices_shifted", conflicts.notices_shifted, limits.shifted),
        ("sightings_shifted", conflicts.sightings_shifted, limits.shifted),
    ):
        if conflict.count >= limits.contradicted_from and conflict.count > most * conflict.of:
            numbers: Numbers = {"count": conflict.count, "of": conflict.of}
            numbers["percent"] = _percent(conflict.count / conflict.of)
            numbers |= {"days": limits.returned_after_days} if rule == "returned" else {}
            numbers |= {"hours": conflict.hours} if rule.endswith("shifted") else {}
            yield Finding(rule, Verdict.SUSPICIOUS, numbers)


def _repetition(case: Case) -> Iterator[Finding]:
    """A source that repeats itself and now leaves most of what is known out."""
    shares = [s for s in map(_repeated_share, case.earlier) if s is not None]
    known, repeated, limits = case.shape.known, case.shape.repeated, case.limits
    if len(shares) < limits.history_at_least or not known or repeated is None or known < limits.judged_from_rows:
        return
    if median(shares) >= limits.repeated_usually and repeated < limits.repeated_at_least * known:
        numbers: Numbers = {"repeated": repeated, "known": known, "percent": _percent(repeated / known)}
        yield Finding("notices_vanished", Verdict.SUSPICIOUS, numbers | {"usually": _percent(median(shares))})


def _repeated_share(shape: Shape) -> float | None:
    return shape.repeated / shape.known if shape.known and shape.repeated is not None else None


def _rejected(case: Case) -> Iterator[Finding]:
    """The very file that a person refused: never taken without one."""
    if case.rejection:
        by, at, reason = case.rejection.by, iso(case.rejection.at), case.rejection.reason
        yield Finding("rejected_before", Verdict.SUSPICIOUS, {"by": by, "at": at, "reason": reason})


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


_RULES: tuple[Rule, ...] = (
    _configured_rows, _stopped, _expected_rows, _expected_days, _order, _companies, _quarantine, _columns,
    _contradictions, _repetition, _rejected,
)  # fmt: skip
