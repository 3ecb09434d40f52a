"""What may be published: small companies keep nothing but their name, and no total gives them away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.publish import sheets
from monitor.publish.rows import FIRST_ORDER, SORTS, Order, filter_rows, public_table, sort_rows
from monitor.score.table import Quantile, Table
from tests.publish.fiction import COMPANIES, Invented, invent

BIG = tuple(item for item in COMPANIES if item.episodes >= 10)


def small(number: int, episodes: int, late: int = 0) -> tuple[Invented, ...]:
    """Companies that may not be shown."""
    return tuple(Invented(f"small-{i}", f"Small {i}", episodes - late, 0, late, 1, 5) for i in range(number))


def test_fewer_than_ten_episodes_leave_no_figure() -> None:
    rows = {row.company: row for row in public_table(invent()).rows}
    for item in COMPANIES:
        assert (rows[item.key].figures is None) == (item.episodes < 10)
    assert rows["as64511"].standing == "too_few"
    assert not rows["as64511"].ranked


def test_ten_is_enough() -> None:
    edge = (Invented("nine", "Nine", 9, 0, 0, 6, 5), Invented("ten", "Ten", 10, 0, 0, 6, 5))
    rows = {row.company: row.figures for row in public_table(invent(companies=BIG + edge)).rows}
    assert rows["nine"] is None
    assert rows["ten"] is not None


@pytest.mark.parametrize(
    ("companies", "hidden"),
    [
        ((), set()),
        (small(1, 4, 1), {"episodes", "late"}),
        (small(2, 4, 1), {"episodes", "late"}),
        (small(3, 4, 1), {"refused"}),
        (small(3, 4, 0), {"on_time", "undetermined", "late"}),
        (small(3, 9, 1), {"episodes"}),
    ],
)
def test_a_total_that_gives_a_small_company_away_is_not_shown(
    companies: tuple[Invented, ...], hidden: set[str]
) -> None:
    counts = public_table(invent(companies=BIG + companies)).network.counts
    assert hidden <= {name for name, value in counts.items() if value is None}
    if not companies:
        assert None not in counts.values()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5))
def test_no_small_company_follows_from_the_totals_by_subtraction(made: list[tuple[int, int]]) -> None:
    companies = tuple(
        Invented(f"s{i}", f"S{i}", max(n, 1) - min(late, max(n, 1)), 0, min(late, max(n, 1)), 1, 5)
        for i, (n, late) in enumerate(made)
    )
    table = invent(companies=BIG + companies)
    published = {line.kind: line.counts for line in public_table(table).totals}
    for name, total in published["network"].items():
        rest = None if total is None else total - (published["shown"][name] or 0)
        if rest is not None and companies:
            assert len(companies) >= 3
            assert rest - (published["unattributed"][name] or 0) > 0
        assert (published.get("withheld", {}).get(name) is None) == (total is None) or not companies


def test_shares_of_the_network_lose_their_decimals_with_its_counts() -> None:
    network = public_table(invent(companies=BIG + small(1, 4))).network
    assert network.mature is None
    assert network.lenient.p == round(network.lenient.p or 0, 2)
    assert all(point.npmle == round(point.npmle or 0, 2) for point in network.curve)


def with_gaps(table: Table) -> Table:
    """One company whose median was not reached, and one without a rank."""
    first, second, *rest = table.companies
    first = replace(first, median_hours=Quantile(None, 40.0, None))
    second = replace(second, rank=None)
    return replace(table, companies=(first, second, *rest))


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", list(SORTS))
def test_missing_values_come_last_in_either_order(sort: str, order: Order) -> None:
    rows = public_table(with_gaps(invent())).rows
    done = sort_rows(rows, sort, order)
    assert sorted(row.company for row in done) == sorted(row.company for row in rows)
    ranked = [row for row in done if row.ranked]
    assert list(done[: len(ranked)]) == ranked
    if sort not in ("name", "standing"):
        assert [row.figures is None for row in done] == sorted(row.figures is None for row in done)


def test_a_median_that_was_not_reached_is_the_longest() -> None:
    rows = sort_rows(public_table(with_gaps(invent())).rows, "median", "desc")
    assert rows[0].figures is not None
    assert rows[0].figures.median_hours.value is None
    assert set(SORTS) == set(FIRST_ORDER)


def test_search_finds_names_and_keys_in_any_case() -> None:
    rows = public_table(invent()).rows
    assert [row.name for row in filter_rows(rows, " HAVEN ")] == ["Haven Carrier"]
    assert [row.company for row in filter_rows(rows, "AS64500")] == ["as64500"]
    assert {row.standing for row in filter_rows(rows, standing="too_few")} == {"too_few"}
    assert len(filter_rows(rows)) == len(rows)


@pytest.mark.parametrize("name", ["=1+1", "+31", "-2", "@x", "\t=1", "\r=1"])
def test_no_cell_starts_a_formula(name: str) -> None:
    evil = (Invented("evil", name, 40, 0, 2, 12, 4),)
    text = sheets.ranking_csv(public_table(invent(companies=evil)).rows)
    assert f"'{name}" in text
    assert sheets.company_csv(public_table(invent(companies=evil)).rows[0]).count(f"'{name}") == 1


def test_a_negative_number_stays_a_number() -> None:
    table = invent(companies=BIG)
    first = replace(table.companies[0], exposure_hours=-1.5)
    text = sheets.ranking_csv(public_table(replace(table, companies=(first,))).rows)
    assert ",-1.5," in text


def test_a_table_of_small_companies_only_still_makes_a_sheet() -> None:
    text = sheets.ranking_csv(public_table(invent(companies=small(4, 5, 1))).rows)
    assert text.count("<10") == 4
    assert sheets.ranking_csv(()) == "\r\n"
