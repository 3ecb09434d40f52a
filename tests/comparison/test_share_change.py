"""A share that moved: by how much, and whether the intervals prove it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.comparison.share_change import (
    Movement,
    how_it_moved,
    movement,
    movements,
    network_movement,
    points,
    ranks_by_share,
)
from monitor.disclosure.rows import public_table
from monitor.score.table import Share
from monitor.wording.language import EN, NL
from tests.support.published import COMPANIES, Invented, invent

KLINKER = COMPANIES[1]
FASTER = replace(KLINKER, on_time=150, undetermined=9, late=4)


def between(low: float, p: float, high: float) -> Share:
    """A share with that interval."""
    return Share(p, 0.1, low, high)


@pytest.mark.parametrize(
    ("before", "now", "direction"),
    [
        (between(0.1, 0.2, 0.3), between(0.31, 0.5, 0.6), "better"),
        (between(0.31, 0.5, 0.6), between(0.1, 0.2, 0.3), "worse"),
        (between(0.1, 0.2, 0.3), between(0.3, 0.5, 0.6), "open"),  # they touch
        (between(0.1, 0.2, 0.9), between(0.3, 0.9, 1.0), "open"),  # far apart, and neither is certain
        (between(0.5, 0.5, 0.5), between(0.5, 0.5, 0.5), "open"),
        (between(0.0, 0.0, 0.0), between(0.1, 0.2, 0.3), "better"),
    ],
)
def test_better_or_worse_only_where_the_intervals_are_apart(before: Share, now: Share, direction: str) -> None:
    found = movement(now, before)
    assert found is not None
    assert found.direction == direction
    assert found.change == pytest.approx((now.p or 0) - (before.p or 0))


@pytest.mark.parametrize("unknown", [Share(None, None, None, None), Share(0.5, None, None, None)])
def test_nothing_is_said_without_an_interval(unknown: Share) -> None:
    assert movement(unknown, between(0.1, 0.2, 0.3)) is None
    assert movement(between(0.1, 0.2, 0.3), unknown) is None


def test_a_company_is_compared_where_it_has_a_rank_in_both() -> None:
    newcomer = Invented("as64510", "Duinroos Hosting", 40, 3, 20, 9, 18)
    before = public_table(invent("2026Q1"))
    now = public_table(invent("2026Q2", (FASTER, newcomer, *COMPANIES[2:])))
    found = movements(now, before)
    assert found["as64497"].direction == "better"
    assert found["as64497"].change == pytest.approx((1 - 4 / 163) - (1 - 96 / 163))
    assert found["as64498"] == Movement(0.0, "open")
    ranked = {item.key for item in COMPANIES[1:11]}
    assert set(found) == ranked  # not the newcomer, nor one that was too small to judge in either


def test_another_method_is_not_compared() -> None:
    before, now = public_table(invent("2026Q1")), public_table(invent("2026Q2"))
    other = replace(before, method=replace(before.method, version="2025.1"))
    assert movements(now, before)
    assert movements(now, other) == {}
    assert network_movement(now, other) is None
    assert movements(now, None) == {}
    assert network_movement(now, None) is None


def test_networks_are_compared_where_both_leave_out_the_smallest_companies_or_neither_does() -> None:
    before, now = public_table(invent("2026Q1")), public_table(invent("2026Q2"))
    partial = replace(before, network=replace(before.network, gives_way=not before.network.gives_way))
    assert network_movement(now, before) is not None
    assert network_movement(now, partial) is None


@pytest.mark.parametrize(
    ("change", "nl", "en"),
    [
        (0.1234, "+12,3", "+12.3"),
        (-0.04, "−4,0", "−4.0"),
        (0.0, "0,0", "0.0"),
        (0.0004, "0,0", "0.0"),
        (1, "+100,0", "+100.0"),
    ],
)
def test_points_have_a_sign_unless_they_read_as_nothing(change: float, nl: str, en: str) -> None:
    assert points(change, NL) == nl
    assert points(change, EN) == en


def test_the_sentence_says_how_certain_it_is() -> None:
    fall, rise = Movement(-0.05, "worse"), Movement(0.01, "open")
    assert how_it_moved(fall, "2026Q1", EN) == (
        "Since the first quarter of 2026 the share on time fell by 5.0 percentage points."
        " That is more than chance explains."
    )
    assert how_it_moved(rise, "2026Q1", NL) == (
        "Sinds het 1e\u00a0kwartaal 2026 veranderde het aandeel op tijd met +1,0 procentpunt. Dat kan toeval zijn."
    )


def test_where_the_score_gives_another_rank_than_the_share_it_is_told_which() -> None:
    """The two worst change places: by their shares alone the second would be first."""
    table = public_table(invent())
    assert ranks_by_share(table) == {}
    first, second = (row for row in table.rows if row.figures and row.figures.rank in (1, 2))
    swapped = {first.company: 2, second.company: 1}
    rows = tuple(
        replace(row, figures=replace(row.figures, rank=swapped.get(row.company, row.figures.rank)))
        if row.figures
        else row
        for row in table.rows
    )
    assert ranks_by_share(replace(table, rows=rows)) == {first.company: 1, second.company: 2}
