"""Ranking: worst first, ties, who is not rank_companies, score, rank interval and band, and what a standing says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.confidence import wilson_interval
from monitor.score.methods import method
from monitor.score.ranking import rank_companies
from monitor.score.table import Bounds, Estimate, OnTime, Quantile, Share

NONE = Share(None, None, None, None)


def company(name: str, p: float | None = 0.8, low: float = 0.7, high: float = 0.85, **given: object) -> Estimate:
    share = NONE if p is None else Share(p, 0.01, low, high)
    base = Estimate(
        company=name, name=name, country=None, via_proxy=False, episodes=30, sites=5, notices=30, renotices=0,
        on_time=OnTime(24, 30, 20, 5, 5, share, share), median_hours=Quantile(None, None, None),
        p90_hours=Quantile(None, None, None), mean_online_hours_7d=Bounds(None, None), survival=(), outstanding=0,
        overdue=0, unverified=0, oldest_hours=None, exposure_hours=0.0, relocated=0, reappeared=0, refused=0,
        outstanding_by_age=(), curve=(),
    )  # fmt: skip
    return replace(base, **given)  # type: ignore[arg-type]


def agreed(name: str, p: float, sites: int) -> Estimate:
    """A company all of whose sites have the share p: no spread between them, Wilson's interval."""
    low, high = wilson_interval(np.array([p]), np.array([float(sites)]), method().confidence)
    share = Share(p, 0.0, float(low[0]), float(high[0]))
    return company(name, sites=sites, on_time=OnTime(24, 300, 200, 50, 50, share, share))


Place = tuple[str, float | None, int | None, int | None, int | None, str | None]


def places(*companies: Estimate) -> list[Place]:
    rows = rank_companies(companies, method())
    return [(row.company, row.score, row.rank, row.rank_low, row.rank_high, row.band) for row in rows]


def order(*companies: Estimate) -> list[tuple[str, int | None]]:
    return [(row.company, row.rank) for row in rank_companies(companies, method())]


def test_worst_first_then_the_others_by_name() -> None:
    few = company("few", 0.1, episodes=29)
    narrow = company("Alone", 0.1, sites=4)
    unknown = company("unknown", None)
    assert order(company("good", 0.9), few, company("bad", 0.2), unknown, narrow) == [
        ("bad", 1), ("good", 2), ("Alone", None), ("few", None), ("unknown", None),
    ]  # fmt: skip


def test_ties_go_to_overdue_then_exposure_then_name() -> None:
    rows = [
        company("b"),
        company("a"),
        company("exposed", exposure_hours=5.0),
        company("overdue", overdue=1),
    ]
    assert [name for name, _ in order(*rows)] == ["overdue", "exposed", "a", "b"]


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [(0.9, 0.95, "meets"), (0.8999, 0.95, "not_proven"), (0.5, 0.9, "not_proven"), (0.5, 0.8999, "below")],
)
def test_a_standing_says_no_more_than_the_interval_supports(low: float, high: float, standing: str) -> None:
    assert rank_companies([company("a", 0.8, low, high)], method())[0].standing == standing


def test_one_table_with_all_that_the_ranking_says() -> None:
    """Five companies; n is the number of sites, errors are 1 / sqrt(n + 1), q = 3.858 for five.

    Certain differences begin at 0.757 for two of 25 sites, 0.600 for 25 and 100, 1.235 for 25 and 5. On the arcsine
    scale the five are at 0.956, 1.686, 2.186, 2.629 and 2.419. So bad differs from all but poor (0.731), poor from
    good (0.942) but not from tiny (0.732), middling from neither good nor tiny. Scores: R, as in test_beta_binomial.py.
    """
    rows = [
        agreed("good", 0.94, 100),
        agreed("tiny", 0.95, 5),
        agreed("middling", 0.8, 25),
        agreed("poor", 0.56, 25),
        agreed("bad", 0.2, 25),
    ]
    assert places(*rows) == [
        ("bad", 24.55023465, 1, 1, 2, "A"),
        ("poor", 57.07330429, 2, 1, 4, "A"),
        ("middling", 78.75535072, 3, 2, 5, "B"),
        ("tiny", 85.28593908, 4, 2, 5, "B"),
        ("good", 93.30010517, 5, 3, 5, "B"),
    ]


def test_companies_that_are_not_ranked_have_no_score_rank_or_band() -> None:
    rows = places(agreed("small", 0.9, 4), company("few", episodes=29), company("unknown", None))
    assert {row[1:] for row in rows} == {(None, None, None, None, None)}
    assert places() == []


def test_a_single_company_is_first_and_last_and_keeps_its_share() -> None:
    assert places(agreed("only", 0.85, 12)) == [("only", 85.0, 1, 1, 1, "A")]


def test_companies_all_alike_share_every_rank_one_band_and_the_common_score() -> None:
    rows = places(*(agreed(name, 0.9, sites) for name, sites in zip("abcd", (5, 10, 40, 200), strict=True)))
    assert rows == [(name, 90.0, place, 1, 4, "A") for place, name in enumerate("abcd", 1)]


def test_the_shape_of_2022_is_told_apart() -> None:
    """Sixteen at 93 %, sixteen at 20 %, each on 15 sites: two bands, and no interval reaches across."""
    slow, fast = [agreed(f"slow{i}", 0.2, 15) for i in range(16)], [agreed(f"fast{i}", 0.93, 15) for i in range(16)]
    rows = places(*fast, *slow)
    assert {row[3:] for row in rows[:16]} == {(1, 16, "A")}
    assert {row[3:] for row in rows[16:]} == {(17, 32, "B")}


COMPANIES = st.lists(st.tuples(st.integers(0, 20), st.integers(5, 60)), min_size=1, max_size=12)


@given(COMPANIES, st.randoms(use_true_random=False))
def test_the_table_is_the_same_whatever_order_the_companies_come_in(
    drawn: list[tuple[int, int]], random: object
) -> None:
    rows = [agreed(f"c{i:02}", p / 20, sites) for i, (p, sites) in enumerate(drawn)]
    expected = rank_companies(rows, method())
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert rank_companies(rows, method()) == expected


@given(COMPANIES)
def test_every_figure_keeps_to_its_range(drawn: list[tuple[int, int]]) -> None:
    rows = rank_companies([agreed(f"c{i}", p / 20, sites) for i, (p, sites) in enumerate(drawn)], method())
    for place, row in enumerate(rows, 1):
        assert row.rank == place
        assert row.rank_low is not None
        assert row.rank_high is not None
        assert 1 <= row.rank_low <= place <= row.rank_high <= len(rows)
        assert row.score is not None
        assert 0 <= row.score <= 100
        assert float(f"{row.score:.10g}") == row.score
    assert rows[0].band == "A"
