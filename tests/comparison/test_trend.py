"""The trend over quarters: what is missing shows as missing, and only certain changes are called so."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.comparison.decomposition import steps
from monitor.comparison.trend import (
    TrendPoint,
    a_year_before,
    company_trend,
    moved_beyond_doubt,
    network_trend,
    trend_csv,
    trend_json,
)
from monitor.comparison.trend_sentences import remarks
from monitor.disclosure.rows import PublicTable
from monitor.instants import is_quarter
from monitor.score.table import Share
from monitor.wording.language import EN, NL
from tests.support.plain_tables import SMALL, Counted, company, release

FIRST = release("2025Q3", company("a", 60, 12), company("b", 40, 20), *SMALL)
SECOND = release("2025Q4", company("a", 80, 12), Counted("b", 2, 4, 1, 5), *SMALL)
FOURTH = release("2026Q2", company("a", 90, 9), company("c", 40, 4), Counted("d", 4, 1, 2, 3))
OTHER = release("2026-03-11..2026-04-11", company("a", 60, 12))
NEW_METHOD = replace(FOURTH.method, version="2027.1")


def test_a_quarter_without_a_release_is_a_point_without_values() -> None:
    found = network_trend([FOURTH, OTHER, FIRST, SECOND])
    assert [point.period for point in found] == ["2025Q3", "2025Q4", "2026Q1", "2026Q2"]
    assert found[2] == TrendPoint("2026Q1")
    assert found[0].lenient == FIRST.network.lenient
    assert found[0].median_hours == 5.52  # 0.69 x the mean of the invented companies
    assert (found[0].episodes, found[0].partial) == (60 + 40 + 24, False)


def test_a_total_that_would_disclose_a_company_is_no_value() -> None:
    """In the fourth quarter one company is withheld alone: the total is told without it, its count not at all."""
    point = network_trend([FOURTH])[0]
    assert (point.partial, point.episodes) == (True, None)
    assert point.lenient is not None
    assert point.lenient.p == 1 - 13 / 130


def test_a_company_that_is_withheld_or_absent_has_no_values_and_the_trend_says_which() -> None:
    found = company_trend([FIRST, SECOND, FOURTH, OTHER], "b")
    assert found[0].lenient == Share(0.5, *shares_of(FIRST, "b"))
    assert found[1:] == (
        TrendPoint("2025Q4", "2026.1", below=10),
        TrendPoint("2026Q1"),
        TrendPoint("2026Q2", "2026.1"),
    )


def shares_of(table: PublicTable, key: str) -> tuple[float | None, float | None, float | None]:
    row = table.find(key)
    assert row is not None
    assert row.figures is not None
    found = row.figures.on_time.lenient
    return found.se, found.low, found.high


def test_there_is_no_trend_without_quarters() -> None:
    assert network_trend([]) == network_trend([OTHER]) == company_trend([OTHER], "a") == ()
    assert [is_quarter(period) for period in ("2026Q2", "2026Q5", "2026-03-11..2026-04-11", "2026Q2 ")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert a_year_before("2026Q1") == "2025Q1"


@given(st.sets(st.tuples(st.integers(1990, 2030), st.integers(1, 4)), min_size=1, max_size=6))
def test_quarters_are_unbroken_and_in_order(quarters: set[tuple[int, int]]) -> None:
    periods = [f"{year}Q{quarter}" for year, quarter in quarters]
    found = network_trend([replace(FIRST, period=period) for period in periods])
    numbers = [4 * int(point.period[:4]) + int(point.period[5]) for point in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {point.period for point in found if point.method} == set(periods)


def certain(p: float, low: float, high: float) -> Share:
    return Share(p, 0.01, low, high)


def limited(period: str, **limits: Share) -> PublicTable:
    return release(period, *(company(key, 100, 20) for key in limits), limits=limits)


def test_only_intervals_that_are_apart_count_as_moved() -> None:
    lower, middle, higher = certain(0.3, 0.2, 0.4), certain(0.5, 0.4, 0.6), certain(0.9, 0.85, 0.95)
    unknown = Share(0.1, None, None, 0.2)
    old = limited("2026Q1", worse=higher, better=lower, touches=middle, gone=lower, unknown=unknown)
    new = limited("2026Q2", worse=middle, better=higher, touches=certain(0.7, 0.6, 0.8), unknown=higher)
    found = moved_beyond_doubt(old, new)
    assert [(each.company, round(each.change, 6)) for each in found] == [("worse", -0.4), ("better", 0.6)]
    assert (found[0].before, found[0].after) == (higher, middle)


def test_who_has_no_rank_in_both_releases_moved_for_nobody() -> None:
    limits = {"few": certain(0.9, 0.85, 0.95)}
    old = release("2026Q1", company("few", 20, 2), company("a", 50, 5), limits=limits)
    new = release("2026Q2", company("few", 80, 70), company("a", 50, 5))
    assert moved_beyond_doubt(old, new) == ()


def test_nothing_moved_for_certain_where_the_method_changed() -> None:
    old, new = limited("2026Q1", a=certain(0.3, 0.2, 0.4)), limited("2026Q2", a=certain(0.8, 0.7, 0.9))
    assert len(moved_beyond_doubt(old, new)) == 1
    assert moved_beyond_doubt(old, replace(new, method=NEW_METHOD)) == ()


def test_the_reader_is_told_what_is_missing_and_what_changed() -> None:
    found = network_trend([FIRST, SECOND, replace(FOURTH, method=NEW_METHOD)])
    missing, partial, method = remarks(found, EN)
    assert missing == "No release: first quarter of 2026."
    assert partial.startswith("In 1 of 3 quarters the total leaves out the smallest companies.")
    assert method.startswith("From the second quarter of 2026 on, method 2027.1 was used; before that, method 2026.1.")
    assert remarks(network_trend([FIRST, SECOND]), NL) == ()


def test_the_files_have_a_line_for_each_quarter_with_the_step_that_ends_there() -> None:
    tables = [FIRST, SECOND, FOURTH]
    points, taken = network_trend(tables), steps(tables)
    lines = list(csv.DictReader(io.StringIO(trend_csv(points, taken))))
    assert [(line["period"], line["step_from"], line["step_basis"]) for line in lines] == [
        ("2025Q3", "", ""),
        ("2025Q4", "2025Q3", "network"),
        ("2026Q1", "", ""),
        ("2026Q2", "2025Q4", "named"),
    ]
    assert lines[1]["step_change"] == "0.1324469631"
    assert lines[2]["lenient_p"] == lines[0]["step_change"] == ""
    data = json.loads(json.dumps(trend_json(points, taken)))
    assert data["quarters"][2]["lenient"] is None
    assert [(step["from"], step["to"], step["obstacle"]) for step in data["steps"]] == [
        ("2025Q3", "2025Q4", None),
        ("2025Q4", "2026Q2", None),
    ]
    assert [each["company"] for each in data["steps"][0]["companies"]] == ["a"]
    assert set(lines[0]) >= {"median_hours", "outstanding", "step_behaviour_low", "step_late_by_volume"}


def test_a_step_that_cannot_be_split_says_why_in_the_files() -> None:
    taken = steps([FIRST, replace(FOURTH, method=NEW_METHOD)])
    data = trend_json((), taken)["steps"][0]
    assert (data["obstacle"], data["change"], data["companies"], data["basis"]) == ("method", None, None, None)
