"""The known scenarios: two published shapes, a quiet quarter, companies that refuse their notices, a history,
known waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from monitor.errors import MonitorError
from monitor.instants import DAY
from monitor.simulate.hours import Routine
from monitor.simulate.scenario import COMPANIES, CompanyPlan, Merger, Quarter, Scenario, Withdrawal
from monitor.simulate.truth import Hits, fortnights
from monitor.simulate.waits import SCENARIO as WAITS

# How busy each quarter is; none at all: the quarter without data. In 2024Q1 and 2025Q2 there is little.
VOLUME = {
    "2023Q3": 1.0, "2023Q4": 1.1, "2024Q1": 0.2, "2024Q2": 1.0, "2024Q3": 1.2, "2024Q4": 1.1,
    "2025Q1": 0.0, "2025Q2": 0.25, "2025Q3": 1.0, "2025Q4": 1.1, "2026Q1": 1.0, "2026Q2": 0.9,
}  # fmt: skip
_PERIODS = tuple(VOLUME)

MERGER = Merger(date(2025, 7, 1), absorbed=COMPANIES[2], into=COMPANIES[12])
WITHDRAWAL = Withdrawal(
    date(2026, 3, 2),
    "2025Q4",
    COMPANIES[7],
    "Het meldpunt trok zijn meldingen over een site in, na herbeoordeling. "
    "(The hotline withdrew its notices of one site, after assessing it again.)",
)
_ROUTINE = Routine(
    every=7 * DAY,
    items_every=28 * DAY,
    items_of=35 * DAY,
    outages=((date(2024, 5, 14), date(2024, 5, 18)), (date(2025, 11, 4), date(2025, 11, 6))),
    gaps=((date(2025, 1, 9), date(2025, 4, 2)),),  # what was sent in 2024 is still delivered on 2 January
)


@dataclass(frozen=True)
class Story:
    """One company over the quarters: its plan at volume 1 and `on_time` of the first; the share of the last is `to`.

    In between the share goes in equal steps. `first`, `last`: the periods in which there are notices to it.
    """

    plan: CompanyPlan
    to: float
    first: str = _PERIODS[0]
    last: str = _PERIODS[-1]

    def in_period(self, period: str) -> CompanyPlan:
        """The plan of one period in which there are notices."""
        begin, end, now = (_PERIODS.index(text) for text in (self.first, self.last, period))
        done = (now - begin) / (end - begin) if end > begin else 0.0
        share = round(self.plan.on_time + done * (self.to - self.plan.on_time), 3)
        return replace(self.plan, on_time=share, notices=max(1, round(self.plan.notices * VOLUME[period])))


def _story(place: int, notices: int, sites: int, begin: float, to: float) -> Story:
    return Story(CompanyPlan(COMPANIES[place], notices, sites, begin), to)


def _with(story: Story, **changed: Any) -> Story:
    return replace(story, plan=replace(story.plan, **changed))


def _spread(story: Story) -> Story:
    """Many sites of like size, each removal its own: enough evidence to prove that a norm is met."""
    return _with(story, skew=0.3, batch=1, whole_sites=0.0)


def _small(place: int) -> Story:
    """One of the many with a handful of notices: alone none could be shown, together they give no other away."""
    share = round(0.3 + 0.05 * place, 2)
    return _with(_story(23 + place, 3 + 5 * place % 7, 2 + place % 3, share, share), unclear=0.4 * (place % 2))


def _between(story: Story, first: str, last: str) -> Story:
    return replace(story, first=first, last=last)


STORIES = (
    _spread(_story(0, 260, 90, 0.45, 0.98)),  # improves until it meets the norm
    _story(1, 110, 14, 0.30, 0.80),  # improves
    _story(5, 150, 16, 0.97, 0.55),  # worsens
    _story(9, 70, 11, 0.85, 0.35),  # worsens
    _story(3, 180, 18, 0.93, 0.93),  # stays, about the norm
    _spread(_story(6, 120, 70, 0.99, 0.99)),  # meets the norm
    _story(7, 80, 12, 0.22, 0.22),  # stays slow
    _story(10, 55, 9, 0.70, 0.70),  # stays, not proven either way
    _between(_story(4, 100, 12, 0.60, 0.66), "2023Q3", "2024Q3"),  # vanishes
    _between(_story(15, 45, 8, 0.20, 0.15), "2023Q3", "2024Q4"),  # vanishes in the gap
    _between(_story(17, 90, 12, 0.75, 0.95), "2024Q4", "2026Q2"),  # appears
    _between(_story(21, 60, 9, 0.40, 0.40), "2025Q4", "2026Q2"),  # appears late
    _story(2, 60, 10, 0.90, 0.90),  # is taken over on 1 July 2025; its sites stay as fast
    _story(12, 80, 11, 0.55, 0.55),  # takes it over
    _with(_story(8, 75, 10, 0.50, 0.50), moved=0.6, moved_early=0.3),  # content goes abroad
    _with(_story(11, 60, 9, 0.05, 0.05), failed=1.0, never=0.6),  # refuses every notice
    _with(_story(14, 50, 9, 0.40, 0.40), failed=0.5, never=0.2),  # half of the notices cannot be delivered
    _with(_story(13, 70, 10, 0.60, 0.65), proxy=True),  # stands before others
    _story(18, 7, 3, 0.80, 0.80),  # too small to show
    _story(19, 20, 4, 0.65, 0.65),  # too small to judge
    _with(_story(16, 65, 10, 0.86, 0.86), weekdays_only=True, late_days=0.2, never=0.0),  # closed at weekends
    _with(_story(20, 30, 3, 0.10, 0.10), never=0.7),  # leaves most of it online
    *(_small(place) for place in range(12)),
    # A thousand addresses of one site, all gone at one stroke: many episodes, and no more evidence than of one.
    _between(_with(_story(22, 1000, 1, 1.0, 1.0), batch=1_000_000, whole_sites=1.0, unclear=0.0), "2024Q2", "2024Q2"),
)


# From 2026 on a hash service tells companies of what it finds by fingerprint.
HASH_HITS = (
    Hits(COMPANIES[0], 9, 9, 0.95),
    Hits(COMPANIES[6], 8, 8, 0.97),
    Hits(COMPANIES[5], 7, 7, 0.60),
    Hits(COMPANIES[1], 7, 7, 0.75),
    Hits(COMPANIES[7], 6, 6, 0.15),
    Hits(COMPANIES[3], 6, 6, 0.90),
)


def _quarter(period: str) -> Quarter:
    """All whose notices fall into the period; nobody where it has no volume."""
    there = [story for story in STORIES if VOLUME[period] and story.first <= period <= story.last]
    return Quarter(period, tuple(story.in_period(period) for story in there))


HISTORY = Scenario(
    "history",
    "twelve quarters of a hotline, one without data: companies improve, worsen, come, go, merge, refuse and relocate",
    tuple(_quarter(period) for period in _PERIODS),
    frozenset(date(year, month, day) for year in range(2023, 2027) for month, day in ((1, 1), (12, 25), (12, 26))),
    routine=_ROUTINE,
    mergers=(MERGER,),
    withdrawals=(WITHDRAWAL,),
    hash_hits=HASH_HITS,
    hash_days=fortnights(date(2026, 1, 5), date(2026, 6, 15)),
    exports=frozenset({"ntd", "ntdclosed", "whois"}),
)


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
        WAITS,
    )
}


def scenario_named(name: str) -> Scenario:
    """The scenario of that name; raises MonitorError, with the names there are, where there is none."""
    try:
        return SCENARIOS[name]
    except KeyError:
        known = ", ".join(sorted(SCENARIOS))
        raise MonitorError(f"no scenario {name!r}; the known ones are {known}") from None
