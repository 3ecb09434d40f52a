"""Local times: many at once are read as each by itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.formats import rows
from monitor.formats.rows import NO_TIME, BadTimeError, LocalClock, PlainTimes

CLOCKS = [LocalClock(zone) for zone in ("Europe/Amsterdam", "Australia/Lord_Howe", "UTC")]
# around both changes of the clock in 2025 (Lord Howe: by half an hour), and the epoch
_DAYS = ["2025-03-30", "2025-10-26", "2025-04-06", "2025-10-05", "2026-04-10", "1970-01-01", "2026-02-29", "0000-00-00"]
_TIMES = st.builds(
    "{} {:02}:{:02}:{:02}".format, st.sampled_from(_DAYS), st.integers(0, 24), st.integers(0, 60), st.integers(0, 60)
)
_CUT = st.builds(lambda text, end: text[:end], _TIMES, st.integers(0, 19))
_ODD = st.sampled_from(["", "0000-00-00 00:00:00", "2026-04-10 12:00:0 ", "2026-04-10 12:00:+1", "2026-4-10 012:00:00"])

_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def alone(clock: LocalClock, text: str) -> tuple[int | None, str | None] | None:
    """What the clock says of one text, None where it says nothing."""
    try:
        return clock.read(text)
    except BadTimeError:
        return None


def test_times_read_at_once() -> None:
    times = PlainTimes(CLOCKS[0])
    texts = ["2026-04-10 12:07:25", "2026-01-10 12:07:25", "", "0000-00-00 00:00:00", "2026-04-10 12:07:26"]
    assert times.read(texts) == [1775815645, 1768043245, NO_TIME, NO_TIME, 1775815646]
    assert all(
        at < 0 for at in times.read(["2025-10-26 02:30:00", "2025-03-30 02:30:00", "yesterday", "2026-04-10 12:07"])
    )


@settings(max_examples=300)
@given(st.sampled_from(CLOCKS), st.lists(_TIMES | _CUT | _ODD, max_size=20))
def test_a_time_is_read_at_once_only_where_the_clock_has_nothing_to_add(clock: LocalClock, texts: list[str]) -> None:
    for text, at in zip(texts, PlainTimes(clock).read(texts), strict=True):
        said = alone(clock, text)
        if at == NO_TIME:
            assert said == (None, None)
        elif at >= 0:
            assert said == (at, None)
        elif _USUAL.fullmatch(text):
            assert said is None or said[1] is not None or said == (at, None)


def test_only_so_many_minutes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_MINUTES_KEPT", 10)
    times = PlainTimes(CLOCKS[2])
    for hour in range(24):
        assert times.read([f"2026-04-10 {hour:02}:{minute:02}:01" for minute in range(5)])[0] % 3600 == 1
        assert len(times) <= 15
    assert times.read(["", "0000-00-00 00:00:00"]) == [NO_TIME, NO_TIME]
