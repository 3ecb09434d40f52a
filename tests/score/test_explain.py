"""What a standing rests on: small tables with the counts, scenarios and changes that follow from them by hand."""

from __future__ import annotations

import csv
import gc
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.cli.score import describe_explanation
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR, Period
from monitor.models.company import Company
from monitor.score import engine as engines
from monitor.score.engine import Engine, Expr
from monitor.score.episodes import episodes
from monitor.score.explain import Breakdown, Explanation, explain, explain_file, explain_period
from monitor.score.facts import load_facts
from monitor.score.methods import method
from monitor.score.pipeline import Request, estimate_file, score
from monitor.score.table import Share
from tests.conftest import Database
from tests.score.test_engines import fill
from tests.score.world import ZERO, world

COLUMNS = ("company", "site", "last_online_h", "first_offline_h", "relocated_h", "followed_h", "reappeared")
FAST = (0, 0.5, "", 300, 0)
SAME_DAY = (10, 20, "", 300, 0)
SLOW = (30, 40, "", 300, 0)
NEVER = (300, "", "", 300, 0)
BRACKETED = (20, 30, "", 300, 1)
STOPPED = (20, "", "", 300, 0)
MOVED = (5, "", 10, 300, 0)
MOVED_LATE = (20, "", 30, 300, 0)
YOUNG = (5, "", "", 6, 0)

Row = tuple[object, ...]


def on_each(sites: range, *episodes: Row) -> list[Row]:
    """These episodes on every one of the sites."""
    return [(f"s{site:02}", *episode) for site in sites for episode in episodes]


def write(folder: Path, **companies: list[Row]) -> Path:
    path = folder / "episodes.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *[(name, *row) for name, rows in companies.items() for row in rows]])
    return path


def explained(folder: Path, rows: list[Row]) -> Explanation:
    """With a second company in the file, that must not matter."""
    other = on_each(range(50), NEVER)
    found = explain_file(write(folder, own=rows, other=other), "own", method())
    assert isinstance(found, Explanation)
    return found


def standings(explanation: Explanation) -> list[str]:
    """As published, strict, at 1, 12, 24 and 48 hours, without the largest site."""
    return [scenario.standing for scenario in explanation.scenarios]


def counts(explanation: Explanation) -> list[tuple[int, int, int, int]]:
    return [(row.sites, row.mature, row.on_time, row.late) for row in explanation.scenarios]


def test_every_episode_is_counted_under_what_it_says(tmp_path: Path) -> None:
    rows = [
        *on_each(range(3), FAST, SAME_DAY),
        *on_each(range(3, 5), SLOW, NEVER, NEVER, BRACKETED),
        *on_each(range(5, 6), STOPPED, STOPPED, MOVED, MOVED_LATE, YOUNG),
    ]
    found = explained(tmp_path, rows)
    assert found.makeup == Breakdown(
        episodes=19, sites=6, mature=18, on_time=6, late=6, undetermined=6, bracketed=3, stopped=2,
        relocated_in_time=1, unverified=2, reappeared=2, suspended=None, largest_site_mature=4, largest_site_late=3,
    )  # fmt: skip
    assert counts(found) == [
        (6, 18, 6, 6), (6, 18, 6, 6), (6, 19, 3, 16), (6, 18, 3, 11), (6, 18, 6, 6), (6, 18, 10, 4), (5, 14, 6, 3),
    ]  # fmt: skip


def test_a_standing_that_the_strict_reading_turns_around(tmp_path: Path) -> None:
    """No site late of 40: Wilson's lower limit is 40 / 43.841458821 (40 + 1.96^2). Strictly half are on time."""
    found = explained(tmp_path, [*on_each(range(20), FAST), *on_each(range(20, 40), STOPPED)])
    assert standings(found) == ["meets", "below", "below", "below", "meets", "meets", "meets"]
    published, strict = found.scenarios[:2]
    assert (published.share, strict.share.p) == (Share(1.0, 0.0, 0.9123783988, 1.0), 0.5)


def test_a_standing_that_the_deadline_turns_around(tmp_path: Path) -> None:
    found = explained(tmp_path, on_each(range(40), SLOW))
    assert standings(found) == ["below", "below", "below", "below", "below", "meets", "below"]
    assert counts(found)[4:6] == [(40, 40, 0, 40), (40, 40, 40, 0)]


def test_a_standing_that_hangs_on_one_site(tmp_path: Path) -> None:
    found = explained(tmp_path, [*on_each(range(40), FAST), *on_each(range(40, 41), *[NEVER] * 60)])
    assert standings(found) == [*["not_proven"] * 6, "meets"]
    assert counts(found)[-1] == (40, 40, 40, 0)
    assert (found.makeup.largest_site_mature, found.makeup.largest_site_late) == (60, 60)
    assert (found.changes[1].standing, found.changes[1].late_episodes) == ("meets", -60)


def test_the_largest_site_is_the_one_with_most_mature_episodes(tmp_path: Path) -> None:
    found = explained(tmp_path, [*on_each(range(1), *[YOUNG] * 9), *on_each(range(1, 3), FAST, FAST)])
    assert found.makeup.largest_site_mature == 2
    assert (found.scenarios[-1].episodes, *counts(found)[-1]) == (11, 2, 2, 2, 0)


@pytest.mark.parametrize(
    ("sites", "late", "expected"),
    [
        (40, 0, [("below", 9), ("not_proven", 1)]),
        (40, 4, [("below", 5), ("meets", -4)]),
        (40, 20, [("not_proven", -12), ("meets", -20)]),
        (30, 0, [("below", 7), ("meets", None)]),
    ],
)
def test_one_episode_a_site(tmp_path: Path, sites: int, late: int, expected: list[tuple[str, int | None]]) -> None:
    """Of 40 sites 9 late is below, 8 not yet: 80 %, error sqrt(0.16 / 39), t(20) = 2.086, upper limit 90.2 %.

    Thirty sites prove nothing even where none is late: 30 / (30 + 1.96^2) is under 90 %.
    """
    found = explained(tmp_path, [*on_each(range(late), NEVER), *on_each(range(late, sites), FAST)])
    assert [(change.standing, change.late_episodes) for change in found.changes] == expected


Sites = list[tuple[int, int]]  # mature and late episodes of each

UNEVEN: dict[str, Sites] = {
    "below": [(30, 22), (8, 8), (5, 5), *[(2, 1)] * 20, *[(1, 0)] * 30],
    "not_proven": [(40, 0), (9, 6), (7, 3), *[(3, 0)] * 30, *[(1, 1)] * 2, *[(1, 0)] * 30],
    "meets": [(20, 0), (6, 1), (5, 0), *[(3, 0)] * 40, *[(1, 0)] * 20],
}


def rows_of(sites: Sites) -> list[Row]:
    episodes_of = [[NEVER] * late + [FAST] * (mature - late) for mature, late in sites]
    return [row for n, rows in enumerate(episodes_of) for row in on_each(range(n, n + 1), *rows)]


def changed(sites: Sites, episodes: int) -> Sites:
    """One by one: the site with most episodes that can change (then the larger one) loses all, then the next."""
    step = 1 if episodes > 0 else -1
    room = [mature - late if step > 0 else late for mature, late in sites]
    late = [late for _, late in sites]
    order = sorted(range(len(sites)), key=lambda n: (-room[n], -sites[n][0], n))
    for place in [n for n in order for _ in range(room[n])][: abs(episodes)]:
        late[place] += step
    return [(mature, now) for (mature, _), now in zip(sites, late, strict=True)]


@pytest.mark.parametrize("standing", UNEVEN)
def test_a_change_is_what_a_table_of_the_changed_episodes_says(tmp_path: Path, standing: str) -> None:
    """And with one episode less of it the standing is another."""
    sites = UNEVEN[standing]
    found = explained(tmp_path, rows_of(sites))
    assert standings(found)[0] == standing
    assert len(found.changes) == 2
    tables: dict[str, list[Row]] = {}
    for change in found.changes:
        assert change.late_episodes is not None
        one_less = change.late_episodes - (1 if change.late_episodes > 0 else -1)
        tables[change.standing] = rows_of(changed(sites, change.late_episodes))
        tables[f"nearly {change.standing}"] = rows_of(changed(sites, one_less))
    rows = {row.company: row for row in estimate_file(write(tmp_path, **tables), method()).companies}
    for change in found.changes:
        assert rows[change.standing].standing == change.standing
        assert rows[change.standing].on_time.lenient == change.share
        assert rows[f"nearly {change.standing}"].standing != change.standing


def test_few_episodes_are_explained_and_marked(tmp_path: Path) -> None:
    found = explained(tmp_path, on_each(range(9), FAST))
    assert standings(found) == ["too_few"] * 7
    assert (found.publishable, found.changes) == (False, ())
    assert "no figure of this company is published" in describe_explanation(found)
    assert explained(tmp_path, on_each(range(10), FAST)).publishable


def test_no_mature_episode_is_no_share(tmp_path: Path) -> None:
    young = (0.5, "", "", 0.6, 0)
    found = explained(tmp_path, on_each(range(40), young))
    assert counts(found) == [*[(40, 0, 0, 0)] * 6, (39, 0, 0, 0)]
    assert {(row.share, row.standing) for row in found.scenarios} == {(Share(None, None, None, None), "too_few")}
    assert found.makeup.episodes == 40


def test_a_company_that_is_not_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, own=on_each(range(3), FAST))
    with pytest.raises(MonitorError, match=r"episodes\.csv: no company 'another'; name one that its column 'company'"):
        explain_file(path, "another", method())


def test_rows_that_are_not_scored_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    head = "company,site,scored,last_online_h,first_offline_h,followed_h\n"
    path.write_text(f"{head}own,x,true,0,1,99\nown,x,false,90,,99\n")
    assert explain_file(path, "own", method()).makeup.mature == 1


def request(hours: float) -> Request:
    return Request(Period("test", ZERO, ZERO + 400 * HOUR), ZERO + round(hours * HOUR), 2**35, method())


def test_from_the_facts_as_the_table_has_it_on_every_database(database: Database) -> None:
    with world(database) as w:
        fill(w)
    with transaction(database.engine) as session:
        table = score(session, request(700))
        for row in table.companies[:2]:
            found = explain_period(session, request(700), row.company)
            assert isinstance(found, Explanation)
            published, strict = found.scenarios[:2]
            makeup = found.makeup
            assert (published.share, strict.share) == (row.on_time.lenient, row.on_time.strict)
            assert published.standing == row.standing
            assert (makeup.mature, makeup.late, makeup.sites) == (row.on_time.mature, row.on_time.late, row.sites)
            assert makeup.bracketed + makeup.stopped + makeup.relocated_in_time == makeup.undetermined
            assert makeup.undetermined == row.on_time.undetermined > 0
        company = session.scalar(select(Company.id).where(Company.key == row.company))
    assert explained_in_place(database, company, row.company) == found


def explained_in_place(database: Database, company: int | None, key: str) -> Explanation:
    engine = engines.connect(database.url, database.url)
    found = explain(engine, begun(engine, database, company), key, method(), request(700).as_of)
    gc.collect()  # temporary tables are dropped with their expressions: before the connection goes
    engine.disconnect()
    return found


def begun(engine: Engine, database: Database, company: int | None) -> Expr:
    every = episodes(load_facts(engine, database.url, 2**35), method(), request(700).as_of)
    return every.filter((every.company == company) & (every.start < request(700).period.end))


def test_suspended_are_episodes_whose_clock_stood_still_before_their_end(database: Database) -> None:
    with world(database) as w:
        for pause in ((5, 6), (25, 26), None):
            content = w.content("a")
            w.notice(content, 1)
            w.seen(content, 20, "offline")
            if pause is not None:
                w.suspended(*pause, content)
        w.company("b")
    with transaction(database.engine) as session:
        makeup = explain_period(session, request(100), "a").makeup
        assert (makeup.episodes, makeup.on_time, makeup.suspended) == (3, 3, 1)
        none = explain_period(session, request(100), "b")
        assert isinstance(none, Explanation)
        assert (none.makeup.episodes, none.makeup.suspended, none.makeup.largest_site_mature) == (0, 0, 0)
        assert set(standings(none)) == {"too_few"}
        with pytest.raises(MonitorError, match="no company 'c'; give its key as `monitor score --json`"):
            explain_period(session, request(100), "c")
        with pytest.raises(MonitorError, match="lies before period test"):
            explain_period(session, request(-1), "a")


SHOWN = """\
own: not proven  (norm 90 % on time, method 2026.1)

episodes                                     40
sites                                        40
mature: their deadline has passed            40
  on time                                    34
  late                                        4
  undetermined                                2
    the checks bracket the deadline           0
    the checks stopped before it              0
    relocated in time                         2
unverified                                    0
suspended for some time                       -
reappeared                                    0
mature on its largest site                    1
  late on it                                  1

reading                        sites   mature  on time     late    share           interval  standing
as published                      40       40       34        4   90.0 %   74.7 % -  96.5 %  not proven
strict reading                    40       40       34        4   85.0 %   69.0 % -  93.5 %  not proven
deadline 1 h                      40       40       34        6   85.0 %   69.0 % -  93.5 %  not proven
deadline 12 h                     40       40       34        4   90.0 %   74.7 % -  96.5 %  not proven
deadline 24 h                     40       40       34        4   90.0 %   74.7 % -  96.5 %  not proven
deadline 48 h                     40       40       34        4   90.0 %   74.7 % -  96.5 %  not proven
without its largest site          39       39       34        3   92.3 %   77.1 % -  97.7 %  not proven

what would have to be true, on the site with most such episodes first
below the norm:         5 more  late: share  77.5 %, interval  60.8 % -  88.5 %
meets the norm:         4 fewer late: share 100.0 %, interval  91.2 % - 100.0 %"""


def test_as_it_is_shown(tmp_path: Path) -> None:
    found = explained(
        tmp_path, [*on_each(range(4), NEVER), *on_each(range(4, 38), FAST), *on_each(range(38, 40), MOVED)]
    )
    assert describe_explanation(found) == SHOWN
