"""Delivery checks: named rules that say whether a delivery counts, is pending review, or is refused, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from types import MappingProxyType
from typing import Any, TypeAlias

from monitor.formats.records import NOT_COUNTED
from monitor.ingest.stats import CheckInput, DeliveryStats
from monitor.instants import DAY, HOUR, iso
from monitor.settings import Source
from monitor.vocabulary import Verdict

Numbers: TypeAlias = dict[str, int | float | str]


@dataclass(frozen=True)
class Finding:
    """A rule that a delivery breaks, how bad that is, and the numbers of its sentence. Never holds a URL."""

    rule: str
    verdict: Verdict
    numbers: Mapping[str, int | float | str]

    @property
    def text(self) -> str:
        """The reason with its numbers."""
        return _SENTENCES[self.rule].text.format(**self.numbers)

    @property
    def advice(self) -> str:
        """What the operator should look at."""
        return _SENTENCES[self.rule].advice

    def as_json(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return {"rule": self.rule, "verdict": str(self.verdict), "text": self.text, "numbers": dict(self.numbers)}

    def serialise(self) -> dict[str, Any]:
        """For the database: the numbers, from which the sentence is made in any language."""
        return asdict(self) | {"verdict": str(self.verdict)}


def load_finding(stored: Mapping[str, Any]) -> Finding:
    """The finding that `serialise` gave."""
    return Finding(stored["rule"], Verdict(stored["verdict"]), stored["numbers"])


Check: TypeAlias = Callable[[CheckInput], Iterator[Finding]]


def check_delivery(given: CheckInput) -> tuple[Finding, ...]:
    """All that the rules find, the worst first; nothing where the delivery is as expected.

    Of one that was not read to its end only why it is refused: its other numbers are of a part of it.
    """
    found = [finding for check in _CHECKS for finding in check(given)]
    if given.stats.stopped:
        found = [finding for finding in found if finding.verdict is Verdict.REFUSED]
    return tuple(sorted(found, key=lambda finding: finding.verdict is not Verdict.REFUSED))


def is_certainly_refused(source: Source, rows: int, bad: int) -> bool:
    """Whether a delivery is refused whatever follows the rows that were read: no more of it need be.

    Only where the source has a maximum of rows: without one, good rows could still outweigh any number of bad ones.
    """
    most, limits = source.maximum_rows, source.gate
    if most is None:
        return False
    return rows > most or bad > max(limits.quarantined_refused * most, limits.shares_from_rows)


def worst_verdict(findings: tuple[Finding, ...]) -> Verdict:
    """The worst of the findings."""
    return findings[0].verdict if findings else Verdict.OK


def _configured_rows(given: CheckInput) -> Iterator[Finding]:
    """Rows outside minimum_rows..maximum_rows of the source: refused."""
    rows, source = given.stats.rows, given.source
    if rows < source.minimum_rows and not given.stats.stopped:
        yield Finding("below_minimum", Verdict.REFUSED, {"rows": rows, "minimum": source.minimum_rows})
    if source.maximum_rows is not None and rows > source.maximum_rows:
        yield Finding("above_maximum", Verdict.REFUSED, {"rows": rows, "maximum": source.maximum_rows})


def _stopped(given: CheckInput) -> Iterator[Finding]:
    """Not read to its end."""
    if given.stats.stopped:
        yield Finding("reading_stopped", Verdict.REFUSED, {"rows": given.stats.rows})


def _expected_rows(given: CheckInput) -> Iterator[Finding]:
    """Rows beyond the fewest or the most of recent deliveries, by more than twice the swing they show (as ratios)."""
    if not given.has_history:
        return
    limits, rows = given.limits, given.stats.rows
    recent = [stats.rows for stats in given.earlier]
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


def _expected_days(given: CheckInput) -> Iterator[Finding]:
    """Fewer days with a notice than recent deliveries had, where they cover a week or more."""
    recent = [stats.days for stats in given.earlier if stats.days is not None]
    days = given.stats.days
    if not given.has_history or len(recent) < given.limits.history_at_least or days is None:
        return
    usual = median(recent)
    if usual >= given.limits.days_judged_from and days < given.limits.least_days * min(recent):
        numbers = {"days": days, "expected": round(usual), "of": len(recent)}
        yield Finding("too_few_days", Verdict.SUSPICIOUS, numbers)


def _order(given: CheckInput) -> Iterator[Finding]:
    """Received long after the last delivery, or before it."""
    if not given.earlier:
        return
    last, limits = given.earlier[0].received_at, given.limits
    gap = given.stats.received_at - last
    if gap > max(limits.longest_gap_days * DAY, 10 * given.source.cadence_minutes * 60):
        longest = max(limits.longest_gap_days, given.source.cadence_minutes / 144)
        numbers: Numbers = {"days": round(gap / DAY, 1), "before": iso(last), "limit": round(longest, 1)}
        yield Finding("long_gap", Verdict.SUSPICIOUS, numbers)
    if gap < -limits.furthest_back_hours * HOUR:
        yield Finding("older_than_last", Verdict.SUSPICIOUS, {"hours": round(-gap / HOUR, 1), "before": iso(last)})


def _companies(given: CheckInput) -> Iterator[Finding]:
    """A company without a notice that would have had many even at the smallest share it had of late."""
    notices = given.stats.notices or 0
    recent = [stats for stats in given.earlier if stats.notices]
    total = sum(stats.notices or 0 for stats in recent)
    counts = sum((Counter(stats.companies) for stats in recent), Counter[str]())
    for company in sorted(counts.keys() - given.stats.companies.keys()):
        usual = counts[company] / total
        large = [stats for stats in recent if usual * (stats.notices or 0) >= given.limits.expected_of_company]
        least = min((stats.companies.get(company, 0) / (stats.notices or 1) for stats in large), default=0.0)
        if len(large) >= given.limits.history_at_least and least * notices >= given.limits.expected_of_company:
            numbers: Numbers = {"company": company, "expected": round(usual * notices), "of": len(large)}
            yield Finding("company_missing", Verdict.SUSPICIOUS, numbers)


def _quarantine(given: CheckInput) -> Iterator[Finding]:
    """A large share of rows that could not be read, or that hold values nobody knows."""
    stats, limits = given.stats, given.limits
    if stats.judged < limits.shares_from_rows:
        return
    share = stats.bad / stats.judged
    usual = median([0.0, *(e.bad / e.judged for e in given.earlier if e.judged)]) if given.earlier else 0.0
    counted = {reason: count for reason, count in stats.quarantined.items() if reason not in NOT_COUNTED}
    numbers: Numbers = {
        "rows": stats.judged,
        "quarantined": stats.bad,
        "percent": _percent(share),
        "usually": _percent(usual),
    }
    if share > limits.quarantined_refused:
        yield Finding("quarantined", Verdict.REFUSED, numbers | {"reasons": _listed(counted)})
    elif share > max(limits.quarantined_suspicious, 2 * usual):
        yield Finding("quarantined", Verdict.SUSPICIOUS, numbers | {"reasons": _listed(counted)})
    unknown = {reason: count for reason, count in stats.quarantined.items() if reason.startswith("unknown_")}
    share = sum(unknown.values()) / stats.judged
    if share > max(limits.unknown_values, 2 * usual):
        numbers = {"rows": stats.judged, "count": sum(unknown.values()), "percent": _percent(share)}
        yield Finding("unknown_values", Verdict.SUSPICIOUS, numbers | {"reasons": _listed(unknown)})


def _columns(given: CheckInput) -> Iterator[Finding]:
    """Several columns that are in no recent delivery and that nobody knows."""
    seen = frozenset[str]().union(*(stats.unknown_columns for stats in given.earlier))
    new = given.stats.unknown_columns - seen
    if given.earlier and len(new) > given.limits.unknown_columns:
        yield Finding("unknown_columns", Verdict.SUSPICIOUS, {"count": len(new)})


def _contradictions(given: CheckInput) -> Iterator[Finding]:
    """Facts that contradict what earlier deliveries said of the same items."""
    limits, conflicts = given.limits, given.conflicts
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


def _repetition(given: CheckInput) -> Iterator[Finding]:
    """A source that repeats itself and now leaves most of what is known out."""
    shares = [s for s in map(_repeated_share, given.earlier) if s is not None]
    known, repeated, limits = given.stats.known, given.stats.repeated, given.limits
    if len(shares) < limits.history_at_least or not known or repeated is None or known < limits.judged_from_rows:
        return
    if median(shares) >= limits.repeated_usually and repeated < limits.repeated_at_least * known:
        numbers: Numbers = {"repeated": repeated, "known": known, "percent": _percent(repeated / known)}
        yield Finding("notices_vanished", Verdict.SUSPICIOUS, numbers | {"usually": _percent(median(shares))})


def _repeated_share(stats: DeliveryStats) -> float | None:
    return stats.repeated / stats.known if stats.known and stats.repeated is not None else None


def _rejected(given: CheckInput) -> Iterator[Finding]:
    """The very file that a person refused: never taken without one."""
    if given.rejection:
        by, at, reason = given.rejection.by, iso(given.rejection.at), given.rejection.reason
        yield Finding("rejected_before", Verdict.SUSPICIOUS, {"by": by, "at": at, "reason": reason})


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


_CHECKS: tuple[Check, ...] = (
    _configured_rows, _stopped, _expected_rows, _expected_days, _order, _companies, _quarantine, _columns,
    _contradictions, _repetition, _rejected,
)  # fmt: skip


@dataclass(frozen=True)
class _Sentence:
    text: str
    advice: str


_SENTENCES: Mapping[str, _Sentence] = MappingProxyType(
    {
        "below_minimum": _Sentence(
            "too few rows: {rows:,}, at least {minimum:,} expected",
            "ask for the whole export; or lower minimum_rows of the source",
        ),
        "above_maximum": _Sentence(
            "too many rows: {rows:,}, at most {maximum:,} expected",
            "see whether it is the right export; or raise maximum_rows of the source",
        ),
        "reading_stopped": _Sentence(
            "reading stopped after {rows:,} rows: whatever follows, it is refused",
            "the counts are of the rows that were read; whatever follows them was not looked at",
        ),
        "too_few_rows": _Sentence(
            "rows {rows:,}, expected about {expected:,} (median of the last {of}; the fewest was {extreme:,})",
            "ask whether the export was cut off or filtered",
        ),
        "too_many_rows": _Sentence(
            "rows {rows:,}, expected about {expected:,} (median of the last {of}; the most was {extreme:,})",
            "ask whether it is the right export; what is known already does no harm",
        ),
        "too_few_days": _Sentence(
            "days with a notice {days:,}, expected about {expected:,} (median of the last {of})",
            "ask whether the export was cut off or filtered by date",
        ),
        "long_gap": _Sentence(
            "{days:,} days since the delivery before, received {before}; at most {limit:,} expected",
            "find out what was exported in between and ingest that first",
        ),
        "older_than_last": _Sentence(
            "received {hours:,} hours before the last one, which is of {before}",
            "check --received-at or the time in its name; a late file that is genuine can be accepted",
        ),
        "company_missing": _Sentence(
            "no notice to {company}, expected about {expected:,} (it was never missing from the last {of})",
            "ask whether the export leaves someone out; look for a changed name in `monitor attribute`",
        ),
        "quarantined": _Sentence(
            "{quarantined:,} of {rows:,} rows could not be read ({percent} %; usually {usually} %): {reasons}",
            "the export may have changed its form, or be damaged; compare it with an earlier one",
        ),
        "unknown_values": _Sentence(
            "{count:,} of {rows:,} rows hold a value nobody knows ({percent} %): {reasons}",
            "the source may have a new version: its format needs the new words",
        ),
        "unknown_columns": _Sentence(
            "{count} new columns that nobody knows",
            "the source may have a new version: see what it says now and where",
        ),
        "returned": _Sentence(
            "{count:,} of {of:,} items said to be online were said gone more than {days:,} days before ({percent} %)",
            "ask whether this is an old export; real returns are few",
        ),
        "retimed": _Sentence(
            "{count:,} of {of:,} notices about known items bear the number of an earlier one and another time "
            "({percent} %)",
            "ask what changed the times; until then both would count as sent",
        ),
        "notices_shifted": _Sentence(
            "{count:,} of {of:,} notices about known items are exactly {hours:+d} h off an earlier one ({percent} %)",
            "check the zone of the source (--zone) and its change of summer time",
        ),
        "sightings_shifted": _Sentence(
            "{count:,} of {of:,} sightings of known items are exactly {hours:+d} h off an earlier one ({percent} %)",
            "check the zone of the source (--zone) and its change of summer time",
        ),
        "notices_vanished": _Sentence(
            "it repeats {repeated:,} of {known:,} notices known of its time ({percent} %; usually {usually} %)",
            "ask what happened to the others: they are not taken back by being left out",
        ),
        "rejected_before": _Sentence(
            "{by} rejected this very file on {at}: {reason}",
            "whoever accepts it now overrules that decision",
        ),
    }
)
RULES = frozenset(_SENTENCES)
