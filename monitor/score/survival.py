"""Kaplan-Meier curves of many companies at once, from sorted arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.score.cells import Ends
from monitor.score.sorting import (
    Floats,
    Integers,
    added,
    first,
    lengths,
    order,
    running,
    running_whole,
    starts,
    stretches,
)


@dataclass(frozen=True)
class Steps:
    """The curve of each company at each of its times, sorted by company and time (ticks).

    `before`: S just before; `hazard`: the sum of d / (Y (Y - d)) so far, d events among Y at risk; `inverse`:
    1 / (Y - d), both 0 where nobody is left. `rows` are the Ends in that order, `step` to which each of them belongs.
    """

    ends: Ends
    rows: Integers
    step: Integers
    begins: Integers  # the first row of each step
    company: Integers
    time: Integers
    events: Integers
    at_risk: Floats
    survival: Floats
    before: Floats
    hazard: Floats
    inverse: Floats

    @property
    def companies(self) -> Integers:
        """The first step of each company that has any."""
        return starts(self.company)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """The first step of each company, and that after its last."""
        return stretches(self.companies, len(self.time))

    def running(self, values: Floats) -> Floats:
        """Running sums over the steps of each company."""
        return running(values, self.companies)

    def latest(self, times: Integers) -> Integers:
        """(companies, times): the last step at or before each time; -1 where there is none yet."""
        result = np.full((self.ends.companies, len(times)), -1, dtype=np.int64)
        for begin, end in self.stretches():
            at = np.searchsorted(self.time[begin:end], times, side="right") - 1
            result[self.company[begin]] = np.where(at < 0, -1, begin + at)
        return result

    def area(self, until: int) -> Floats:
        """Per company the mean time up to `until` ticks; nan without episodes."""
        last = self.companies + lengths(self.companies, len(self.time)) - 1
        following = np.roll(self.time, -1)
        following[last] = until
        inside = self.running(self.survival * np.maximum(np.minimum(following, until) - self.time, 0))
        result = np.full(self.ends.companies, np.nan)
        result[self.company[last]] = inside[last] + np.minimum(self.time[self.companies], until)
        return result

    def first_time(self, level: Floats, share: float) -> Floats:
        """Per company the first time at which `level` is at most a share (+ what rounding leaves); nan: never."""
        at = first(level <= share + TIE, self.company, self.ends.companies)
        return np.append(self.time.astype(np.float64), np.nan)[at]


TIE = 1e-10  # shares meant to be equal to a level differ by rounding


def survival(ends: Ends) -> Steps:
    """The curves of all companies; of the episodes that end at a time, those by the event come first."""
    rows = order(ends.company, ends.time)
    company, time = ends.company[rows], ends.time[rows]
    begins = starts(company, time)
    company, time = company[begins], time[begins]
    events, gone = added(ends.events[rows], begins), added(ends.ends[rows], begins)
    companies = starts(company)
    passed = running_whole(gone, companies)
    each = lengths(companies, len(passed))
    total = np.repeat(passed[companies + each - 1], each)
    at_risk = (total - passed + gone).astype(np.float64)
    left = at_risk - events
    some = left > 0
    inverse = np.divide(1.0, left, out=np.zeros_like(left), where=some)
    log = np.log(np.divide(left, at_risk, out=np.ones_like(left), where=some))
    sums = running(log, companies)
    return Steps(
        ends=ends,
        rows=rows,
        step=np.repeat(np.arange(len(begins)), lengths(begins, len(rows))),
        begins=begins,
        company=company,
        time=time * ends.unit,
        events=events,
        at_risk=at_risk,
        survival=np.where(some, np.exp(sums), 0.0),  # nobody is left: only ever at a company's last time
        before=np.exp(sums - log),
        hazard=running(events * inverse / at_risk, companies),
        inverse=inverse,
    )
