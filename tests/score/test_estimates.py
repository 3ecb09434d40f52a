"""Estimates against printed values of R (tests/score/reference.R), and against counts made by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import DeliveryError
from monitor.score.methods import method
from monitor.score.pipeline import estimate_file
from monitor.score.table import Estimate

REFERENCE: dict[str, dict[str, list[Any]]] = json.loads((Path(__file__).parent / "reference.json").read_text())
COLUMNS = ("company", "site", "last_online_h", "first_offline_h", "followed_h")


def write(path: Path, rows: list[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *[["" if v is None else v for v in row] for row in rows]])
    return path


def episodes(name: str) -> list[tuple[Any, ...]]:
    data = REFERENCE[name]
    columns = (data["site"], data["last_online_h"], data["first_offline_h"], data["followed_h"])
    return [(name, *row) for row in zip(*columns, strict=True)]


@pytest.fixture(scope="module")
def estimates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Estimate]:
    """All reference data sets as the companies of one table."""
    rows = [row for name in REFERENCE for row in episodes(name)]
    table = estimate_file(write(tmp_path_factory.mktemp("r") / "episodes.csv", rows), method())
    return {company.company: company for company in table.companies}


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("curve", ["lenient", "strict"])
def test_kaplan_meier_and_its_clustered_error_are_those_of_survfit(
    estimates: dict[str, Estimate], name: str, curve: str
) -> None:
    points = estimates[name].survival
    assert [getattr(p, curve) for p in points] == pytest.approx(REFERENCE[name][curve], abs=1e-9)
    assert [getattr(p, f"{curve}_se") for p in points] == pytest.approx(REFERENCE[name][f"{curve}_se"], abs=1e-9)


@pytest.mark.parametrize("name", REFERENCE)
def test_turnbull_is_the_maximum_that_survfit_comes_near(estimates: dict[str, Estimate], name: str) -> None:
    """`survfit` stops when S changes by less than 5e-5 a step; its EM run to the end gives `npmle`."""
    points = [point.npmle for point in estimates[name].survival]
    assert points == pytest.approx(REFERENCE[name]["npmle"], abs=1e-6)
    assert points == pytest.approx(REFERENCE[name]["survfit_npmle"], abs=5e-3)
    assert estimates[name].median_hours.value == pytest.approx(REFERENCE[name]["npmle_median"][0], abs=1e-9)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_median_s_interval_is_the_lenient_lower_to_the_strict_upper_limit(
    estimates: dict[str, Estimate], name: str
) -> None:
    median = estimates[name].median_hours
    expected = (REFERENCE[name]["lenient_median_lower"][0], REFERENCE[name]["strict_median_upper"][0])
    assert (median.low, median.high) == expected


@pytest.mark.parametrize("name", REFERENCE)
def test_the_restricted_mean_is_that_of_survmean(estimates: dict[str, Estimate], name: str) -> None:
    mean = estimates[name].mean_online_hours_7d
    assert [mean.lenient, mean.strict] == pytest.approx(REFERENCE[name]["restricted_mean"], abs=1e-8)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_clustered_shares_are_those_of_svymean(estimates: dict[str, Estimate], name: str) -> None:
    late, late_se = REFERENCE[name]["late"]
    on_time, on_time_se = REFERENCE[name]["on_time"]
    found = estimates[name].on_time
    assert [found.lenient.p, found.lenient.se] == pytest.approx([1 - late, late_se], abs=1e-9)
    assert [found.strict.p, found.strict.se] == pytest.approx([on_time, on_time_se], abs=1e-9)


def test_the_network_is_all_episodes_together(tmp_path: Path) -> None:
    """Sites are numbered per network: one that two companies hosted is one cluster of the whole."""
    whole = episodes("many")
    split = [("x" if place % 3 else "y", *row[1:]) for place, row in enumerate(whole)]
    one = estimate_file(write(tmp_path / "one.csv", whole), method()).companies[0]
    network = estimate_file(write(tmp_path / "two.csv", split), method()).network
    assert network.survival == one.survival
    assert (network.on_time, network.median_hours, network.sites) == (one.on_time, one.median_hours, one.sites)


def test_the_three_counts_by_hand(tmp_path: Path) -> None:
    rows = [
        ("a", 1, 5, 24, 100),  # offline at the deadline: on time
        ("a", 1, 24, 30, 100),  # last seen online at the deadline: not certainly late
        ("a", 2, 24.01, 30, 100),  # seen online after it: late
        ("a", 2, 5, 25, 100),  # the checks bracket the deadline
        ("a", 3, 5, None, 100),  # the checks stopped before it
        ("a", 3, 90, None, 100),  # late and outstanding
        ("a", 3, 1, 2, 23.9),  # its deadline has not passed: not mature, whatever became of it
    ]
    found = estimate_file(write(tmp_path / "e.csv", rows), method()).companies[0]
    counts = found.on_time
    assert (counts.mature, counts.on_time, counts.late, counts.undetermined) == (6, 1, 2, 3)
    assert [counts.lenient.p, counts.strict.p] == pytest.approx([4 / 6, 1 / 6])
    assert (found.episodes, found.sites, found.outstanding, found.overdue) == (7, 3, 2, 2)


def test_an_episode_may_have_a_deadline_of_its_own(tmp_path: Path) -> None:
    rows = [("a", 1, 0, 2, 100, 1), ("a", 1, 3, 4, 100, 1), ("a", 2, 3, 4, 100, None)]
    counts = estimate_file(write(tmp_path / "e.csv", rows, (*COLUMNS, "deadline_h")), method()).companies[0].on_time
    assert (counts.on_time, counts.late, counts.undetermined) == (1, 1, 1)


def test_relocated_in_time_is_neither_late_nor_removed(tmp_path: Path) -> None:
    rows = [("a", 1, 3, None, 100, 5), ("a", 1, 30, None, 100, 40)]
    found = estimate_file(write(tmp_path / "e.csv", rows, (*COLUMNS, "relocated_h")), method()).companies[0]
    assert (found.on_time.on_time, found.on_time.late, found.on_time.undetermined) == (0, 1, 1)
    assert (found.relocated, found.outstanding, found.unverified) == (2, 0, 0)


def test_unverified_is_neither_outstanding_nor_overdue(tmp_path: Path) -> None:
    rows = [("a", 1, 0, None, 168), ("a", 1, 0, None, 168.1), ("a", 1, 200, None, 210)]
    found = estimate_file(write(tmp_path / "e.csv", rows), method()).companies[0]
    assert (found.outstanding, found.overdue, found.unverified, found.oldest_hours) == (2, 2, 1, 210)
    assert [(age.from_hours, age.episodes) for age in found.outstanding_by_age] == [
        (0, 0), (24, 0), (48, 0), (168, 2), (720, 0),
    ]  # fmt: skip
    assert found.exposure_hours == 200


def test_all_on_time_has_wilson_s_interval_by_sites(tmp_path: Path) -> None:
    """10 of 10 sites; Wilson 95 %: 0.7224672001 to 1 (R: prop.test(10, 10, correct = FALSE))."""
    rows = [("a", site, 1, 2, 100) for site in range(10) for _ in range(5)]
    share = estimate_file(write(tmp_path / "e.csv", rows), method()).companies[0].on_time.lenient
    assert (share.p, share.se) == (1, 0)
    assert [share.low, share.high] == pytest.approx([0.7224672001, 1], abs=1e-9)


def test_one_site_alone_has_a_wide_interval_not_none(tmp_path: Path) -> None:
    rows = [("a", 1, hours, hours + 1, 100) for hours in range(0, 60, 2)]
    share = estimate_file(write(tmp_path / "e.csv", rows), method()).companies[0].on_time.lenient
    assert share.low is not None
    assert share.high is not None
    assert share.high - share.low > 0.5


def test_what_has_no_data_is_none_and_not_0(tmp_path: Path) -> None:
    [found] = estimate_file(write(tmp_path / "e.csv", [("a", 1, 5, None, 10)]), method()).companies
    assert (found.on_time.mature, found.on_time.lenient.p, found.on_time.lenient.low) == (0, None, None)
    assert (found.median_hours.value, found.median_hours.high, found.rank) == (None, None, None)


def test_the_same_rows_in_another_order_give_the_same_table(tmp_path: Path) -> None:
    rows = episodes("many")
    tables = [
        estimate_file(write(tmp_path / f"{n}.csv", order), method()) for n, order in enumerate((rows, rows[::-1]))
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("a", 1, 5, 4, 10)], COLUMNS, "row 1: first_offline_h is before last_online_h"),
        ([("a", 1, 1, 2, 10), ("a", 1, -1, 4, 10)], COLUMNS, "row 2: last_online_h is negative"),
        ([("a", 1, 5, None, 4)], COLUMNS, "row 1: followed_h is before last_online_h"),
        ([("a", 1, None, 4, 10)], COLUMNS, "row 1: last_online_h is missing"),
        ([("a", 1, "soon", 4, 10)], COLUMNS, "'last_online_h' holds something that is no number"),
        ([("a", 1, 5, 4)], COLUMNS[:4], "no column 'followed_h'"),
    ],
)
def test_a_file_that_cannot_be_says_where(
    tmp_path: Path, rows: list[tuple[Any, ...]], columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DeliveryError, match=message):
        estimate_file(write(tmp_path / "e.csv", rows, columns), method())


def test_the_example_of_the_method_worked_by_hand(tmp_path: Path) -> None:
    """docs/method.md: V = 3/2 * (0 + 4/9 + 4/9) / 36 = 1/27."""
    late, fine = (30, 31, 100), (1, 2, 100)
    rows = [("a", 1, *late), ("a", 1, *fine), ("a", 1, *fine), ("a", 2, *late), ("a", 3, *fine), ("a", 3, *fine)]
    share = estimate_file(write(tmp_path / "e.csv", rows), method()).companies[0].on_time.lenient
    assert [share.p, share.se] == pytest.approx([4 / 6, (1 / 27) ** 0.5])
