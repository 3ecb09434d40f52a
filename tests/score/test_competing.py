"""The figures of method 2026.2 from an episodes file, against loops over its rows and against counts made by hand."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from monitor.score.methods import method
from monitor.score.pipeline import estimate_file
from monitor.score.table import CompetingEstimate, Estimate, Table
from tests.score import two_way_oracle as oracle
from tests.score.two_way_oracle import KEYS, Row

COLUMNS = (
    "company", "group", "site", "notice_day", "last_online_h", "first_offline_h", "relocated_h", "destination",
    "deadline_h", "followed_h", "wall_h", "notices", "refused", "undelivered",
)  # fmt: skip
RULES = method("2026.2")


def write(path: Path, rows: Sequence[Row]) -> Path:
    cells = [
        (
            r.company, r.group, r.site, r.day, r.last, r.offline, r.moved, "DE" if r.moved is not None else "",
            r.deadline, r.followed, r.wall, r.notices, r.refused, int(r.undelivered),
        )
        for r in rows
    ]  # fmt: skip
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *[["" if v is None else v for v in row] for row in cells]])
    return path


def invented(seed: int) -> list[Row]:
    """Six companies, four of them in two groups, that share sites; late and moved and open items of both deadlines."""
    rng = np.random.default_rng(seed)
    rows = []
    for place, company in enumerate("abcdef"):
        for _ in range((60, 45, 40, 35, 12, 31)[place]):
            site, day = int(rng.integers(0, 9)) + 5 * (place // 2), int(rng.integers(100, 112))
            deadline, followed = (24.0, 12.0)[int(rng.integers(0, 2))], float(rng.integers(10, 90))
            group = ("x", "x", "y", "y", "", "")[place]
            if rng.random() < 0.06:
                rows.append(Row(company, group, site, day, None, None, None, deadline, None, followed, 0, 2))
                continue
            last = min(float(rng.integers(0, 6 + 8 * place)), followed)
            end, fate = min(last + float(rng.integers(1, 20)), followed), rng.random()
            offline, moved = (end if fate < 0.7 else None), (end if fate > 0.9 else None)
            refused = int(rng.random() < 0.1)
            wall = followed + 5 * (rng.random() < 0.2)
            rows.append(Row(company, group, site, day, last, offline, moved, deadline, followed, wall, 1, refused))
    return rows


MATURE_LATE: Callable[[Row], tuple[float, float]] = lambda r: (int(r.mature), int(r.late))  # noqa: E731
MATURE_ON_TIME: Callable[[Row], tuple[float, float]] = lambda r: (int(r.mature), int(r.on_time))  # noqa: E731
REFUSED: Callable[[Row], tuple[float, float]] = lambda r: (r.notices + r.refused, r.refused)  # noqa: E731


def eligible(rows: Sequence[Row]) -> list[list[Row]]:
    companies = [[r for r in rows if r.company == c and not r.undelivered] for c in "abcdef"]
    return [
        own for own in companies if len(own) >= 30 and len({r.site for r in own}) >= 5 and any(r.mature for r in own)
    ]


def competing(found: Estimate) -> CompetingEstimate:
    assert isinstance(found, CompetingEstimate)
    return found


def check(any_estimate: Estimate, own: Sequence[Row], every: Sequence[Row]) -> None:
    """One unit's shares against the loops."""
    found = competing(any_estimate)
    counted, pooled = found.on_time, eligible(every)
    assert counted.mature == sum(r.mature for r in own)
    assert (counted.on_time, counted.late) == (sum(r.on_time for r in own), sum(r.late for r in own))
    for share, weigh, mirrored in ((counted.lenient, MATURE_LATE, True), (counted.strict, MATURE_ON_TIME, False)):
        rho = [oracle.rho(pooled, weigh, key) for key in KEYS[:2]]
        p, low, high, _ = oracle.limits(own, weigh, *rho)
        expected = (1 - p, 1 - high, 1 - low) if mirrored else (p, low, high)
        assert (share.p, share.low, share.high) == pytest.approx(expected, abs=1e-9)
        assert share.se == pytest.approx(math.sqrt(oracle.variance(own, weigh)), abs=1e-9)
    assert (counted.estimate, found.n_eff) == pytest.approx(oracle.estimate(own), rel=1e-9)  # ten digits
    sent = found.unreachable
    assert (sent.p, sent.low, sent.high) == pytest.approx(oracle.limits(own, REFUSED, 1.0, 1.0)[:3], abs=1e-9)
    older = [r for r in own if r.wall >= r.deadline]
    episodes = [r for r in older if not r.undelivered]
    assert (counted.older, counted.all_cases.cases) == (len(episodes), len(older))
    assert counted.followed == pytest.approx(counted.mature / len(episodes))
    assert (counted.all_cases.low, counted.all_cases.high) == pytest.approx(
        (counted.on_time / len(older), 1 - counted.late / len(older))
    )
    assert found.items_undelivered == sum(r.undelivered for r in own)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_unit_s_shares_are_those_of_loops_over_the_rows(tmp_path: Path, seed: int) -> None:
    rows = invented(seed)
    table = estimate_file(write(tmp_path / "e.csv", rows), RULES)
    for found in table.companies:
        check(found, [r for r in rows if r.company == found.company], rows)
    check(table.network, rows, rows)
    assert table.groups is not None
    assert [(group.group, group.members) for group in table.groups] == [("x", ("a", "b")), ("y", ("c", "d"))]
    for group in table.groups:
        check(group.figures, [r for r in rows if r.group == group.group], rows)
        assert (group.figures.score, group.figures.rank) == (None, None)
        assert group.figures.standing is not None
        assert group.figures.sites == len({r.site for r in rows if r.group == group.group and not r.undelivered})


def test_removed_moved_and_online_add_up_to_one_and_countries_to_all_that_moved(tmp_path: Path) -> None:
    table = estimate_file(write(tmp_path / "e.csv", invented(4)), RULES)
    for each in map(competing, (*table.companies, table.network)):
        for three in zip(each.removed_at, each.moved_at, each.online_at, strict=True):
            assert sum(share.p or 0.0 for share in three) == pytest.approx(1, abs=1e-9)
        assert each.not_removed_7d == pytest.approx(1 - (each.removed_at[-1].p or 0.0), abs=1e-9)
        to_any, *countries = each.relocation
        for place, incidence in enumerate(to_any.incidence):
            assert incidence.p == pytest.approx(sum(c.incidence[place].p or 0.0 for c in countries), abs=1e-9)


def one_company(
    tmp_path: Path, rows: Sequence[tuple[object, ...]], columns: tuple[str, ...], name: str = "e.csv"
) -> CompetingEstimate:
    with (tmp_path / name).open("w", newline="") as file:
        csv.writer(file).writerows(
            [("company", *columns), *[("a", *("" if v is None else v for v in r)) for r in rows]]
        )
    return competing(estimate_file(tmp_path / name, RULES).companies[0])


SHORT = ("site", "last_online_h", "first_offline_h", "followed_h")


def test_the_counts_by_hand(tmp_path: Path) -> None:
    rows = [
        (1, 5, 24, 100),  # offline at the deadline: on time
        (1, 24, 30, 100),  # last seen online at the deadline: not certainly late
        (2, 24.01, 30, 100),  # seen online after it: late
        (3, 5, None, 100),  # not seen after the deadline: undetermined, and possibly overdue
        (3, 90, None, 100),  # late, and overdue
        (3, 24, None, 24),  # followed exactly so long: mature, and possibly overdue
        (3, 1, 2, 23.9),  # its deadline has not passed
        (4, 5, None, 174),  # not seen for more than a week: unverified
    ]
    found = one_company(tmp_path, rows, SHORT)
    counts = found.on_time
    assert (counts.mature, counts.on_time, counts.late, counts.undetermined) == (7, 1, 2, 4)
    assert (found.outstanding, found.overdue, found.possibly_overdue, found.unverified) == (3, 1, 2, 1)
    assert (found.backlog.outstanding, found.backlog.overdue, found.backlog.unverified) == (3, 1, 1)
    assert found.gone_before_notice == 0


def test_thirty_five_sites_are_the_least_that_prove_the_norm(tmp_path: Path) -> None:
    """Each on a day of its own, all on time, one item a site: 34 do not, however many items they have."""
    standings = {}
    for sites in (34, 35):
        rows = [(site, 1, 2, 100) for site in range(sites) for _ in range(3)]
        standings[sites] = one_company(tmp_path, rows, SHORT, f"{sites}.csv")
    assert {sites: each.standing for sites, each in standings.items()} == {34: "not_proven", 35: "meets"}
    assert standings[34].direction == "above"
    assert [(r.code, r.count, r.of) for r in standings[34].reasons] == [("too_few_sites_to_prove", 34, 35)]


def test_what_is_not_followed_is_not_praised(tmp_path: Path) -> None:
    """Forty sites, each followed to its end and on time, and five whose clock stood still before the deadline."""
    columns = (*SHORT, "wall_h")
    rows = [(site, 1, 2, 100, 100) for site in range(40)] + [(site, 1, None, 10, 100) for site in range(5)]
    found = one_company(tmp_path, rows, columns)
    assert found.standing == "not_proven"
    assert found.on_time.followed == pytest.approx(40 / 45)
    assert [(r.code, r.count, r.of) for r in found.reasons] == [("not_followed", 5, 45)]
    assert one_company(tmp_path, rows[:44], columns, "f.csv").standing == "meets"  # 40 of 44 are more than 90 %


def test_a_company_whose_items_all_moved_has_no_rank(tmp_path: Path) -> None:
    rows = [(n % 6, 1, None, 4, 100) for n in range(40)]
    found = one_company(tmp_path, rows, ("site", "last_online_h", "first_offline_h", "relocated_h", "followed_h"))
    assert (found.on_time.estimate, found.n_eff, found.rank, found.standing) == (None, None, None, "not_proven")
    assert [r.code for r in found.reasons] == ["checks_open", "all_relocated"]
    assert (found.not_removed_7d, [m.p for m in found.moved_at][-1]) == (1, 1)


def test_a_company_whose_checks_leave_all_open_is_ranked_and_its_order_not_known(tmp_path: Path) -> None:
    rows = [(n, 1, 30, 100) for n in range(40)]
    found = one_company(tmp_path, rows, SHORT)
    assert (found.rank, found.standing, found.direction) == (1, "not_proven", "open")
    assert [(r.code, r.count, r.of) for r in found.reasons] == [
        ("checks_open", 40, 40), ("order_not_known", 40, 40),
    ]  # fmt: skip


def test_unreachable_stands_above_all_and_keeps_its_rank(tmp_path: Path) -> None:
    rows = [(n, 1, 2, 100, 0) for n in range(40)] + [(n, None, None, None, 1) for n in range(20)]
    columns = (*SHORT, "refused")
    path = tmp_path / "u.csv"
    with path.open("w", newline="") as file:
        names = ("company", *columns, "undelivered", "wall_h", "deadline_h")
        cells = [("a", *("" if v is None else v for v in r), int(r[1] is None), 100, 24) for r in rows]
        csv.writer(file).writerows([names, *cells])
    [found] = map(competing, estimate_file(path, RULES).companies)
    assert (found.standing, found.proof, found.rank, found.items_undelivered) == ("unreachable", "meets", 1, 20)
    assert [(r.code, r.count, r.of) for r in found.reasons] == [("notices_refused", 20, 60)]
    assert found.unreachable.low is not None
    assert found.unreachable.low > 0.1


def test_a_company_without_a_known_contact_is_unreachable_while_something_is_outstanding(tmp_path: Path) -> None:
    columns = (*SHORT, "no_contact")
    some_open = one_company(tmp_path, [(n, 1, 2, 100, 1) for n in range(39)] + [(40, 99, None, 100, 1)], columns)
    assert some_open.standing == "unreachable"
    assert [r.code for r in some_open.reasons] == ["no_contact", "interval_too_wide"]
    assert one_company(tmp_path, [(n, 1, 2, 100, 1) for n in range(40)], columns, "g.csv").standing == "meets"


def below(name: str, sites: int, late: int) -> list[tuple[object, ...]]:
    return [(name, n, 30 if n < late else 1, 40 if n < late else 2, 100) for n in range(sites)]


def test_the_mark_of_benjamini_and_hochberg_stands_on_below_alone(tmp_path: Path) -> None:
    rows = [*below("worse", 60, 40), *below("bad", 60, 15), *below("good", 60, 0)]
    path = tmp_path / "b.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("company", *SHORT), *rows])
    table: Table = estimate_file(path, RULES)
    assert [(c.company, c.standing, c.bh) for c in map(competing, table.companies)] == [
        ("worse", "below", True), ("bad", "below", True), ("good", "meets", False),
    ]  # fmt: skip
    assert [(c.rank, c.rank_low, c.rank_high, c.band) for c in table.companies] == [
        (1, 1, 1, "A"), (2, 2, 2, "B"), (3, 3, 3, "C"),
    ]  # fmt: skip
    assert [c.score for c in table.companies] == sorted(c.score or 0 for c in table.companies)
