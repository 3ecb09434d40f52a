"""Twelve quarters of one hotline: companies that improve, worsen, come, go, merge, refuse and relocate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from monitor.instants import DAY
from monitor.simulate.companies import COMPANIES
from monitor.simulate.hash_hits import Hits, fortnights
from monitor.simulate.routine import Routine
from monitor.simulate.scenario import CompanyPlan, Merger, Quarter, Scenario, Withdrawal

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
