"""What an operator may set for a source: the hours in which it sends, and the thresholds of the delivery checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from monitor.errors import ConfigurationError

# When a hotline sends its notices: not on free days, and not late on the day before one.

_ALL_DAY = "24:00"  # behind every time of a day
_SATURDAY = 5
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True)
class SendingHours:
    """`[sources.NAME.sending]` in monitor.toml, in the local time of the source; SCART's own settings by default.

    `latest_before_free_day`: the last minute in which a notice is sent on the day before a free one. `free_days`: days
    beside Saturdays and Sundays on which none is sent.
    """

    latest_before_free_day: str = "16:30"
    free_days: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ConfigurationError for what is no time or day."""
        if not isinstance(self.latest_before_free_day, str) or not _TIME.fullmatch(self.latest_before_free_day):
            raise ConfigurationError("latest_before_free_day must be a time such as 16:30")
        for day in self.free_days:
            try:
                date.fromisoformat(day)
            except (TypeError, ValueError) as error:
                raise ConfigurationError("free_days must be days such as 2026-12-25") from error

    def is_outside(self, local: str) -> bool:
        """Whether nothing is sent at a local time such as `2026-04-10 16:31:00`; False for what is no time."""
        return len(local) == 19 and local[11:16] > _latest(self, local[:10])


@lru_cache(maxsize=10_000)
def _latest(hours: SendingHours, day: str) -> str:
    """The last minute of sending on a day; nothing where there is none."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return _ALL_DAY
    if _is_free(hours, found):
        return ""
    return hours.latest_before_free_day if _is_free(hours, found + timedelta(days=1)) else _ALL_DAY


def _is_free(hours: SendingHours, day: date) -> bool:
    return day.weekday() >= _SATURDAY or day.isoformat() in hours.free_days


# The thresholds of the delivery checks: the defaults, and what each of them means.


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
