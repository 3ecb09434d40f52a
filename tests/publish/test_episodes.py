"""The anonymised episodes of a release: literal rows in, a literal file out; and from the file the table again."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.db import transaction
from monitor.demo import prepare, take_in_all
from monitor.errors import DeliveryError
from monitor.instants import HOUR, parse_instant
from monitor.period import parse_period
from monitor.publish.company_list import companies_csv
from monitor.publish.episodes import public_episodes, write_csv, write_parquet
from monitor.publish.rows import PublicTable, public_table
from monitor.score import engine as engines
from monitor.score.assemble import Label, assemble
from monitor.score.company_file import cell, uncell
from monitor.score.counts import NETWORK
from monitor.score.facts import NOBODY
from monitor.score.gather import gather
from monitor.score.methods import method
from monitor.score.rank import ranked
from monitor.score.recompute import recompute
from monitor.score.run import Request, score, scored_episodes
from monitor.score.table import Table, Unattributed
from monitor.settings import Settings
from monitor.vault import Vault
from tests.conftest import Database
from tests.publish.fiction import Invented, invent

NOW = parse_instant("2026-11-21T00:00:00Z")
INPUT = (
    "company", "site", "scored", "last_online_h", "first_offline_h", "relocated_h", "destination",
    "followed_h", "deadline_h", "notices", "reappeared", "unverified",
)  # fmt: skip
BIG = tuple(Invented(f"as{64500 + n}", name, 30, 2, 8, 9, 5) for n, name in enumerate(("Voorbeeld", "=Tweede", "C")))
TINY = (
    Invented("tiny-1", "Tiny 1", 2, 1, 1, 1, 5),
    Invented("tiny-2", "Tiny 2", 3, 2, 0, 2, 5, refused=1),
    Invented("tiny-3", "Tiny 3", 1, 3, 4, 3, 5, refused=2),
)
A, B, TINY_1 = "as64500", "as64501", "tiny-1"
ROWS: list[tuple[Any, ...]] = [
    (A, 7001, True, 5.5, 11.0, None, None, 2000.25, 24.0, 2, 0, False),  # removed: of the time followed only that
    (A, 7001, True, 10.0, 20.0, None, None, 23.5, 24.0, 1, 1, False),  # the deadline passed or not
    (A, 7002, True, 2.0, None, 9.0, "BE", 800.0, 12.0, 1, 0, False),  # relocated
    (A, 7002, True, 90.0, None, None, None, 100.0, 24.0, 1, 0, False),  # outstanding: its group of ages
    (A, 7003, False, 10.0, None, None, None, 1000.5, 24.0, 3, 0, False),  # the oldest, begun earlier: its age
    (A, 7003, False, 10.0, 12.0, None, None, 900.0, 24.0, 1, 0, False),  # begun earlier and gone: in no figure
    (B, 7001, True, 1.0, None, None, None, 400.0, 24.0, 1, 0, True),  # the same site at another company
    (TINY_1, 7004, True, 3.0, None, 4.0, "FR", 500.0, 1.0, 2, 1, False),  # withheld: neither name nor how it ended
    (TINY_1, 7004, False, 3.0, None, None, None, 5000.0, 24.0, 1, 0, False),
    (None, 7005, True, 3.0, 4.0, None, None, 500.0, 24.0, 1, 0, False),  # at nobody's door
]
EXPECTED = """\
company,site,scored,last_online_h,first_offline_h,relocated_h,destination,followed_h,deadline_h,notices,reappeared,end
(pooled),2,true,3.0,4.0,,,24.0,24.0,,,removed
(pooled),3,true,3.0,,,,3.0,1.0,,,not_removed
as64500,,false,10.0,,,,1000.5,24.0,3,0,outstanding
as64500,1,true,2.0,,9.0,BE,12.0,12.0,1,0,relocated
as64500,1,true,90.0,,,,90.0,24.0,1,0,outstanding
as64500,4,true,5.5,11.0,,,24.0,24.0,2,0,removed
as64500,4,true,10.0,20.0,,,20.0,24.0,1,1,removed
as64501,4,true,1.0,,,,24.0,24.0,1,0,unverified
"""


def arrow(rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(INPUT, row, strict=True)) for row in rows])


def written(rows: list[tuple[Any, ...]], companies: tuple[Invented, ...] = BIG + TINY) -> str:
    return write_csv(public_episodes(arrow(rows), public_table(invent(companies=companies)))).decode()


def test_literal_episodes_become_a_literal_file() -> None:
    assert written(ROWS).replace("\r\n", "\n") == EXPECTED


def test_neither_order_nor_internal_numbers_change_a_byte() -> None:
    shuffled = [(company, 90_000 - site, *rest) for company, site, *rest in ROWS]
    random.Random(1).shuffle(shuffled)
    assert written(shuffled) == written(ROWS)


def test_where_the_network_gives_way_withheld_companies_are_left_out() -> None:
    table = public_table(invent(companies=BIG + TINY[:1], stray=Invented("", "", 1, 1, 0, 1, 5)))
    assert table.network.gives_way
    pooled = [row for row in public_episodes(arrow(ROWS), table).to_pylist() if row["company"] == "(pooled)"]
    assert [(row["last_online_h"], row["first_offline_h"]) for row in pooled] == [(3.0, 4.0)]


COMPANIES_FILE = """\
company,name,country,via_proxy,figures,notices,episodes,renotices,outstanding,overdue,unverified,relocated,reappeared,refused
as64500,Voorbeeld,NL,false,shown,,,,,,,,,0
as64501,'=Tweede,NL,false,shown,,,,,,,,,0
as64502,C,NL,false,shown,,,,,,,,,0
tiny-1,Tiny 1,NL,false,withheld,,,,,,,,,
tiny-2,Tiny 2,NL,false,withheld,,,,,,,,,
tiny-3,Tiny 3,NL,false,withheld,,,,,,,,,
(pooled),,,,pooled,,29,3,2,2,,,,3
(unattributed),,,,unattributed,,12,,,,,,,
"""


def test_the_companies_and_what_is_pooled() -> None:
    """Re-notices (0, 0, 2) are told with those at nobody's door (1), refused notices (0, 1, 2) by themselves."""
    text = companies_csv(public_table(invent(companies=BIG + TINY))).decode()
    assert text.replace("\r\n", "\n") == COMPANIES_FILE


@pytest.mark.parametrize("text", ["=1", "'=1", "''-x", "plain", "'s-Hertogenbosch", "", "@", "NA"])
def test_a_guarded_name_is_read_back_as_it_was(text: str) -> None:
    assert uncell(cell(text)) == text
    assert not cell(text).startswith(("=", "+", "-", "@"))


@pytest.fixture(params=["quiet", "refuser"])
def quarter(
    request: pytest.FixtureRequest, database: Database, vault: Vault, tmp_path: Path
) -> tuple[PublicTable, pa.Table]:
    """A simulated quarter: what may be shown of its table, and its episodes."""
    settings = Settings(home=tmp_path, database_url=database.url, key_file=tmp_path / "keys.json")
    step = prepare(tmp_path, request.param, 1.0)
    take_in_all(database.engine, settings, step, lambda: NOW, lambda done, total: None)
    asked = Request(parse_period(str(step.facts["period"])), parse_instant(step.facts["as_of"]), NOW, method())
    with transaction(database.engine) as session:
        return public_table(score(session, asked)), scored_episodes(session, asked)


def test_a_quarter_is_recomputed_from_what_is_published_to_the_last_digit(
    quarter: tuple[PublicTable, pa.Table], tmp_path: Path
) -> None:
    table, scored = quarter
    for form in ("csv", "parquet"):
        found = published_and_recomputed(scored, table, tmp_path, form)
        assert list(found.companies) == [row.figures for row in table.rows if row.figures]
        same_network(found, table)


def same_network(found: Table, table: PublicTable) -> None:
    network, published = found.network, table.network
    counts = asdict(network) | asdict(network.on_time)
    known = {name: count for name, count in published.counts.items() if count is not None}
    assert {name: counts[name] for name in known} == known
    for name in ("median_hours", "p90_hours", "mean_online_hours_7d", "survival", "curve"):
        assert getattr(network, name) == getattr(published, name)
    timing = network.on_time
    assert (timing.lenient, timing.strict) == (published.lenient, published.strict)
    assert timing.mature == published.mature


def invented_episodes(seed: int) -> list[tuple[Any, ...]]:
    """A quarter of five large companies, six small ones and nobody, with every kind of end, and sites shared."""
    chance = random.Random(seed)
    sizes = [(f"as{64500 + n}", 40 + 9 * n) for n in range(5)] + [(f"tiny-{n}", 3 + n) for n in range(6)]
    rows = [_invented(company, chance) for company, size in [*sizes, (None, 30)] for _ in range(size)]
    before = [_invented("as64500", chance, scored=False) for _ in range(20)]
    return rows + before


def _invented(company: str | None, chance: random.Random, *, scored: bool = True) -> tuple[Any, ...]:
    last = chance.randrange(0, 90 * HOUR)
    gone = last + chance.randrange(0, 12 * HOUR) if chance.random() < 0.7 else None
    moved = last + 1 if gone is None and chance.random() < 0.3 else None
    followed = max(last, gone or 0, moved or 0) + chance.randrange(0, 400 * HOUR)
    stale = gone is None and moved is None and followed - last > 168 * HOUR
    hours = [None if moment is None else moment / HOUR for moment in (last, gone, moved)]
    place = chance.choice(["BE", "NA", None]) if moved else None
    reported, again = chance.choice([1, 1, 3]), int(chance.random() < 0.2)
    deadline = chance.choice([24.0, 24.0, 12.0])
    return (company, chance.randrange(40), scored, *hours, place, followed / HOUR, deadline, reported, again, stale)


def scored_table(rows: list[tuple[Any, ...]]) -> Table:
    """The table of these episodes, by the engine itself."""
    keys = sorted({row[0] for row in rows if row[0]})
    numbers = {None: NOBODY} | {key: number for number, key in enumerate(keys, 1)}
    engine, table = engines.connect("duckdb://"), arrow(rows)
    companies = pa.array([numbers[key] for key in table["company"].to_pylist()], pa.int64())
    every = engines.put(engine, "episodes", table.set_column(0, "company", companies))
    labels = {number: Label(key, key.upper(), "NL") for number, key in enumerate(keys, 1)}
    refused = {number: number for number in labels}
    gathered = gather(engine, every.filter(every.scored), every, method(), also=sorted(refused))
    found = assemble(gathered, labels, refused | {NETWORK: sum(refused.values())}, method())
    network, nobody = found.pop(NETWORK), found.pop(NOBODY)
    unattributed = Unattributed(nobody.episodes, nobody.notices)
    return Table("2026.1", "", "", "", ranked(list(found.values()), method()), network, unattributed)


@pytest.mark.parametrize("seed", range(2))
def test_the_network_is_recomputed_though_small_companies_are_pooled(seed: int, tmp_path: Path) -> None:
    rows = invented_episodes(seed)
    table = public_table(scored_table(rows))
    assert sum(row.figures is None for row in table.rows) == 6
    assert not table.network.gives_way
    found = published_and_recomputed(arrow(rows), table, tmp_path)
    assert list(found.companies) == [row.figures for row in table.rows if row.figures]
    same_network(found, table)


def published_and_recomputed(scored: pa.Table, table: PublicTable, folder: Path, form: str = "csv") -> Table:
    """What an outsider gets from the two files."""
    public = public_episodes(scored, table)
    (folder / "companies.csv").write_bytes(companies_csv(table))
    (folder / "episodes.csv").write_bytes(write_csv(public))
    write_parquet(public, folder / "episodes.parquet")
    return recompute(folder / f"episodes.{form}", folder / "companies.csv", method())


def test_no_time_in_the_file_says_when_an_ended_episode_began(quarter: tuple[PublicTable, pa.Table]) -> None:
    """Only the oldest outstanding of each company keeps its exact age."""
    table, scored = quarter
    rows = public_episodes(scored, table).to_pylist()
    ages = {round(hours * HOUR) for hours in scored["followed_h"].to_pylist()}
    told = [row for row in rows if round(row["followed_h"] * HOUR) in ages and row["end"] != "outstanding"]
    assert len(told) < len(rows) / 20  # by chance: a deadline or a check that fell at that age of another


def test_estimate_prints_the_table_of_a_release(tmp_path: Path) -> None:
    table = public_table(scored_table(invented_episodes(0)))
    published_and_recomputed(arrow(invented_episodes(0)), table, tmp_path)
    files = [str(tmp_path / "episodes.csv"), "--companies", str(tmp_path / "companies.csv")]
    answer = CliRunner().invoke(cli, ["estimate", *files, "--json", "--curves"])
    assert answer.exit_code == 0
    shown = [row.figures for row in table.rows if row.figures]
    assert json.loads(answer.stdout)["companies"] == json.loads(json.dumps([asdict(figures) for figures in shown]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("as64500,AS64500", "as64511,AS64511"), "are not those of episodes.csv"),
        (("shown,,,,,,,,,1", "shown,,,,,,,,,soon"), "row 1: refused is not a whole number"),
        (("via_proxy", "proxy"), "no column 'via_proxy'"),
    ],
)
def test_a_list_of_companies_that_cannot_be_says_where(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    table = public_table(scored_table(invented_episodes(0)))
    published_and_recomputed(arrow(invented_episodes(0)), table, tmp_path)
    text = (tmp_path / "companies.csv").read_text()
    assert change[0] in text
    (tmp_path / "companies.csv").write_text(text.replace(*change))
    with pytest.raises(DeliveryError, match=message):
        recompute(tmp_path / "episodes.csv", tmp_path / "companies.csv", method())
