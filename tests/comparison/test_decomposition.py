"""What moved the network's share: by hand, by what must hold, and never by what is withheld."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.comparison.decomposition import Decomposition, Late, Pair, Side, decompose, obstacle, split, steps
from monitor.comparison.trend_sentences import in_whole, what_moved
from monitor.disclosure.rows import PublicTable
from monitor.errors import MonitorError
from monitor.estimators.confidence import wilson_interval
from monitor.score.estimate import clustered_shares
from monitor.score.methods import method
from monitor.score.table import Share
from monitor.wording.language import EN, NL
from tests.support.plain_tables import SMALL, Counted, company, release

PARTS = ("behaviour", "mix", "arrivals", "departures", "unnamed")


def added(found: Decomposition) -> float:
    return math.fsum(getattr(found, name) for name in PARTS)


def numbers(late: Late) -> tuple[float, ...]:
    return late.before, late.after, late.by_volume, late.by_rate


BEFORE = release("2026Q1", company("a", 60, 12), company("b", 40, 20))  # 80 % and 50 %: 68 % of 100
AFTER = release("2026Q2", company("a", 100, 10), company("c", 100, 42))  # 90 % and 58 %: 74 % of 200


def test_an_example_to_check_by_hand() -> None:
    """The mean of both shares is 71 %. Weights: a 0.6 and 0.5, b 0.4, c 0.5."""
    found = decompose(BEFORE, AFTER)
    assert found.change == pytest.approx(0.06)
    assert found.behaviour == pytest.approx((0.6 + 0.5) / 2 * (0.9 - 0.8))  # 0.055
    assert found.mix == pytest.approx((0.5 - 0.6) * ((0.8 + 0.9) / 2 - 0.71))  # -0.014
    assert found.arrivals == pytest.approx(0.5 * (0.58 - 0.71))  # -0.065
    assert found.departures == pytest.approx(-0.4 * (0.5 - 0.71))  # 0.084
    assert found.unnamed == 0
    assert numbers(found.late) == pytest.approx((32, 52, 100 * 0.29, -0.06 * 150))  # 29 by volume, -9 by rate
    assert [(each.company, each.kind) for each in found.companies] == [("b", "left"), ("c", "arrived"), ("a", "stayed")]
    assert (found.companies[2].name, found.companies[2].behaviour) == ("Company a", found.behaviour)
    assert found.companies[2].total == pytest.approx(0.055 - 0.014)
    assert found.companies[0].behaviour is None


def side(mature: int, late: int, low: float, high: float) -> Side:
    return Side(mature, late, Share(1 - late / mature, None, low, high))


def test_the_interval_of_the_mix_by_hand() -> None:
    """Weights 0.6 and 0.4, then 0.5 and 0.5, so that each share counts with a twentieth, the first one against."""
    a = side(60, 12, 0.7, 0.88), side(50, 5, 0.84, 0.95)  # 80 % and 90 %
    b = side(40, 20, 0.4, 0.6), side(50, 21, 0.5, 0.7)  # 50 % and 58 %
    whole = side(100, 32, 0.6, 0.75), side(100, 26, 0.68, 0.8)
    found = split((Pair("a", "A", *a), Pair("b", "B", *b)), *whole, "network")
    assert found.mix == pytest.approx(-0.1 * 0.85 + 0.1 * 0.54)  # -0.031
    low = found.mix - 0.05 * math.hypot(0.88 - 0.8, 0.95 - 0.9, 0.5 - 0.4, 0.58 - 0.5)
    high = found.mix + 0.05 * math.hypot(0.8 - 0.7, 0.9 - 0.84, 0.6 - 0.5, 0.7 - 0.58)
    assert (found.mix_low, found.mix_high) == pytest.approx((low, high))


def test_where_companies_came_the_networks_own_share_is_in_the_mix() -> None:
    """`a` had all of it and then half: its share counts with -1/4 on either date, the network's with 1/4 on either."""
    a = side(100, 20, 0.7, 0.9), side(50, 5, 0.8, 0.95)  # 80 % and 90 %
    whole = side(100, 20, 0.7, 0.9), side(100, 30, 0.6, 0.8)  # 80 % and 70 %
    found = split((Pair("a", "A", *a), Pair("b", "B", None, side(50, 25, 0.4, 0.6))), *whole, "network")
    assert found.mix == pytest.approx(-0.5 * (0.85 - 0.75))
    assert found.mix_low == pytest.approx(found.mix - 0.25 * math.hypot(0.1, 0.05, 0.1, 0.1))
    assert found.mix_high == pytest.approx(found.mix + 0.25 * math.hypot(0.1, 0.1, 0.1, 0.1))


def test_without_an_interval_of_the_network_the_mix_has_none_where_companies_came() -> None:
    whole = replace(side(100, 20, 0.7, 0.9), lenient=Share(None, None, None, None)), side(100, 30, 0.6, 0.8)
    a = side(100, 20, 0.7, 0.9), side(50, 5, 0.8, 0.95)
    found = split((Pair("a", "A", *a),), *whole, "named")
    assert (found.mix_low, found.mix_high) == (None, None)
    assert found.low is not None


WORDS = """The share on time (lenient reading) of all companies together went from 68.0% to 74.0%: +6.0 percentage \
points.
The behaviour of the companies themselves contributed +5.5 percentage points to this (95% confidence interval −9.1 to \
+22.9). That may be due to chance.
The rest came from how the material was divided over companies (−1.4), new companies (−6.5) and companies that left \
(+8.4).
The number of late episodes went from 32 to 52: 29 more because there were more episodes and 9 fewer because a \
smaller part was late."""


def test_the_example_in_words() -> None:
    assert "\n".join(what_moved(decompose(BEFORE, AFTER), EN)) == WORDS


def test_whole_numbers_of_late_episodes_still_add_up() -> None:
    assert in_whole(Late(32, 50, 28.5, -10.5), NL) == ("+28", "−10")
    assert in_whole(Late(0, 0, 0.0, 0.0), NL) == ("0", "0")


def wilson(successes: int, n: int) -> Share:
    low, high = wilson_interval(np.array([successes / n]), np.array([float(n)]), 0.95)
    return Share(successes / n, None, float(low[0]), float(high[0]))


def test_for_one_company_the_interval_is_newcombes() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table II: 56/70 - 48/80, method 10: 0.0524 to 0.3339."""
    old = release("2026Q1", company("a", 80, 32), limits={"a": wilson(48, 80)})
    new = release("2026Q2", company("a", 70, 14), limits={"a": wilson(56, 70)})
    found = decompose(old, new)
    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.0524, 0.3339)
    assert "show that together they were on time more often" in what_moved(found, EN)[1]


def test_the_limits_under_2026_2_hold_whatever_the_checks_did_not_see() -> None:
    """One company, 80 % then 90 %, each with a tenth open: doubt of both moves an end by its whole size."""
    a = [
        Side(100, late, Share(1 - late / 100, None, p - 0.05, p + 0.05), Share(p - 0.1, None, p - 0.16, p))
        for late, p in ((20, 0.8), (10, 0.9))
    ]
    found = split((Pair("a", "A", a[0], a[1]),), a[0], a[1], "network")
    assert found.behaviour == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1 - 0.1 - math.hypot(0.06, 0.05))
    assert found.high == pytest.approx(0.1 + 0.1 + math.hypot(0.05, 0.06))
    assert found.behaviour_direction == "open"


def test_the_limits_lie_within_what_a_change_can_be() -> None:
    found = split((Pair("a", "A", side(10, 10, 0.0, 0.9), side(10, 0, 0.1, 1.0)),),
                  side(10, 10, 0.0, 0.9), side(10, 0, 0.1, 1.0), "network")  # fmt: skip
    assert found.low is not None
    assert -1 <= found.low <= found.behaviour == found.high == 1


def test_without_the_limits_of_one_company_there_is_no_interval() -> None:
    unsure = release("2026Q2", company("a", 100, 10), limits={"a": Share(0.9, None, None, 0.95)})
    found = decompose(BEFORE, unsure)
    assert (found.low, found.high) == (None, None)
    assert what_moved(found, NL)[1].endswith("Hoe zeker dat is, is niet te zeggen.")


def clustered(chance: np.random.Generator, q: float, sites: int) -> tuple[int, int, Share]:
    """Mature and late episodes of one company whose sites are alike inside, with the share the method gives."""
    n = np.maximum(2, np.round(np.exp(chance.normal(1, 1.2, sites))))
    late = chance.binomial(n.astype(int), chance.beta(q, 1 - q, sites))
    sums = {"mature": n.sum(), "mature_sites": sites, "nn": (n * n).sum(), "late": late.sum(),
            "late_2": (late * late).sum(), "late_n": (late * n).sum()}  # fmt: skip
    found = clustered_shares({name: np.array([float(value)]) for name, value in sums.items()}, method(), "late")
    return int(n.sum()), int(late.sum()), found.at(0)


def test_the_interval_holds_the_truth_where_standard_errors_would_not() -> None:
    """Five companies of eight unequal sites, whose chance of being late goes from 40 % to 30 %."""
    chance, rounds, held, plain = np.random.default_rng(5), 200, 0, 0
    for _ in range(rounds):
        tables, errors = [], []
        for period, q in (("2026Q1", 0.4), ("2026Q2", 0.3)):
            drawn = [clustered(chance, q, 8) for _ in range(5)]
            companies = [company(f"c{i}", n, late) for i, (n, late, _) in enumerate(drawn)]
            tables.append(release(period, *companies, limits={f"c{i}": share for i, (*_, share) in enumerate(drawn)}))
            errors += [n / sum(each[0] for each in drawn) * (share.se or 0) for n, _, share in drawn]
        found = decompose(*tables)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
        plain += abs(found.behaviour - 0.1) <= 1.96 * math.hypot(*errors)
    assert held >= 0.95 * rounds
    assert plain <= 0.9 * rounds


some_companies = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.integers(10, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1,
)
strays = st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@st.composite
def releases(draw: st.DrawFn, period: str) -> PublicTable:
    companies = [company(key, *counts) for key, counts in draw(some_companies).items()]
    small = SMALL[: draw(st.integers(0, 4))]
    return release(period, *companies, *small, stray=company("", *draw(strays)))


@settings(max_examples=60, deadline=None)
@given(releases("2026Q1"), releases("2026Q2"))
def test_the_parts_add_up_to_the_change_and_swapped_releases_flip_every_sign(
    old: PublicTable, new: PublicTable
) -> None:
    assert obstacle(old, new) == obstacle(new, old)
    if obstacle(old, new):  # every company of a release is withheld, and only one of them tells the network
        with pytest.raises(MonitorError, match="the change cannot be decomposed: empty"):
            decompose(old, new)
        return
    found, back = decompose(old, new), decompose(new, old)
    assert added(found) == pytest.approx(found.change, abs=1e-12)
    assert found.late.by_volume + found.late.by_rate == pytest.approx(found.late.after - found.late.before, abs=1e-6)
    named = [each.total for each in found.companies]
    assert math.fsum(named) + found.unnamed == pytest.approx(found.change, abs=1e-12)
    for one, other in (("behaviour", "behaviour"), ("mix", "mix"), ("unnamed", "unnamed"), ("arrivals", "departures")):
        assert getattr(back, one) == pytest.approx(-getattr(found, other), abs=1e-12)
    assert (back.low is None) == (found.low is None)
    if found.low is not None:
        assert back.high == pytest.approx(-found.low, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(some_companies, st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_where_every_company_keeps_its_share_behaviour_did_nothing(
    counts: dict[str, tuple[int, int]], factors: list[int]
) -> None:
    old = release("2026Q1", *(company(key, n, late) for key, (n, late) in counts.items()))
    grown = (company(key, n * k, late * k) for (key, (n, late)), k in zip(counts.items(), factors, strict=False))
    found = decompose(old, release("2026Q2", *grown))
    assert found.behaviour == pytest.approx(0, abs=1e-12)
    assert found.mix == pytest.approx(found.change, abs=1e-12)
    assert found.low is None or found.high is None or found.low <= 0 <= found.high


def test_where_every_share_is_alike_nothing_moves() -> None:
    old = release("2026Q1", company("a", 100, 20), company("b", 50, 10))
    new = release("2026Q2", company("a", 20, 4), company("b", 250, 50), company("c", 40, 8))
    found = decompose(old, new)
    assert {name: round(getattr(found, name), 12) for name in PARTS} == dict.fromkeys(PARTS, 0)
    assert numbers(found.late) == pytest.approx((30, 62, 32, 0))


def test_what_is_withheld_in_either_release_has_no_name() -> None:
    """`b` falls below the bound; its episodes stay in the network, so it neither left nor behaved."""
    old = release("2026Q1", company("a", 60, 12), company("b", 40, 20), *SMALL)
    new = release("2026Q2", company("a", 60, 12), Counted("b", 2, 4, 1, 5), *SMALL)
    assert not old.network.gives_way
    assert not new.network.gives_way
    found = decompose(old, new)
    assert [each.company for each in found.companies] == ["a"]
    assert found.basis == "network"
    assert found.unnamed == pytest.approx(found.change - found.mix)
    assert (found.behaviour, found.arrivals, found.departures) == (0, 0, 0)


def test_two_withheld_companies_may_change_places_and_nothing_is_told_of_it() -> None:
    swapped = [replace(one, key=other.key) for one, other in zip(SMALL, SMALL[::-1], strict=True)]
    one, two = (release("2026Q1", company("a", 60, 12), *small) for small in (SMALL, swapped))
    assert decompose(one, AFTER).unnamed != 0
    assert decompose(one, AFTER) == decompose(two, AFTER)


def test_a_network_without_the_smallest_is_decomposed_without_them() -> None:
    """One small company alone would follow from the total: both networks leave it out, and `b` left it."""
    old = release("2026Q1", company("a", 60, 12), company("b", 40, 20), stray=company("", 20, 5))
    old = replace(old, network=replace(old.network, gives_way=True))
    new = release("2026Q2", company("a", 60, 6), company("b", 7, 7), stray=company("", 20, 5))
    assert new.network.gives_way
    found = decompose(old, new)
    assert found.basis == "network"
    assert found.after == pytest.approx(1 - 11 / 80)
    assert {each.company: each.kind for each in found.companies} == {"a": "stayed", "b": "left"}
    assert added(found) == pytest.approx(found.change)


def test_where_only_one_network_gives_way_the_companies_with_figures_are_decomposed() -> None:
    old = release("2026Q1", company("a", 60, 12), company("b", 40, 20), stray=company("", 20, 5))
    new = release("2026Q2", company("a", 60, 6), company("b", 7, 7), stray=company("", 20, 5))
    found = decompose(old, new)
    assert found.basis == "named"
    assert (found.before, found.after) == pytest.approx((0.68, 0.9))
    assert found.unnamed == 0
    assert found.departures == pytest.approx(-0.4 * (0.5 - 0.79))
    assert added(found) == pytest.approx(found.change)
    assert what_moved(found, EN)[0].startswith("The share on time (lenient reading) of the companies with figures")


def test_a_company_without_a_mature_episode_did_not_behave() -> None:
    young = company("b", 40, 20)
    old = release("2026Q1", company("a", 60, 12), young)
    row = old.rows[0]
    assert row.company == "b"
    assert row.figures is not None
    timing = replace(row.figures.on_time, mature=0, on_time=0, late=0, lenient=Share(None, None, None, None))
    network = replace(old.network, mature=60, lenient=replace(old.network.lenient, p=0.8))
    old = replace(
        old, rows=(replace(row, figures=replace(row.figures, on_time=timing)), *old.rows[1:]), network=network
    )
    found = decompose(old, release("2026Q2", company("a", 60, 12), young))
    assert {each.company: each.kind for each in found.companies} == {"a": "stayed", "b": "arrived"}


def test_what_cannot_be_decomposed_says_why() -> None:
    other = replace(BEFORE, method=replace(BEFORE.method, version="2027.1", reappear_within_hours=24.0))
    young = replace(BEFORE, network=replace(BEFORE.network, mature=0, lenient=Share(None, None, None, None)))
    assert obstacle(other, AFTER) == "method"
    assert obstacle(young, AFTER) == "empty"
    assert obstacle(BEFORE, BEFORE) == "overlap"
    assert obstacle(BEFORE, replace(AFTER, period="2026-03-11..2026-04-11")) == "overlap"
    assert obstacle(BEFORE, replace(AFTER, period="2026-04-01..2026-04-11")) is None
    with pytest.raises(MonitorError, match="cannot be decomposed: overlap"):
        decompose(BEFORE, BEFORE)
    taken = steps([other, BEFORE, AFTER])
    assert [(step.old.period, step.new.period, step.obstacle) for step in taken] == [
        ("2026Q1", "2026Q1", "method"),
        ("2026Q1", "2026Q2", None),
    ]
    assert taken[0].found is None
