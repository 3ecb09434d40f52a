"""The thresholds of the delivery checks: the defaults, and what each of them means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """The limits of the gate; a source has its own under `[sources.NAME.gate]` in `monitor.toml`.

    Shares lie between 0 and 1. "Recent" are the last `history` deliveries of the same source and format that count.
    The defaults were set on what must pass: four simulated hotlines whose exports of six hours hold 1 to 4,370 rows
    (nights, weekends, Easter, a quarter of growth), and a real feed of a whole month delivered twice in four hours.
    """

    history: int = 28  # a week of exports every six hours: a comparison that has seen no weekend is none
    history_at_least: int = 8  # with fewer, only the rules apply that compare with nothing
    judged_from_rows: int = 100  # what is expected to be smaller than this swings too much to be judged
    shares_from_rows: int = 10  # below this a share says nothing: each bad row is in quarantine anyway
    # Rows: a steady source may halve, or grow fourfold, against the extremes of its recent deliveries. One that swings
    # may go twice as far beyond an extreme, as a ratio, as that lies from the median. Seen: 2 rows after 57 to 3,386.
    least_rows: float = 0.5
    most_rows: float = 4.0
    # Days with a notice, where recent deliveries cover a week or more.
    least_days: float = 0.5
    days_judged_from: int = 7
    longest_gap_days: float = 10.0  # a hotline closes for the days around Christmas; seen: 5.25 days
    furthest_back_hours: float = 24.0  # files of one day that are ingested out of order are nobody's mistake
    # Notices a company would have at the smallest share it had of late. Independent notices would miss it once in e^20
    # deliveries. Its mean share is not enough: notices fall together, and where 26 were expected, none came twice in a
    # simulated quarter.
    expected_of_company: float = 20.0
    quarantined_suspicious: float = 0.05  # and more than twice what is usual
    quarantined_refused: float = 0.5
    unknown_values: float = 0.02
    unknown_columns: int = 3  # columns nobody knew, more than this and in no recent delivery
    # Contradictions with earlier deliveries: of the facts that can be compared, and not fewer than `contradicted_from`.
    contradicted_from: int = 20
    returned: float = 0.2  # of the items said online, those an earlier delivery said were gone long before
    returned_after_days: float = 7.0
    retimed: float = 0.05  # notices with the number of an earlier one and another time
    shifted: float = 0.2  # times exactly one or two hours off an earlier one: daylight saving, or the wrong zone
    repeated_usually: float = 0.8  # where recent deliveries repeat that share of the notices known before ...
    repeated_at_least: float = 0.5  # ... this one must repeat at least this
