"""Curve inputs: the grid of large companies, rows in any order, parts of any size, whole sums past 2**63."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.score import time_estimates
from monitor.score.aggregate import NETWORK, aggregate
from monitor.score.engine import opened
from monitor.score.estimate import estimate
from monitor.score.methods import Method, method
from monitor.score.table import Estimate

EXACT = replace(method(), time_grid=((10**12, 0),))
GRID = replace(method(), time_grid=((10**12, 900),))
QUARTER = 0.25  # hours


def episodes(random: np.random.Generator, rows: int, quarters: bool) -> pa.Table:
    """Three companies; times are multiples of a quarter of an hour, or whole seconds."""
    unit = 900 if quarters else 1
    last = random.integers(0, 200_000 // unit, rows) * unit / 3600
    later = last + random.integers(1, 20_000 // unit, rows) * unit / 3600
    fate = random.random(rows)
    return pa.table(
        {
            "company": random.integers(1, 4, rows),
            "site": random.integers(1, 9, rows),
            "last_online_h": last,
            "first_offline_h": pa.array(later, mask=fate > 0.7),
            "relocated_h": pa.array(later, mask=fate < 0.85),
            "followed_h": np.full(rows, 500.0),
            "deadline_h": np.full(rows, 24.0),
            "notices": np.ones(rows, dtype=np.int64),
            "reappeared": np.zeros(rows, dtype=np.int64),
            "destination": pa.array(np.where(random.random(rows) < 0.5, "DE", "FR"), mask=fate < 0.85),
            "unverified": np.zeros(rows, dtype=bool),
        }
    )


def estimates(table: pa.Table, rules: Method) -> dict[int, Estimate]:
    with opened("duckdb://") as engine:
        rows = engine.create_table("episodes", table)
        return estimate(aggregate(engine, rows, rows, rules), {}, rules)


def without_low(estimate: Estimate) -> Estimate:
    """But for what a grid rounds outwards or takes in the middle of a step."""
    quantiles = {name: replace(getattr(estimate, name), low=None) for name in ("median_hours", "p90_hours")}
    return replace(estimate, mean_online_hours_7d=EMPTY.mean_online_hours_7d, **quantiles)


EMPTY = estimates(episodes(np.random.default_rng(0), 1, quarters=True), EXACT)[NETWORK]


def test_on_a_grid_that_all_times_are_on_nothing_is_rounded() -> None:
    """But for the lower limits of quantiles, a step lower, and the mean, half a step less for each removal."""
    table = episodes(np.random.default_rng(1), 400, quarters=True)
    exact, rounded = estimates(table, EXACT), estimates(table, GRID)
    assert {key: without_low(value) for key, value in rounded.items()} == {
        key: without_low(value) for key, value in exact.items()
    }
    for key, found in rounded.items():
        assert found.median_hours.low == pytest.approx((exact[key].median_hours.low or 0) - QUARTER)
        ended = 1 - (found.survival[-1].lenient or 0)
        lenient, before = found.mean_online_hours_7d.lenient, exact[key].mean_online_hours_7d.lenient
        assert lenient == pytest.approx((before or 0) - QUARTER / 2 * ended)


def test_on_a_grid_times_are_rounded_up_to_it() -> None:
    """As if every check had been at the next quarter of an hour; Turnbull's left ends go down instead."""
    table = episodes(np.random.default_rng(2), 400, quarters=False)
    up = table
    for name in ("last_online_h", "first_offline_h", "relocated_h"):
        values = pa.compute.ceil(pa.compute.multiply(table[name], 4.0))
        up = up.set_column(up.column_names.index(name), name, pa.compute.divide(values, 4.0))
    rounded, exact = estimates(table, GRID), estimates(up, EXACT)
    for key, found in rounded.items():
        for name in ("lenient", "lenient_se", "strict", "strict_se"):
            ours, theirs = ([getattr(point, name) for point in e.curve] for e in (found, exact[key]))
            assert ours == pytest.approx(theirs, abs=1e-12)
        assert found.relocation == exact[key].relocation


def test_times_of_odd_microseconds_are_rounded_up_without_passing_the_width_of_a_number() -> None:
    """2,124 s and a microsecond for companies with exact times; on the network's grid in (1,800 s, 2,700 s]."""
    table = episodes(np.random.default_rng(3), 6, quarters=True)
    odd = pa.array([2_124_000_001 / 3.6e9] * 6)
    for name, values in {
        "last_online_h": odd,
        "first_offline_h": odd,
        "relocated_h": pa.nulls(6, pa.float64()),
    }.items():
        table = table.set_column(table.column_names.index(name), name, values)
    rules = replace(method(), time_grid=((5, 0), (10**12, 900)))
    found = estimates(table, rules)
    assert found.pop(NETWORK).median_hours.value == pytest.approx(0.625)
    exact = [item.median_hours.value for item in found.values()]
    assert exact == pytest.approx([2_124_000_001 / 3.6e9] * len(found))


@given(st.integers(0, 2**32), st.sampled_from([EXACT, GRID]), st.sampled_from([1, 7, 500_000]))
@settings(max_examples=6, deadline=None)
def test_neither_the_order_of_rows_nor_the_size_of_parts_changes_a_digit(seed: int, rules: Method, most: int) -> None:
    random = np.random.default_rng(seed)
    table = episodes(random, 60, quarters=False)
    whole = estimates(table, rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_estimates, "_ROWS", most)
        assert estimates(table.take(random.permutation(60)), rules) == whole
