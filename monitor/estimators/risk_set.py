"""Interval-censored times of episodes, and the risk sets that follow: who ends when, by company and site."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import (
    AnyIntegers,
    Booleans,
    Floats,
    Integers,
    fits_key,
    group_bounds,
    group_starts,
    pack_keys,
    sorted_rows,
)
from monitor.estimators.compiled import compiled
from monitor.estimators.numbering import number_values

NEVER = -1  # the time of what has no end


@dataclass(frozen=True)
class CurveInputs:
    """Rows of `weight` episodes, sorted by company (an index), with times in units of `unit` microseconds.

    `left`: last seen online; `begin`: the same, rounded down; `right`: first seen offline; `relocated`: first known to
    have moved; both NEVER where that did not happen. Ends are still to be rounded up to multiples of `width`, `begin`
    down. In a part and in the pooled rows, sites are numbered from 0 in each company.
    """

    companies: int
    unit: int
    company: AnyIntegers
    site: AnyIntegers
    left: AnyIntegers
    begin: AnyIntegers
    right: AnyIntegers
    relocated: AnyIntegers
    weight: AnyIntegers
    width: int = 1
    mature: AnyIntegers | None = None  # of these episodes, those whose deadline has passed

    def round_up(self, times: AnyIntegers) -> AnyIntegers:
        """Times of ends on the grid."""
        return times if self.width == 1 else np.where(times == NEVER, NEVER, -(-times // self.width) * self.width)

    def parts(self, most: int) -> Iterator[slice]:
        """Consecutive companies with about `most` rows at a time: memory stays bounded."""
        starts = np.searchsorted(self.company, np.arange(self.companies))
        return itertools.starmap(slice, group_bounds(group_starts(starts // most), self.companies))

    def part(self, some: slice) -> CurveInputs:
        """Consecutive companies with all their rows."""
        rows = slice(*np.searchsorted(self.company, [some.start, some.stop]))
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        columns["company"] = columns["company"] - some.start
        columns["site"] = _number_sites(columns["company"], columns["site"], some.stop - some.start)
        mature = None if self.mature is None else self.mature[rows]
        return replace(self, companies=some.stop - some.start, mature=mature, **columns)

    def together(self, chosen: Booleans) -> CurveInputs:
        """The rows of some companies as those of one."""
        if chosen.all():
            return self.pooled(0)
        rows = np.flatnonzero(chosen[self.company])
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        mature = None if self.mature is None else self.mature[rows]
        return replace(self, mature=mature, **columns).pooled(0)

    def pooled(self, grid: int) -> CurveInputs:
        """All rows as those of one company, on a grid (microseconds, 0: exact) of which every company's is a part."""
        one = np.broadcast_to(np.int32(0), len(self.site))
        width = max(grid // self.unit, 1)
        return replace(self, companies=1, company=one, site=_number_sites(one, self.site, 1), width=width)


_COLUMNS = ("company", "site", "left", "begin", "right", "relocated", "weight")


def _number_sites(company: AnyIntegers, site: AnyIntegers, companies: int) -> AnyIntegers:
    """Sites numbered from 0 in each company, in the order of their numbers."""
    if companies == 1:
        return number_values(site)[1]
    if not fits_key(company, site):
        site = number_values(site)[1]
    found, number = number_values(pack_keys(company, site))
    width = int(site.max(initial=0)).bit_length()
    return number - np.searchsorted(found, np.arange(companies) << width).astype(np.int32)[company]


class RiskSet(NamedTuple):
    """How many episodes leave the risk set, by company, time (in `unit` microseconds) and site.

    Of the `leaving` ones `events` end by the event and `relocations` by relocation; the others are censored. Company k
    has the rows from `begins[k]` to before `begins[k + 1]`.
    """

    unit: int
    begins: Integers
    time: AnyIntegers
    site: AnyIntegers
    leaving: AnyIntegers
    events: AnyIntegers
    relocations: AnyIntegers


def lenient(inputs: CurveInputs) -> RiskSet:
    """Removal at the last time seen online."""
    return _risk_set(inputs, at_end=False, with_relocation=False)


def strict(inputs: CurveInputs) -> RiskSet:
    """Removal at the first time seen offline; else censored when last seen online."""
    return _risk_set(inputs, at_end=True, with_relocation=False)


def any_event_lenient(inputs: CurveInputs) -> RiskSet:
    """Removal and relocation at the last time seen online."""
    return _risk_set(inputs, at_end=False, with_relocation=True)


def any_event(inputs: CurveInputs) -> RiskSet:
    """The first of removal and relocation; else censored when last seen online."""
    return _risk_set(inputs, at_end=True, with_relocation=True)


def _risk_set(inputs: CurveInputs, *, at_end: bool, with_relocation: bool) -> RiskSet:
    """Whether what ended leaves when it ended, or when last seen online; whether relocation is an end."""
    left, right, relocated = (inputs.round_up(time) for time in (inputs.left, inputs.right, inputs.relocated))
    site_bits = int(inputs.site.max(initial=0)).bit_length()
    time_bits = max(int(time.max(initial=0)) for time in (left, right, relocated)).bit_length()
    fits = inputs.companies.bit_length() + time_bits + site_bits + _ENDED_BITS <= 63
    if fits and inputs.weight.max(initial=0) <= 1:
        key = _keys(inputs.company, left, right, relocated, inputs.site, at_end, with_relocation, time_bits, site_bits)
        key.sort()
        return _merge_keys(inputs.companies, inputs.unit, key, time_bits, site_bits)
    ended = np.where(right != NEVER, 1, np.where(relocated != NEVER, 2 * with_relocation, 0)).astype(np.int8)
    time = left
    if at_end:
        time = np.where(ended == 1, right, np.where(ended == 2, relocated, left))
    return _merge_rows(
        inputs.companies, inputs.unit, *sorted_rows(inputs.company, time, inputs.site, ended, inputs.weight)
    )


_ENDED_BITS = 2  # 0: censored, 1: removed, 2: relocated


@compiled
def _keys(
    company: AnyIntegers,
    left: AnyIntegers,
    right: AnyIntegers,
    relocated: AnyIntegers,
    site: AnyIntegers,
    at_end: bool,
    with_relocation: bool,
    time_bits: int,
    site_bits: int,
) -> Integers:
    """A number for each row that sorts by company, time and site, and holds how it ended."""
    result = np.empty(len(left), np.int64)
    for row in range(len(left)):
        time, ended = np.int64(left[row]), 0
        if right[row] != NEVER:
            ended = 1
            if at_end:
                time = np.int64(right[row])
        elif with_relocation and relocated[row] != NEVER:
            ended = 2
            if at_end:
                time = np.int64(relocated[row])
        key = (np.int64(company[row]) << time_bits) | time
        result[row] = (((key << site_bits) | np.int64(site[row])) << _ENDED_BITS) | ended
    return result


@compiled
def _merge_keys(companies: int, unit: int, key: Integers, time_bits: int, site_bits: int) -> RiskSet:
    """Sorted keys of the same company, time and site as one row."""
    size = 0
    for row in range(len(key)):
        size += row == 0 or key[row] >> _ENDED_BITS != key[row - 1] >> _ENDED_BITS
    begins, time, site = np.zeros(companies + 1, np.int64), np.empty(size, np.int64), np.empty(size, np.int32)
    leaving, events, relocations = np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32)
    last = -1
    for row in range(len(key)):
        same, ended = key[row] >> _ENDED_BITS, key[row] & ((1 << _ENDED_BITS) - 1)
        if row == 0 or same != key[row - 1] >> _ENDED_BITS:
            last += 1
            site[last] = same & ((1 << site_bits) - 1)
            time[last] = (same >> site_bits) & ((1 << time_bits) - 1)
            begins[(same >> (site_bits + time_bits)) + 1] += 1
        leaving[last] += 1
        events[last] += ended > 0
        relocations[last] += ended > 1
    return RiskSet(unit, np.cumsum(begins), time, site, leaving, events, relocations)


@compiled
def _merge_rows(
    companies: int,
    unit: int,
    company: AnyIntegers,
    time: AnyIntegers,
    site: AnyIntegers,
    ended: AnyIntegers,
    weight: AnyIntegers,
) -> RiskSet:
    """Sorted rows of the same company, time and site as one: in place of the first rows, as there may be many."""
    begins, last = np.zeros(companies + 1, np.int64), -1
    events, relocations = np.zeros_like(weight), np.zeros_like(weight)
    for row in range(len(time)):
        before, leaving = max(row - 1, 0), weight[row]
        is_same = company[row] == company[before] and time[row] == time[before] and site[row] == site[before]
        if row == 0 or not is_same:
            last += 1
            time[last], site[last], weight[last] = time[row], site[row], 0
            begins[company[row] + 1] += 1
        weight[last] += leaving
        events[last] += leaving * (ended[row] > 0)
        relocations[last] += leaving * (ended[row] > 1)
    size = last + 1
    return RiskSet(unit, np.cumsum(begins), time[:size], site[:size], weight[:size], events[:size], relocations[:size])


@compiled
def site_sizes(risk_set: RiskSet, begin: int, end: int) -> Floats:
    """How many episodes each site of a company has."""
    result = np.zeros(risk_set.site[begin:end].max() + 1)
    for row in range(begin, end):
        result[risk_set.site[row]] += risk_set.leaving[row]
    return result


@compiled
def next_time(risk_set: RiskSet, row: int, end: int) -> tuple[int, int, int]:
    """The first row after the time of this one; how many episodes leave in between, and how many by the event."""
    time, leaving, events = risk_set.time[row], 0, 0
    while row < end and risk_set.time[row] == time:
        leaving += risk_set.leaving[row]
        events += risk_set.events[row]
        row += 1
    return row, leaving, events
