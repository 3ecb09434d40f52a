"""Local times without a zone, made into instants by a stated rule.

A time that occurs twice (autumn) is taken the way that shortens the exposure: a notice the later time, a
sighting the earlier. A time that does not exist (spring) is read with the offset before the change, as a clock
that was not yet put forward. Both are flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- arithmetic on wall-clock readings, the zone is added after
_EMPTY = ("", "0000-00-00 00:00:00")

AMBIGUOUS = "time_occurs_twice"
NONEXISTENT = "time_does_not_exist"

NO_TIME, NOT_PLAIN = -(2**50), -(2**60)  # far enough apart that no seconds make one of the other
_SECONDS = {f"{second:02}": second for second in range(60)} | {"": NO_TIME}
_NEVER = {"": 0, _EMPTY[1][:17]: NO_TIME}  # what stands in for the minute of no time
_MINUTES_KEPT = 200_000


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


class PlainTimes(dict[str, int]):
    """Reads many local times at once: of each minute (`2026-04-10 12:07:`, the key) the clock is asked once."""

    def __init__(self, clock: LocalClock) -> None:
        """For the times of one clock."""
        super().__init__(_NEVER)
        self._clock = clock

    def read(self, texts: Sequence[str]) -> list[int]:
        """The instant of each; NO_TIME for none; any other number below 0 where only the clock itself can tell."""
        if len(self) > _MINUTES_KEPT:
            self.clear()
            self.update(_NEVER)
        return [self[text[:17]] + _SECONDS.get(text[17:], NOT_PLAIN) for text in texts]

    def __missing__(self, minute: str) -> int:
        """Read a minute, and keep it."""
        try:
            instant, flag = self._clock.read(f"{minute}00")
        except BadTimeError:
            instant, flag = None, None
        self[minute] = NOT_PLAIN if instant is None or flag else instant
        return self[minute]


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
