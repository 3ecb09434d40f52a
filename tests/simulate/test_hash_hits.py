"""What the hash service delivers: hits that are looked at again, by days that tell on time from late."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from numpy.random import PCG64, Generator

from monitor.simulate.scenario import COMPANIES
from monitor.simulate.truth import DELIVERED, Hits, fortnights, write_hits

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = date(2026, 1, 5)


def looks(folder: Path, plan: Hits) -> list[list[bool]]:
    """For each delivery of one Monday, which of the URLs it says are gone."""
    write_hits(folder, (plan,), (MONDAY,), Generator(PCG64(1)))
    files = sorted(folder.iterdir())
    return [["content_removed" in json.loads(line) for line in file.read_text().splitlines()] for file in files]


def test_a_delivery_for_each_look_named_by_when_it_comes(tmp_path: Path) -> None:
    assert write_hits(tmp_path, (Hits(COMPANIES[0], 2, 1, 1.0),), (MONDAY,), Generator(PCG64(1))) == len(DELIVERED)
    assert [file.name for file in sorted(tmp_path.iterdir())][:4] == [
        "20260105T080000Z-xarf.jsonl",
        "20260105T200000Z-xarf.jsonl",
        "20260106T070000Z-xarf.jsonl",
        "20260106T100000Z-xarf.jsonl",
    ]


def test_what_is_on_time_is_gone_at_a_look_within_a_day_of_the_hit(tmp_path: Path) -> None:
    """Sent at 7:30; the third look is at 7:00 on the next day."""
    first, *_, third, fourth, fifth, last = looks(tmp_path, Hits(COMPANIES[0], 20, 5, 1.0))
    assert not any(first)
    assert all(third)
    assert third == fourth == fifth == last


def test_what_is_late_is_seen_online_after_a_day_and_some_of_it_stays(tmp_path: Path) -> None:
    gone = looks(tmp_path, Hits(COMPANIES[0], 40, 5, 0.0, never=0.5))
    assert not any(gone[3])
    assert 10 < sum(gone[-1]) < 30


def test_every_fourteenth_day() -> None:
    assert fortnights(MONDAY, date(2026, 2, 3)) == (MONDAY, date(2026, 1, 19), date(2026, 2, 2))
