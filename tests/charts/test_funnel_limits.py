"""The limits of the funnel against printed tables, and who counts as outside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.charts.funnel_limits import INNER, Funnel, control_limits, funnel, lower_limit
from monitor.disclosure.rows import PublicTable, public_table
from monitor.score.table import Share
from tests.support.published import COMPANIES, Invented, invent

UNKNOWN = Share(None, None, None, None)


def table(*companies: Invented) -> PublicTable:
    """What may be shown of an invented release."""
    return public_table(invent(companies=companies or COMPANIES))


def with_share(shown: PublicTable, key: str, share: Share) -> PublicTable:
    """The table with another lenient share of one company."""
    rows = []
    for row in shown.rows:
        if row.company == key and row.figures:
            timing = replace(row.figures.on_time, lenient=share)
            row = replace(row, figures=replace(row.figures, on_time=timing))
        rows.append(row)
    return replace(shown, rows=tuple(rows))


@pytest.mark.parametrize(
    ("n", "centre", "tail", "limit"),
    [
        # five-place tables of P(X <= k): n = 10, p = 0.4: 0.00605, 0.04636; n = 5, p = 0.5: 0.03125, 0.18750
        (10, 0.4, 0.025, (1 - (0.04636 - 0.025) / (0.04636 - 0.00605)) / 10),
        (5, 0.5, 0.05, (1 - (0.18750 - 0.05) / (0.18750 - 0.03125)) / 5),
        # the same table, n = 5, p = 0.30: nobody on time is too likely (0.16807) to be outside
        (5, 0.3, 0.025, 0.0),
    ],
)
def test_the_limit_is_that_of_spiegelhalter_from_printed_binomial_tables(
    n: int, centre: float, tail: float, limit: float
) -> None:
    assert lower_limit(centre, np.array([n]), tail)[0] == pytest.approx(limit, abs=2e-5)


def test_the_upper_limit_mirrors_the_lower_one() -> None:
    low, _ = control_limits(0.4, np.array([10.0]), 0.95)
    _, high = control_limits(0.6, np.array([10.0]), 0.95)
    assert low[0] == pytest.approx(0.04701, abs=2e-5)
    assert high[0] == pytest.approx(1 - 0.04701, abs=2e-5)


def test_between_two_numbers_of_observations_the_limit_lies_between_theirs() -> None:
    low, _ = control_limits(0.8, np.array([0.2, 1, 8, 8.25, 9]), 0.95)
    assert low[3] == pytest.approx(0.75 * low[2] + 0.25 * low[4])
    assert low[0] == low[1]


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.sampled_from([0.95, 0.998]))
def test_chance_puts_no_more_outside_than_it_should(n: int, centre: float, coverage: float) -> None:
    low, high = (float(limit[0]) for limit in control_limits(centre, np.array([float(n)]), coverage))
    assert 0 <= low <= centre <= high <= 1
    shares = np.arange(n + 1) / n
    chances = stats.binom.pmf(np.arange(n + 1), n, centre)
    for outside in (shares < low - 1e-12, shares > high + 1e-12):
        assert chances[outside].sum() <= (1 - coverage) / 2 + 1e-9


def test_a_company_with_every_case_right_is_only_outside_where_that_is_rare() -> None:
    # 0.83 ** 19 = 0.029 and 0.83 ** 40 = 0.0006
    _, high = control_limits(0.83, np.array([19.0, 40.0]), 0.998)
    assert high[0] == 1
    assert high[1] < 1


def test_sites_weigh_as_much_as_the_clustered_errors_say() -> None:
    shown = table()
    assert funnel(shown).weight == pytest.approx(1)  # invented as if each site were one observation
    half = shown
    for row in shown.rows:
        if row.figures:
            share = row.figures.on_time.lenient
            half = with_share(half, row.company, replace(share, se=(share.se or 0) * 2**0.5))
    assert funnel(half).weight == pytest.approx(0.5)
    low, _ = funnel(half).limits([40.0], INNER)
    assert low[0] == pytest.approx(control_limits(funnel(half).centre or 0, np.array([20.0]), INNER)[0][0])


def test_a_site_is_not_worth_more_than_its_episodes() -> None:
    shown = table(Invented("as64496", "Rietkraag Cloud", 45, 0, 15, 20, 9))
    tiny = with_share(shown, "as64496", Share(0.75, 1e-6, 0.7, 0.8))
    assert funnel(tiny).weight == 60 / 20
    assert funnel(with_share(shown, "as64496", Share(1.0, 0.0, 0.9, 1.0))).weight == 1


def test_who_lies_where() -> None:
    places = {item.row.name: item.place for item in funnel(table()).positions}
    assert places["Rietkraag Cloud"] == "far_below"
    assert places["Dijkgraaf IT"] == "below"
    assert places["Haven Carrier"] == "within"
    assert places["Lage Landen Servers"] == "far_above"
    assert "Oosterschelde Web" not in places  # no rank
    assert "=Watersnip VPS" not in places  # withheld


def test_outside_needs_an_interval_without_the_networks_share() -> None:
    wide = Share(0.167, 0.3, 0.02, 0.9)
    place = {p.row.company: p.place for p in funnel(with_share(table(), "as64496", wide)).positions}["as64496"]
    assert place == "below"


def test_without_the_networks_share_there_are_no_limits() -> None:
    shown = table()
    blank = funnel(replace(shown, network=replace(shown.network, lenient=UNKNOWN)))
    assert blank.centre is None
    assert {(item.inner, item.outer, item.place) for item in blank.positions} == {(None, None, None)}
    with pytest.raises(ValueError, match="network's share"):
        blank.limits([5.0], INNER)


def test_a_table_without_ranked_companies_has_no_positions() -> None:
    shape: Funnel = funnel(table(COMPANIES[12]))
    assert shape.positions == ()
    assert shape.weight == 1
