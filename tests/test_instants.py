"""Times with a zone: one reader for every format and for the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MonitorError
from monitor.instants import NotATimeError, iso, parse_instant, read_instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-04-10T12:07:25Z", "2026-04-10T12:07:25Z"),
        ("2026-04-10t12:07:25z", "2026-04-10T12:07:25Z"),
        ("2026-04-10 12:07:25Z", "2026-04-10T12:07:25Z"),
        ("2026-04-10 12:07:25 UTC", "2026-04-10T12:07:25Z"),
        ("2026-04-10 12:07:25 GMT", "2026-04-10T12:07:25Z"),
        ("2026-04-10T12:07:25+02:00[Europe/Amsterdam]", "2026-04-10T10:07:25Z"),
        ("2026-04-10T12:07Z[Etc/GMT+1][u-ca=gregory]", "2026-04-10T12:07:00Z"),
        ("2026-04-10T12:07:25\u221203:30", "2026-04-10T15:37:25Z"),
        ("2026-04-10T12:07:25+02:00", "2026-04-10T10:07:25Z"),
        ("2026-04-10T12:07:25+0200", "2026-04-10T10:07:25Z"),
        ("2026-04-10 12:07:25+02", "2026-04-10T10:07:25Z"),
        ("2026-04-10 12:07:25 +0200", "2026-04-10T10:07:25Z"),
        ("2026-04-10T12:07:25-03:30", "2026-04-10T15:37:25Z"),
        ("2026-04-10T12:07:25-00:00", "2026-04-10T12:07:25Z"),
        ("2026-04-10T23:30:00-01", "2026-04-11T00:30:00Z"),
        ("2026-04-10T12:07:25.999999999Z", "2026-04-10T12:07:25Z"),
        ("2026-04-10T12:07:25,5+02", "2026-04-10T10:07:25Z"),
        ("2026-04-10T12:07Z", "2026-04-10T12:07:00Z"),
        ("20260410T120725Z", "2026-04-10T12:07:25Z"),
        ("20260410T1207+02", "2026-04-10T10:07:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
    ],
)
def test_every_variant_that_can_mean_one_thing_only(text: str, instant: str) -> None:
    assert iso(read_instant(text)) == instant
    assert iso(parse_instant(text)) == instant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-04-10T12:07:25", "time_without_zone"),
        ("2026-04-10 12:07", "time_without_zone"),
        ("2026-04-10T12:07:25[Europe/Amsterdam]", "time_without_zone"),  # which may occur twice
        ("2026-04-10T12:07:25+02:00[!Europe/Amsterdam]", "not_a_time"),
        ("20260410T120725", "time_without_zone"),
        ("2026-04-10", "not_a_time"),
        ("2026-04-10Z", "not_a_time"),
        ("2026-04-10T12Z", "not_a_time"),
        ("2026-04-10T12:0725Z", "not_a_time"),
        ("2026-0410T12:07:25Z", "not_a_time"),
        ("26-04-10T12:07:25Z", "not_a_time"),
        ("10-04-2026 12:07:25Z", "not_a_time"),
        ("2026-04-10T24:00:00Z", "not_a_time"),
        ("2026-04-10T12:07:60Z", "not_a_time"),
        ("2026-02-30T12:07:25Z", "not_a_time"),
        ("2026-04-10T12:07:25+24:00", "not_a_time"),
        ("2026-04-10T12:07:25+02:60", "not_a_time"),
        ("2026-04-10T12:07:25+2", "not_a_time"),
        ("2026-04-10T12:07:25.Z", "not_a_time"),
        ("2026-04-10T12:07:25 CET", "not_a_time"),
        ("2026-04-10  12:07:25Z", "not_a_time"),
        ("2026-04-10T12:07:25Z\n", "not_a_time"),
        ("٢٠٢٦-04-10T12:07:25Z", "not_a_time"),
        ("2026-W15-5T12:07:25Z", "not_a_time"),
        ("2026-100T12:07:25Z", "not_a_time"),
        ("1775815645", "not_a_time"),
        ("46122.505", "not_a_time"),
        ("", "not_a_time"),
    ],
)
def test_what_could_mean_something_else_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NotATimeError, match=f"^{reason}$"):
        read_instant(text)


def test_a_date_alone_is_its_first_second_on_the_command_line() -> None:
    assert iso(parse_instant("2026-04-10")) == "2026-04-10T00:00:00Z"
    with pytest.raises(MonitorError, match="has no zone: end it in Z"):
        parse_instant("2026-04-10T12:07:25")
    with pytest.raises(MonitorError, match="is not an ISO 8601 time that exists"):
        parse_instant("2026-02-30")


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 -- the zone is drawn beside it
    st.integers(-23 * 60, 23 * 60),
)
def test_what_python_writes_is_read_as_it_was(wall: datetime, minutes: int) -> None:
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = int(moment.timestamp() // 1)
    assert read_instant(moment.isoformat()) == expected
    assert read_instant(moment.isoformat(" ")) == expected
    assert read_instant(moment.strftime("%Y%m%dT%H%M%S%z")) == expected
    assert read_instant(moment.astimezone(UTC).isoformat().replace("+00:00", "z")) == expected
