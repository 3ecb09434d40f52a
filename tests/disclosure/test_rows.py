"""What may be published: small companies keep nothing but their name, and no total gives them away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.disclosure.rows import filter_rows, public_table, sort_rows
from monitor.errors import MonitorError
from monitor.figures import SORTS
from monitor.score.table import LegalEntity, Quantile, Table, with_field
from monitor.tables import sheets
from monitor.wording.readings import Order
from tests.support.published import COMPANIES, STRAY, Invented, invent

BIG = tuple(item for item in COMPANIES if item.episodes >= 10)
RANKED = tuple(item for item in COMPANIES if item.episodes >= 100)


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


NONE = Invented("", "", 0, 0, 0, 0, 5)
ALIKE = {"renotices", "notices", "outstanding", "overdue", "refused", "unverified", "relocated", "reappeared"}
NOTICES = {"notices", "renotices"}
TIMING = {"on_time", "undetermined", "late"}


def varied(*sizes: tuple[int, int, int]) -> tuple[Invented, ...]:
    """Companies that may not be shown, with these three counts and each its own number of sites."""
    return tuple(Invented(f"small-{i}", f"Small {i}", *counts, i + 1, 5) for i, counts in enumerate(sizes))


@pytest.mark.parametrize(
    ("companies", "stray", "hidden", "together"),
    [
        ((), NONE, set(), set()),
        # three of all sizes: their own sums can be shown, but for what none or one of them has
        (varied((4, 3, 0), (2, 0, 3), (1, 2, 5)), NONE, ALIKE - NOTICES, set()),
        # one: unattributed there is enough to hide it, but not of everything
        (
            varied((3, 0, 1)),
            STRAY,
            {"refused", "unverified", "relocated", "reappeared"},
            {"episodes", "notices", "renotices", "outstanding", "overdue"} | TIMING,
        ),
        # one, two, or three alike, and nothing to hide them in
        (varied((3, 0, 1)), NONE, {"episodes"} | TIMING | ALIKE, set()),
        (varied((3, 0, 1), (1, 1, 3)), NONE, {"episodes"} | TIMING | ALIKE, set()),
        (small(3, 4, 1), NONE, {"episodes"} | TIMING | ALIKE, set()),
        # none was ever undetermined: the three counts go, the number of episodes stays
        (varied((4, 0, 0), (2, 0, 3), (1, 0, 5)), NONE, TIMING | ALIKE - NOTICES, set()),
    ],
)
def test_a_total_that_gives_a_small_company_away_is_not_shown(
    companies: tuple[Invented, ...], stray: Invented, hidden: set[str], together: set[str]
) -> None:
    table = public_table(invent(companies=RANKED + companies, stray=stray))
    lines = {line.kind: line.counts for line in table.totals}
    assert {name for name, count in lines["network"].items() if count is None} == hidden
    assert {name for name, count in lines["unattributed"].items() if count is None} == together
    assert {name for name, count in lines.get("withheld", {}).items() if count is None} == hidden | together
    assert table.network.gives_way == (hidden >= TIMING)


def test_the_next_smallest_companies_join_where_the_small_ones_stand_out() -> None:
    """The smallest without a rank, and no more than needed; of all of them only the one bound is told."""
    few = (Invented("ten", "Ten", 6, 2, 2, 3, 5), Invented("twelve", "Twelve", 5, 4, 3, 4, 5))
    more = Invented("twenty", "Twenty", 18, 0, 2, 5, 5)
    table = public_table(invent(companies=RANKED + varied((3, 0, 1)) + (more, *few), stray=NONE))
    withheld = {row.company: row.below for row in table.rows if row.figures is None}
    assert withheld == {"small-0": 30, "ten": 30, "twelve": 30}
    assert not table.network.gives_way
    assert table.below == 30


def test_a_ranked_company_keeps_its_figures() -> None:
    table = public_table(invent(companies=RANKED + varied((3, 0, 1)), stray=NONE))
    assert [row.company for row in table.rows if row.figures is None] == ["small-0"]


def test_where_the_network_gives_way_its_figures_are_without_the_withheld() -> None:
    """1 late of 1,000 at the one company with figures; the other has 1 of 4."""
    known = (Invented("big", "Big", 40, 959, 1, 50, 5),)
    table = invent(companies=known + varied((3, 0, 1)), stray=NONE)
    network = public_table(table).network
    assert (network.gives_way, network.mature, network.lenient.p) == (True, 1000, 0.999)
    assert table.network.on_time.mature == 1004
    with pytest.raises(MonitorError, match="score it again"):
        public_table(replace(table, rest=None))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 3)), max_size=5))
def test_no_total_is_over_companies_that_are_alike_but_for_one(made: list[tuple[int, int, int]]) -> None:
    table = public_table(invent(companies=RANKED + varied(*[counts for counts in made if sum(counts)]), stray=NONE))
    lines = {line.kind: line.counts for line in table.totals}
    for place, name in enumerate(("on_time", "undetermined", "late")):
        values = [counts[place] for counts in made if sum(counts)]
        if values and lines["network"][name] is not None:
            assert max(map(values.count, values)) <= len(values) - 2


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
    assert all(figure.sort for figure in SORTS.values())


def test_search_finds_names_and_keys_in_any_case() -> None:
    rows = public_table(invent()).rows
    assert [row.name for row in filter_rows(rows, " HAVEN ")] == ["Haven Carrier"]
    assert [row.company for row in filter_rows(rows, "AS64500")] == ["as64500"]
    assert {row.standing for row in filter_rows(rows, standing="too_few")} == {"too_few"}
    assert len(filter_rows(rows)) == len(rows)
    entities = {"as64501": LegalEntity("Zeevaart Netwerken B.V.", "01234567"), "as64500": LegalEntity(None, None)}
    legal = public_table(with_field(invent(), "legal", entities)).rows
    for text in ("zeevaart", "0123456"):
        assert [row.company for row in filter_rows(legal, text)] == ["as64501"]


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
    assert sheets.ranking_csv(()).splitlines() == ["company,name,country,via_proxy,standing,episodes"]
