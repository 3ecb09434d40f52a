"""When a hotline sends its notices: not on free days, and not late on the day before one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from monitor.errors import ConfigurationError

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
