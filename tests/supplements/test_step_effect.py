"""The effect of a step: by hand, its guards, and what it says of a world without effect."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from monitor.supplements.step_effect import step_effect

QUARTERS = range(20)
FLAT = dict.fromkeys(QUARTERS, 0.5)


def world(treated: dict[str, float], controls: int = 4) -> tuple[dict[str, dict[int, float]], dict[str, int]]:
    """Each treated company gains so much from quarter 10 on, and all gain 0.02 a quarter besides."""
    trend = {q: 0.5 + 0.02 * q for q in QUARTERS}
    figures = {f"c{n}": dict(trend) for n in range(controls)}
    for company, gain in treated.items():
        figures[company] = {q: value + (gain if q >= 10 else 0.0) for q, value in trend.items()}
    return figures, dict.fromkeys(treated, 10)


GAINS = {"a": 0.1, "b": 0.2, "d": 0.3, "e": 0.1, "f": 0.2, "g": 0.3}


def test_by_hand() -> None:
    """D is each company's own gain: what all gain falls out. Controls are alike, so that se^2 = s_D^2 / 6."""
    found = step_effect(*world(GAINS))
    assert {each.company: each.change for each in found.changes} == pytest.approx(GAINS)
    assert [(each.quarters_before, each.quarters_after) for each in found.changes] == [(3, 4)] * 6
    assert found.controls == 4
    effect = found.effect
    assert effect is not None
    se = math.sqrt(np.var(list(GAINS.values()), ddof=1) / 6)
    half = float(stats.t.ppf(0.975, min(6, 4) - 1)) * se
    expected = 0.2, se, 0.2 - half, 0.2 + half
    assert (effect.value, effect.se, effect.low, effect.high) == pytest.approx(expected)
    assert effect.without["a"] == pytest.approx(0.22)
    assert effect.without.keys() == GAINS.keys()
    assert found.placebo is not None
    assert (found.placebo.value, found.placebo.low, found.placebo.high) == pytest.approx((0, 0, 0))
    assert [(each.quarter, each.companies) for each in found.events] == [(q, 6) for q in range(-4, 5)]
    assert [each.difference for each in found.events] == pytest.approx([0.0] * 4 + [0.2] * 5, abs=1e-9)
    assert (found.left_out, found.missing) == ((), {})


def test_the_standard_error_has_the_controls_in_it() -> None:
    """Two strata: s_D^2 / m + s_C^2 / c, the controls' own changes being 0, 0, 0.1 and 0.1."""
    figures, steps = world(GAINS)
    for company in ("c2", "c3"):
        figures[company] = {q: value + (0.1 if q >= 10 else 0) for q, value in figures[company].items()}
    effect = step_effect(figures, steps).effect
    assert effect is not None
    of_controls = np.var([0, 0, 0.1, 0.1], ddof=1) / 4
    assert effect.value == pytest.approx(0.2 - 0.05)
    assert effect.se == pytest.approx(math.sqrt(np.var(list(GAINS.values()), ddof=1) / 6 + of_controls))


def test_the_quarter_that_chose_the_companies_is_left_out() -> None:
    """A dip in the quarter before the step is in no mean; the event plot shows it."""
    figures, steps = world(dict.fromkeys(GAINS, 0.0))
    for company in GAINS:
        figures[company][9] -= 0.4
    found = step_effect(figures, steps)
    assert found.effect is not None
    assert (found.effect.value, found.placebo and found.placebo.value) == pytest.approx((0, 0))
    assert [event.difference for event in found.events if event.quarter == -1] == [pytest.approx(-0.4)]


def test_with_fewer_than_six_companies_there_are_changes_and_no_effect() -> None:
    found = step_effect(*world({name: GAINS[name] for name in "abdef"}))
    assert (found.effect, found.placebo) == (None, None)
    assert len(found.changes) == 5


@pytest.mark.parametrize(
    ("lacking", "missing", "counted"),
    [
        ([6], (6,), (2, 4)),
        ([6, 7], (6, 7), None),
        ([12, 13], (12, 13), (3, 2)),
        ([11, 12, 13], (11, 12, 13), None),
    ],
)
def test_two_quarters_before_and_after_are_needed(
    lacking: list[int], missing: tuple[int, ...], counted: tuple[int, int] | None
) -> None:
    figures, steps = world(GAINS)
    for quarter in lacking:
        del figures["a"][quarter]
    found = step_effect(figures, steps)
    assert found.missing == {"a": missing}
    rows = {each.company: (each.quarters_before, each.quarters_after) for each in found.changes}
    assert rows.get("a") == counted
    assert found.left_out == (() if counted else ("a",))


def test_three_controls_are_needed_and_one_that_gets_a_step_leaves() -> None:
    """c0 gets its own step in quarter 12: from then on two are left, so that quarters 10 and 11 alone count."""
    figures, steps = world(GAINS, controls=3)
    found = step_effect(figures, steps | {"c0": 12})
    assert {each.company: each.quarters_after for each in found.changes} == dict.fromkeys(GAINS, 2)
    assert found.left_out == ("c0",)
    assert step_effect(*world(GAINS, controls=2)).changes == ()


def test_a_control_needs_the_same_quarters() -> None:
    figures, steps = world(GAINS, controls=3)
    del figures["c0"][11]
    found = step_effect(figures, steps)
    assert {each.company: each.quarters_after for each in found.changes} == dict.fromkeys(GAINS, 3)


def test_a_company_without_figures_is_left_out() -> None:
    figures, steps = world(GAINS)
    found = step_effect(figures, steps | {"nobody": 10})
    assert found.left_out == ("nobody",)
    assert found.missing == {"nobody": (6, 7, 8, 10, 11, 12, 13)}


def drawn(rng: np.random.Generator) -> tuple[dict[str, dict[int, float]], dict[str, int]]:
    """Forty companies whose share goes up and down by chance; the eight worst get a letter, to no use."""
    own, noise = rng.normal(0.7, 0.08, 40), rng.normal(0, 0.08, (40, 20))
    common = np.cumsum(rng.normal(0, 0.02, 20))
    shares = np.clip(own[:, None] + noise + common, 0, 1)
    worst = np.argsort(shares[:, 9])[:8]
    figures = {f"k{n:02}": dict(enumerate(shares[n].tolist())) for n in range(40)}
    return figures, {f"k{n:02}": 10 for n in worst}


def test_a_world_without_effect_shows_none_where_before_and_after_shows_one() -> None:
    rng, effects, covered, naive, rounds = np.random.default_rng(31), [], 0, [], 200
    for _ in range(rounds):
        figures, steps = drawn(rng)
        found = step_effect(figures, steps).effect
        assert found is not None
        effects.append(found.value)
        covered += found.low <= 0 <= found.high
        naive.append(np.mean([np.mean([figures[k][q] for q in range(10, 14)]) - figures[k][9] for k in steps]))
    assert abs(np.mean(effects)) < 0.01
    assert covered >= 0.92 * rounds
    assert np.mean(naive) > 0.06
