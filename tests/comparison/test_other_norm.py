"""The ranking under another norm: the same rows, judged again, beside what is published."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from monitor.charts.outcomes import outstanding_by_age
from monitor.comparison.other_norm import OtherNorm, found, norm_csv, norm_json, under_norm
from monitor.disclosure.rows import PublicTable, public_table
from tests.support.published import COMPANIES, invent


@pytest.fixture(scope="module")
def table() -> PublicTable:
    """An invented release."""
    return public_table(invent())


@pytest.fixture
def half_a_day(table: PublicTable) -> OtherNorm:
    """It under a norm of 12 hours."""
    other = under_norm(table, 12)
    assert other is not None
    return other


def test_the_published_norm_changes_nothing(table: PublicTable) -> None:
    same = under_norm(table, 24)
    assert same is not None
    assert same.changed == 0
    assert [each.row.company for each in same.rows] == [row.company for row in table.rows if row.figures]
    assert all(each.row.standing == each.published.standing for each in same.rows)


def test_a_stricter_norm_is_met_by_fewer(half_a_day: OtherNorm) -> None:
    assert half_a_day.tally == {"meets": (2, 3), "below": (7, 5), "not_proven": (2, 3), "too_few": (2, 2)}
    assert half_a_day.changed == 3
    delta = next(each for each in half_a_day.rows if each.row.company == "as64502")
    assert (delta.row.standing, delta.published.standing, delta.changed) == ("below", "not_proven", True)
    assert delta.row.figures is not None
    assert delta.row.figures.on_time.deadline_hours == 12
    assert delta.published.figures is not None
    assert delta.row.figures.survival == delta.published.figures.survival


def test_who_is_withheld_stays_so_under_every_norm(table: PublicTable) -> None:
    small = {item.key for item in COMPANIES if item.episodes < 10}
    for hours in (1, 12, 24, 48):
        other = under_norm(table, hours)
        assert other is not None
        assert other.withheld == len(small)
        assert not small & {each.row.company for each in other.rows}
        assert not any(key in norm_csv(other.rows) for key in small)


def test_a_norm_that_the_release_does_not_have_is_none(table: PublicTable) -> None:
    assert under_norm(table, 13) is None
    assert under_norm(replace(table, norms=None), 12) is None


def test_a_release_without_ranks_has_none_under_any_norm() -> None:
    other = under_norm(public_table(invent(ranked=False)), 12)
    assert other is not None
    assert all(each.row.ranked and each.row.standing is None for each in other.rows)


def test_a_search_finds_by_name_and_by_the_standing_under_that_norm(half_a_day: OtherNorm) -> None:
    assert [each.row.name for each in found(half_a_day, "DELTA", "")] == ["Delta Datacenters"]
    assert len(found(half_a_day, "", "below")) == 7
    assert [each.row.ranked for each in found(half_a_day, "", "")] == [True] * 11 + [False] * 2


def test_json_and_csv_have_both_sides(half_a_day: OtherNorm) -> None:
    data = norm_json(half_a_day, half_a_day.rows)
    lines = {line["company"]: line for line in csv.DictReader(io.StringIO(norm_csv(half_a_day.rows)))}
    assert (data["deadline_hours"], data["published_deadline_hours"]) == (12, 24)
    assert data["standings"]["below"] == {"here": 7, "published": 5}
    for row in data["companies"]:
        line = lines[row["company"]]
        assert (line["standing"], line["published_standing"]) == (row["standing"], row["published"]["standing"])
        assert int(line["on_time_late"]) == row["on_time"]["late"]
        assert float(line["published_on_time_lenient_p"]) == row["published"]["on_time"]["lenient"]["p"]


def test_ages_add_up_to_what_the_companies_with_figures_have_outstanding(table: PublicTable) -> None:
    ages = outstanding_by_age(table.rows)
    shown = [row.figures for row in table.rows if row.figures]
    assert sum(age.episodes for age in ages) == sum(item.outstanding for item in shown)
    assert [age.from_hours for age in ages] == [0, 24, 48, 168, 720]
    assert ages[0].episodes == sum(item.outstanding_by_age[0].episodes for item in shown)
    assert outstanding_by_age([]) == ()
