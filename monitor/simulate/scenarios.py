"""The known scenarios: two published shapes, a quiet quarter, companies that refuse their notices, a history."""

from __future__ import annotations

from datetime import date

from monitor.errors import MonitorError
from monitor.simulate.companies import COMPANIES
from monitor.simulate.history import HISTORY
from monitor.simulate.scenario import CompanyPlan, Quarter, Scenario


def _days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


def _plans_2020() -> tuple[CompanyPlan, ...]:
    """One company with 93 % of everything; sizes of the other 34 fall by about a seventh each."""
    giant = CompanyPlan(COMPANIES[0], 172_050, sites=24, on_time=0.84, batch=40, skew=1.0)
    weights = [0.86**place for place in range(34)]
    sizes = [24 + round(weight * 12_134 / sum(weights)) for weight in weights]
    sizes[0] += 12_950 - sum(sizes)
    others = [
        CompanyPlan(
            COMPANIES[1 + place],
            size,
            sites=6 + place % 5 + size // 150,
            on_time=0.30 + 0.65 * ((place * 13) % 34) / 33,
            fast_hours=2.0 + place % 4,
            late_days=2.0 + place % 6,
            moved=0.05 * (place % 3 == 0),
            api=place % 9 == 4,
            batch=3 + size // 200,
            proxy=place == 20,
        )
        for place, size in enumerate(sizes)
    ]
    return (giant, *others)


def _plans_2022() -> tuple[CompanyPlan, ...]:
    """Sixteen fast, sixteen slow, seven in between; the slow ones hold enough to bring the whole to 40 %."""
    fast = [
        CompanyPlan(COMPANIES[place], 32 + place, sites=6 + place % 5, on_time=0.90 + 0.10 * place / 15)
        for place in range(16)
    ]
    slow = [
        CompanyPlan(
            COMPANIES[16 + place],
            86 + 5 * place,
            sites=7 + place % 8,
            on_time=0.16 + 0.08 * place / 15,
            late_days=3.0 + place % 5,
            moved=0.04 * (place % 4 == 1),
        )
        for place in range(16)
    ]
    middle = [
        CompanyPlan(COMPANIES[32 + place], 44 + 4 * place, sites=6 + place, on_time=0.30 + 0.05 * place)
        for place in range(7)
    ]
    return (*fast, *slow, *middle)


def _plans_quiet() -> tuple[CompanyPlan, ...]:
    """Three companies that can be ranked, five with too few to judge, four too small to show."""
    rows = [(84, 9, 0.93), (56, 8, 0.70), (41, 7, 0.40), (29, 6, 0.80), (24, 4, 0.95), (18, 5, 0.50)]
    rows += [(14, 3, 1.00), (10, 4, 0.60), (9, 3, 0.70), (6, 2, 1.00), (3, 2, 0.30), (1, 1, 0.00)]
    return tuple(
        CompanyPlan(COMPANIES[3 * place], size, sites=sites, on_time=share)
        for place, (size, sites, share) in enumerate(rows)
    )


def _plans_refuser() -> tuple[CompanyPlan, ...]:
    """Two companies bounce every notice, one half of them; nine behave."""
    refusers = [
        CompanyPlan(COMPANIES[5], 130, sites=9, on_time=0.05, never=0.6, failed=1.0),
        CompanyPlan(COMPANIES[11], 70, sites=7, on_time=0.03, never=0.7, failed=1.0, api=True),
        CompanyPlan(COMPANIES[8], 90, sites=8, on_time=0.45, never=0.2, failed=0.5),
    ]
    normal = [
        CompanyPlan(
            COMPANIES[20 + place],
            45 + 12 * place,
            sites=6 + place,
            on_time=0.55 + 0.05 * place,
            api=place % 4 == 3,
        )
        for place in range(9)
    ]
    return (*refusers, *normal)


SCENARIOS = {
    item.name: item
    for item in (
        Scenario(
            "tudelft-2020",
            "one company holds 93 % of about 185,000 notices and removes 84 % within 24 hours",
            (Quarter("2020Q2", _plans_2020()),),
            _days("2020-04-13", "2020-04-27", "2020-05-05", "2020-05-21", "2020-06-01"),
        ),
        Scenario(
            "tudelft-2022",
            "3,000 URLs at 39 companies: 16 remove at least 90 % within 24 hours, 16 about 20 %, all 40 %",
            (Quarter("2022Q2", _plans_2022()),),
            _days("2022-04-18", "2022-04-27", "2022-05-05", "2022-05-26", "2022-06-06"),
        ),
        Scenario(
            "quiet",
            "few notices: three companies can be ranked, the others are too small",
            (Quarter("2021Q1", _plans_quiet()),),
            _days("2021-01-01"),
        ),
        Scenario(
            "refuser",
            "two companies refuse every notice, one refuses half",
            (Quarter("2021Q3", _plans_refuser()),),
        ),
        HISTORY,
    )
}


def scenario_named(name: str) -> Scenario:
    """The scenario of that name; raises MonitorError, with the names there are, where there is none."""
    try:
        return SCENARIOS[name]
    except KeyError:
        known = ", ".join(sorted(SCENARIOS))
        raise MonitorError(f"no scenario {name!r}; the known ones are {known}") from None
