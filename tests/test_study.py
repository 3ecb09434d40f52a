"""The simulation study on a small scale: what it simulates is what it says, and the intervals hold as published."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks import study, study_rules, study_standings
from benchmarks.study_bias import naive
from benchmarks.study_coverage import WORLDS, Held, held
from benchmarks.study_picture import picture
from benchmarks.study_worlds import WATCHED_ALWAYS, Checks, Watched, World, scored, watch
from monitor.estimators.confidence import share_interval

DOCS = Path(__file__).parents[1] / "docs"
REPLICATES = 300  # the standard error of a coverage of 95 % is 1.3 points


@pytest.fixture(scope="module")
def unequal() -> Held:
    """Twenty sites, the largest with 28 % of the URLs."""
    return held(World(20, "zipf"), REPLICATES, [1])


def test_intervals_clustered_by_site_hold_the_truth_and_unclustered_ones_visibly_do_not(unequal: Held) -> None:
    assert unequal.share >= 0.95 - 3 * 0.0126
    assert unequal.share_alone < 0.6
    assert unequal.median_alone < 0.6 < unequal.median


def test_with_real_checks_the_range_of_the_share_and_the_median_s_interval_hold_the_truth(unequal: Held) -> None:
    assert unequal.range >= 0.95 - 3 * 0.0126
    assert unequal.checked_median >= 0.95 - 3 * 0.0126


def test_with_sites_of_equal_size_the_interval_is_not_wider_than_need_be() -> None:
    [found] = [row for row in study_rules.judged(World(60, "equal"), 2000, [1]) if row.rule.startswith("in force")]
    assert found.coverage == pytest.approx(0.95, abs=0.02)


def test_the_rules_are_judged_with_the_shares_that_scoring_publishes() -> None:
    """Same draws: the limits worked out from the sites are those of gather and assemble."""
    world = World(20, "half")
    given = study_rules.sites(world, 50, np.random.default_rng(1))
    watched = watch(world.hours(50, np.random.default_rng(1)), WATCHED_ALWAYS, np.random.default_rng(2))
    low, high = study_rules.in_force(given)
    assert scored(watched, world.urls).lenient == pytest.approx(np.stack([given.p, low, high], axis=1), abs=1e-9)


def test_one_late_episode_proves_no_more_than_none() -> None:
    """20 of 20 sites without any late: Wilson 0.8388748419 (R: prop.test(20, 20, correct = FALSE)); then 1 of 200."""
    p, se, sites = np.array([1.0, 0.995]), np.array([0.0, 0.005]), np.array([20.0, 20.0])
    low, _ = share_interval(p, se, sites, sites, 0.95)
    assert low == pytest.approx([0.8388748419] * 2, abs=1e-9)


def test_the_limits_are_student_s_on_half_the_effective_number_of_sites() -> None:
    """G = 8: t on 4 degrees is 2.776445105 (R: qt(0.975, 4)); logit 0.5 is 0, the half-width 4 t se = 1.110578042."""
    p, se, sites, effective = (np.array([value]) for value in (0.5, 0.1, 20.0, 8.0))
    low, high = share_interval(p, se, sites, effective, 0.95)
    assert [low[0], high[0]] == pytest.approx([1 / (1 + np.exp(1.110578042)), 1 / (1 + np.exp(-1.110578042))])


def test_effective_numbers_of_clusters_by_hand() -> None:
    """Sites of 4, 2 and 2: G = 64 / 24; G* = (16 + 4 + 4)^2 / (256 + 16 + 16) = 2."""
    given = study_rules.Sites(np.array([0.5, 0.25, 0.25]), np.ones((1, 3)))
    assert [given.effective, given.effective_by_variance] == pytest.approx([64 / 24, 2.0])


@pytest.mark.parametrize("checks", [Checks(1.0, 0.0), Checks(4.0, 0.05), Checks(12.0, 0.5)])
def test_the_checks_bracket_the_time_to_removal(checks: Checks) -> None:
    hours = World(20, "zipf").hours(200, np.random.default_rng(3))
    watched = watch(hours, checks, np.random.default_rng(4))
    seen = ~np.isnan(watched.first)
    assert np.all(watched.last <= np.minimum(hours, watched.followed))
    assert np.all((hours <= watched.first)[seen] & (watched.first <= watched.followed)[seen])
    assert np.max((watched.first - watched.last)[seen]) <= 1.5 * checks.gap
    assert 0.02 < 1 - seen.mean() < 0.5


def test_half_of_the_urls_are_removed_within_the_median_and_the_share_within_a_day() -> None:
    """200,000 sites of one part each: standard error 0.001."""
    world = World(20, "equal", together=0.0)
    hours = world.hours(1000, np.random.default_rng(5))
    assert np.mean(hours <= world.median) == pytest.approx(0.5, abs=0.005)
    assert np.mean(hours <= 24) == pytest.approx(0.84, abs=0.005)
    assert hours.mean() == pytest.approx(world.mean, rel=0.05)


def test_the_sizes_are_as_described() -> None:
    assert [World(8, sizes).urls.tolist() for sizes in ("equal", "half", "most")] == [
        [10] * 8,
        [40, 6, 6, 6, 6, 6, 6, 6],
        [64, 2, 2, 2, 2, 2, 2, 2],
    ]
    assert World(8, "zipf").urls.tolist() == [29, 15, 10, 7, 6, 5, 4, 4]


def test_the_usual_figures_by_hand() -> None:
    """Removed after 2 to 4, 10 to 30 and 40 to 46 h; the fourth is still there, and is left out."""
    last, first = np.array([[2.0, 10.0, 40.0, 90.0]]), np.array([[4.0, 30.0, 46.0, np.nan]])
    found = naive(Watched(last, first, np.full((1, 4), 100.0)))
    assert (found.median, found.median_last_seen) == (30.0, 10.0)
    assert [found.mean, found.on_time] == pytest.approx([80 / 3, 1 / 3])


def test_the_page_says_the_seed_the_replicates_and_the_method_of_the_code() -> None:
    page = (DOCS / "study.md").read_text(encoding="utf-8")
    assert re.findall(r"^Method .*", page, re.MULTILINE) == [study.stamp(study.REPLICATES, study.SEED)]
    assert [page.count(mark) for mark in (study.BEGIN, study.END)] == [1, 1]


def test_the_tables_and_the_picture_are_put_between_the_marks(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "study.md").write_text(f"before\n{study.BEGIN}\nold\n{study.END}\nafter\n")
    row = Held(World(8, "half"), 0.951, 0.4, 0.5, 1.0, 0.9, 0.2, 0.96)
    rules = [r for share in study_rules.SHARES for r in study_rules.judged(World(8, "equal", share), 10, [1])]
    study.write(study.Study(2, 7, [row], rules, []), tmp_path)
    page = (tmp_path / "study.md").read_text()
    assert page.startswith("before\n")
    assert page.endswith(f"{study.END}\nafter\n")
    assert "old" not in page
    assert "seed 7, 2 replicates" in page
    assert "| 8 sites, one site has 50 % | 40.0 | 95.1 | 50.0 | 100.0 | 20.0 | 90.0 | 96.0 |" in page
    assert (tmp_path / "pictures" / "coverage.svg").read_text() == picture([row])


def test_the_picture_has_two_dots_a_world_and_says_in_words_what_it_shows() -> None:
    svg = ET.parse(DOCS / "pictures" / "coverage.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f"{name}circle")) == 2 * len(WORLDS) + 2  # and two in the legend
    assert svg.find(f"{name}title") is not None
    described = svg.find(f"{name}desc")
    assert described is not None
    assert "of 100 intervals hold the truth" in str(described.text)


def test_standings_of_2026_2_are_seldom_wrong_where_naive_ones_often_are() -> None:
    """400 companies at the norm, lateness shared by site and by day; three standard errors above the bars."""
    found = study_standings.judge(study_standings.World(60, "zipf", 0.5, 0.2, 0.9), 20, [1])
    assert found == study_standings.judge(study_standings.World(60, "zipf", 0.5, 0.2, 0.9), 20, [1])
    assert found.covered >= 0.94 - 3 * 0.012
    assert max(found.below, found.meets) <= 0.025 + 3 * 0.008
    assert found.urls_covered < 0.6


def test_thirty_five_sites_are_the_least_that_prove_the_norm() -> None:
    """Wilson's lower limit with none late is n / (n + z^2), z = 1.959963985."""
    assert study_standings.lowest_with_none_late(34) == pytest.approx(34 / (34 + 1.959963985**2), abs=1e-9)
    assert study_standings.lowest_with_none_late(35) == pytest.approx(35 / (35 + 1.959963985**2), abs=1e-9)
    assert study_standings.lowest_with_none_late(34) < 0.9 < study_standings.lowest_with_none_late(35)


def test_a_table_of_alike_companies_has_no_false_certainly_worse() -> None:
    found = study_standings.rank(study_standings.Kind(10, True, (1.0, 24.0)), 2, [1])
    assert (found.false_worse, found.joint) == (0.0, 1.0)
    assert found.width == study_standings.COMPANIES


def test_the_page_says_what_the_standings_study_simulated() -> None:
    page = (DOCS / "study.md").read_text(encoding="utf-8")
    assert [page.count(mark) for mark in (study_standings.BEGIN, study_standings.END)] == [1, 1]
    empty = study_standings.Study(
        study_standings.REPLICATES,
        study_standings.RANKED_REPLICATES,
        study_standings.SEED,
        [None] * len(study_standings.WORLDS),  # type: ignore[list-item]  # their number alone
        [],
    )
    assert study_standings.stamp(empty) in page
    assert all(f"\n| {kind.name} |" in page for kind in study_standings.KINDS)
