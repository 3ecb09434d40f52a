"""Why a delivery does not simply count: a finding of the gate, its sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class Finding:
    """A rule that a delivery breaks, how bad that is, and the numbers of its sentence. Never holds a URL."""

    rule: str
    verdict: Verdict
    numbers: Mapping[str, int | float | str]

    @property
    def text(self) -> str:
        """The reason with its numbers."""
        return _RULES[self.rule].text.format(**self.numbers)

    @property
    def advice(self) -> str:
        """What the operator should look at."""
        return _RULES[self.rule].advice

    def as_json(self) -> dict[str, Any]:
        """As programs are told."""
        return {"rule": self.rule, "verdict": str(self.verdict), "text": self.text, "numbers": dict(self.numbers)}

    def stored(self) -> dict[str, Any]:
        """As the database keeps it: the numbers, so that it can be said in any language."""
        return asdict(self) | {"verdict": str(self.verdict)}


def finding_of(stored: Mapping[str, Any]) -> Finding:
    """The finding that was stored."""
    return Finding(stored["rule"], Verdict(stored["verdict"]), stored["numbers"])


@dataclass(frozen=True)
class _Rule:
    text: str
    advice: str


_RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "below_minimum": _Rule(
            "too few rows: {rows:,}, at least {minimum:,} expected",
            "ask for the whole export; or lower minimum_rows of the source",
        ),
        "above_maximum": _Rule(
            "too many rows: {rows:,}, at most {maximum:,} expected",
            "see whether it is the right export; or raise maximum_rows of the source",
        ),
        "reading_stopped": _Rule(
            "reading stopped after {rows:,} rows: whatever follows, it is refused",
            "the counts are of the rows that were read; whatever follows them was not looked at",
        ),
        "too_few_rows": _Rule(
            "rows {rows:,}, expected about {expected:,} (median of the last {of}; the fewest was {extreme:,})",
            "ask whether the export was cut off or filtered",
        ),
        "too_many_rows": _Rule(
            "rows {rows:,}, expected about {expected:,} (median of the last {of}; the most was {extreme:,})",
            "ask whether it is the right export; what is known already does no harm",
        ),
        "too_few_days": _Rule(
            "days with a notice {days:,}, expected about {expected:,} (median of the last {of})",
            "ask whether the export was cut off or filtered by date",
        ),
        "long_gap": _Rule(
            "{days:,} days since the delivery before, received {before}; at most {limit:,} expected",
            "find out what was exported in between and take that in first",
        ),
        "older_than_last": _Rule(
            "received {hours:,} hours before the last one, which is of {before}",
            "check --received-at or the time in its name; a late file that is genuine can be accepted",
        ),
        "company_missing": _Rule(
            "no notice to {company}, expected about {expected:,} (it was never missing from the last {of})",
            "ask whether the export leaves someone out; look for a changed name in `monitor attribute`",
        ),
        "quarantined": _Rule(
            "{quarantined:,} of {rows:,} rows could not be read ({percent} %; usually {usually} %): {reasons}",
            "the export may have changed its form, or be damaged; compare it with an earlier one",
        ),
        "unknown_values": _Rule(
            "{count:,} of {rows:,} rows hold a value nobody knows ({percent} %): {reasons}",
            "the source may have a new version: its format needs the new words",
        ),
        "unknown_columns": _Rule(
            "{count} new columns that nobody knows",
            "the source may have a new version: see what it says now and where",
        ),
        "returned": _Rule(
            "{count:,} of {of:,} items said to be online were said gone more than {days:,} days before ({percent} %)",
            "ask whether this is an old export; real returns are few",
        ),
        "retimed": _Rule(
            "{count:,} of {of:,} notices about known items bear the number of an earlier one and another time "
            "({percent} %)",
            "ask what changed the times; until then both would count as sent",
        ),
        "notices_shifted": _Rule(
            "{count:,} of {of:,} notices about known items are exactly {hours:+d} h off an earlier one ({percent} %)",
            "check the zone of the source (--zone) and its change of summer time",
        ),
        "sightings_shifted": _Rule(
            "{count:,} of {of:,} sightings of known items are exactly {hours:+d} h off an earlier one ({percent} %)",
            "check the zone of the source (--zone) and its change of summer time",
        ),
        "notices_vanished": _Rule(
            "it repeats {repeated:,} of {known:,} notices known of its time ({percent} %; usually {usually} %)",
            "ask what happened to the others: they are not taken back by being left out",
        ),
        "rejected_before": _Rule(
            "{by} rejected this very file on {at}: {reason}",
            "whoever accepts it now overrules that decision",
        ),
    }
)
RULES = frozenset(_RULES)
