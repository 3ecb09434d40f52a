"""Ranking: worst first, ties, who is not ranked, and what a standing says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.score.methods import method
from monitor.score.rank import ranked
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


def order(*companies: Estimate) -> list[tuple[str, int | None]]:
    return [(row.company, row.rank) for row in ranked(companies, method())]


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
    assert ranked([company("a", 0.8, low, high)], method())[0].standing == standing
