"""Local times without a zone, made into instants by a stated rule.

A time that occurs twice (autumn) is taken the way that shortens the exposure: a notice the later time, a
sighting the earlier. A time that does not exist (spring) is read with the offset before the change, as a clock
that was not yet put forward. Both are flagged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- arithmetic on wall-clock readings, the zone is added after
_EMPTY = ("", "0000-00-00 00:00:00")

AMBIGUOUS = "time_occurs_twice"
NONEXISTENT = "time_does_not_exist"


class BadTimeError(ValueError):
    """The text is no `Y-m-d H:i:s` that exists in the calendar."""


class LocalClock:
    """Reads `2026-04-10 12:07:25` as wall-clock time of one zone."""

    def __init__(self, zone: str) -> None:
        """A clock of an IANA zone."""
        self._zone = ZoneInfo(zone)
        self._offsets = lru_cache(maxsize=100_000)(self._find_offsets)

    def read(self, text: str, *, later: bool = False) -> tuple[int | None, str | None]:
        """The instant, and a flag where the time was ambiguous or non-existent; (None, None) for no time."""
        if text in _EMPTY:
            return None, None
        earlier_offset, later_offset, flag = self._offsets(text[:15])
        wall = _wall_seconds(text)
        return wall - (later_offset if later else earlier_offset), flag

    def _find_offsets(self, ten_minutes: str) -> tuple[int, int, str | None]:
        """Offsets from UTC in seconds (giving the earlier and the later instant) within ten minutes."""
        wall = _EPOCH.fromtimestamp(_wall_seconds(f"{ten_minutes}0:00"), UTC).replace(tzinfo=self._zone)
        first, second = (round(_offset(wall.replace(fold=fold))) for fold in (0, 1))
        if first == second:
            return first, first, None
        if first < second:  # the gap in spring: fold 0 carries the offset before the change
            return first, first, NONEXISTENT
        return first, second, AMBIGUOUS


def _offset(moment: datetime) -> float:
    offset = moment.utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _wall_seconds(text: str) -> int:
    try:
        if len(text) != 19 or text[10] != " ":
            raise BadTimeError
        day = _day_seconds(text[:10])
        hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    except ValueError:
        raise BadTimeError("not a time such as 2026-04-10 12:07:25") from None
    if text[13] != ":" or text[16] != ":" or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise BadTimeError("not a time such as 2026-04-10 12:07:25")
    return day + hour * 3600 + minute * 60 + second


@lru_cache(maxsize=10_000)
def _day_seconds(day: str) -> int:
    return int((datetime.strptime(day, "%Y-%m-%d") - _EPOCH).total_seconds())  # noqa: DTZ007
