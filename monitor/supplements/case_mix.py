"""Case mix: how many late episodes a company had, and how many the other companies would have had with its cases.

A second table, never the ranking. For each company a logistic model with ridge penalty 1 is fitted on the determined
mature episodes (late or on time) of all others; expected is the sum of what it predicts for the company's own. Its
columns are weekday and hour of the notice (UTC), kind of notice, type of site, whether the site was noticed there on an
earlier day, and the logarithm of the recheck gap R - L. The gap is known where an episode has ended at a check after
the last one that found it online; where it is not, it is the median of the others' known gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from monitor.estimators.arrays import Floats, Integers, sum_by_index
from monitor.estimators.ridge_logistic import fit_ridge_logistic
from monitor.estimators.rounding import round_number
from monitor.instants import DAY, HOUR
from monitor.score.engine import Expr, as_integer, bool_to_int, fetch, put, round_down, to_numpy
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import is_late, is_mature, is_on_time
from monitor.supplements.inputs import Inputs
from monitor.supplements.shares import ClusteredShare, clustered_shares, read_cells, weighted_median
from monitor.vocabulary import Kind

PENALTY = 1.0
LEAST_EXPECTED = 5.0
WINSORISED = 0.1
_HOURS_OF_BLOCK = 4
_LEAST_GAP_HOURS = 0.25
_FIRST_WEEKDAY = 3  # the day instants are counted from, a Thursday; weekdays from Monday, 0
_UNKNOWN_GAP = -1
_KINDS = [str(kind) for kind in Kind]
SITE_TYPES = ("unknown", "name", "address")
_PATTERN = ("weekday", "block", "kind", "site_type", "repeated", "gap_minutes")


@dataclass(frozen=True, slots=True)
class CompanyCaseMix:
    """Observed and expected late among the determined episodes; the ratio is None where under 5 are expected.

    `z` is (observed - expected) over the standard deviation that the model alone leaves.
    """

    company: str
    name: str
    determined: int
    observed: int
    expected: float | None
    ratio: float | None
    low: float | None
    high: float | None
    z: float | None


@dataclass(frozen=True, slots=True)
class CaseMix:
    """The companies with a determined episode, and `dispersion`: the mean square of their winsorised z.

    Where companies differ by chance alone it is 1 with fewer than ten of them, and 0.66 with many, which winsorising
    leaves; the more it is above that, the more they differ by what the model does not know. None without companies.
    """

    companies: tuple[CompanyCaseMix, ...]
    dispersion: float | None


def case_mix(inputs: Inputs, site_types: Mapping[int, str] | None = None) -> CaseMix:
    """Of the episodes of the period. `site_types`: one of SITE_TYPES by site; None: unknown for all."""
    table = fetch(inputs.engine, _patterns(inputs, site_types or {}))
    if not table.num_rows:
        return CaseMix((), None)
    patterns = _Patterns.of(table)
    determined = _determined(inputs).select("company", "site", at=_.start, one=_.late == 1)
    late = clustered_shares(read_cells(inputs.engine, determined), inputs.rules)
    rows = [_company(inputs, patterns, number, late[number]) for number in patterns.companies]
    return CaseMix(
        tuple(sorted(rows, key=lambda row: row.company)), dispersion([row.z for row in rows if row.z is not None])
    )


def _company(inputs: Inputs, patterns: _Patterns, number: int, late: ClusteredShare) -> CompanyCaseMix:
    key, name = inputs.named(number)
    found = patterns.expected(number)
    if found is None:
        return CompanyCaseMix(key, name, late.items, late.ones, None, None, None, None, None)
    expected, variance = found
    z = None if variance <= 0 else round_number((late.ones - expected) / float(np.sqrt(variance)))
    enough = expected >= LEAST_EXPECTED

    def ratio(share: float | None) -> float | None:
        return round_number(share * late.items / expected) if enough and share is not None else None

    ratios = ratio(late.p), ratio(late.low), ratio(late.high)
    return CompanyCaseMix(key, name, late.items, late.ones, round_number(expected), *ratios, z)


def dispersion(z: list[float], share: float = WINSORISED) -> float | None:
    """The mean of z^2 after the most extreme on each side are set to the last that is kept (Spiegelhalter 2005)."""
    if not z:
        return None
    ordered, cut = np.sort(np.array(z, float)), int(share * len(z))
    if cut:
        ordered[:cut], ordered[-cut:] = ordered[cut], ordered[-cut - 1]
    return round_number(float((ordered**2).mean()))


def _determined(inputs: Inputs) -> Expr:
    """The mature episodes of the period that were certainly on time or certainly late."""
    mature = inputs.scored.filter((_.company != UNATTRIBUTED) & is_mature(_.followed_h, _.deadline_h))
    on_time, late = is_on_time(_.first_offline_h, _.deadline_h).fill_null(False), is_late(_.last_online_h, _.deadline_h)
    return mature.filter(on_time | late).mutate(late=bool_to_int(late))


def _patterns(inputs: Inputs, site_types: Mapping[int, str]) -> Expr:
    """(company, the columns of _PATTERN, items, late): one row a combination."""
    rows = _determined(inputs)
    kinds = inputs.facts.notices.group_by(["content", "t"]).aggregate(kind=_.kind.min())
    rows = rows.left_join(kinds, [rows.content == kinds.content, rows.start == kinds.t]).drop("content_right", "t")
    first = inputs.every.group_by(["company", "site"]).aggregate(first=_.start.min())
    rows = rows.join(first, ["company", "site"])
    rows = rows.left_join(_types(inputs, site_types), "site").drop("site_right")
    end = rows.first_offline_h.coalesce(rows.relocated_h)
    gap = end - rows.last_online_h
    known = end.notnull() & (gap > 0)
    minutes = as_integer(gap * 60.0)
    day = round_down(rows.start, DAY)
    rows = rows.mutate(
        weekday=(as_integer(day / float(DAY)) + _FIRST_WEEKDAY) % 7,
        block=round_down((rows.start - day), _HOURS_OF_BLOCK * HOUR),
        repeated=bool_to_int(round_down(rows["first"], DAY) < day),
        gap_minutes=known.ifelse(minutes, ibis.literal(_UNKNOWN_GAP, "int64")),
        site_type=_.site_type.coalesce(SITE_TYPES[0]),
        kind=_.kind.coalesce(""),
    )
    grouped = rows.group_by(["company", *_PATTERN]).aggregate(items=_.count(), ones=_.late.sum())
    return grouped.order_by(["company", *_PATTERN])


def _types(inputs: Inputs, site_types: Mapping[int, str]) -> Expr:
    sites = sorted(site_types)
    columns = {"site": pa.array(sites, pa.int64()), "site_type": pa.array([site_types[s] for s in sites], pa.string())}
    return put(inputs.engine, "site_types", pa.table(columns))


@dataclass(frozen=True)
class _Patterns:
    """The distinct patterns with their columns (the gap left out), and the rows of the companies among them."""

    columns: Floats
    log_gap: Floats  # nan: not known
    company: Integers
    pattern: Integers
    items: Floats
    late: Floats

    @classmethod
    def of(cls, table: pa.Table) -> _Patterns:
        """From the rows of `_patterns`."""
        coded = [_coded(table[name].to_pylist(), name) for name in _PATTERN]
        distinct, pattern = np.unique(np.column_stack(coded), axis=0, return_inverse=True)
        minutes = distinct[:, -1].astype(np.float64)
        log_gap = np.log(np.maximum(minutes / 60, _LEAST_GAP_HOURS))
        numbers = (to_numpy(table[name]) for name in ("items", "ones"))
        items, late = (values.astype(np.float64) for values in numbers)
        company = to_numpy(table["company"]).astype(np.int64)
        return cls(
            _indicators(distinct[:, :-2], distinct[:, -2]),
            np.where(minutes == _UNKNOWN_GAP, np.nan, log_gap),
            company,
            pattern.reshape(-1),
            items,
            late,
        )

    @property
    def companies(self) -> list[int]:
        """The companies there are."""
        return sorted(set(self.company.tolist()))

    def expected(self, number: int) -> tuple[float, float] | None:
        """How many late are expected of a company and their variance; None where there is no other company."""
        own, size = self.company == number, len(self.columns)
        others = sum_by_index(self.pattern[~own], self.items[~own], size)
        if not others.any():
            return None
        late = sum_by_index(self.pattern[~own], self.late[~own], size)
        items = sum_by_index(self.pattern[own], self.items[own], size)
        known = np.flatnonzero(~np.isnan(self.log_gap))
        usual = weighted_median(self.log_gap[known], others[known].astype(np.int64))
        columns = np.column_stack([self.columns, np.where(np.isnan(self.log_gap), usual or 0.0, self.log_gap)])
        fitted, mine = others > 0, items > 0
        model = fit_ridge_logistic(columns[fitted], others[fitted], late[fitted], PENALTY)
        mu = model.predict(columns[mine])
        return float(items[mine] @ mu), float(items[mine] @ (mu * (1 - mu)))


def _coded(values: list[object], name: str) -> Integers:
    """Words as their place in a list that never changes with the data, numbers as they are."""
    words = {"kind": ["", *_KINDS], "site_type": list(SITE_TYPES)}.get(name)
    return np.array([words.index(str(value)) for value in values] if words else values, np.int64)


def _indicators(categories: Integers, repeated: Integers) -> Floats:
    """A column for each value of each category, 1 where a row has it, and that of repeated sites."""
    columns = [
        (categories[:, place] == value).astype(np.float64)
        for place in range(categories.shape[1])
        for value in np.unique(categories[:, place])
    ]
    return np.column_stack([*columns, repeated.astype(np.float64)])
